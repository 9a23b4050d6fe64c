import { HostnetError } from "../model/errors";
import { MachineBatcher } from "./batcher";
import type { Connection } from "./connection";
import { acquire } from "./pool";
import { resolve } from "./resolve";
import { targetKey } from "./target-key";
import type { Machine, Session } from "./types";

export { MachineBatcher };

/** A host that did not answer is not dialled again for so long: else each wave of resources would wait out its timeout. */
const quietMs = 20_000;

interface Entry {
  connect: () => Promise<Session>;
  machine?: Promise<MachineBatcher>;
}

// The package may be loaded more than once in a process; a machine is there once.
const anchor = Symbol.for("pulumi-hostnet.machines");
const shared = globalThis as { [anchor]?: Map<string, Entry> };

/** The machine behind a connection: connected, and one for all who want it. Throws HostnetError. */
export async function machine(connection: Connection): Promise<Machine> {
  const target = await resolve(connection);
  shared[anchor] ??= new Map();
  const { identity } = connection;
  const key = `${targetKey(target)} ${identity}`;
  const entry: Entry = shared[anchor].get(key) ?? { connect: quietly(() => acquire(target)) };
  shared[anchor].set(key, entry);
  const { commandTimeoutMs } = target;
  const open = () => {
    entry.machine ??= MachineBatcher.open(entry.connect, { commandTimeoutMs, identity });
    return entry.machine;
  };
  const opening = open();
  const forget = () => {
    if (entry.machine === opening) entry.machine = undefined;
  };
  return at(connection.name, async () => {
    let found = await opening.catch((error: unknown) => {
      forget();
      throw error;
    });
    if (found.replaced) {
      forget();
      found = await open();
    }
    return named(found, connection.name);
  });
}

/** The same, but what failed just now fails again at once. */
function quietly(connect: () => Promise<Session>): () => Promise<Session> {
  let failure: { error: unknown; until: number } | undefined;
  return async () => {
    if (failure && performance.now() < failure.until) throw failure.error;
    try {
      return await connect();
    } catch (error) {
      failure = { error, until: performance.now() + quietMs };
      throw error;
    }
  };
}

/** The same machine under the name that this Host has in the program. */
function named(machine: Machine, name: string): Machine {
  return {
    get facts() {
      return machine.facts;
    },
    observe: (sections, look) => at(name, () => machine.observe(sections, look)),
    write: (steps, then) => at(name, () => machine.write(steps, then)),
  };
}

async function at<T>(host: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof HostnetError)) throw error;
    // The connection may have been made for another Host of the program, and bear that one's name.
    throw new HostnetError(error.code, error.summary, { ...error.details, host });
  }
}
