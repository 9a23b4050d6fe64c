import { host as hostHandler } from "./host";
import { decommissioned, reachIfSame } from "./host/reach";
import { kinds } from "./kinds";
import { argumentsOf, type Outputs, read } from "./lifecycle";
import { HostnetError } from "./model/errors";
import { ancestors, get, keysOfEngine, leaves, same } from "./model/path";
import { hidden } from "./model/scalars";
import type { StateResource } from "./state";

type Tree = Record<string, unknown>;

/** One thing on a host that is not as a stack declares it. */
export interface Drift {
  host: string;
  kind: string;
  name: string;
  /** changed: `path` differs; gone: it is not there; foreign: it is there, and no longer marked as ours; unread: nobody knows; idle: it is as declared, and of no use so. */
  what: "changed" | "gone" | "foreign" | "rebooted" | "unread" | "idle";
  path?: string;
  declared?: unknown;
  live?: unknown;
  /** Why it is unread or idle. */
  why?: string;
}

/** Compares hosts with a stack's state, as a refresh does, and changes neither. All is as declared where all is idle at most. */
export async function driftOf(resources: StateResource[]): Promise<Drift[]> {
  const hosts = resources.filter(({ kind }) => kind === "Host");
  const ofHosts = await Promise.all(hosts.map(hostDrift));
  const lost = new Set(ofHosts.flat().flatMap(({ what, host }) => (what === "unread" ? [host] : [])));
  const others = resources.filter(
    (one) => one.kind !== "Host" && !lost.has(hostOf(one).name) && !decommissioned(hostOf(one)),
  );
  const ofOthers = await Promise.all(others.map(resourceDrift));
  return [...ofHosts, ...ofOthers].flat();
}

/** The host that a resource is on; a Host's own. */
export const hostOf = ({ kind, outputs }: StateResource) =>
  (kind === "Host" ? outputs : outputs.host) as Outputs["host"];

/** A host that does not answer is said once, and not for each resource on it. */
async function hostDrift({ kind, name, id, inputs, outputs }: StateResource): Promise<Drift[]> {
  const host = String(outputs.name);
  if (decommissioned(outputs as never)) return [];
  try {
    await hostHandler.read(id, outputs as never);
    const { changes } = await hostHandler.diff(id, outputs as never, inputs as never);
    return changes ? [{ host, kind, name, what: "rebooted" }] : [];
  } catch (error) {
    return [unread({ host, kind, name }, error)];
  }
}

async function resourceDrift({ kind, name, id, outputs, shown, ignoreChanges = [] }: StateResource): Promise<Drift[]> {
  const { host } = outputs as unknown as Outputs;
  const subject = { host: host.name, kind, name };
  const spec = kinds[kind];
  if (!spec) return [unread(subject, new HostnetError("INVALID", `this version of hostnet has no ${kind}`))];
  try {
    const declared = argumentsOf(outputs);
    const { id: found, inputs, idle } = await read(spec, id, outputs as unknown as Outputs);
    if (found) {
      const changed = differences(declared, argumentsOf(ignoring(ignoreChanges, declared, inputs ?? {})))
        .map((each) => (isSecret(each.path, outputs, shown) ? { ...each, declared: hidden, live: hidden } : each))
        .map((each): Drift => ({ ...subject, what: "changed", ...each }));
      return idle === undefined ? changed : [...changed, { ...subject, what: "idle", why: idle }];
    }
    const machine = await reachIfSame(host);
    const seen = machine && (await machine.observe(spec.observe(declared)));
    return [{ ...subject, what: seen && spec.find(declared, seen) ? "foreign" : "gone" }];
  } catch (error) {
    return [unread(subject, error)];
  }
}

/** What is live, as the engine compares it: of what is ignored, that is what is declared. */
const ignoring = (paths: string[], declared: Tree, live: Tree) =>
  paths.reduce((tree, path) => asDeclared(tree, declared, keysOfEngine(path)) as Tree, live);

function asDeclared(live: unknown, declared: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined) return declared;
  if (live === null || typeof live !== "object" || declared === null || typeof declared !== "object") return live;
  const [copy, wanted] = [Array.isArray(live) ? [...live] : { ...live }, declared] as [Tree, Tree];
  for (const each of key === "*" ? Object.keys(wanted) : [key]) copy[each] = asDeclared(copy[each], wanted[each], rest);
  return copy;
}

function differences(declared: object, live: object) {
  const paths = new Set([...leaves(declared), ...leaves(live)]);
  return [...paths]
    .map((path) => ({ path, declared: get(declared, path), live: get(live, path) }))
    .filter((each) => !same(each.declared, each.live));
}

/** The value at the path is one, holds one, or stands in one. */
const isSecret = (path: string, outputs: object, shown: object) =>
  !same(get(outputs, path), get(shown, path)) || ancestors(path).some((above) => get(shown, above) === hidden);

function unread(subject: Pick<Drift, "host" | "kind" | "name">, error: unknown): Drift {
  if (!(error instanceof HostnetError)) throw error;
  return { ...subject, what: "unread", why: `${error.summary} [${error.code}]` };
}
