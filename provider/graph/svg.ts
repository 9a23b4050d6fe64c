/** Lays a graph out. Graphviz itself, as WebAssembly: nothing has to be installed. */
export async function svgOf(dot: string): Promise<string> {
  // A megabyte that only this needs.
  const { instance } = await import("@viz-js/viz");
  const svg = (await instance()).renderString(dot, { format: "svg", engine: "dot" });
  return svg.replaceAll('font-family="Verdana"', 'font-family="Verdana,DejaVu Sans,sans-serif"');
}
