import type { Figures, WorkloadFigures } from "./figures";
import { layoutSeconds, layoutTable } from "./layout/report";
import type { LayoutSample } from "./layout/samples";
import type { Machine } from "./machine";
import type { Contender, Sample } from "./samples";
import { type Row, table } from "./table";
import type { WorkloadName } from "./workloads";

/** What `--json` prints. */
export interface Report extends Figures {
  rounds: number;
  quick: boolean;
  machine: Machine;
  versions: Record<string, string>;
  /** Every single measurement, in the order in which it was made. */
  samples: (Sample | LayoutSample)[];
}

const engineRows = (
  suffix: string,
  target: string,
  of: (figures: WorkloadFigures) => EngineLike | undefined,
): Row<WorkloadFigures>[] => [
  [`\`pulumi up\`, ours / no-op${suffix}`, target, (figures) => of(figures)?.upVsNoop],
  [`\`pulumi up\` again, nothing to do${suffix}`, "", (figures) => of(figures)?.upAgainVsNoop],
  [`\`pulumi refresh\`${suffix}`, target, (figures) => of(figures)?.refreshVsNoop],
  [`\`pulumi destroy\`${suffix}`, target, (figures) => of(figures)?.destroyVsNoop],
];
type EngineLike = Pick<WorkloadFigures, "upVsNoop" | "upAgainVsNoop" | "refreshVsNoop" | "destroyVsNoop">;

const rows: Row<WorkloadFigures>[] = [
  ...engineRows(", `-p 64`", "≤ 1.2", (figures) => figures),
  ...engineRows(", `-p 64`, processor time", "", (figures) => figures.cpu),
  ...engineRows(", default `-p`", "", (figures) => figures.defaultParallelism),
  ["connection per operation / ours, create, host time", "≥ 5", (figures) => figures.connectPerOperationVsUs],
  ["connection per operation / ours, read, host time", "≥ 5", (figures) => figures.connectPerOperationVsUsRefresh],
  ["connection per operation / ours, delete, host time", "≥ 5", (figures) => figures.connectPerOperationVsUsDestroy],
  ["ours / shell script, create, host time", "", (figures) => figures.hostTimeVsShell.up],
  ["ours / shell script, read, host time", "", (figures) => figures.hostTimeVsShell.refresh],
  ["ours / shell script, delete, host time", "", (figures) => figures.hostTimeVsShell.destroy],
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

const columns = (figures: Figures) =>
  (Object.keys(titles) as WorkloadName[]).flatMap((name): [string, WorkloadFigures][] => {
    const measured = figures[name];
    return measured ? [[titles[name], measured]] : [];
  });

/** The figures as tables in Markdown: those of the links, and those of the layout. */
export function figuresTable(figures: Figures): string {
  const links = columns(figures);
  const tables = [
    ...(links.length > 0 ? [table(rows, links)] : []),
    ...(figures.layout ? [layoutTable(figures.layout)] : []),
  ];
  return tables.join("\n\n");
}

const waysInWords = {
  parallel64: "`-p 64`",
  parallelDefault: "default `-p`",
  process: "without the engine",
} as const;

const contendersInWords: Record<Contender, string> = {
  ours: "ours",
  noop: "no-op",
  connectPerOperation: "connection per operation",
  shellScript: "shell script",
};

/** Medians in seconds, for the curious: they hold for one machine. */
export function secondsTable(figures: Figures): string {
  const links = columns(figures).length > 0 ? [linkSeconds(figures)] : [];
  return [...links, ...(figures.layout ? [layoutSeconds(figures.layout)] : [])].join("\n\n");
}

function linkSeconds(figures: Figures): string {
  const lines = (Object.keys(titles) as WorkloadName[]).flatMap((name) =>
    Object.entries(figures[name]?.seconds ?? {}).flatMap(([way, contenders]) =>
      Object.entries(contenders).map(([contender, seconds]) => {
        const cells = [seconds.up, seconds.again, seconds.refresh, seconds.destroy].map((each) => each ?? "");
        const how = `${waysInWords[way as keyof typeof waysInWords]}`;
        const who = contendersInWords[contender as Contender];
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
