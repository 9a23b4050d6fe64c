import { figuresTable, type Report, secondsTable } from "./report";

const begin = "<!-- figures: written by `npm run bench -- --write-docs` -->";
const end = "<!-- end of figures -->";

/** docs/benchmarks.md with its figures replaced; the words around them are kept. */
export function withFigures(text: string, report: Report): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has lost its marks: ${begin} … ${end}`);
  return `${text.slice(0, from)}${begin}\n\n${section(report)}\n\n${text.slice(to)}`;
}

function section(report: Report): string {
  const { processor, cores, memoryGiB, kernel, system, load } = report.machine;
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  return [
    figuresTable(report),
    "",
    `Measured on ${system}, kernel ${kernel}, ${cores} × ${processor}, ${memoryGiB} GiB; the hosts share the processors with`,
    `Pulumi. Load average ${load[0]} before, ${load[1]} at the end. ${report.rounds} rounds. ${versions.join(", ")}.`,
    "",
    "Medians in seconds:",
    "",
    secondsTable(report),
  ].join("\n");
}
