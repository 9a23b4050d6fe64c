import { colours } from "./dot";
import { type Change, type Layout, type Node, outsideId, type Place, type Wire } from "./layout";

const line: Record<Wire["as"], [plain: string, before: string, after: string]> = {
  cable: ["===", "== ", " ==="],
  port: ["---", "-- ", " ---"],
  parent: ["-.-", "-. ", " .-"],
  tunnel: ["<-.->", "<-. ", " .->"],
};

const classes: [Change, style: string][] = [
  ["changed", `stroke:${colours.changed},stroke-width:3px`],
  ["gone", `stroke:${colours.gone},stroke-width:3px,stroke-dasharray:5`],
  ["undeclared", `stroke:${colours.undeclared},stroke-width:3px,stroke-dasharray:5`],
  ["unread", `stroke:${colours.unread},stroke-width:3px,stroke-dasharray:5`],
];

/** The picture as a Mermaid flowchart, as many wikis and code hosts show it. */
export function mermaidOf({ hosts, wires, outside }: Layout): string {
  const ids = new Map<string, string>();
  const members = new Map<Change, string[]>();
  const lines = ["flowchart LR"];
  for (const { id, name, places, change } of hosts) {
    box(id, `<b>${text(name)}</b>`, "  ", change, (indent) => {
      for (const place of places) {
        if (place.namespace === undefined) inside(place, indent);
        else box(place.id, text(place.namespace), indent, place.change, (deeper) => inside(place, deeper));
      }
    });
  }
  for (const address of outside) lines.push(`  ${short(outsideId(address))}(["${text(address)}"])`);
  for (const { from, to, as, label } of wires) {
    const [plain, before, after] = line[as];
    lines.push(`  ${short(from)} ${label ? `${before}"${text(label)}"${after}` : plain} ${short(to)}`);
  }
  for (const [change, style] of classes) {
    const drifted = members.get(change);
    if (drifted) lines.push(`  classDef ${change} ${style}`, `  class ${drifted.join(",")} ${change}`);
  }
  return `${lines.join("\n")}\n`;

  function short(id: string): string {
    const known = ids.get(id) ?? `n${ids.size + 1}`;
    ids.set(id, known);
    return known;
  }

  function mark(id: string, change: Change | undefined): void {
    if (change) members.set(change, [...(members.get(change) ?? []), short(id)]);
  }

  function box(id: string, title: string, indent: string, change: Change | undefined, fill: (deeper: string) => void) {
    lines.push(`${indent}subgraph ${short(id)}["${title}"]`);
    fill(`${indent}  `);
    lines.push(`${indent}end`);
    mark(id, change);
  }

  function inside({ nodes, notes }: Place, indent: string): void {
    for (const node of nodes) put(node, indent);
    if (notes.lines.length > 0) {
      const said = notes.lines.map((each) => text(each.text)).join("<br/>");
      lines.push(`${indent}${short(notes.id)}>"${said}"]`);
      mark(notes.id, notes.change);
    }
  }

  function put({ id, name, kind = "not declared", lines: facts, change }: Node, indent: string): void {
    const said = [`<b>${text(name)}</b>`, text(kind), ...facts.map((each) => text(each.text))];
    lines.push(`${indent}${short(id)}["${said.join("<br/>")}"]`);
    mark(id, change);
  }
}

const text = (raw: string) =>
  raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "#quot;");
