import { fingerprint } from "../../../provider/host/keys";
import { Pool, type PoolOptions } from "../../../provider/host/pool";
import { makeKey } from "./keys";
import { Sandbox } from "./sandbox";
import { type ServerOptions, startServer } from "./server";
import { type SshdOptions, startSshd } from "./sshd";
import { target } from "./target";

/** Keys, hosts and pools of one test file, ended after each test. */
export class Hosts extends Sandbox {
  readonly key = makeKey(this.folder, "id");
  readonly hostKey = makeKey(this.folder, "host");
  /** As a target's `hostKeys` pins it. */
  readonly pin = fingerprintOf(this.hostKey.publicKey);

  /** A host that is an ssh server within this process, and a target for it. */
  async inProcess(options: Partial<ServerOptions> = {}) {
    const all = { hostKey: this.hostKey.privateKey, authorized: [this.key.publicKey], ...options };
    const server = this.keep(await startServer(all), ({ stop }) => stop());
    return { server, to: target({ port: server.port, privateKeyPaths: [this.key.path], hostKeys: [this.pin] }) };
  }

  /** A host that is a real sshd, and a target for it. */
  async sshd(options: Partial<SshdOptions> = {}) {
    const all = {
      folder: this.folder,
      hostKeyPath: this.hostKey.path,
      authorizedKeys: [this.key.publicKey],
      ...options,
    };
    const sshd = this.keep(await startSshd(all), ({ stop }) => stop());
    const { port, user } = sshd;
    return { sshd, to: target({ port, user, privateKeyPaths: [this.key.path], hostKeys: [this.pin] }) };
  }

  pool(options: PoolOptions = {}): Pool {
    return this.keep(new Pool(options), (pool) => pool.closeAll());
  }
}

export function fingerprintOf(publicKey: string): string {
  return fingerprint(Buffer.from(publicKey.split(" ")[1] ?? "", "base64"));
}
