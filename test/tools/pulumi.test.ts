import { withStack } from "../../tools/pulumi-arguments";
import { buildFolder, moduleVersion } from "../../tools/pulumi-build";

test("our own build is named by the version that go.mod requires and a hash of what goes into it", () => {
  expect(moduleVersion("cli")).toBe("v3.259.0");
  expect(moduleVersion("language-nodejs")).toBe("v3.68.0");
  expect(buildFolder("/cache")).toMatch(/^\/cache\/built-v3\.259\.0-[0-9a-f]{10}$/);
});

test.each([
  ["up", "up --stack lab"],
  ["preview --diff", "preview --diff --stack lab"],
  ["up -s other", "up -s other"],
  ["up --stack=other", "up --stack=other"],
  ["stack output --json", "stack output --json --stack lab"],
  ["stack", "stack --stack lab"],
  ["stack ls", "stack ls"],
  ["up --help", "up --help"],
  ["version", "version"],
  ["", ""],
])("npm run pulumi -- %s runs: pulumi %s", (given, run) => {
  const args = given.split(" ").filter((arg) => arg !== "");
  expect(withStack(args).join(" ")).toBe(run);
});
