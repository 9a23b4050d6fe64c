import type { Socket } from "node:net";
import type { Channel, ChannelEnd } from "./transport";

/** A channel that is a child process of ours. */
export interface ChildChannel extends Channel {
  /** Ends its input, waits so long for it to go, then kills it. */
  finish(withinMs: number): Promise<void>;
}

/**
 * Starts a program as a channel. It gets a session of its own: Ctrl-C in the user's terminal must not end a batch half
 * way, nothing may ask there for a password, and what it leaves behind can be killed with it.
 */
export async function spawnChannel(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<ChildChannel> {
  const { execa } = await import("execa"); // ESM only
  const child = execa(file, args, {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
    detached: true,
    env,
    extendEnv: false,
  });
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as Socket).unref();
  let over = false;
  const closed = child.then(
    (result): ChannelEnd => ({ exitCode: result.exitCode, cause: result.cause }),
    (cause): ChannelEnd => ({ cause }),
  );
  void closed.then(() => {
    over = true;
  });
  const kill = () => {
    if (over || child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL"); // a child that became somebody else's cannot be signalled as a group
    }
  };
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    closed,
    kill,
    finish: async (withinMs) => {
      child.stdin.end();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          kill();
          resolve();
        }, withinMs);
      });
      await Promise.race([closed, late]);
      clearTimeout(timer);
    },
  };
}
