import type { Ssh2Connection } from "./ssh2-connection";
import type { Target } from "./target";
import { targetKey } from "./target-key";

interface Hop {
  connection: Promise<Ssh2Connection>;
  users: number;
}

/**
 * The jump hosts' connections, each shared by all that go through it: forty hosts behind one bastion are one login
 * there, not forty at a time, of which sshd drops some by chance (MaxStartups 10:30:100).
 */
export class Jumps {
  private readonly hops = new Map<string, Hop>();

  /** The connection to the last host of the way, dialled by `dial` when there is none. `release` it when done. */
  async acquire(way: Target[], dial: () => Promise<Ssh2Connection>) {
    const key = targetKey(...way);
    const open = this.hops.get(key) ?? { connection: dial(), users: 0 };
    this.hops.set(key, open);
    open.users++;
    const drop = () => {
      if (this.hops.get(key) === open) this.hops.delete(key);
    };
    try {
      const connection = await open.connection;
      if (open.users === 1) void connection.closed.then(drop);
      let held = true;
      const release = () => {
        if (!held) return;
        held = false;
        if (--open.users > 0) return;
        drop();
        void connection.close();
      };
      return { connection, release };
    } catch (error) {
      drop();
      throw error;
    }
  }
}
