import { colours } from "./dot";
import { type Change, type Layout, type Part, partsOf } from "./layout";
import { script } from "./page-script";

const style = `
* { box-sizing: border-box; }
html, body { margin: 0; height: 100%; font: 14px/1.4 system-ui, sans-serif; color: ${colours.ink}; background: #fff; }
body { display: flex; flex-direction: column; }
header { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; padding: 8px 16px; border-bottom: 1px solid #cbd2d9; }
h1 { font-size: 16px; margin: 0; }
input { font: inherit; padding: 4px 8px; width: 16em; border: 1px solid ${colours.quiet}; border-radius: 4px; }
button { font: inherit; padding: 4px 10px; border: 1px solid ${colours.quiet}; border-radius: 4px; background: #fff; cursor: pointer; }
#count { min-width: 5em; color: ${colours.quiet}; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; color: ${colours.quiet}; font-size: 12px; margin-left: auto; }
.legend b { display: inline-block; width: 22px; border-top: 3px solid; vertical-align: middle; margin-right: 4px; }
.legend i { display: inline-block; width: 14px; height: 14px; border: 1px solid ${colours.quiet}; border-radius: 3px; vertical-align: middle; margin-right: 4px; }
main { flex: 1; position: relative; overflow: hidden; }
main > svg { position: absolute; inset: 0; width: 100%; height: 100%; cursor: grab; touch-action: none; }
main.dragging > svg { cursor: grabbing; }
g.node, g.edge { cursor: pointer; }
g.edge .wide { stroke: transparent; stroke-width: 10; }
svg.searching g.node, svg.searching g.edge { opacity: 0.15; }
svg.searching g.hit { opacity: 1; }
g.node:focus-visible { outline: none; }
g.node.chosen > :is(path, polygon, ellipse), g.node:focus-visible > :is(path, polygon, ellipse), g.edge.chosen > path:not(.wide) { stroke-width: 3.5; }
aside { position: absolute; top: 0; right: 0; bottom: 0; width: min(26em, 90%); padding: 16px; overflow: auto; background: #fff; border-left: 1px solid #cbd2d9; box-shadow: -4px 0 12px #0001; }
aside[hidden] { display: none; }
aside h2 { font-size: 16px; margin: 0 2em 8px 0; overflow-wrap: anywhere; }
aside h3 { font-size: 13px; margin: 12px 0 4px; overflow-wrap: anywhere; }
aside p.drift { margin: 4px 0; color: ${colours.gone}; overflow-wrap: anywhere; }
aside button { position: absolute; top: 12px; right: 12px; }
aside pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; background: ${colours.host}; padding: 8px; border-radius: 4px; }
`;

const always: [html: string, meaning: string][] = [
  [`<i style="background:${colours.namespace}"></i>`, "namespace"],
  [`<i style="background:${colours.bridge}"></i>`, "bridge"],
  [lineOf(colours.ink), "pair or patch"],
  [lineOf(colours.port), "port of a bridge"],
  [lineOf(colours.port, true), "on a parent"],
  [lineOf(colours.tunnel), "tunnel"],
];

const whenDrifted: Record<Change, string> = {
  changed: lineOf(colours.changed),
  gone: lineOf(colours.gone, true),
  undeclared: lineOf(colours.undeclared, true),
  unread: lineOf(colours.unread, true),
};

function lineOf(colour: string, dashed = false): string {
  return `<b style="border-color:${colour}${dashed ? ";border-top-style:dashed" : ""}"></b>`;
}

/** One file with the picture in it, to look around, search, and ask what something is. */
export function pageOf(svg: string, layout: Layout, title: string): string {
  const parts = partsOf(layout).filter((part) => part.details.length > 0);
  const details = Object.fromEntries(parts.map((part) => [part.id, { title: titleOf(part), resources: part.details }]));
  const drifted = Object.entries(whenDrifted).filter(([change]) => parts.some((part) => part.change === change));
  const legend = [...always, ...drifted.map(([change, html]) => [html, change])];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head><body>
<header><h1>${escaped(title)}</h1><input type="search" placeholder="Search: name, address, tag…" aria-label="Search"><span id="count" role="status"></span>
<button id="in" title="Nearer">+</button><button id="out" title="Farther">−</button><button id="whole">Whole</button>
<span class="legend">${legend.map(([html, meaning]) => `<span>${html}${meaning}</span>`).join("")}</span></header>
<main>${svg.slice(svg.indexOf("<svg"))}<aside hidden><button title="Close">×</button><h2></h2><div></div></aside></main>
<script type="application/json" id="details">${JSON.stringify(details).replaceAll("<", "\\u003c")}</script>
<script>${script}</script></body></html>
`;
}

const titleOf = (part: Part) => {
  if ("from" in part) return part.details.map(({ resource }) => resource).join(", ");
  return part.id
    .replace(/ #$/, "")
    .split(/[/ ]/)
    .filter((word) => word !== "")
    .join(" / ");
};

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
