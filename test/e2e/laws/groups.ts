import type { Kind } from "../../../provider/kind";
import { diff, type Inputs, type Outputs } from "../../../provider/lifecycle";
import { get, same } from "../../../provider/model/path";
import { validate } from "../../../provider/validate";
import type { Sample, Update } from "../../kinds/sample";
import { over } from "../../laws/samples";

type Args = Record<string, unknown>;

/** Updates of one kind that are tried at once. */
export interface Group {
  updates: [path: string, update: Update][];
  /** The sample's arguments with all of them. */
  args: Args;
  /** What the object must be before: the sample's own arguments, or those of another object, which has to be made first. */
  base: Args;
  /** What is left in the program when the updates are taken out of it: what they need stays, where it holds alone. */
  without: Args;
}

interface Open extends Group {
  /** All that differs from the sample's arguments. */
  changes: Args;
  apart: boolean;
}

/** As few groups as the samples allow: those that say `apart` alone, those that contradict each other in different ones. */
export function groupsOf(kind: Kind, sample: Sample): Group[] {
  const groups: Open[] = [];
  for (const [path, update] of Object.entries(sample.updates)) {
    const changes = { ...update.with, [path]: update.to };
    const base = needsAnother(kind, sample, update) ? over(sample.args, update.with) : sample.args;
    // One that changes what the others stand on goes alone too.
    const overrides = Object.keys(update.with ?? {}).some((key) => get(sample.args, key) !== undefined);
    const apart = update.apart === true || (overrides && base === sample.args);
    const fits = (group: Open) =>
      !group.apart && same(group.base, base) && agree(group.changes, changes) && valid(kind, over(group.args, changes));
    const home = apart ? undefined : groups.find(fits);
    if (home) {
      home.updates.push([path, update]);
      home.args = over(home.args, changes);
      home.without = withoutUpdates(kind, home);
      Object.assign(home.changes, changes);
    } else {
      const group = { updates: [[path, update] as [string, Update]], args: over(sample.args, changes), base };
      groups.push({ ...group, without: withoutUpdates(kind, group), changes, apart });
    }
  }
  return groups;
}

function withoutUpdates(kind: Kind, { updates, base }: Pick<Group, "updates" | "base">): Args {
  const tried = updates.map(([path]) => path);
  const needed = updates
    .filter(([, { removed }]) => removed)
    .flatMap(([, update]) => Object.entries(update.with ?? {}))
    .filter(([path]) => !tried.includes(path));
  const args = needed.length > 0 ? over(base, Object.fromEntries(needed)) : base;
  return valid(kind, args) ? args : base;
}

const valid = (kind: Kind, args: Args) => validate(kind.args, args).failures.length === 0;

/** True when what an update needs is another object than the sample's. */
function needsAnother(kind: Kind, sample: Sample, update: Update): boolean {
  const args = over(sample.args, update.with);
  if (!update.with || !valid(kind, args)) return false;
  const host = { machineId: "m" };
  const olds = { ...validate(kind.args, sample.args).value, host, revision: "0" } as unknown as Outputs;
  const news = { ...validate(kind.args, args).value, host } as unknown as Inputs;
  return diff(kind, olds, news).replaces !== undefined;
}

/** No path, nor what is above or below it, is given two values. */
function agree(a: Args, b: Args): boolean {
  return Object.entries(a).every(([path, value]) =>
    Object.entries(b).every(([other, wanted]) =>
      path === other ? same(value, wanted) : !path.startsWith(`${other}.`) && !other.startsWith(`${path}.`),
    ),
  );
}
