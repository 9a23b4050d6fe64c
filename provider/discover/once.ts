import { type ClaimTable, enter, takenBy } from "../model/claim-table";
import { linkShape } from "../model/link-args";
import { get, leaves, set } from "../model/path";
import { type unwrap, validate } from "../validate";
import { describe } from "./describe";
import type { Thing } from "./survey";

/**
 * The same fact shows in several ways: an address of a device is in the device's own list and could be an Address of its
 * own. It is said once, as in a program: by the thing that has more to say of it, else by what makes the device.
 */
export function once(things: Thing[]): Thing[] {
  const table: ClaimTable = new Map();
  const ranked = [...things].sort((a, b) => rank(a) - rank(b));
  return ranked.flatMap((thing) => {
    if (thing.learned) return [thing];
    const said = withoutTaken(thing, table);
    if (said) enter(table, said.id, claimsOf(said));
    return said ? [said] : [];
  });
}

const claimsOf = ({ kind, args }: Thing) => kind.claims(validate(kind.args, args).value);

/** What attaches something to a device (its mark is in the ledger) comes after what makes one, unless it says more. */
function rank({ kind, args }: Thing): number {
  const shape = kind.args.shape as Record<string, Parameters<typeof unwrap>[0]>;
  // Who runs the program behind a device has more to say of it than the device alone.
  if (kind.mark !== "ledger") return "running" in shape ? 0 : 1;
  const isExtra = (path: string) => {
    const [key = ""] = path.split(".");
    // What every link takes, the link says.
    return !kind.identity.includes(path) && shape[key]?.isOptional() && !(key in linkShape);
  };
  const setsUpDevice = kind.identity[0] === "name";
  return setsUpDevice ? 2 : leaves(args).some(isExtra) ? 0 : 3;
}

/** The thing without what others have said; undefined when nothing of it is left. */
function withoutTaken(thing: Thing, table: ClaimTable): Thing | undefined {
  const { kind, identity, found } = thing;
  const others: string[] = [];
  for (let said = thing; ; ) {
    const taken = takenBy(table, claimsOf(said));
    if (!taken) return said;
    const path = leaves(said.args).find(
      (one) => get(identity, one) === undefined && !claimsOf(without(said, one)).includes(taken.claim),
    );
    if (path === undefined) return undefined;
    others.push(path);
    said = { ...thing, ...describe(kind, identity, found, others) };
  }
}

const without = (thing: Thing, path: string): Thing => ({ ...thing, args: set(thing.args, path, undefined) });
