import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { host as hostHandler } from "../../provider/host";
import { acquire, closeAll } from "../../provider/host/pool";
import type { HostRef } from "../../provider/host/reach";
import { resolve } from "../../provider/host/resolve";
import { kinds } from "../../provider/kinds";
import { apply, check, type Inputs, type Outputs, read, remove } from "../../provider/lifecycle";
import type { Login, Spec } from "../spec";
import { type Link, wavesOf } from "../workloads";
import type { Work } from "./process";

/** What the engine would keep from one operation to the next. */
interface State {
  host: HostRef & { id: string };
  resources: Record<string, { id: string; outs: Outputs }>;
}

/** Our library without the engine: all links of a wave at once, on all hosts. From nothing to the last proven answer. */
export async function lifecycle(spec: Spec, verb: "up" | "refresh" | "destroy", file: string): Promise<Work> {
  const states: State[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const works = await Promise.all(
    spec.hosts.map(async (login, index) => {
      if (verb === "up") {
        const { work, state } = await up(login, spec.links);
        states[index] = state;
        return work;
      }
      const state = states[index] as State;
      return verb === "refresh" ? refresh(login, spec.links, state) : destroy(login, spec.links, state);
    }),
  );
  if (verb === "up") writeFileSync(file, JSON.stringify(states));
  await closeAll();
  return { roundTripsPerBatch: Math.max(...works.map(({ roundTripsPerBatch = 0 }) => roundTripsPerBatch)) };
}

async function up(login: Login, links: Link[]): Promise<{ work: Work; state: State }> {
  const { id, outs } = await hostHandler.create(connectionOf(login));
  const host = { ...(outs as HostRef), id };
  const resources: State["resources"] = {};
  const work = await inWaves(login, wavesOf(links), async (link) => {
    resources[link.name] = await apply(kindOf(link), inputsOf(link, host));
  });
  return { work, state: { host, resources } };
}

async function refresh(login: Login, links: Link[], { host, resources }: State): Promise<Work> {
  await hostHandler.read(host.id, host as never);
  return inWaves(login, [links], async (link) => {
    const { id, outs } = stateOf(link, resources);
    const found = await read(kindOf(link), id, outs);
    if (found.id !== id) throw new Error(`${id} was not found by read`);
  });
}

async function destroy(login: Login, links: Link[], { host, resources }: State): Promise<Work> {
  const work = await inWaves(login, wavesOf(links).reverse(), (link) => {
    const { id, outs } = stateOf(link, resources);
    return remove(kindOf(link), id, outs);
  });
  await hostHandler.delete(host.id, host as never);
  return work;
}

/** All links of a wave at once, and counts the round trips that a wave takes. */
async function inWaves(login: Login, waves: Link[][], act: (link: Link) => Promise<void>): Promise<Work> {
  const before = await roundTrips(login);
  for (const wave of waves) await Promise.all(wave.map(act));
  return { roundTripsPerBatch: ((await roundTrips(login)) - before) / waves.length };
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

function inputsOf(link: Link, host: HostRef): Inputs {
  const args = link.kind === "LinuxBridge" ? { name: link.name } : pairArgs(link);
  const { inputs, failures } = check(kindOf(link), { host, parents: {}, ...args });
  if (failures[0]) throw new Error(failures[0].reason);
  return inputs;
}

const pairArgs = ({ near, far }: Extract<Link, { kind: "VethPair" }>) => ({
  a: { name: near.name, addresses: [near.address] },
  b: far,
});

function connectionOf(login: Login) {
  const { inputs, failures } = hostHandler.check({}, login as never);
  if (failures[0]) throw new Error(failures[0].reason);
  return inputs as never;
}

const roundTrips = async (login: Login) => (await acquire(await resolve(connectionOf(login)))).counters.roundTrips;
