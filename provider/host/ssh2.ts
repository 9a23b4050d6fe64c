import { HostnetError } from "../model/errors";
import { Jumps } from "./jumps";
import type { Ssh2Connection } from "./ssh2-connection";
import type { Target } from "./target";
import { dialTcp } from "./tcp";
import type { Transport } from "./transport";

/** To load the library takes as long as a login does: not before a host is dialled, which starts its sshd meanwhile. */
const ssh2Login = () => require("./ssh2-login") as typeof import("./ssh2-login");

export interface Ssh2Options {
  keepaliveMs?: number;
}

/** SSH within this process. */
export function ssh2Transport({ keepaliveMs }: Ssh2Options = {}): Transport {
  const jumps = new Jumps();

  /** Hop by hop: each is a whole ssh connection, verified under its own name, inside the one before. */
  const dial = async (way: Target[], deadline: number): Promise<Ssh2Connection> => {
    const target = way.at(-1) as Target;
    const before = way.slice(0, -1);
    if (before.length === 0) {
      const dialled = dialTcp(target.address, target.port, deadline);
      const { login } = ssh2Login();
      return login(target, await dialled, deadline, keepaliveMs, undefined);
    }
    const { connection: via, release } = await jumps.acquire(before, async () => {
      try {
        return await dial(before, deadline);
      } catch (error) {
        throw error instanceof HostnetError ? atHop(error, before.at(-1) as Target) : error;
      }
    });
    try {
      const stream = await via.forward(target.address, target.port, deadline);
      const connection = await ssh2Login().login(target, stream, deadline, keepaliveMs, via);
      void connection.closed.then(release);
      return connection;
    } catch (error) {
      release();
      throw error;
    }
  };

  return {
    connect: async (target, deadline) => {
      const way = [...target.jumpHosts, target];
      if (way.some(({ proxyCommand }) => proxyCommand)) {
        throw new HostnetError("UNREACHABLE", "the ssh config has a ProxyCommand for this host", {
          host: target.name,
          remedy: 'Set transport: "openssh", which runs it; the ssh2 transport cannot.',
        });
      }
      return dial(way, deadline);
    },
  };
}

function atHop(error: HostnetError, hop: Target): HostnetError {
  if (error.summary.startsWith("jump host ")) return error;
  return new HostnetError(error.code, `jump host ${hop.address}: ${error.summary}`, error.details);
}
