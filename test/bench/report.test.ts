import { childSeconds } from "../../bench/contenders/engine";
import { withFigures } from "../../bench/docs";
import { figuresOf } from "../../bench/figures";
import { median, ratio } from "../../bench/measure";
import { figuresTable, type Report } from "../../bench/report";
import { type Contender, type Sample, Samples, type Way } from "../../bench/samples";
import { missed } from "../../bench/table";

test("the median is the middle one", () => {
  expect([median([3]), median([9, 1, 2]), median([4, 1, 2, 9])]).toEqual([3, 2, 3]);
  expect(() => median([])).toThrow("nothing");
});

test("a ratio compares within each round, so that a slow round says nothing", () => {
  expect(ratio([2, 20, 3], [1, 10, 2])).toBe(2);
  expect(() => ratio([1], [1, 2])).toThrow("both");
});

test("processor time is that of the children, as the shell prints it", () => {
  expect(childSeconds("0m0.01s 0m0.02s\n1m2.50s 0m3.25s\n")).toBeCloseTo(65.75);
});

test.each([
  [1.2, "≤ 1.2", false],
  [1.21, "≤ 1.2", true],
  [5, "≥ 5", false],
  [4.99, "≥ 5", true],
  [2, "1", true],
  [99, "", false],
])("%d against the target %j is missed: %j", (value, target, expected) => {
  expect(missed(value, target)).toBe(expected);
});

/** Two rounds in which ours takes `seconds` for everything, and the others twice and half of that. */
function samples(): Samples {
  const all = new Samples();
  const one = (way: Way, contender: Contender, verb: Sample["verb"], round: number) => {
    const seconds = { ours: 2, noop: 1, connectPerOperation: 12, shellScript: 1 }[contender] * (round + 1);
    const hosts = [{ connections: contender === "ours" ? 1 : 100, channels: 1, processes: 10 }];
    all.add({
      workload: "links100",
      way,
      contender,
      verb,
      round,
      seconds,
      cpuSeconds: 1,
      roundTripsPerBatch: 2,
      hosts,
    });
  };
  for (const round of [0, 1]) {
    for (const verb of ["up", "again", "refresh", "destroy"] as const) {
      one("parallel64", "ours", verb, round);
      one("parallel64", "noop", verb, round);
      if (verb === "again") continue;
      one("process", "ours", verb, round);
      one("process", "connectPerOperation", verb, round);
      one("process", "shellScript", verb, round);
    }
  }
  return all;
}

const figures = figuresOf(samples(), false);

test("figures have the ratios and the counts that the specification names", () => {
  expect(figures.links100).toMatchObject({
    linksPerHost: 100,
    upVsNoop: 2,
    destroyVsNoop: 2,
    cpu: { upVsNoop: 1 },
    connectPerOperationVsUs: 6,
    hostTimeVsShell: { up: 2, destroy: 2 },
    connectionsPerHost: 1,
    channelsPerHost: 1,
    roundTripsPerBatch: 2,
    processesPerHost: { ours: { up: 10 } },
    seconds: { process: { ours: { up: 3 } } },
  });
  expect(figures.links4x25).toBeUndefined();
  expect(figures.links100?.defaultParallelism).toBeUndefined();
});

test("the table says which targets are missed", () => {
  const table = figuresTable(figures);
  expect(table).toContain("| `pulumi up`, ours / no-op, `-p 64` | ≤ 1.2 | **2** (missed) |");
  expect(table).toContain("| `pulumi refresh`, `-p 64` | ≤ 1.2 | **2** (missed) |");
  expect(table).toContain("| `pulumi destroy`, `-p 64` | ≤ 1.2 | **2** (missed) |");
  expect(table).toContain("| connection per operation / ours, create, host time | ≥ 5 | 6 |");
  expect(table).not.toContain("default `-p`");
});

test("only what stands between the marks of the page is replaced", () => {
  const page =
    "# Before\n<!-- figures: written by `npm run bench -- --write-docs` -->\nold\n<!-- end of figures -->\nafter\n";
  const report: Report = {
    ...figures,
    rounds: 2,
    quick: false,
    machine: { processor: "P", cores: 2, memoryGiB: 4, kernel: "6.1", system: "Debian", load: [0.1, 2] },
    versions: { node: "v20" },
    samples: [],
  };
  const written = withFigures(page, report);
  expect(written).toMatch(
    /^# Before\n<!-- figures.*\n[\s\S]*\| figure [\s\S]*2 × P[\s\S]*<!-- end of figures -->\nafter\n$/,
  );
  expect(written).not.toContain("old");
  expect(withFigures(written, report)).toBe(written);
  expect(() => withFigures("nothing", report)).toThrow("lost its marks");
});
