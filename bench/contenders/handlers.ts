import type { Login } from "../spec";
import type { Link } from "../workloads";
import { doorOf } from "./connect-per-operation";
import { type Door, runOverOwnConnection } from "./dial";
import { remoteCommand } from "./remote-commands";

/** Handlers as the engine's dynamic provider calls them, for the programs that do without our library. */
type Properties = Record<string, unknown>;

/** As much in the state as ours has: what was observed, and a mark. */
const link = { ifindex: 1, mac: "02:00:00:00:00:00", mtu: 1500, operstate: "UP", addresses: ["10.200.0.1/24"] };
const observed = (news: Properties) => ({
  revision: "000000000000",
  live: "a" in news ? { a: link, b: link } : link,
});

const hostFacts = { machineId: "0123456789abcdef", owner: "0123456789abcdef", epoch: "0123456789abcdef" };

const answer = (news: Properties) => ({
  id: String(news.name ?? (news.a as Properties | undefined)?.name ?? "unnamed"),
  outs: { ...news, ...("host" in news ? observed(news) : hostFacts) },
});

/** Does nothing: what is left is the engine's own time. */
export const noop = {
  check: async (_olds: Properties, news: Properties) => ({ inputs: news, failures: [] }),
  diff: async () => ({}),
  create: async (news: Properties) => answer(news),
  update: async (_id: string, _olds: Properties, news: Properties) => answer(news),
  read: async (id: string, props: Properties) => ({ id, props }),
  delete: async () => undefined,
};

const doors = new Map<string, Door>();

async function onHost({ host, ...own }: Properties, verb: "up" | "destroy"): Promise<void> {
  if (!host) return;
  const login = host as Login;
  const door = doors.get(login.address) ?? doorOf(login);
  doors.set(login.address, door);
  await runOverOwnConnection(door, remoteCommand(linkOf(own), verb));
}

function linkOf({ name, a, b }: Properties): Link {
  if (name !== undefined) return { kind: "LinuxBridge", name: String(name) };
  const [near, far] = [a, b] as [{ name: string; addresses: [string] }, { name: string; bridge: string }];
  return { kind: "VethPair", name: near.name, near: { name: near.name, address: near.addresses[0] }, far };
}

/** One connection and one command for each resource, as remote.Command: it reads nothing, and proves nothing. */
export const connectPerOperation = {
  ...noop,
  create: async (news: Properties) => {
    await onHost(news, "up");
    return answer(news);
  },
  delete: async (_id: string, olds: Properties) => onHost(olds, "destroy"),
};
