import type { Context, Found, Kind } from "./kind";
import { get, leaves, same, set } from "./model/path";

export const restartText = (process: string) => `${process} is ended and started again as a unit`;

/** What becomes of an object that is taken over, for a person: nothing is said of what is as declared, or left alone. */
export function fateOf(
  kind: Kind,
  want: Record<string, unknown>,
  found: Found<unknown, unknown>,
  context: Context<unknown>,
): string {
  const live = drift(kind, want, found, context);
  const changed = leaves(want).filter((path) => !same(get(live, path), get(want, path)));
  const gone = Object.keys(kind.surplus?.(want, found) ?? {}).map((path) => path.replaceAll("\\.", "."));
  const said = (what: string, paths: string[]) => (paths.length > 0 ? `; ${what}: ${paths.join(", ")}` : "");
  const ended = found.restarts === undefined ? "" : `; ${restartText(found.restarts)}`;
  return ended + said("changed", changed) + said("not declared, so taken away", gone);
}

/**
 * The declared arguments with live values where they differ. A leaf differs when taking the live value for the declared
 * one changes what is to do: so two spellings of a value are none, and the kind says only once what it compares. While
 * something is to do after that, one difference has hidden another (a device that is made anew hides what is wrong on it).
 * What is broken so that `converge` refuses it, whatever is declared, shows in all that differs, but for its identity: by
 * that it is found and deleted.
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
  const live = (path: string) => (kind.shown ? kind.shown(path, want, found) : get(found.args, path));
  const paths = leaves(want).filter((path) => found.broken || !kind.identity.includes(path));
  const shownOver = (known: Record<string, unknown>): Record<string, unknown> => {
    const before = todo(known);
    if (before === "[]") return known;
    const differing = paths.filter(
      (path) => !same(live(path), get(known, path)) && todo(set(known, path, live(path))) !== before,
    );
    if (differing.length === 0) return known;
    return shownOver(differing.reduce((shown, path) => set(shown, path, live(path)), known));
  };
  const surplus = Object.entries(kind.surplus?.(want, found) ?? {});
  const shown = surplus.reduce((args, [path, value]) => set(args, path, value), shownOver(want));
  if (!found.broken || !same(shown, want)) return shown;
  const differing = paths.filter((path) => !kind.identity.includes(path) && !same(live(path), get(want, path)));
  return differing.reduce((args, path) => set(args, path, live(path)), shown);
}
