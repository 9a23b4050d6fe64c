import { hostsDot, tunnels } from "./dot";
import type { Layout } from "./layout";

/** Lays a picture out. Graphviz itself, as WebAssembly: nothing has to be installed. */
export async function svgOf(layout: Layout): Promise<string> {
  // A megabyte that only this needs.
  const { instance } = await import("@viz-js/viz");
  const viz = await instance();
  const placed = viz.renderString(hostsDot(layout), { format: "dot", engine: "dot" });
  const end = placed.lastIndexOf("}");
  // nop2 leaves everything where it is, and draws what has no place yet.
  const whole = `${placed.slice(0, end)}graph [splines=true];\n${tunnels(layout)}}\n`;
  const svg = viz.renderString(whole, { format: "svg", engine: "nop2" });
  return svg.replaceAll('font-family="Verdana"', 'font-family="Verdana,DejaVu Sans,sans-serif"');
}
