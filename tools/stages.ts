import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { duration } from "./log";
import { root } from "./root";

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
  testResults: JestFile[];
}

interface JestFile {
  name: string;
  /** Why the file failed; of one that did not run at all there is no other word. */
  message: string;
  status: string;
  assertionResults: { fullName: string; status: string; failureMessages: string[] | null }[];
}

/** Counts of a jest run; a file that could not run at all counts as a failed test, as its own are not even known. */
export function jestCounts(json: JestJson): Counts {
  return { passed: json.numPassedTests, failed: json.numFailedTests + json.numRuntimeErrorTestSuites };
}

/** How many lines of a failure are said again. */
const lines = 12;

/**
 * What failed, with the first words of why: of what ran for half an hour, who looks at it may have the end only. A file's
 * tests that fail for one reason, as where its `beforeAll` does, are one.
 */
export function failures({ testResults }: JestJson): string[] {
  return testResults
    .filter(({ status }) => status === "failed")
    .flatMap((file) => {
      const why = new Map<string, string[]>();
      for (const { fullName, status, failureMessages } of file.assertionResults) {
        if (status !== "failed") continue;
        const message = (failureMessages ?? []).join("\n");
        why.set(message, [...(why.get(message) ?? []), fullName]);
      }
      if (why.size === 0) why.set(file.message, ["the file itself"]);
      return [...why].map(([message, [first, ...more]]) => {
        const words = stripVTControlCharacters(message).trim().split("\n").slice(0, lines);
        const rest = more.length > 0 ? ` (and ${more.length} more)` : "";
        return [`${relative(root, file.name)}: ${first}${rest}`, ...words].join("\n    ");
      });
    });
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
