import { type Row, table } from "../table";
import type { LayoutFigures } from "./figures";
import { type LayoutContender, layoutContenders } from "./samples";

const rows: Row<LayoutFigures>[] = [
  ["`pulumi up`, ours / no-op, `-p 64`", "", (figures) => figures.upVsNoop],
  ["host time (ours − no-op) / shell script", "≤ 1.5", (figures) => figures.hostTimeVsShell],
  ["connections a host, most", "1", (figures) => figures.connectionsPerHost],
  ["channels a host, most", "≤ 2", (figures) => figures.channelsPerHost],
  ["round trips a host, most", "", (figures) => figures.roundTripsPerHost],
  ["commands a host, most", "", (figures) => figures.commandsPerHost],
  ["processes on a host, ours", "", (figures) => figures.processesPerHost.ours],
  ["processes on a host, shell script", "", (figures) => figures.processesPerHost.shell],
];

const title = "main example, 2 hosts";

/** The figures of the layout as a table in Markdown. */
export const layoutTable = (figures: LayoutFigures): string => table(rows, [[title, figures]]);

const inWords: Record<LayoutContender, string> = { ours: "ours", noop: "no-op", shell: "shell script" };

/** Medians in seconds. */
export function layoutSeconds({ seconds }: LayoutFigures): string {
  const lines = layoutContenders.map((contender) => {
    const { up, destroy } = seconds[contender];
    return `| ${title} | ${inWords[contender]} | ${up} | ${destroy} |`;
  });
  return ["| workload | contender | up | destroy |", "| --- | --- | ---: | ---: |", ...lines].join("\n");
}
