import { layoutOf } from "./build";
import { dotOf } from "./dot";
import type { Picture } from "./drawn";
import type { Layout } from "./layout";
import { mermaidOf } from "./mermaid";
import { pageOf } from "./page";
import { svgOf } from "./svg";

/** The forms of a picture. */
export const formats = {
  html: async (layout: Layout, title: string) => pageOf(await svgOf(layout), layout, title),
  svg: async (layout: Layout) => svgOf(layout),
  dot: async (layout: Layout) => dotOf(layout),
  mermaid: async (layout: Layout) => mermaidOf(layout),
};

export type Format = keyof typeof formats;

export function render({ drawn, on }: Picture, format: Format): Promise<string> {
  const title = `Network of ${on.map(({ host }) => host).join(", ") || "nothing"}`;
  return formats[format](layoutOf(drawn, on), title);
}
