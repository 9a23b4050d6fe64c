import { join } from "node:path";
import { root } from "../../tools/root";
import { failures, jestCounts, timeTable, totals } from "../../tools/stages";

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
  const json = { success: false, numPassedTests: 5, numFailedTests: 1, numRuntimeErrorTestSuites: 1, testResults: [] };
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

test("what failed is said in the end with its reason, and one reason once", () => {
  const failed = (fullName: string, ...failureMessages: string[]) => ({ fullName, status: "failed", failureMessages });
  const passed = { fullName: "is quiet", status: "passed", failureMessages: [] as string[] };
  const file = (name: string, ...assertionResults: (typeof passed)[]) => {
    return { name: join(root, name), message: "does not compile", status: "failed", assertionResults };
  };
  const long = Array.from({ length: 40 }, (_, line) => `line ${line}`).join("\n");
  const testResults = [
    file("test/a.test.ts", passed, failed("one", "\u001b[31mno lease\u001b[39m\nof: udhcpc"), failed("two", "other")),
    file("test/b.test.ts", failed("x", long), failed("y", long), failed("z", long)),
    file("test/c.test.ts"),
    { ...file("test/d.test.ts", passed), status: "passed" },
  ];
  const json = { success: false, numPassedTests: 1, numFailedTests: 5, numRuntimeErrorTestSuites: 1, testResults };
  expect(failures(json)).toEqual([
    "test/a.test.ts: one\n    no lease\n    of: udhcpc",
    "test/a.test.ts: two\n    other",
    expect.stringMatching(/^test\/b\.test\.ts: x \(and 2 more\)\n {4}line 0\n(.|\n)* {4}line 11$/),
    "test/c.test.ts: the file itself\n    does not compile",
  ]);
});
