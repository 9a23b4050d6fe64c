import type { Figures, WorkloadFigures } from "./figures";
import type { Machine } from "./machine";
import type { Sample } from "./samples";
import type { WorkloadName } from "./workloads";

/** What `--json` prints. */
export interface Report extends Figures {
  rounds: number;
  quick: boolean;
  machine: Machine;
  versions: Record<string, string>;
  /** Every single measurement, in the order in which it was made. */
  samples: Sample[];
}

type Row = [what: string, target: string, value: (figures: WorkloadFigures) => number | undefined];

const engineRows = (
  suffix: string,
  target: string,
  of: (figures: WorkloadFigures) => EngineLike | undefined,
): Row[] => [
  [`\`pulumi up\`, ours / no-op${suffix}`, target, (figures) => of(figures)?.upVsNoop],
  [`\`pulumi up\` again, nothing to do${suffix}`, "", (figures) => of(figures)?.upAgainVsNoop],
  [`\`pulumi refresh\`${suffix}`, target, (figures) => of(figures)?.refreshVsNoop],
  [`\`pulumi destroy\`${suffix}`, target, (figures) => of(figures)?.destroyVsNoop],
];
type EngineLike = Pick<WorkloadFigures, "upVsNoop" | "upAgainVsNoop" | "refreshVsNoop" | "destroyVsNoop">;

const rows: Row[] = [
  ...engineRows(", `-p 64`", "≤ 1.2", (figures) => figures),
  ...engineRows(", `-p 64`, processor time", "", (figures) => figures.cpu),
  ...engineRows(", default `-p`", "", (figures) => figures.defaultParallelism),
  ["connection per operation / ours, create, host time", "≥ 5", (figures) => figures.connectPerOperationVsUs],
  ["connection per operation / ours, read, host time", "≥ 5", (figures) => figures.connectPerOperationVsUsRefresh],
  ["connection per operation / ours, delete, host time", "≥ 5", (figures) => figures.connectPerOperationVsUsDestroy],
  [
    "connection per operation / ours, `pulumi up`, default `-p`",
    "",
    (figures) => figures.defaultParallelism?.connectPerOperationUpVsUs,
  ],
  [
    "connection per operation / ours, `pulumi destroy`, default `-p`",
    "",
    (figures) => figures.defaultParallelism?.connectPerOperationDestroyVsUs,
  ],
  ["connections a host, most", "1", (figures) => figures.connectionsPerHost],
  ["channels a host, most", "≤ 2", (figures) => figures.channelsPerHost],
  ["round trips a batch, create", "≤ 2", (figures) => figures.roundTrips.up],
  ["round trips a batch, read", "≤ 2", (figures) => figures.roundTrips.refresh],
  ["round trips a batch, delete", "≤ 2", (figures) => figures.roundTrips.destroy],
  ["processes on a host, create, ours", "", (figures) => figures.processesPerHost.ours.up],
  [
    "processes on a host, create, ours through the engine",
    "",
    (figures) => figures.processesPerHost.oursThroughEngine.up,
  ],
  [
    "processes on a host, create, connection per operation",
    "",
    (figures) => figures.processesPerHost.connectPerOperation.up,
  ],
];

const titles: Record<WorkloadName, string> = { links100: "100 links, 1 host", links4x25: "4 × 25 links, 4 hosts" };

/** The figures as a table in Markdown. */
export function figuresTable(figures: Figures): string {
  const names = (Object.keys(titles) as WorkloadName[]).filter((name) => figures[name]);
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const body = rows.flatMap(([what, target, value]) => {
    const values = names.map((name) => value(figures[name] as WorkloadFigures));
    if (values.every((each) => each === undefined)) return [];
    return [line([what, target, ...values.map((each) => (each === undefined ? "" : verdict(each, target)))])];
  });
  return [
    line(["figure", "target", ...names.map((name) => titles[name])]),
    line(["---", "---", ...names.map(() => "---:")]),
    ...body,
  ].join("\n");
}

/** A figure that misses its target says so. */
function verdict(value: number, target: string): string {
  return missed(value, target) ? `**${value}** (missed)` : String(value);
}

export function missed(value: number, target: string): boolean {
  const limit = Number(target.replace(/[^\d.]/g, ""));
  if (target === "") return false;
  return target.startsWith("≥") ? value < limit : value > limit;
}

const waysInWords = {
  parallel64: "`-p 64`",
  parallelDefault: "default `-p`",
  process: "without the engine",
} as const;

const contendersInWords = { ours: "ours", noop: "no-op", connectPerOperation: "connection per operation" } as const;

/** Medians in seconds, for the curious: they hold for one machine. */
export function secondsTable(figures: Figures): string {
  const lines = (Object.keys(titles) as WorkloadName[]).flatMap((name) =>
    Object.entries(figures[name]?.seconds ?? {}).flatMap(([way, contenders]) =>
      Object.entries(contenders).map(([contender, seconds]) => {
        const cells = [seconds.up, seconds.again, seconds.refresh, seconds.destroy].map((each) => each ?? "");
        const how = `${waysInWords[way as keyof typeof waysInWords]}`;
        const who = contendersInWords[contender as keyof typeof contendersInWords];
        return `| ${titles[name]} | ${how} | ${who} | ${cells.join(" | ")} |`;
      }),
    ),
  );
  return [
    "| workload | how | contender | up | up again | refresh | destroy |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ...lines,
  ].join("\n");
}
