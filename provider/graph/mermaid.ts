import { type Layout, type Node, outsideId, type Wire } from "./layout";

const line: Record<Wire["as"], [plain: string, before: string, after: string]> = {
  cable: ["===", "== ", " ==="],
  port: ["---", "-- ", " ---"],
  parent: ["-.-", "-. ", " .-"],
  tunnel: ["<-.->", "<-. ", " .->"],
};

/** The picture as a Mermaid flowchart, as many wikis and code hosts show it. */
export function mermaidOf({ hosts, wires, outside }: Layout): string {
  const ids = new Map<string, string>();
  const id = (text: string) => {
    ids.set(text, ids.get(text) ?? `n${ids.size + 1}`);
    return ids.get(text) as string;
  };
  const lines = ["flowchart LR"];
  const changes: Record<string, string[]> = { changed: [], gone: [] };
  const put = ({ id: key, name, kind, lines: facts, change }: Node, indent: string) => {
    lines.push(`${indent}${id(key)}["${[`<b>${text(name)}</b>`, text(kind), ...facts.map(text)].join("<br/>")}"]`);
    if (change) changes[change]?.push(id(key));
  };
  for (const { name, places } of hosts) {
    lines.push(`  subgraph ${id(`host ${name}`)}["${text(name)}"]`);
    for (const { namespace, nodes } of places) {
      if (namespace !== undefined)
        lines.push(`    subgraph ${id(`place ${name}/${namespace}`)}["namespace ${text(namespace)}"]`);
      for (const node of nodes) put(node, namespace === undefined ? "    " : "      ");
      if (namespace !== undefined) lines.push("    end");
    }
    lines.push("  end");
  }
  for (const address of outside) lines.push(`  ${id(outsideId(address))}(["${text(address)}"])`);
  for (const { from, to, as, label } of wires) {
    const [plain, before, after] = line[as];
    lines.push(`  ${id(from)} ${label ? `${before}"${text(label)}"${after}` : plain} ${id(to)}`);
  }
  lines.push(
    "  classDef changed stroke:#e67e00,stroke-width:3px",
    "  classDef gone stroke:#c62828,stroke-width:3px,stroke-dasharray:5",
  );
  for (const [name, members] of Object.entries(changes))
    if (members.length > 0) lines.push(`  class ${members.join(",")} ${name}`);
  return `${lines.join("\n")}\n`;
}

const text = (raw: string) =>
  raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "#quot;");
