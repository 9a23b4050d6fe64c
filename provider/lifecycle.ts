import { randomBytes } from "node:crypto";
import { drift, fateOf } from "./drift";
import { decommissioned, type HostRef, reach, reachIfSame } from "./host/reach";
import type { Machine } from "./host/types";
import type { Context, Found, Kind, Path } from "./kind";
import { tell, warn } from "./log";
import { HostnetError } from "./model/errors";
import { linkSections, linksIn } from "./model/link-state";
import { devicesOnHost, managerSections, toLeaveAlone } from "./model/managers";
import { isMark, markOf } from "./model/mark";
import { get, plain, same, set } from "./model/path";
import { hasUnknown, isUnknown } from "./model/unknown";
import { asOfNow, relativesOf } from "./owners";
import { claim, keep, release } from "./ownership";
import { requireTools } from "./required-tools";
import { Run } from "./run";
import { validate } from "./validate";

type Args = Record<string, unknown>;

/** Program inputs in normal form: the kind's arguments, and what every resource has. */
export interface Inputs {
  host: HostRef;
  /** Names of the resources given as arguments, by path: written by resource.ts. */
  parents?: Record<string, string>;
  /** Take over what is there already, whoever made it. */
  adopt?: boolean;
  __provider?: string;
  [argument: string]: unknown;
}

/** What is in state: the inputs as declared, and what was learned. */
export interface Outputs extends Inputs {
  /** The nonce of this resource's mark. */
  revision: string;
  /** What was observed. */
  live: unknown;
  /** Arguments of updates that failed half way: values in them may still be on the host. */
  was?: Args[];
  /** The create failed half way: what is there without any mark may have been made by it, before its mark was. */
  unfinished?: true;
  /** Owners of the Host before it was replaced or renamed: an update that failed half way may have left their marks. */
  formerOwners?: string[];
}

const common = ["host", "parents", "adopt", "__provider"] as const;
const learned = ["revision", "live", "was", "unfinished", "formerOwners"] as const;

const pick = (properties: Args, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(properties).filter(([key]) => keys.includes(key)));

/** The kind's own arguments among all properties. */
export function argumentsOf(properties: Args): Args {
  const others: readonly string[] = [...common, ...learned];
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !others.includes(key)));
}

/** Objects of the program: a refresh asks for the diff of resources that it has no longer, or by another name, as well. */
const declared = new Set<string>();

const objectOf = (kind: Kind, news: Inputs) => JSON.stringify([news.host?.owner, placeOf(kind, news)]);

/** Normal form and refusals; no network. A refusal names no property: the engine would print its value, secrets too. */
export function check(kind: Kind, news: Inputs): { inputs: Inputs; failures: { property: string; reason: string }[] } {
  const checked = validate(kind.args, argumentsOf(news));
  const reasons = checked.failures.map(({ path, reason }) => `${path}: ${reason}`);
  if (news.adopt !== undefined && typeof news.adopt !== "boolean" && !isUnknown(news.adopt)) {
    reasons.push(`adopt: must be true or false; given was ${JSON.stringify(news.adopt)}`);
  }
  if (news.host === undefined) reasons.push("host: is required: a Host, unless a parent is given as a resource");
  const inputs = { ...(checked.value ?? argumentsOf(news)), ...pick(news, common) } as Inputs;
  declared.add(objectOf(kind, inputs));
  return { inputs, failures: reasons.map((reason) => ({ property: "", reason })) };
}

/** Resources that this run leaves as they are, by their objects: neither made anew nor replaced. */
const staying = new Map<string, { olds: Outputs; news: Inputs }>();

/** What it is on its machine, whichever Host it was declared on. */
const placeOf = (kind: Kind, { host, ...args }: Inputs) => idOf(kind, host ?? {}, args);

/** Only what must be replaced: the engine compares the inputs itself and then shows exactly what differs. */
export function diff(kind: Kind, olds: Outputs, news: Inputs): { replaces?: string[]; deleteBeforeReplace?: boolean } {
  if (declared.has(objectOf(kind, news))) keep(olds.revision);
  const [was, want] = [argumentsOf(olds), argumentsOf(news)];
  const paths = kind.identity.filter((path) => unknownAt(want, path) || !same(get(was, path), get(want, path)));
  if (paths.length === 0 && !hasUnknown(want)) paths.push(...(kind.replaces?.(was, want) ?? []));
  const replaces = new Set(paths.map((path) => path.split(".")[0] ?? path));
  // Unknown as a whole: the engine asks what becomes of this resource when its parent is replaced.
  if (isUnknown(news.parents)) replaces.add("parents");
  const machine = news.host?.machineId;
  if (machine && !isUnknown(machine) && machine !== olds.host.machineId) replaces.add("host");
  if (replaces.size > 0) return { replaces: [...replaces], deleteBeforeReplace: true };
  if (declared.has(objectOf(kind, news)) && !hasUnknown(news)) staying.set(placeOf(kind, news), { olds, news });
  return {};
}

