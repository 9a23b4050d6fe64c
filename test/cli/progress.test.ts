import { hostnet } from "../../provider/cli/program";
import { busyReading } from "../../provider/cli/progress";
import { resourcesOf } from "../../provider/state";

const resources = resourcesOf(
  JSON.stringify({
    resources: [
      { type: "pulumi-nodejs:dynamic/hostnet:Host", name: "one", id: "1", outputs: { name: "n1" } },
      { type: "pulumi-nodejs:dynamic/hostnet:LinuxBridge", name: "br", id: "2", outputs: { host: { name: "n1" } } },
      { type: "pulumi-nodejs:dynamic/hostnet:LinuxBridge", name: "other", id: "3", outputs: { host: { name: "n2" } } },
      {
        type: "pulumi-nodejs:dynamic/hostnet:Host",
        name: "old",
        id: "4",
        outputs: { name: "n3", decommissioned: true },
      },
    ],
  }),
);

test.each([
  [true, ["n1: reading 2 resources ...", "n2: reading 1 resource ..."]],
  [false, []],
])("on a terminal (%s) it is said which hosts are read", (isTTY, lines) => {
  const before = process.stderr.isTTY;
  const said = jest.spyOn(console, "error").mockImplementation();
  try {
    process.stderr.isTTY = isTTY;
    busyReading(resources);
    expect(said.mock.calls).toEqual(lines.map((line) => [line]));
  } finally {
    process.stderr.isTTY = before;
    said.mockRestore();
  }
});

test("the version is the package's", () => {
  expect(hostnet().version()).toBe(require("../../package.json").version);
});
