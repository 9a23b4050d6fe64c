import { duration } from "./log";

/** How many tests a stage ran; a stage without tests of its own counts only when it fails, as one. */
export interface Counts {
  passed: number;
  failed: number;
}

export interface StageResult {
  name: string;
  ok: boolean;
  seconds: number;
  counts?: Counts;
}

/** The parts of jest's `--json` output that are counted. */
export interface JestJson {
  success: boolean;
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
}

/** Counts of a jest run; a file that could not run at all counts as a failed test, as its own are not even known. */
export function jestCounts(json: JestJson): Counts {
  return { passed: json.numPassedTests, failed: json.numFailedTests + json.numRuntimeErrorTestSuites };
}

/** The sum over all stages. A failed stage always shows: one whose tests did not fail counts as one failure. */
export function totals(results: StageResult[]): Counts {
  const sum = { passed: 0, failed: 0 };
  for (const { ok, counts } of results) {
    sum.passed += counts?.passed ?? 0;
    sum.failed += ok ? (counts?.failed ?? 0) : Math.max(1, counts?.failed ?? 0);
  }
  return sum;
}

/** Where time went, a line a stage. */
export function timeTable(results: StageResult[]): string {
  const rows = results.map(({ name, ok, seconds, counts }) => [
    name,
    ok ? "ok" : "FAILED",
    duration(seconds),
    counts ? `${counts.passed} passed, ${counts.failed} failed` : "",
  ]);
  const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
  rows.push(["together", "", duration(total), ""]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map(([name, ok, time, counts]) =>
      [`  ${name?.padEnd(widths[0] ?? 0)}`, ok?.padEnd(widths[1] ?? 0), time?.padStart(widths[2] ?? 0), counts]
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
