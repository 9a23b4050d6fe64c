import { HostnetError } from "../model/errors";
import { MachineBatcher } from "./batcher";
import type { Connection } from "./connection";
import { acquire } from "./pool";
import { resolve } from "./resolve";
import { targetKey } from "./target-key";
import type { Machine } from "./types";

export { MachineBatcher };

/** A host that did not answer is not dialled again for so long: else each wave of resources would wait out its timeout. */
const quietMs = 20_000;

interface Entry {
  machine: Promise<MachineBatcher>;
  failure?: { error: unknown; until: number };
}

// The package may be loaded more than once in a process; a machine is there once.
const anchor = Symbol.for("pulumi-hostnet.machines");
const shared = globalThis as { [anchor]?: Map<string, Entry> };

/** The machine behind a connection: connected, and one for all who want it. Throws HostnetError. */
export async function machine(connection: Connection): Promise<Machine> {
  const target = await resolve(connection);
  shared[anchor] ??= new Map();
  const machines = shared[anchor];
  const key = targetKey(target);
  const open = (): Entry => {
    const { commandTimeoutMs } = target;
    const entry: Entry = { machine: MachineBatcher.open(() => acquire(target), { commandTimeoutMs }) };
    entry.machine.catch((error: unknown) => {
      entry.failure = { error, until: Date.now() + quietMs };
    });
    machines.set(key, entry);
    return entry;
  };
  let entry = machines.get(key) ?? open();
  if (entry.failure && entry.failure.until < Date.now()) entry = open();
  const opened = await at(connection.name, () => entry.machine);
  const usable = opened.replaced ? await at(connection.name, () => open().machine) : opened;
  return named(usable, connection.name);
}

/** The same machine under the name that this Host has in the program. */
function named(machine: Machine, name: string): Machine {
  return {
    get facts() {
      return machine.facts;
    },
    observe: (sections) => at(name, () => machine.observe(sections)),
    write: (steps, then) => at(name, () => machine.write(steps, then)),
  };
}

async function at<T>(host: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof HostnetError ? error.at({ host }) : error;
  }
}
