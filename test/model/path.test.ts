import { get, leaves, same, set } from "../../provider/model/path";

const tree = { a: { name: "x", list: [1, 2] }, sysctls: { "net.ipv4.ip_forward": "1" }, gone: undefined };

test("leaves are the paths of all values, and get finds each again", () => {
  expect(leaves(tree)).toEqual(["a.name", "a.list", "sysctls.net\\.ipv4\\.ip_forward"]);
  expect(leaves(tree).map((path) => get(tree, path))).toEqual(["x", [1, 2], "1"]);
  expect(get(tree, "b.name")).toBeUndefined();
});

test("set changes a copy, also below a key with dots, and takes a key away", () => {
  const path = "sysctls.net\\.ipv4\\.ip_forward";
  expect(set(tree, path, "0").sysctls).toEqual({ "net.ipv4.ip_forward": "0" });
  expect(set(tree, path, undefined).sysctls).toEqual({});
  expect(set(tree, "b.c", 1)).toMatchObject({ b: { c: 1 } });
  expect(get(tree, path)).toBe("1");
});

test("same looks at the values, not at the order of keys", () => {
  expect(same({ a: 1, b: [1] }, { b: [1], a: 1 })).toBe(true);
  expect(same({ a: 1 }, { a: 1, b: 2 })).toBe(false);
  expect(same([1], { 0: 1 })).toBe(false);
});
