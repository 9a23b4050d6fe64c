import type { Path } from "../kind";

type Tree = Record<string, unknown>;

/** Keys of a record may have dots of their own (a sysctl's name): in a path these are written `\.`. */
const keysOf = (path: Path) => path.split(/(?<!\\)\./).map((key) => key.replaceAll("\\.", "."));
const written = (key: string) => key.replaceAll(".", "\\.");

/** The keys of a path as the engine writes paths (`ignoreChanges`): `a.b`, `a["b.c"]`, `a[0]`. */
export const keysOfEngine = (path: string): string[] =>
  [...path.matchAll(/"((?:[^"\\]|\\.)*)"|[^.[\]"]+/g)].map(([text, quoted]) => quoted ?? text);

/** The paths above it, from the top. */
export const ancestors = (path: Path): Path[] =>
  keysOf(path)
    .slice(0, -1)
    .map((_, index, keys) =>
      keys
        .slice(0, index + 1)
        .map(written)
        .join("."),
    );

/** The value at a dotted path; undefined where a step of the path is missing. */
export function get(tree: unknown, path: Path): unknown {
  let value: unknown = tree;
  for (const key of keysOf(path)) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as Tree)[key];
  }
  return value;
}

/** A copy of the tree with another value at the path; undefined takes the key away. */
export function set<T>(tree: T, path: Path, value: unknown): T {
  const [key = "", ...rest] = keysOf(path);
  const copy: Tree = { ...(tree as Tree) };
  const inner = rest.length > 0 ? set(copy[key] ?? {}, rest.map(written).join("."), value) : value;
  if (inner === undefined) delete copy[key];
  else copy[key] = inner;
  return copy as T;
}

/** The dotted paths of all values that are not plain objects themselves; a list is one value. */
export function leaves(tree: unknown, prefix = ""): Path[] {
  return Object.entries((tree ?? {}) as Tree).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const path = prefix ? `${prefix}.${written(key)}` : written(key);
    const nested = value !== null && typeof value === "object" && !Array.isArray(value);
    return nested ? leaves(value, path) : [path];
  });
}

/** Structural equality; the order of an object's keys does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => same((a as Tree)[key], (b as Tree)[key]));
}

/** A fresh copy as JSON has it: without undefined values, which the engine does not take anywhere. */
export const plain = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));
