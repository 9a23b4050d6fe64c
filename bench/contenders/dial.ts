import { connect } from "node:net";
import { Client, type ParsedKey, type PublicKeyAuthMethod } from "ssh2";

export interface Door {
  address: string;
  port: number;
  user: string;
  key: ParsedKey;
  /** The key that the host must prove. */
  hostKey: Buffer;
}

/**
 * What pulumi-command's remote.Command does for each operation: dial, open a session, run one command. It stands in for
 * it (which is Go and not to be had here): the algorithm, on the SSH library that we use too, with the same care
 * (TCP_NODELAY, one method of authentication, a key that was parsed before).
 */
export function runOverOwnConnection(door: Door, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const fail = (error: Error) => {
      client.destroy();
      reject(error);
    };
    client.on("error", fail);
    client.on("ready", () => {
      client.exec(command, (refused, channel) => {
        if (refused) return fail(refused);
        let [stdout, stderr, status] = ["", "", undefined as number | undefined];
        channel.on("data", (chunk: Buffer) => {
          stdout += chunk;
        });
        channel.stderr.on("data", (chunk: Buffer) => {
          stderr += chunk;
        });
        channel.on("exit", (code: number) => {
          status = code;
        });
        channel.on("close", () => {
          client.end();
          if (status === 0) resolve(stdout);
          else reject(new Error(`${command}: exit status ${status}: ${stderr}`));
        });
      });
    });
    const { address, port, user, key, hostKey } = door;
    const method: PublicKeyAuthMethod = { type: "publickey", username: user, key };
    const sock = connect({ host: address, port, noDelay: true });
    sock.on("error", fail);
    // A host that has too many logins under way at once hangs up (MaxStartups) without an error.
    client.on("close", () => reject(new Error(`${address} closed the connection`)));
    client.connect({
      sock,
      username: user,
      authHandler: [method],
      hostVerifier: (proven: Buffer) => proven.equals(hostKey),
      algorithms: { kex: ["curve25519-sha256"], serverHostKey: ["ssh-ed25519"] },
    });
  });
}
