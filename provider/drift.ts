import type { Context, Found, Kind } from "./kind";
import { get, leaves, same, set } from "./model/path";

/**
 * The declared arguments with live values where they differ. A leaf differs when taking the live value for the declared
 * one leaves less to do: so two spellings of a value are none, and the kind says only once what it compares.
 */
export function drift(
  kind: Kind,
  want: Record<string, unknown>,
  found: Found<unknown, unknown>,
  context: Context<unknown>,
): Record<string, unknown> {
  const todo = (args: Record<string, unknown>) => {
    try {
      return JSON.stringify(kind.converge(args, found, context));
    } catch (error) {
      return String(error);
    }
  };
  const before = todo(want);
  if (before === "[]") return want;
  const surplus = Object.entries(kind.surplus?.(want, found) ?? {});
  const declared = leaves(want).reduce((shown, path) => {
    if (kind.identity.includes(path) && !found.broken) return shown;
    const live = kind.shown ? kind.shown(path, want, found) : get(found.args, path);
    if (same(live, get(want, path)) || todo(set(want, path, live)) === before) return shown;
    return set(shown, path, live);
  }, want);
  return surplus.reduce((shown, [path, value]) => set(shown, path, value), declared);
}
