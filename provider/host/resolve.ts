import { existsSync } from "node:fs";
import { HostnetError } from "../model/errors";
import type { Connection, JumpHost } from "./connection";
import { type Env, expandPath, homeOf, localUser } from "./paths";
import { parseHop, type SshOptions, sshOptions } from "./ssh-config";
import type { Target } from "./target";

const defaultConnectTimeout = 30;

/** ssh stops at a chain of jump hosts that is longer than anybody needs; so a circle ends. */
const mostHops = 8;

/** What ssh tries and trusts where there is no ssh to ask. */
const defaultKeys = ["id_rsa", "id_ecdsa", "id_ed25519"];

/** One machine on the way, the last one or a hop. */
interface Stop extends JumpHost, Partial<Pick<Connection, "privateKey" | "agent" | "jumpHosts" | "transport">> {
  connectTimeout?: number;
  /** It is reached from the hop before it, whatever the config says of a way to it. */
  direct?: boolean;
}

/**
 * Where and how to connect. What was left out comes from the user's ssh config, as `ssh` itself would resolve it. A
 * config file named by HOSTNET_SSH_CONFIG stands in for it and wins over what is given or stored, in each option that it
 * sets for the host: so another machine, with other key paths, can destroy. Throws HostnetError INVALID, AUTH.
 */
export async function resolve(connection: Connection, env: Env = process.env): Promise<Target> {
  const { name, address, become, transport, commandTimeout } = connection;
  const passphrase = passphraseOf(connection, env);
  const base = { name, passphrase, become, commandTimeoutMs: commandTimeout * 1000 };
  if (transport === "local")
    return { ...local, ...base, user: localUser(), address, alias: address, hostKeyName: address };
  try {
    return await stop(connection, { ...base, env, depth: 0 });
  } catch (error) {
    throw error instanceof HostnetError ? error.at({ host: name }) : error;
  }
}

const local = {
  transport: "local" as const,
  port: 0,
  privateKeyPaths: [],
  identitiesOnly: false,
  hostKeys: [],
  knownHostsPaths: [],
  jumpHosts: [],
  connectTimeoutMs: defaultConnectTimeout * 1000,
};

interface Journey {
  name: string;
  passphrase?: string;
  become: Target["become"];
  commandTimeoutMs: number;
  env: Env;
  depth: number;
}

async function stop(given: Stop, journey: Journey): Promise<Target> {
  const { env, depth, ...base } = journey;
  const file = env.HOSTNET_SSH_CONFIG ? expandPath(env.HOSTNET_SSH_CONFIG, env) : undefined;
  const { address: alias, port, user } = given;
  const config = await sshOptions({ alias, port, user, file }, env);
  /** Who speaks first: the file that HOSTNET_SSH_CONFIG names, else what was given. */
  const first = <T>(stored: T | undefined, said: T | undefined) => (file ? (said ?? stored) : (stored ?? said));

  const way = wayOf(given, config, file !== undefined);
  if (depth + way.hops.length > mostHops) {
    throw new HostnetError("INVALID", `more than ${mostHops} jump hosts lead to ${alias}; is ProxyJump a circle?`);
  }
  const jumpHosts = await jumps(given, way, journey);
  const proxied = way.proxyCommand !== undefined || jumpHosts.some((hop) => hop.proxyCommand !== undefined);
  const transport = given.transport ?? (proxied ? "openssh" : "ssh2");
  const address = config.hostName ?? alias;
  return {
    ...base,
    transport,
    address,
    // As ssh does it: the alias stands without a port, and the name is the one after HostName.
    hostKeyName: config.hostKeyAlias ?? address.toLowerCase(),
    port: first(port, config.port) ?? 22,
    user: first(user, config.user) ?? localUser(),
    ...credentials(given, config, first, env),
    hostKeys: given.hostKey === undefined ? [] : [given.hostKey].flat(),
    knownHostsPaths: knownHosts(given, config, first, env),
    jumpHosts: jumpHosts.map((hop) => ({ ...hop, transport })),
    proxyCommand: way.proxyCommand,
    connectTimeoutMs: (first(given.connectTimeout, config.connectTimeout) ?? defaultConnectTimeout) * 1000,
    sshConfigPath: file,
    alias,
  };
}

