import { onOneLine } from "../discover/literal";

/** A cell that is longer moves what follows in its own row, and widens no column. */
const widest = 48;

/** Rows under a head, each column as wide as its widest cell; the last one is not padded. */
export function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows].map((row) => row.map(onOneLine));
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0).filter((n) => n <= widest)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return all.map(line).join("\n");
}
