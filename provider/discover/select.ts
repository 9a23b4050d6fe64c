import { HostnetError } from "../model/errors";
import { get } from "../model/path";
import type { Thing } from "./survey";

const keys = ["kind", "name", "namespace"] as const;
type Term = { key: (typeof keys)[number]; pattern: RegExp };

/** Several texts are alternatives; the terms of one, as `kind=Veth*,namespace=blue`, hold together. */
export type Selection = Term[][];

/** Throws INVALID. */
export function parseSelection(texts: string[]): Selection {
  return texts.map((text) => text.split(",").map(parseTerm));
}

function parseTerm(text: string): Term {
  const [, key, glob] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (!key || !glob || !(keys as readonly string[]).includes(key)) {
    throw new HostnetError("INVALID", `cannot select by '${text}'`, {
      remedy:
        "Say kind=, name= or namespace=, with * for any letters, as kind=Veth*,namespace=blue; namespace=- is the host's own.",
    });
  }
  const pattern = glob
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return { key: key as Term["key"], pattern: new RegExp(`^${pattern}$`, "i") };
}

/** True when any alternative fits; with none all do. */
export function isSelected(selection: Selection, thing: Thing): boolean {
  const fits = ({ key, pattern }: Term) => valuesOf(thing, key).some((value) => pattern.test(value));
  return selection.length === 0 || selection.some((terms) => terms.every(fits));
}

/** A pair is in two namespaces and has two names; what has no name is called by what tells it from others. */
function valuesOf({ kind, args }: Thing, key: Term["key"]): string[] {
  if (key === "kind") return [kind.name];
  const paths = kind.identity.filter((path) => (path.split(".").at(-1) === "namespace") === (key === "namespace"));
  const values = paths.map((path) => get(args, path));
  if (key === "name") return values.filter((value) => value !== undefined).map(String);
  if (kind.name === "Namespace") return [String(args.name)];
  return values.length > 0 ? values.map((value) => String(value ?? "-")) : ["-"];
}
