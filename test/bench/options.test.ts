import { parseOptions } from "../../bench/options";

test("without options it measures everything, three times", () => {
  expect(parseOptions([])).toEqual({
    rounds: 3,
    quick: false,
    only: ["links100", "links4x25", "layout"],
    json: false,
    writeDocs: false,
  });
});

test("quick is one round, unless it is said otherwise", () => {
  expect(parseOptions(["--quick", "--only", "links100"])).toMatchObject({ rounds: 1, quick: true, only: ["links100"] });
  expect(parseOptions(["--quick", "--rounds", "2"]).rounds).toBe(2);
});

test("one suite alone, or all but one", () => {
  expect(parseOptions(["--only", "layout"]).only).toEqual(["layout"]);
  expect(parseOptions(["--only", "links100", "--only", "links4x25"]).only).toEqual(["links100", "links4x25"]);
});

test.each([
  [["--rounds", "0"], "--rounds must be 1 or more"],
  [["--rounds", "many"], "--rounds must be 1 or more"],
  [["--only", "links7"], "there is no workload links7"],
  [["--fast"], "Unknown option"],
  [["--write-docs", "--quick"], "--write-docs takes all workloads"],
  [["--write-docs", "--only", "links100", "--only", "links4x25"], "--write-docs takes all workloads"],
  [["--write-docs", "--rounds", "2"], "at least 3 rounds"],
])("%j is refused, with the usage or the reason", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
