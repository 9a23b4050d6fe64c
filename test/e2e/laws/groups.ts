import type { Kind } from "../../../provider/kind";
import { get, same } from "../../../provider/model/path";
import { validate } from "../../../provider/validate";
import type { Sample, Update } from "../../kinds/sample";
import { over } from "../../laws/samples";

/** Updates of one kind that are tried at once. */
export interface Group {
  updates: [path: string, update: Update][];
  /** The sample's arguments with all of them. */
  args: Record<string, unknown>;
}

/** As few groups as the samples allow: those that say `apart` alone, those that contradict each other in different ones. */
export function groupsOf(kind: Kind, sample: Sample): Group[] {
  const groups: (Group & { changes: Record<string, unknown>; apart: boolean })[] = [];
  for (const [path, update] of Object.entries(sample.updates)) {
    const changes = { ...update.with, [path]: update.to };
    // One that changes what the others stand on goes alone too.
    const apart =
      update.apart === true || Object.keys(update.with ?? {}).some((key) => get(sample.args, key) !== undefined);
    const home = apart
      ? undefined
      : groups.find((group) => !group.apart && agree(group.changes, changes) && valid(kind, over(group.args, changes)));
    if (home) {
      home.updates.push([path, update]);
      home.args = over(home.args, changes);
      Object.assign(home.changes, changes);
    } else {
      groups.push({ updates: [[path, update]], args: over(sample.args, changes), changes, apart });
    }
  }
  return groups;
}

const valid = (kind: Kind, args: Record<string, unknown>) => validate(kind.args, args).failures.length === 0;

/** No path, nor what is above or below it, is given two values. */
function agree(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  return Object.entries(a).every(([path, value]) =>
    Object.entries(b).every(([other, wanted]) =>
      path === other ? same(value, wanted) : !path.startsWith(`${other}.`) && !other.startsWith(`${path}.`),
    ),
  );
}