function unknownAt(tree: Args, path: Path): boolean {
  const keys = path.split(".");
  return keys.some((_, index) => isUnknown(get(tree, keys.slice(0, index + 1).join("."))));
}

/** Create and update: brings the host to what is declared, and proves it. Throws HostnetError. */
export async function apply(kind: Kind, news: Inputs, olds?: Outputs): Promise<{ id: string; outs: Outputs }> {
  const { host } = news;
  const args = argumentsOf(news);
  const id = idOf(kind, host, args);
  if (!olds) staying.delete(placeOf(kind, news));
  const revision = olds?.revision ?? randomBytes(6).toString("hex");
  const was = olds ? [...(olds.was ?? []), argumentsOf(olds)] : [];
  const formerOwners = formerOwnersOf(host, olds);
  const adopts = news.adopt === true;
  const mark = markOf(host.owner, revision);
  const context: Context<unknown> = { mark, owner: host.owner, formerOwners, was, adopts };
  let run: Run | undefined;
  try {
    if (decommissioned(host)) return { id, outs: undone(news, olds, formerOwners) };
    const machine = await reach(host);
    requireTools(kind, machine);
    const circumstances = { unfinished: olds?.unfinished, formerOwners };
    run = new Run(kind, machine, host, id, withResets(kind, args, was), context, circumstances);
    const configured = olds ? [] : (kind.configures?.(args) ?? []);
    // What is only now made touches nothing that carries us.
    const wasThere = olds !== undefined || configured.length > 0 || (kind.permanent === true && kind.mark !== "none");
    const [others] = await Promise.all([othersDevices(machine, configured), run.look(wasThere)]);
    if (!olds) await run.lookAgainIfUnmarked(wasThere);
    run.want = withResets(kind, args, was, run.found);
    const adopted = claim(kind, run.parts(), adopts);
    if (adopted && run.found && !olds) {
      const fate = fateOf(kind, run.want, run.found, context);
      tell(`${host.name}: ${titleOf(kind, args)} was there already; it is taken over${fate}`);
    }
    keep(revision);
    const [done, warned] = await Promise.allSettled([run.converge(), warnOfManagers(kind, machine, news, others)]);
    for (const settled of [done, warned]) if (settled.status === "rejected") throw settled.reason;
    warnOfIdle(kind, news, run.found);
    return { id, outs: plain({ ...news, revision, live: run.found?.facts ?? {} }) };
  } catch (cause) {
    const error = located(cause, kind, host, args);
    if (!run?.begun) throw error;
    // Something may be on the host: in state, so that the next `up` goes on from there and `destroy` finds it.
    const properties = plain({
      ...news,
      revision,
      live: run.found?.facts ?? {},
      was: was.slice(-3),
      unfinished: run.makes ? true : undefined,
      formerOwners,
    });
    throw Object.assign(error, { id, properties, reasons: [error.message] });
  }
}

/** On a machine that is gone nothing is done: so state learns that it is gone, and a later delete knows. Throws INVALID. */
function undone(news: Inputs, olds: Outputs | undefined, formerOwners: string[] | undefined): Outputs {
  if (!olds) throw new HostnetError("INVALID", "cannot be made: its host is decommissioned");
  return plain({ ...news, ...pick(olds, learned), formerOwners } as Outputs);
}

/** What is new may be there by the mark of a Host that has another name now, as the resource has. */
function formerOwnersOf(host: HostRef, olds?: Outputs): string[] | undefined {
  const owners = new Set(olds ? [olds.host.owner, ...(olds.formerOwners ?? [])] : relativesOf(host));
  owners.delete(host.owner);
  return owners.size > 0 ? [...owners] : undefined;
}

/** The live values of what is declared; {} when it is proven gone. Throws HostnetError when the host cannot be asked. */
export async function read(
  kind: Kind,
  id: string,
  olds: Outputs,
): Promise<{ id?: string; props?: Outputs; inputs?: Inputs; idle?: string }> {
  const args = argumentsOf(olds);
  if (kind.mark === "none" || decommissioned(olds.host)) {
    return { id, props: olds, inputs: { ...args, ...pick(olds, common) } as Inputs };
  }
  try {
    const machine = await reachIfSame(olds.host);
    if (!machine) {
      release(olds.revision);
      return {};
    }
    const context = contextOf(olds);
    const run = new Run(kind, machine, olds.host, id, args, context, olds);
    await run.lookAtRest();
    if (!run.found || !run.isOurs()) {
      release(olds.revision);
      return {};
    }
    const inputs = plain({ ...drift(kind, args, run.found, context), ...pick(olds, common) } as Inputs);
    return {
      id,
      inputs,
      props: plain({ ...inputs, ...pick(olds, learned), live: run.found.facts } as Outputs),
      idle: run.found.idle,
    };
  } catch (cause) {
    throw located(cause, kind, olds.host, args);
  }
}

