import { type Change, type Layout, type Node, outsideId, type Place, type Wire } from "./layout";

/** Colours by what they tell; the page's legend uses them too. */
export const colours = {
  ink: "#1f2933",
  quiet: "#7b8794",
  host: "#f5f7fa",
  namespace: "#e3f2fd",
  node: "#ffffff",
  bridge: "#dff3e4",
  changed: "#e67e00",
  gone: "#c62828",
  tunnel: "#6a1b9a",
  port: "#607d8b",
};

const style: Record<Wire["as"], string> = {
  cable: `color="${colours.ink}", penwidth=1.6`,
  port: `color="${colours.port}"`,
  parent: `color="${colours.port}", style=dashed`,
  tunnel: `color="${colours.tunnel}", penwidth=2, constraint=false`,
};

/** The picture in Graphviz's language. */
export function dotOf(layout: Layout): string {
  const { hosts, wires, outside } = layout;
  const clusters = hosts.map(({ name, places }) => {
    const inside = places.map((place) => (place.namespace === undefined ? nodesOf(place) : namespaceOf(place)));
    const corner = `${quote(cornerOf(name))} [style=invis, shape=point, width=0.01];\n`;
    return cluster(name, `<B>${html(name)}</B>`, colours.host, corner + inside.join(""));
  });
  const clouds = outside.map(
    (address) => `${quote(outsideId(address))} [label=${quote(address)}, shape=ellipse, style=dashed];\n`,
  );
  // Verdana is the widest of the usual fonts: another one that a browser has instead fits in, too.
  return `graph network {
  graph [rankdir=LR, fontname="Verdana", fontsize=12, nodesep=0.2, ranksep=0.7, pad=0.4];
  node [shape=box, style="rounded,filled", fillcolor="${colours.node}", color="${colours.quiet}", fontname="Verdana", fontsize=10, fontcolor="${colours.ink}", margin="0.12,0.06"];
  edge [fontname="Verdana", fontsize=8, fontcolor="${colours.ink}"];
${clusters.join("")}${clouds.join("")}${wires.map(wireOf).join("")}${columns(layout)}}
`;
}

const cornerOf = (host: string) => `//corner ${host}`;

/** Hosts stand in a grid, not in one long row: what is to the right of another comes after all that is in that. */
function columns({ hosts }: Layout): string {
  const width = Math.ceil(Math.sqrt(hosts.length * 1.2));
  const edges = hosts.flatMap(({ name, places }, index) => {
    const own = places.flatMap(({ nodes }) => nodes.map(({ id }) => id));
    const next = hosts[index + 1];
    const isLast = (index + 1) % width === 0;
    return [
      ...own.map((id) => `${quote(cornerOf(name))} -- ${quote(id)}`),
      ...(next && !isLast ? [...own, cornerOf(name)].map((id) => `${quote(id)} -- ${quote(cornerOf(next.name))}`) : []),
    ];
  });
  return edges.map((edge) => `${edge} [style=invis, weight=0];\n`).join("");
}

function namespaceOf(place: Place): string {
  return cluster(
    `${place.host}/${place.namespace}`,
    html(place.namespace ?? ""),
    colours.namespace,
    nodesOf(place),
    place.change,
  );
}

function nodesOf({ nodes, notes, host, namespace }: Place): string {
  const lines = notes.map(
    ({ text, change }) =>
      `<FONT COLOR="${changeColour(change) ?? colours.quiet}">${html(text)}</FONT><BR ALIGN="LEFT"/>`,
  );
  const note =
    lines.length > 0
      ? `${quote(`${host}/${namespace ?? ""}#`)} [shape=note, style="", fontsize=9, label=<${lines.join("")}>];\n`
      : "";
  return nodes.map(nodeOf).join("") + note;
}

function nodeOf({ id, name, kind, lines, change, isBridge }: Node): string {
  const rows = [
    `<B>${html(name)}</B>`,
    `<FONT POINT-SIZE="8" COLOR="${colours.quiet}">${html(kind)}</FONT>`,
    ...lines.map((line) => `<FONT POINT-SIZE="9">${html(line)}</FONT>`),
  ];
  return `${quote(id)} [id=${quote(id)}, label=<${rows.join("<BR/>")}>${isBridge ? `, fillcolor="${colours.bridge}"` : ""}${changed(change)}];\n`;
}

function wireOf({ from, to, as, label, change }: Wire): string {
  const text = label === undefined ? "" : `, label=${quote(label)}`;
  return `${quote(from)} -- ${quote(to)} [${style[as]}${text}${changed(change)}];\n`;
}

function cluster(id: string, label: string, fill: string, inside: string, change?: Change): string {
  return `subgraph ${quote(`cluster ${id}`)} {
graph [label=<${label}>, labeljust=l, style="rounded,filled", fillcolor="${fill}", color="${changeColour(change) ?? colours.quiet}"${change ? ", penwidth=3" : ""}];
${inside}}
`;
}

const changeColour = (change: Change | undefined) => change && colours[change];

const changed = (change: Change | undefined) =>
  change ? `, color="${colours[change]}", penwidth=3${change === "gone" ? ', style="dashed"' : ""}` : "";

const quote = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

const html = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
