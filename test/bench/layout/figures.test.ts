import { withFigures } from "../../../bench/docs";
import { layoutFigures } from "../../../bench/layout/figures";
import type { LayoutContender, LayoutSample, LayoutVerb } from "../../../bench/layout/samples";
import { figuresTable, type Report, secondsTable } from "../../../bench/report";

const sample = (contender: LayoutContender, verb: LayoutVerb, round: number, seconds: number): LayoutSample => ({
  ...{ workload: "layout", contender, verb, round, seconds },
  hosts: [
    { connections: 1, processes: 10 * (round + 1) },
    { connections: 1, processes: 7 },
  ],
});

/** Three rounds, the second of which was ten times as slow for everybody. */
const samples = [1, 10, 1].flatMap((slow, round) => [
  sample("ours", "up", round, 8 * slow),
  sample("ours", "destroy", round, 6 * slow),
  sample("noop", "up", round, 2 * slow),
  sample("noop", "destroy", round, 1 * slow),
  sample("shell", "up", round, 4 * slow),
  sample("shell", "destroy", round, 1 * slow),
]);
const session = { connections: 1, channels: 2, roundTrips: 9, commands: 80 };
const results = { samples, sessions: [session, { ...session, roundTrips: 15, commands: 60 }], resources: 70 };
const layout = layoutFigures(results);

test("host time is what ours takes beyond the no-op, against the script's time of the same round", () => {
  expect(layout).toMatchObject({ upVsNoop: 4, hostTimeVsShell: 1.5 });
});

test("counts are those of the busiest host", () => {
  expect(layout).toMatchObject({
    ...{
      hosts: 2,
      resources: 70,
      connectionsPerHost: 1,
      channelsPerHost: 2,
      roundTripsPerHost: 15,
      commandsPerHost: 80,
    },
    processesPerHost: { ours: 20, noop: 20, shell: 20 },
    seconds: { ours: { up: 8, destroy: 6 }, noop: { up: 2, destroy: 1 }, shell: { up: 4, destroy: 1 } },
  });
});

test("measured alone, the layout is the only table", () => {
  const text = figuresTable({ layout });
  expect(text).toContain("| figure | target | main example, 2 hosts |");
  expect(text).toContain("| host time (ours − no-op) / shell script | ≤ 1.5 | 1.5 |");
  expect(text).not.toContain("100 links");
  expect(secondsTable({ layout })).toContain("| main example, 2 hosts | shell script | 4 | 1 |");
});

test("a layout that misses its target says so, on the page too", () => {
  const slow = samples.map((each) => (each.contender === "shell" ? { ...each, seconds: each.seconds / 2 } : each));
  const report: Report = {
    layout: layoutFigures({ ...results, samples: slow }),
    ...{ rounds: 3, quick: false, versions: { node: "v20" }, samples: slow },
    machine: { processor: "P", cores: 2, memoryGiB: 4, kernel: "6.1", system: "Debian", load: [0.1, 2] },
  };
  const page = "<!-- figures: written by `npm run bench -- --write-docs` -->\n<!-- end of figures -->\n";
  expect(withFigures(page, report)).toContain("/ shell script | ≤ 1.5 | **3** (missed) |");
});
