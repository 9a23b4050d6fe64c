import { writeFileSync } from "node:fs";
import * as pool from "../../provider/host/pool";
import type { Session } from "../../provider/host/types";

/**
 * Loaded before everything else in the processes of one `pulumi up` (`node --require`): writes what the sessions of the
 * provider have counted, by host, into the file that BENCH_SESSIONS names, after each round trip: the engine ends a
 * provider without a word. Nothing of that `up` is timed.
 */
const file = process.env.BENCH_SESSIONS as string;
const sessions = new Map<string, Session>();
const { acquire } = pool;

const counted: typeof acquire = async (target) => {
  const session = await acquire(target);
  if (sessions.get(target.name) === session) return session;
  sessions.set(target.name, session);
  const run = session.run.bind(session);
  session.run = async (...given) => {
    try {
      return await run(...given);
    } finally {
      const counts = [...sessions].map(([name, { counters }]) => [name, counters]);
      writeFileSync(file, JSON.stringify(Object.fromEntries(counts)));
    }
  };
  return session;
};
Object.assign(pool, { acquire: counted });
