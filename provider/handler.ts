/**
 * What the text in every resource's state requires: `require("pulumi-hostnet/provider").LinuxBridge`. A permanent API:
 * states written today must resolve in years, so a name exported here is never taken away.
 */
import { afterInterrupt, afterKill, deleting } from "./deletions";
import { host } from "./host";
import type { Kind } from "./kind";
import { kinds } from "./kinds";
import { apply, check, diff, type Inputs, type Outputs, refresh, remove } from "./lifecycle";
import { endWithEngine } from "./process";

/** The engine's dynamic provider protocol (@pulumi/pulumi sdk/nodejs/dynamic), for one kind. */
function handlerOf(kind: Kind) {
  return {
    check: async (_olds: Inputs, news: Inputs) => check(kind, news),
    diff: async (_id: string, olds: Outputs, news: Inputs) => quiet(() => diff(kind, olds, news)),
    create: (news: Inputs) => quiet(() => apply(kind, news)),
    update: (_id: string, olds: Outputs, news: Inputs) => quiet(() => apply(kind, news, olds)),
    read: (id: string, olds: Outputs) => quiet(() => refresh(kind, id, olds)),
    delete: (id: string, olds: Outputs) => quiet(() => deleting(olds.host, () => remove(kind, id, olds))),
  };
}

/** The engine prints the stack of what is thrown; ours are for users, who have no use for it. */
async function quiet<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && process.env.HOSTNET_DEBUG === undefined) error.stack = "";
    throw error;
  }
}

endWithEngine(afterKill, afterInterrupt);

module.exports = {
  Host: {
    ...host,
    ...Object.fromEntries(
      Object.entries(host).map(([verb, run]) => [
        verb,
        (...args: never[]) => quiet(() => (run as (...args: never[]) => unknown)(...args)),
      ]),
    ),
  },
};
// With a handler its kind is loaded, so it is made when a state requires it: once, as the engine keeps what it required.
for (const name of Object.keys(kinds)) {
  Object.defineProperty(module.exports, name, { get: () => handlerOf(kinds[name] as Kind), enumerable: true });
}
