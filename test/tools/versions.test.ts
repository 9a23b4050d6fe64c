import { isAtLeast, parseVersion } from "../../tools/versions";

test.each([
  ["v3.259.0", [3, 259, 0]],
  ["3.254", [3, 254, 0]],
  ["v3.260.0-dev.1+abc", [3, 260, 0]],
  ["go version go1.26.8 linux/amd64", [1, 26, 8]],
  ["unknown", undefined],
  ["", undefined],
])("the version in %j is %j", (text, version) => {
  expect(parseVersion(text)).toEqual(version);
});

test.each([
  ["v3.254.0", "3.254.0", true],
  ["v3.253.9", "3.254.0", false],
  ["v3.1000.0", "3.254.0", true],
  ["4.0.0", "3.254.0", true],
  ["3.254.0-dev", "3.254.0", true],
  ["nonsense", "3.254.0", false],
])("%s is at least %s: %s", (version, least, answer) => {
  expect(isAtLeast(version, least)).toBe(answer);
});
