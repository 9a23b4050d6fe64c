import { type Discovered, type Plan, type Planned, parentsOf, planOf, planWithout } from "../discover/plan";
import type { Thing } from "../discover/survey";
import { HostnetError } from "../model/errors";
import {
  claimedEntry,
  type Entry,
  hostEntry,
  inputsOf,
  type KnownHost,
  newHost,
  newRevision,
  takeOver,
  withParents,
} from "./entries";
import type { Known } from "./known";

/** What is to be taken into a stack. */
export interface Import {
  plans: Plan[];
  /** How many resources that is. */
  count: number;
  /** What is not taken; without `why` the thing tells it. */
  left: { host: string; thing: Thing; why?: string }[];
  /** Writes our marks, and the entries of the import file: before the first mark, and when all are there. */
  take(write: (entries: Entry[]) => void): Promise<Taken>;
}

export interface Taken {
  /** What a program declares: without what could not be taken in the end. */
  plans: Plan[];
  failed: { what: string; why: string }[];
}

/** Sorts out what can be taken. Nothing is written anywhere. */
export function prepare(found: Discovered[], known: Known, all: boolean): Import {
  const left: Import["left"] = [];
  const plans = found.map(({ host, machineId, survey, chosen }) => {
    const hostInState = known.host(machineId);
    const fit = chosen.filter((thing) => {
      const why = obstacle(thing, known, all);
      if (why === undefined) return true;
      left.push({ host: host.name, thing, ...(why && { why }) });
      return false;
    });
    const several = found.length > 1 ? host.name : undefined;
    const isDeclared = hostInState?.isNew === false;
    const named = { ...host, ...(isDeclared && { name: hostInState.name, isDeclared }) };
    return { ...planOf(named, survey, fit, { prefix: several, taken: known.taken }), known: hostInState };
  });
  return { plans, left, count: plans.reduce((sum, { resources }) => sum + resources.length, 0), take };

  async function take(write: (entries: Entry[]) => void): Promise<Taken> {
    const hosts: KnownHost[] = [];
    for (const plan of plans) hosts.push(plan.known ?? (await newHost(plan.host)));
    const work = plans.flatMap((plan, index) =>
      plan.resources.map((planned) => {
        const host = hosts[index] as KnownHost;
        return { planned, inputs: inputsOf(planned, host), revision: known.revision(planned.thing) ?? newRevision() };
      }),
    );
    const ofHosts = hosts.filter(({ isNew }) => isNew).map(hostEntry);
    // Before the first mark: what is marked and in no file would be nobody's.
    write([...ofHosts, ...work.map(({ planned, inputs, revision }) => claimedEntry(planned, inputs, revision))]);
    const entries = new Map<string, Entry>();
    const failed = new Map<Planned, string>();
    const takeAll = (some: typeof work) =>
      Promise.all(
        some.map(async ({ planned, inputs, revision }) => {
          try {
            entries.set(planned.id, await takeOver(planned, inputs, revision));
          } catch (error) {
            if (!(error instanceof HostnetError)) throw error;
            failed.set(planned, error.message);
          }
        }),
      );
    // A device may go with its process, and what leads to it with the device: that then is made again.
    const restarts = ({ planned }: (typeof work)[number]) => planned.thing.found.restarts !== undefined;
    await takeAll(work.filter(restarts));
    await takeAll(work.filter((one) => !restarts(one)));
    const taken = plans.map((plan) => planWithout(plan, failed));
    const ofTaken = taken.flatMap(({ resources }) =>
      resources.map((planned) => withParents(entries.get(planned.id) as Entry, parentsOf(planned))),
    );
    write([...ofHosts, ...ofTaken]);
    const told = [...failed].map(([{ kind, name }, why]) => ({ what: `${kind.name} ${name}`, why }));
    return { plans: taken, failed: told };
  }
}

/** Why a thing is not taken; "" when it says so itself. */
function obstacle(thing: Thing, known: Known, all: boolean): string | undefined {
  const name = known.nameInState(thing);
  if (name !== undefined) return `the stack has it already, as ${name}`;
  if (thing.mark && !known.isBegun(thing)) return "it is marked as another stack's";
  if (thing.learned || (thing.managedBy && !all)) return "";
  if (thing.found.broken) return `it is broken: ${thing.found.broken}`;
  if (thing.steps.length === 0) return undefined;
  return `it would be changed: ${thing.steps.map(({ argv }) => argv.join(" ")).join("; ")}`;
}
