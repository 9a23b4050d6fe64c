import { which } from "../../tools/which";

test("a command is found on the given path, else in the system's folders", () => {
  expect(which("sh", "/bin", [])).toBe("/bin/sh");
  expect(which("sh", "/no/such/folder")).toMatch(/\/sh$/);
  expect(which("sh", "/no/such/folder", [])).toBeUndefined();
});

test("a folder and a file that may not be run are no commands", () => {
  expect(which("/tmp")).toBeUndefined();
  expect(which("/etc/passwd")).toBeUndefined();
});
