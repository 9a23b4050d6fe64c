/** A figure: what it is, its target (or nothing), and its value in one column, where there is one. */
export type Row<F> = [what: string, target: string, value: (figures: F) => number | undefined];

/** Figures as a table in Markdown, with a column for each title. Rows without a value are left out. */
export function table<F>(rows: Row<F>[], columns: [title: string, figures: F][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const body = rows.flatMap(([what, target, value]) => {
    const values = columns.map(([, figures]) => value(figures));
    if (values.every((each) => each === undefined)) return [];
    return [line([what, target, ...values.map((each) => (each === undefined ? "" : verdict(each, target)))])];
  });
  return [
    line(["figure", "target", ...columns.map(([title]) => title)]),
    line(["---", "---", ...columns.map(() => "---:")]),
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