type First = <T>(stored: T | undefined, said: T | undefined) => T | undefined;

function credentials({ privateKeyPath, privateKey, agent }: Stop, config: SshOptions, first: First, env: Env) {
  const given = privateKeyPath === undefined ? undefined : [expandPath(privateKeyPath, env)];
  const own = given ?? (privateKey === undefined ? undefined : []);
  const chosen = first(own, config.identityFiles);
  const standard = defaultKeys.map((key) => `${homeOf(env)}/.ssh/${key}`);
  // Of those that nobody named here only some are there, and ssh is silent about the rest.
  const there = (path: string) => existsSync(path) || existsSync(`${path}.pub`);
  const privateKeyPaths = chosen !== undefined && chosen === own ? chosen : (chosen ?? standard).filter(there);

  const said = config.identityAgent ?? env.SSH_AUTH_SOCK ?? "none";
  const asked = agent === false ? "none" : typeof agent === "string" ? expandPath(agent, env) : undefined;
  const socket = first(asked, config.identityAgent) ?? said;
  return {
    privateKeyPaths,
    privateKey,
    agentSocket: socket === "none" ? undefined : socket,
    // A key that was named is the one to use: a host closes the door after some wrong ones of the agent (MaxAuthTries).
    identitiesOnly: config.identitiesOnly === true || (chosen !== undefined && chosen === own && agent !== true),
  };
}

function knownHosts({ knownHostsPath }: Stop, config: SshOptions, first: First, env: Env): string[] {
  const given = knownHostsPath === undefined ? undefined : [expandPath(knownHostsPath, env)];
  const folder = `${homeOf(env)}/.ssh`;
  const standard = [
    `${folder}/known_hosts`,
    `${folder}/known_hosts2`,
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
  ];
  return first(given, config.knownHosts) ?? standard;
}

interface Way {
  hops: JumpHost[];
  proxyCommand?: string;
}

/** Jump hosts or a proxy command: one thing to ssh, so one word replaces the whole. */
function wayOf({ jumpHosts, direct }: Stop, { proxyJump, proxyCommand }: SshOptions, fileFirst: boolean): Way {
  if (direct) return { hops: [] };
  const said = proxyJump !== undefined || proxyCommand !== undefined;
  if (jumpHosts !== undefined && !(fileFirst && said)) {
    const hops = jumpHosts.map((hop) => (typeof hop === "string" ? parseHop(hop) : hop));
    return { hops };
  }
  return { hops: (proxyJump ?? []).map(parseHop), proxyCommand };
}

/** The hops of the way, each with what the ssh config says of it. */
async function jumps(given: Stop, { hops }: Way, journey: Journey): Promise<Target[]> {
  const { transport, agent, privateKey, connectTimeout } = given;
  const targets: Target[] = [];
  for (const [index, hop] of hops.entries()) {
    // `ssh -J a,b host` goes to `a` by whatever way its own config tells, and from there straight on.
    const from = { ...hop, transport, agent, connectTimeout, direct: index > 0 };
    const target = await stop(from, { ...journey, become: "none", depth: journey.depth + hops.length });
    const mine = given.privateKeyPath && !hop.privateKeyPath ? [expandPath(given.privateKeyPath, journey.env)] : [];
    const privateKeyPaths = [...new Set([...target.privateKeyPaths, ...mine])];
    targets.push(...target.jumpHosts, { ...target, privateKeyPaths, privateKey, jumpHosts: [] });
  }
  return targets;
}

function passphraseOf({ passphraseEnv }: Connection, env: Env): string | undefined {
  if (passphraseEnv === undefined) return undefined;
  const passphrase = env[passphraseEnv];
  if (passphrase === undefined) {
    throw new HostnetError("AUTH", `the environment variable ${passphraseEnv} is not set`, {
      remedy: `passphraseEnv names it: set it to the passphrase of the private key, or to nothing when the key has none.`,
    });
  }
  return passphrase || undefined;
}
