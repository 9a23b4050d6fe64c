import { jestCounts, timeTable, totals } from "../../tools/stages";

const ok = { name: "Biome", ok: true, seconds: 1.24 };
const unit = { name: "Unit tests", ok: true, seconds: 42, counts: { passed: 120, failed: 0 } };

test("the sum is that of the tests", () => {
  expect(totals([ok, unit, { ...unit, ok: false, counts: { passed: 3, failed: 2 } }])).toEqual({
    passed: 123,
    failed: 2,
  });
});

test("a failed stage always shows, also without tests of its own", () => {
  expect(totals([{ ...ok, ok: false }, unit])).toEqual({ passed: 120, failed: 1 });
  expect(totals([{ ...unit, ok: false }])).toEqual({ passed: 120, failed: 1 });
});

test("a test file that does not run counts as a failed test", () => {
  const json = { success: false, numPassedTests: 5, numFailedTests: 1, numRuntimeErrorTestSuites: 1 };
  expect(jestCounts(json)).toEqual({ passed: 5, failed: 2 });
});

test("the table has a line a stage and one for all", () => {
  expect(timeTable([ok, { ...unit, seconds: 125, ok: false }])).toBe(
    [
      "  Biome       ok           1.2 s",
      "  Unit tests  FAILED  2 min 05 s  120 passed, 0 failed",
      "  together            2 min 06 s",
    ].join("\n"),
  );
});
