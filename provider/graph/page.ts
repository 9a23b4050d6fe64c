import { colours } from "./dot";
import type { Layout } from "./layout";

const style = `
* { box-sizing: border-box; }
html, body { margin: 0; height: 100%; font: 14px/1.4 system-ui, sans-serif; color: ${colours.ink}; background: #fff; }
body { display: flex; flex-direction: column; }
header { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; padding: 8px 16px; border-bottom: 1px solid #cbd2d9; }
h1 { font-size: 16px; margin: 0; }
input { font: inherit; padding: 4px 8px; width: 16em; border: 1px solid ${colours.quiet}; border-radius: 4px; }
button { font: inherit; padding: 4px 10px; border: 1px solid ${colours.quiet}; border-radius: 4px; background: #fff; cursor: pointer; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; color: ${colours.quiet}; font-size: 12px; margin-left: auto; }
.legend b { display: inline-block; width: 22px; border-top: 3px solid; vertical-align: middle; margin-right: 4px; }
.legend i { display: inline-block; width: 14px; height: 14px; border: 1px solid ${colours.quiet}; border-radius: 3px; vertical-align: middle; margin-right: 4px; }
main { flex: 1; position: relative; overflow: hidden; }
main > svg { position: absolute; inset: 0; width: 100%; height: 100%; cursor: grab; touch-action: none; }
main.dragging > svg { cursor: grabbing; }
g.node { cursor: pointer; }
svg.searching g.node, svg.searching g.edge { opacity: 0.15; }
svg.searching g.node.hit, g.node.hit { opacity: 1; }
g.node.chosen path, g.node.chosen polygon, g.node.chosen ellipse { stroke-width: 3; }
aside { position: absolute; top: 0; right: 0; bottom: 0; width: min(26em, 90%); padding: 16px; overflow: auto; background: #fff; border-left: 1px solid #cbd2d9; box-shadow: -4px 0 12px #0001; }
aside[hidden] { display: none; }
aside h2 { font-size: 16px; margin: 0 2em 8px 0; word-break: break-all; }
aside button { position: absolute; top: 12px; right: 12px; }
aside pre { white-space: pre-wrap; word-break: break-word; font-size: 12px; background: ${colours.host}; padding: 8px; border-radius: 4px; }
`;

/** Works on what is in the page alone: it may be opened from a disk, without a network. */
const script = `
const svg = document.querySelector("main > svg"), main = document.querySelector("main");
const details = JSON.parse(document.getElementById("details").textContent);
svg.removeAttribute("width"); svg.removeAttribute("height");
const whole = svg.viewBox.baseVal, start = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
let view = { ...start };
const show = () => svg.setAttribute("viewBox", [view.x, view.y, view.width, view.height].join(" "));
const scale = () => Math.max(view.width / main.clientWidth, view.height / main.clientHeight);
const at = (event) => {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [point.x, point.y];
};
const zoom = (factor, [x, y]) => {
  const width = Math.min(start.width * 4, Math.max(start.width / 60, view.width * factor)), by = width / view.width;
  view = { x: x - (x - view.x) * by, y: y - (y - view.y) * by, width, height: view.height * by };
  show();
};
const center = () => [view.x + view.width / 2, view.y + view.height / 2];
svg.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, at(event)); }, { passive: false });
let drag;
svg.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, y: event.clientY, moved: false, id: event.pointerId }; });
svg.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  if (!drag.moved) { svg.setPointerCapture(drag.id); main.classList.add("dragging"); }
  view.x -= dx * scale(); view.y -= dy * scale();
  drag = { ...drag, x: event.clientX, y: event.clientY, moved: true };
  show();
});
svg.addEventListener("pointerup", (event) => {
  const moved = drag && drag.moved;
  drag = undefined; main.classList.remove("dragging");
  if (!moved) choose(event.target.closest("g.node"));
});
const panel = document.querySelector("aside");
function choose(node) {
  for (const other of svg.querySelectorAll(".chosen")) other.classList.remove("chosen");
  const known = node && details[node.id];
  panel.hidden = !known;
  if (!known) return;
  node.classList.add("chosen");
  panel.querySelector("h2").textContent = node.id.split("/").filter(Boolean).join(" / ");
  const { drift, ...rest } = known;
  panel.querySelector("div").textContent = (drift || []).join("\\n");
  panel.querySelector("pre").textContent = JSON.stringify(rest, null, 2);
}
panel.querySelector("button").addEventListener("click", () => choose(null));
const search = document.querySelector("input"), count = document.getElementById("count");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let hits = 0, first;
  for (const node of svg.querySelectorAll("g.node")) {
    const text = (node.id + " " + node.textContent + " " + JSON.stringify(details[node.id] || "")).toLowerCase();
    const hit = words.length > 0 && words.every((word) => text.includes(word));
    node.classList.toggle("hit", hit);
    if (hit) { hits++; first = first || node; }
  }
  svg.classList.toggle("searching", words.length > 0);
  count.textContent = words.length ? hits + " found" : "";
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const hit = svg.querySelector("g.node.hit");
  if (!hit) return;
  const box = hit.getBBox(), ctm = svg.getScreenCTM().inverse().multiply(hit.getScreenCTM());
  const middle = new DOMPoint(box.x + box.width / 2, box.y + box.height / 2).matrixTransform(ctm);
  const width = Math.min(view.width, 900), height = width * start.height / start.width;
  view = { x: middle.x - width / 2, y: middle.y - height / 2, width, height };
  show(); choose(hit);
});
document.getElementById("in").addEventListener("click", () => zoom(1 / 1.4, center()));
document.getElementById("out").addEventListener("click", () => zoom(1.4, center()));
document.getElementById("whole").addEventListener("click", () => { view = { ...start }; show(); });
`;

/** One file with the picture in it, to look around, search, and ask what something is. */
export function pageOf(svg: string, layout: Layout, title: string): string {
  const nodes = layout.hosts.flatMap(({ places }) => places.flatMap((place) => place.nodes));
  const details = Object.fromEntries(nodes.map((node) => [node.id, node.details]));
  const picture = svg.slice(svg.indexOf("<svg"));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head><body>
<header><h1>${escaped(title)}</h1><input type="search" placeholder="Search: name, address, tag…" aria-label="Search"><span id="count" role="status"></span>
<button id="in" title="Nearer">+</button><button id="out" title="Farther">−</button><button id="whole">Whole</button>
<span class="legend"><span><i style="background:${colours.namespace}"></i>namespace</span><span><i style="background:${colours.bridge}"></i>bridge</span><span><b style="border-color:${colours.ink}"></b>pair</span><span><b style="border-color:${colours.port}"></b>port of a bridge</span><span><b style="border-color:${colours.port};border-top-style:dashed"></b>on a parent</span><span><b style="border-color:${colours.tunnel}"></b>tunnel</span><span><b style="border-color:${colours.changed}"></b>changed</span><span><b style="border-color:${colours.gone};border-top-style:dashed"></b>gone</span></span></header>
<main>${picture}<aside hidden><button title="Close">×</button><h2></h2><div style="color:${colours.changed};white-space:pre-wrap"></div><pre></pre></aside></main>
<script type="application/json" id="details">${JSON.stringify(details).replaceAll("<", "\\u003c")}</script>
<script>${script}</script></body></html>
`;
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
