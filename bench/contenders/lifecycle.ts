import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { host as hostHandler } from "../../provider/host";
import { acquire, closeAll } from "../../provider/host/pool";
import type { HostRef } from "../../provider/host/reach";
import { resolve } from "../../provider/host/resolve";
import { kinds } from "../../provider/kinds";
import { apply, check, type Inputs, type Outputs, read, remove } from "../../provider/lifecycle";
import type { Login, Spec } from "../spec";
import { type Link, type PairLink, wavesFor } from "../workloads";
import type { Ready, Work } from "./process";

type Connection = Parameters<typeof hostHandler.create>[0];

/** What the engine would keep from one operation to the next. */
interface State {
  host: HostRef & { id: string };
  resources: Record<string, { id: string; outs: Outputs }>;
}

/** Our library without the engine: all links of a wave at once, on all hosts. From nothing to the last proven answer. */
export function lifecycle(spec: Spec, verb: "up" | "refresh" | "destroy", file: string): Ready {
  const states: State[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const inputs = new Map(spec.links.map((link) => [link.name, inputsOf(link)]));
  const connections = spec.hosts.map(connectionOf);
  return async () => {
    const works = await Promise.all(
      connections.map(async (connection, index) => {
        if (verb === "up") {
          const { work, state } = await up(connection, spec.links, inputs);
          states[index] = state;
          return work;
        }
        const state = states[index] as State;
        return verb === "refresh" ? refresh(connection, spec.links, state) : destroy(connection, spec.links, state);
      }),
    );
    if (verb === "up") writeFileSync(file, JSON.stringify(states));
    await closeAll();
    return { roundTripsPerBatch: Math.max(...works.map(({ roundTripsPerBatch = 0 }) => roundTripsPerBatch)) };
  };
}

async function up(connection: Connection, links: Link[], inputs: Map<string, Inputs>) {
  const { id, outs } = await hostHandler.create(connection);
  const host = { ...(outs as HostRef), id };
  const resources: State["resources"] = {};
  const work = await inWaves(connection, wavesFor(links, "up"), async (link) => {
    resources[link.name] = await apply(kindOf(link), { ...inputs.get(link.name), host });
  });
  const state: State = { host, resources };
  return { work, state };
}

async function refresh(connection: Connection, links: Link[], { host, resources }: State): Promise<Work> {
  await hostHandler.read(host.id, host as never);
  return inWaves(connection, [links], async (link) => {
    const { id, outs } = stateOf(link, resources);
    const found = await read(kindOf(link), id, outs);
    if (found.id !== id) throw new Error(`${id} was not found by read`);
  });
}

async function destroy(connection: Connection, links: Link[], { host, resources }: State): Promise<Work> {
  const work = await inWaves(connection, wavesFor(links, "destroy"), (link) => {
    const { id, outs } = stateOf(link, resources);
    return remove(kindOf(link), id, outs);
  });
  await hostHandler.delete(host.id, host as never);
  return work;
}

/** All links of a wave at once, and counts the round trips that a wave takes. */
async function inWaves(connection: Connection, waves: Link[][], act: (link: Link) => Promise<void>): Promise<Work> {
  const before = await roundTrips(connection);
  for (const wave of waves) await Promise.all(wave.map(act));
  return { roundTripsPerBatch: ((await roundTrips(connection)) - before) / waves.length };
}

function stateOf({ name }: Link, resources: State["resources"]) {
  const state = resources[name];
  if (!state) throw new Error(`${name} was never made`);
  return state;
}

const kindOf = ({ kind }: Link) => {
  const found = kinds[kind];
  if (!found) throw new Error(`there is no kind ${kind}`);
  return found;
};

/** What the engine would hand over, but for the Host, which is not there yet. */
function inputsOf(link: Link): Inputs {
  const args = link.kind === "LinuxBridge" ? { name: link.name } : pairArgs(link);
  const { inputs, failures } = check(kindOf(link), { host: {} as HostRef, parents: {}, ...args });
  if (failures[0]) throw new Error(failures[0].reason);
  return inputs;
}

const pairArgs = ({ near, far }: PairLink) => ({ a: { name: near.name, addresses: [near.address] }, b: far });

function connectionOf(login: Login): Connection {
  const { inputs, failures } = hostHandler.check({}, login as Connection);
  if (failures[0]) throw new Error(failures[0].reason);
  return inputs as Connection;
}

const roundTrips = async (connection: Connection) => (await acquire(await resolve(connection))).counters.roundTrips;
