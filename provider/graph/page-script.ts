/** What the page does. It works on what is in the page alone: it may be opened from a disk, without a network. */
export const script = `
const main = document.querySelector("main"), svg = main.querySelector("svg"), panel = document.querySelector("aside");
const search = document.querySelector("input"), count = document.getElementById("count");
const details = JSON.parse(document.getElementById("details").textContent);
const whole = svg.viewBox.baseVal, start = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
let view = { ...start }, drag, hits = [], turn = -1;

// Looking around.
svg.removeAttribute("width"); svg.removeAttribute("height");
const show = () => svg.setAttribute("viewBox", [view.x, view.y, view.width, view.height].join(" "));
const zoom = (factor, x = view.x + view.width / 2, y = view.y + view.height / 2) => {
  const width = Math.min(start.width * 4, Math.max(start.width / 60, view.width * factor)), by = width / view.width;
  view = { x: x - (x - view.x) * by, y: y - (y - view.y) * by, width, height: view.height * by };
  show();
};
const toPicture = (x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());
svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const { x, y } = toPicture(event.clientX, event.clientY);
  zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, x, y);
}, { passive: false });
svg.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, y: event.clientY, moved: false }; });
svg.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  if (!drag.moved) { svg.setPointerCapture(event.pointerId); main.classList.add("dragging"); }
  const scale = Math.max(view.width / main.clientWidth, view.height / main.clientHeight);
  view.x -= dx * scale; view.y -= dy * scale;
  drag = { x: event.clientX, y: event.clientY, moved: true };
  show();
});
svg.addEventListener("pointerup", (event) => {
  const moved = drag && drag.moved;
  drag = undefined; main.classList.remove("dragging");
  if (!moved) choose(event.target.closest("g.node, g.edge, g.cluster"));
});
svg.addEventListener("pointercancel", () => { drag = undefined; main.classList.remove("dragging"); });
document.getElementById("in").addEventListener("click", () => zoom(1 / 1.4));
document.getElementById("out").addEventListener("click", () => zoom(1.4));
document.getElementById("whole").addEventListener("click", () => { view = { ...start }; show(); });

// Asking what something is.
const element = (name, text, className = "") => Object.assign(document.createElement(name), { textContent: text, className });
function choose(part) {
  for (const other of svg.querySelectorAll(".chosen")) other.classList.remove("chosen");
  const known = part && details[part.id];
  panel.hidden = !known;
  if (!known) return;
  part.classList.add("chosen");
  panel.querySelector("h2").textContent = known.title;
  panel.querySelector("div").replaceChildren(...known.resources.flatMap(({ resource, kind, args, drift }) => [
    element("h3", kind + " " + resource),
    ...(drift || []).map((line) => element("p", line, "drift")),
    element("pre", JSON.stringify(args, null, 2)),
  ]));
}
panel.querySelector("button").addEventListener("click", () => choose());
for (const node of svg.querySelectorAll("g.node")) {
  if (!details[node.id]) continue;
  node.tabIndex = 0;
  node.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(node); });
}
// A line is too thin to be hit.
for (const path of svg.querySelectorAll("g.edge[id^='wire'] > path")) {
  const wide = path.cloneNode();
  for (const name of ["stroke-dasharray", "stroke-width"]) wide.removeAttribute(name);
  wide.classList.add("wide");
  path.after(wide);
}

// Searching.
const textOf = (part) => (part.textContent + " " + JSON.stringify(details[part.id] || "")).toLowerCase();
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for (const hit of hits) hit.classList.remove("hit");
  hits = words.length === 0 ? [] : [...svg.querySelectorAll("g.node, g.edge")].filter((part) =>
    details[part.id] && words.every((word) => textOf(part).includes(word)));
  for (const hit of hits) hit.classList.add("hit");
  turn = -1;
  svg.classList.toggle("searching", words.length > 0);
  count.textContent = words.length ? hits.length + " found" : "";
});
search.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { search.value = ""; search.dispatchEvent(new Event("input")); }
  if (event.key !== "Enter" || hits.length === 0) return;
  turn = (turn + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
  count.textContent = turn + 1 + " of " + hits.length;
  const box = hits[turn].getBoundingClientRect();
  const middle = toPicture(box.x + box.width / 2, box.y + box.height / 2);
  const width = Math.min(view.width, 900), height = width * view.height / view.width;
  view = { x: middle.x - width / 2, y: middle.y - height / 2, width, height };
  show(); choose(hits[turn]);
});
`;
