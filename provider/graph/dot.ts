import {
  type Change,
  type DrawnHost,
  type Layout,
  type Line,
  type Node,
  outsideId,
  type Place,
  type Wire,
} from "./layout";

/** Colours by what they tell; the page's legend uses them too. */
export const colours = {
  ink: "#1f2933",
  quiet: "#616e7c",
  host: "#f5f7fa",
  namespace: "#e3f2fd",
  node: "#ffffff",
  bridge: "#dff3e4",
  tunnel: "#6a1b9a",
  port: "#607d8b",
  changed: "#e67e00",
  gone: "#c62828",
  undeclared: "#0277bd",
  unread: "#9aa5b1",
};

const wireStyle: Record<Wire["as"], string> = {
  cable: `color="${colours.ink}", penwidth=1.6`,
  port: `color="${colours.port}"`,
  parent: `color="${colours.port}", style=dashed`,
  tunnel: `color="${colours.tunnel}", fontcolor="${colours.tunnel}", penwidth=2, constraint=false`,
};

/** The picture in Graphviz's language. */
export function dotOf(layout: Layout): string {
  return `graph network {\n${inside(layout)}${tunnels(layout)}}\n`;
}

/** What is on the hosts. Without the tunnels Graphviz lays them out one by one, and puts them into a grid. */
export const hostsDot = (layout: Layout) => `graph network {\n${inside(layout)}}\n`;

/** The rest, for hosts that have their places already. */
export const tunnels = ({ wires }: Layout) => wires.filter(isTunnel).map(wireOf).join("");

const isTunnel = ({ as }: Wire) => as === "tunnel";

function inside({ hosts, wires, outside }: Layout): string {
  const clouds = outside.map(
    (address) => `${quote(outsideId(address))} [label=${quote(address)}, shape=ellipse, style=dashed];\n`,
  );
  const rows = rowsOf(hosts);
  // Verdana is the widest of the usual fonts: another one that a browser has instead fits in, too.
  return `graph [rankdir=LR, pack=30, packmode="array_it${rows}", fontname="Verdana", fontsize=12, nodesep=0.2, ranksep=0.9, pad=0.4];
node [shape=box, style="rounded,filled", fillcolor="${colours.node}", color="${colours.quiet}", fontname="Verdana", fontsize=10, fontcolor="${colours.ink}", margin="0.12,0.06"];
edge [fontname="Verdana", fontsize=8, fontcolor="${colours.ink}"];
${inColumns([...hosts.map(hostOf), ...clouds], rows).join("")}${wires
  .filter((wire) => !isTunnel(wire))
  .map(wireOf)
  .join("")}`;
}

/** For a grid about as wide as a screen. A host is as high as what stands in a column: namespaces, or its own devices. */
function rowsOf(hosts: DrawnHost[]): number {
  const heights = hosts.map(({ places }) => Math.max(1.5, places.length - 1, (places[0]?.nodes.length ?? 0) / 3));
  const total = heights.reduce((sum, height) => sum + height, 0);
  const columns = Math.max(1, Math.round(Math.sqrt(total / 4)));
  return Math.max(1, Math.ceil(hosts.length / columns));
}

/** From left to right Graphviz fills a grid column by column, from below. */
function inColumns(texts: string[], rows: number): string[] {
  const starts = [...Array(Math.ceil(texts.length / rows)).keys()].map((column) => column * rows);
  return starts.flatMap((start) => texts.slice(start, start + rows).reverse());
}

function hostOf({ id, name, places, change }: DrawnHost): string {
  const boxes = places.map((place) => (place.namespace === undefined ? nodesOf(place) : namespaceOf(place)));
  return cluster(id, `<B>${html(name)}</B>`, colours.host, boxes.join(""), change);
}

const namespaceOf = (place: Place) =>
  cluster(place.id, html(place.namespace ?? ""), colours.namespace, nodesOf(place), place.change);

function nodesOf({ nodes, notes }: Place): string {
  if (notes.lines.length === 0) return nodes.map(nodeOf).join("") || `${quote(notes.id)} [style=invis, label=""];\n`;
  const lines = notes.lines.map((line) => `${text(line, colours.quiet)}<BR ALIGN="LEFT"/>`);
  const note = `${quote(notes.id)} [id=${quote(notes.id)}, shape=note, style=filled, fillcolor="#fffdf3", fontsize=9, label=<${lines.join("")}>];\n`;
  return nodes.map(nodeOf).join("") + note;
}

function nodeOf({ id, name, kind, lines, change, isBridge }: Node): string {
  const rows = [
    `<B>${html(name)}</B>`,
    `<FONT POINT-SIZE="8" COLOR="${colours.quiet}">${html(kind ?? "not declared")}</FONT>`,
    ...lines.map((line) => `<FONT POINT-SIZE="9">${text(line, colours.ink)}</FONT>`),
  ];
  const fill = isBridge ? `, fillcolor="${colours.bridge}"` : "";
  const border = kind === undefined ? `, style="rounded,filled,dashed"` : "";
  return `${quote(id)} [id=${quote(id)}, label=<${rows.join("<BR/>")}>${fill}${border}${changed(change, "rounded,filled,")}];\n`;
}

function wireOf({ id, from, to, as, label, change }: Wire): string {
  // Where Graphviz reserves a place for a label, it forgets it when it packs.
  const word = as === "tunnel" ? "label" : label && label.length > 12 ? "minlen=2, xlabel" : "xlabel";
  const said = label === undefined ? "" : `, ${word}=${quote(label)}`;
  return `${quote(from)} -- ${quote(to)} [id=${quote(id)}, ${wireStyle[as]}${said}${changed(change)}];\n`;
}

function cluster(id: string, label: string, fill: string, inside: string, change?: Change): string {
  return `subgraph ${quote(`cluster ${id}`)} {
graph [id=${quote(id)}, label=<${label}>, labeljust=l, style="rounded,filled", fillcolor="${fill}", color="${change ? colours[change] : colours.quiet}"${change ? ", penwidth=3" : ""}];
${inside}}
`;
}

const text = ({ text: said, change }: Line, colour: string) =>
  `<FONT COLOR="${change ? colours[change] : colour}">${html(said)}</FONT>`;

/** Dashed: it is on one side only. */
const changed = (change: Change | undefined, style = "") => {
  if (!change) return "";
  const dashes = change === "changed" ? "" : `, style="${style}dashed"`;
  return `, color="${colours[change]}", penwidth=3${dashes}`;
};

const quote = (raw: string) => `"${raw.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

const html = (raw: string) => raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
