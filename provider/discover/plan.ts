import type { Kind, Path } from "../kind";
import { get } from "../model/path";
import { isNotable, titleOfLeft } from "./leftovers";
import { namesOf, titleOf } from "./names";
import { inOrder, type Needs, needsOf } from "./references";
import type { Survey, Thing } from "./survey";

/** A resource that a program declares. */
export interface Planned {
  kind: Kind;
  /** The resource's name in the program. */
  name: string;
  id: string;
  args: Record<string, unknown>;
  thing: Thing;
  references: Map<Path, { to: Planned; name: Path; whole: boolean }>;
  after: Planned[];
}

/** How a Host is called and reached. */
export interface HostPlan {
  name: string;
  args: Record<string, unknown>;
  /** The program has a Host for it already. */
  isDeclared?: boolean;
}

/** What a program declares of one host, in order. */
export interface Plan {
  host: HostPlan;
  resources: Planned[];
  /** What is there and not declared, for a person. */
  comments: string[];
}

/** What was read of a host, and what of it is to be declared. */
export interface Discovered {
  host: HostPlan;
  machineId: string;
  survey: Survey;
  chosen: Thing[];
}

/** `prefix`: what names begin with where other hosts are in the same stack; `taken`: names that it has, behind the kind. */
export function planOf(
  host: HostPlan,
  survey: Survey,
  chosen: Thing[],
  { prefix, taken = [] }: { prefix?: string | undefined; taken?: string[] } = {},
): Plan {
  const needs = needsOf(chosen);
  const ordered = inOrder(chosen, needs);
  const names = namesOf(ordered, prefix, taken);
  const planned = new Map<Thing, Planned>();
  for (const thing of ordered) {
    const { references, after } = needs.get(thing) as Needs;
    planned.set(thing, {
      ...{ kind: thing.kind, name: names.get(thing) as string, id: thing.id, args: thing.args, thing },
      // One that stands later is not known here: what two things need of each other, one of them names by text.
      ...linked(references, after, planned),
    });
  }
  return { host, resources: [...planned.values()], comments: commentsOf(survey, chosen) };
}

/** What a resource refers to and comes after, of those that are known. */
function linked<T>(
  references: Map<Path, { to: T; name: Path; whole: boolean }>,
  after: T[],
  known: Map<T, Planned>,
): Pick<Planned, "references" | "after"> {
  return {
    references: new Map(
      [...references].flatMap(([path, { to, ...reference }]) => {
        const other = known.get(to);
        return other ? [[path, { ...reference, to: other }] as const] : [];
      }),
    ),
    after: after.flatMap((other) => known.get(other) ?? []),
  };
}

/** Without resources that could not be taken, and why; what refers to one of them says its name instead. */
export function planWithout(plan: Plan, failed: Map<Planned, string>): Plan {
  const kept = new Map<Planned, Planned>();
  for (const planned of plan.resources) {
    if (failed.has(planned)) continue;
    kept.set(planned, { ...planned, ...linked(planned.references, planned.after, kept) });
  }
  const notes = plan.resources.flatMap((planned) => {
    const why = failed.get(planned)?.split("\n")[0];
    return why === undefined ? [] : [`not taken: ${titleOf(planned)}: ${why}`];
  });
  return { ...plan, resources: [...kept.values()], comments: [...plan.comments, ...notes] };
}

/** The names of the resources that are given as arguments, as `resource.ts` passes them on. */
export const parentsOf = ({ references }: Planned): Record<Path, string> =>
  Object.fromEntries(
    [...references].flatMap(([path, { to, name, whole }]) => (whole ? [[path, String(get(to.args, name))]] : [])),
  );

function commentsOf({ things, left, unread }: Survey, chosen: Thing[]): string[] {
  const others = things.filter((thing) => !chosen.includes(thing));
  return [
    ...others.map((thing) => `not declared: ${titleOf(thing)}${reasonOf(thing)}`),
    ...left.filter(isNotable).map((one) => `not declared: ${titleOfLeft(one)} (${one.why})`),
    ...unread.map(({ what, why }) => `not read: ${what}: ${why}`),
  ];
}

/** Why a thing is not declared, or cannot be taken over. */
export function reasonOf({ managedBy, learned, mark, found, steps }: Thing): string {
  if (learned) return ` (learned: ${learned})`;
  if (mark) return " (a stack of hostnet has it)";
  if (managedBy) return ` (of ${managedBy})`;
  if (found.broken) return ` (${found.broken})`;
  return steps.length > 0 ? " (it cannot be declared as it is)" : "";
}
