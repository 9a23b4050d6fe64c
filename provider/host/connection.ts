import { z } from "zod";
import { port, secret } from "../model/scalars";
import { parseHop } from "./ssh-config";

/**
 * How to reach a machine, as the user writes it. Port, user, keys and jump hosts have no defaults here: what is left
 * out is for the user's own ssh config to say (resolve.ts).
 */

const address = z
  .string()
  .regex(
    /^[A-Za-z0-9_:][A-Za-z0-9_.:%+-]{0,254}$/,
    "must be a host name, an IPv4 or IPv6 address or a Host of your ssh config, without user and port",
  );

const user = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}$/, "must be 1 to 64 letters, digits, '_', '.', '@', '+' or '-'");

const path = z
  .string()
  .regex(/^[^\0\r\n"]{1,4096}$/, "must be a path without quotes and line breaks")
  .regex(/^(\/|~\/|[^~/-])/, "must not begin with '-' or with another user's '~'");

const pin = z
  .string()
  .regex(
    /^(SHA256:[A-Za-z0-9+/]{43}=?|(ssh-|ecdsa-|sk-)[A-Za-z0-9@.-]+ +AAAA[A-Za-z0-9+/]+={0,3}( .*)?)$/,
    "must be a fingerprint as 'SHA256:…' (43 characters follow), or a public key as 'ssh-ed25519 AAAA…'",
  );

const hostKey = z
  .union([pin, z.array(pin).min(1, "must hold at least one key")], "must be a fingerprint or public key, or a list")
  .optional();

const seconds = (most: number) =>
  z
    .number("must be a number of seconds")
    .min(1, `must be 1 to ${most} seconds`)
    .max(most, `must be 1 to ${most} seconds`);

const privateKeyPathDoc =
  "A private key file; '~' is your home folder and is stored as it is. It alone is offered, from the agent too if that holds it; with transport 'openssh', ssh tries the IdentityFiles of your ssh config too.";

const jumpHost = z.strictObject({
  address: address.describe("Name, address, or Host of your ssh config."),
  port: port.optional().describe("TCP port, 1 to 65535. Default: your ssh config's, else 22."),
  user: user.optional().describe("Login name. Default: your ssh config's, else your own."),
  privateKeyPath: path
    .optional()
    .describe(`${privateKeyPathDoc} Default: your ssh config's, then the Host's own keys.`),
  hostKey: hostKey.describe("Pinned host keys, as for the Host itself."),
  knownHostsPath: path.optional().describe("A known_hosts file in place of your own."),
});

const hop = z
  .string()
  .regex(
    /^(ssh:\/\/)?([A-Za-z0-9_][A-Za-z0-9_.@+-]*@)?(\[[0-9A-Fa-f:.%A-Za-z]+\]|[A-Za-z0-9_][A-Za-z0-9_.+-]*)(:[0-9]{1,5})?$/,
    "must be 'user@host:port', where user and port may be left out and an IPv6 address stands in brackets",
  )
  .refine(
    (text) => (parseHop(text).port ?? 22) >= 1 && (parseHop(text).port ?? 22) <= 65535,
    "port must be 1 to 65535",
  );

/** The arguments of a Host that say how to reach it. */
export const connectionArgs = {
  address: address.describe(
    "Name, IPv4 or IPv6 address, or Host of your ssh config. Not the machine's identity: it may change at any time.",
  ),
  port: port.optional().describe("TCP port of its SSH server, 1 to 65535. Default: your ssh config's, else 22."),
  user: user.optional().describe("Login name. Default: your ssh config's, else your own."),
  privateKeyPath: path.optional().describe(`${privateKeyPathDoc} Default: the IdentityFiles of your ssh config.`),
  privateKey: secret(
    z
      .string()
      .regex(/^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/, "must be a private key in PEM or OpenSSH format")
      .optional()
      .describe(
        "A private key itself. It is a secret; the agent or privateKeyPath keep it out of the state altogether.",
      ),
  ),
  // Who misunderstands it gives the passphrase itself.
  passphraseEnv: secret(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable")
      .optional()
      .describe("Name of the environment variable that holds the passphrase of the private key. Default: none."),
  ),
  agent: z
    .union([z.boolean(), path], "must be true, false or the path of an agent's socket")
    .optional()
    .describe(
      "Whether to use the SSH agent, or the path of its socket. Default: your ssh config's IdentityAgent, else SSH_AUTH_SOCK.",
    ),
  hostKey: hostKey.describe(
    "The machine's host key, or several: fingerprints ('SHA256:…') or public keys ('ssh-ed25519 AAAA…'). When given, known_hosts is not asked.",
  ),
  knownHostsPath: path
    .optional()
    .describe("The known_hosts file that must hold the machine's key. Default: those of your ssh config."),
  jumpHosts: z
    .array(z.union([hop, jumpHost], "must be 'user@host:port' or an object with an address"))
    .max(8, "must be at most 8")
    .optional()
    .describe(
      "Hosts to go through, the nearest first: 'user@host:port' or an object. [] for none. Default: the ProxyJump of your ssh config.",
    ),
  become: z
    .enum(["sudo", "none"], "must be 'sudo' or 'none'")
    .default("sudo")
    .describe(
      "How to become root: 'sudo' (sudo without a password, unless you log in as root) or 'none' (log in as root). Default: sudo.",
    ),
  transport: z
    .enum(["ssh2", "openssh", "local"], "must be 'ssh2', 'openssh' or 'local'")
    .optional()
    .describe(
      "'ssh2' within the process, 'openssh' by the ssh program (certificates, FIDO keys, ProxyCommand), 'local' for this very machine. Default: ssh2, or openssh where your ssh config has a ProxyCommand for the host.",
    ),
  connectTimeout: seconds(600)
    .optional()
    .describe(
      "How long connecting may take, in seconds, 1 to 600. A machine that boots has this long to answer. Default: your ssh config's, else 30.",
    ),
  commandTimeout: seconds(3600)
    .default(60)
    .describe("How long the machine may take to answer once connected, in seconds, 1 to 3600. Default: 60."),
  identity: z
    .enum(["machineId", "hostKey"], "must be 'machineId' or 'hostKey'")
    .default("machineId")
    .describe(
      "What tells this machine from another: 'machineId' (/etc/machine-id and the firmware's uuid), or 'hostKey' for stateless images whose machine id changes at each boot. Then give `hostKey` too: of several keys of a machine, known_hosts decides which one it proves, and with another one it is another machine. Default: machineId.",
    ),
  decommissioned: z
    .boolean()
    .optional()
    .describe("The machine is gone for good: nothing on it can be, or need be, removed. Default: false."),
};

const schema = z.object(connectionArgs);

/** How to reach a machine, and what the Host is called in messages. */
export type Connection = z.output<typeof schema> & { name: string };

export type JumpHost = z.output<typeof jumpHost>;