/** Refresh: what `read` says, without what it has to say to a person. */
export async function refresh(kind: Kind, id: string, olds: Outputs) {
  const { idle, ...found } = await read(kind, id, olds);
  warnOfIdle(kind, olds, { idle });
  return found;
}

function warnOfIdle(kind: Kind, inputs: Inputs, found: { idle?: string } | undefined): void {
  if (found?.idle) warn(`${inputs.host.name}: ${titleOf(kind, argumentsOf(inputs))}: ${found.idle}`);
}

/**
 * Takes away what is ours and proves it gone. Absent is done; what is not ours any more is left. What this one had taken
 * over from a resource that stays after all, as its rename was taken back half way, is that one's again. Throws HostnetError.
 */
export async function remove(kind: Kind, id: string, olds: Outputs): Promise<void> {
  const host = asOfNow(olds.host);
  if (kind.mark === "none" || decommissioned(host)) return;
  const args = argumentsOf(olds);
  const say = (text: string) => warn(`${host.name}: ${titleOf(kind, args)} ${text}`);
  try {
    const machine = await reachIfSame(host);
    if (!machine) {
      release(olds.revision);
      return say("was on a machine that no longer answers at this address; it counts as gone");
    }
    const formerOwners = [...(olds.formerOwners ?? []), ...relativesOf(host)];
    const run = new Run(kind, machine, host, id, args, contextOf(olds), { ...olds, formerOwners, removes: true });
    await run.look(true);
    if (run.found && !run.isOurs()) {
      if (run.parts().some(({ whose }) => whose !== "this" && whose !== "sibling"))
        say("is not ours any more; it is left as it is");
      return;
    }
    const stays = staying.get(placeOf(kind, olds));
    if (stays && stays.olds.revision !== olds.revision) {
      const former = [...(stays.olds.formerOwners ?? []), host.owner];
      await apply(kind, stays.news, { ...stays.olds, formerOwners: former });
    } else if (await run.bequeath())
      tell(`${host.name}: ${titleOf(kind, args)} is left as it is: another Host declares it too, and gives it back`);
    else await run.takeAway();
  } catch (cause) {
    throw located(cause, kind, host, args);
  }
}

const contextOf = ({ host, revision, was = [] }: Outputs): Context<unknown> => ({
  mark: markOf(host.owner, revision),
  owner: host.owner,
  was,
});

/** What was declared before and no longer is goes back to its default; one that depends on the live object, once that is seen. */
function withResets(kind: Kind, args: Args, was: Args[], found?: Found<unknown, unknown>): Args {
  return Object.entries(kind.reset).reduce((target, [path, reset]) => {
    const dropped = get(args, path) === undefined && was.some((before) => get(before, path) !== undefined);
    if (!dropped) return target;
    return set(target, path, typeof reset === "function" ? found && reset(found) : reset);
  }, args);
}

/** `<machineId>/<Kind>/<namespace or ->/<identity>`. */
export function idOf(kind: Kind, host: { machineId?: string }, args: Args): string {
  const isNamespace = (path: Path) => path.split(".").at(-1) === "namespace";
  const text = (path: Path) => {
    const value = get(args, path);
    return value === undefined ? undefined : typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  const spaces = kind.identity.filter(isNamespace).map((path) => text(path) ?? "-");
  const names = kind.identity.filter((path) => !isNamespace(path)).flatMap((path) => text(path) ?? []);
  return [host.machineId, kind.name, spaces.join(",") || "-", names.join(",")].join("/");
}

/** Kind and name of a resource, for messages. */
function titleOf(kind: Kind, args: Args): string {
  const names = kind.identity
    .map((path) => get(args, path))
    .filter((value) => value !== undefined && typeof value !== "object");
  return [kind.name, ...names].join(" ");
}

function located(cause: unknown, kind: Kind, host: HostRef, args: Args): HostnetError {
  const error = cause instanceof HostnetError ? cause : new HostnetError("INTERNAL", String(cause), { cause });
  return error.at({ host: host.name, resource: titleOf(kind, args) });
}

/** Those of the devices that bear no mark of ours: somebody else may manage them. */
async function othersDevices(machine: Machine, names: string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const links = linksIn(await machine.observe(linkSections(undefined)), undefined);
  const ours = links.filter(({ ifalias = "" }) => isMark(ifalias)).map(({ ifname }) => ifname);
  return names.filter((name) => !ours.includes(name));
}

/** Law 16: another manager of a device may undo what is declared on it. Asked along with the first write. */
async function warnOfManagers(kind: Kind, machine: Machine, news: Inputs, names: string[]): Promise<void> {
  if (names.length === 0) return;
  const args = argumentsOf(news);
  const dealtWith = kind.dealsWith?.(args) ?? [];
  for (const { name, managedBy } of devicesOnHost(await machine.observe(managerSections))) {
    if (managedBy && names.includes(name) && !dealtWith.includes(managedBy)) {
      warn(
        `${news.host.name}: ${titleOf(kind, args)}: ${name} is managed by ${managedBy} too; ${toLeaveAlone(name, managedBy)}`,
      );
    }
  }
}
