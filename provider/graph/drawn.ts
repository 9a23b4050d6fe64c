import { titleOf } from "../discover/names";
import type { Discovered } from "../discover/plan";
import { type Survey, survey, type Thing } from "../discover/survey";
import type { Drift } from "../drift-report";
import { decommissioned, type HostRef, reachIfSame } from "../host/reach";
import { kinds } from "../kinds";
import { argumentsOf } from "../lifecycle";
import { HostnetError } from "../model/errors";
import type { StateResource } from "../state";
import { validate } from "../validate";
import type { Drawn, DrawnOn } from "./build";
import type { Change } from "./layout";

/** What is drawn: resources, and the hosts that they are on. */
export interface Picture {
  drawn: Drawn[];
  on: DrawnOn[];
}

type Args = Record<string, unknown>;

const isHost = ({ kind }: StateResource) => kind === "Host";
const hostName = ({ outputs }: StateResource) => String((outputs.host as HostRef).name);

/** A stack as it is declared, and what of it has drifted. */
export function declared(resources: StateResource[], drift: Drift[] = []): Picture {
  const hosts = resources.filter(isHost).map(({ name, outputs, shown }) => {
    const { address, port, user, kernel, machineId } = shown;
    return { host: String(outputs.name), args: { address, port, user, kernel, machineId }, ...changeOf("Host", name) };
  });
  const others = resources.filter((one) => !isHost(one));
  const drawn = others.map((one) => ({
    ...{ host: hostName(one), kind: one.kind, title: one.name, args: argsOf(one) },
    ...changeOf(one.kind, one.name),
  }));
  return { drawn, on: hosts };

  function changeOf(kind: string, name: string): Pick<Drawn, "change" | "drift" | "paths"> {
    const own = drift.filter((one) => one.kind === kind && one.name === name);
    const [first] = own;
    if (!first) return {};
    const paths = own.flatMap(({ path }) => path ?? []);
    return { change: changes[first.what], drift: own.map(textOf), ...(paths.length > 0 && { paths }) };
  }
}

/** A device whose name only the host knows is drawn under that. */
function argsOf({ kind, outputs, shown }: StateResource): Args {
  const args = argumentsOf(shown);
  return kinds[kind]?.namedByHost?.(args) ? { ...args, name: (outputs.live as { name?: string }).name } : args;
}

const changes: Record<Drift["what"], Change | undefined> = {
  changed: "changed",
  gone: "gone",
  // It is there, and this stack's no more.
  foreign: "changed",
  rebooted: "changed",
  unread: "unread",
  idle: undefined,
};

const said: Record<Exclude<Drift["what"], "changed" | "idle">, string> = {
  gone: "it is gone",
  foreign: "it is not marked as this stack's any more",
  rebooted: "it was rebooted or replaced since the last up",
  unread: "not read",
};

function textOf({ what, path, declared: want, live, why }: Drift): string {
  if (what === "changed") return `${path}: declared ${JSON.stringify(want) ?? "-"}, is ${JSON.stringify(live) ?? "-"}`;
  return what === "idle" ? String(why) : [said[what], why].filter(Boolean).join(": ");
}

/** What hosts have. */
export function live(found: Discovered[]): Picture {
  const drawn = found.flatMap(({ host, chosen }) => chosen.map((thing) => drawnThing(host.name, thing)));
  const on = found.map(({ host, machineId, survey: { facts } }) => {
    const { address, port, user } = host.args;
    return { host: host.name, args: { address, port, user, kernel: facts.kernel, machineId } };
  });
  return { drawn, on };
}

const drawnThing = (host: string, thing: Thing): Drawn => ({
  host,
  kind: thing.kind.name,
  title: titleOf(thing),
  args: validate(thing.kind.args, thing.args).value as Args,
});

/** What was made on the hosts of a stack, and is neither its own nor another manager's. A host that does not answer is left out. */
export async function undeclared(resources: StateResource[]): Promise<Drawn[]> {
  const hosts = resources.filter(isHost).map(({ outputs }) => outputs as HostRef & Args);
  const found = await Promise.all(
    hosts.map(async (host) => {
      const read = await surveyOf(host);
      return surplus(
        resources.filter((one) => !isHost(one) && hostName(one) === host.name),
        read?.things ?? [],
      ).map(
        (thing): Drawn => ({ ...drawnThing(host.name, thing), change: "undeclared", drift: ["nothing declares it"] }),
      );
    }),
  );
  return found.flat();
}

/** driftOf has said already what does not answer. */
async function surveyOf(host: HostRef): Promise<Survey | undefined> {
  if (decommissioned(host)) return undefined;
  try {
    const machine = await reachIfSame(host);
    return machine && (await survey(machine, host.machineId, Object.values(kinds)));
  } catch (error) {
    if (error instanceof HostnetError) return undefined;
    throw error;
  }
}

/** Of what a host has, what somebody made besides: a NIC is there by itself, and what is set on a device is no device. */
export function surplus(resources: StateResource[], things: Thing[]): Thing[] {
  const ids = new Set(resources.map(({ id }) => id));
  const claims = new Set(resources.flatMap((one) => kinds[one.kind]?.claims(argsOf(one)) ?? []));
  return things.filter(({ kind, id, args, managedBy, learned }) => {
    if (ids.has(id) || managedBy || learned || kind.permanent || kind.mark === "ledger") return false;
    return !kind.claims(validate(kind.args, args).value).some((claim) => claims.has(claim));
  });
}
