import { type AnyAuthMethod, BaseAgent, createAgent, type OpenSSHAgent, type ParsedKey } from "ssh2";
import { HostnetError } from "../model/errors";
import { fingerprint, type LoadedKey, loadKeyFile, loadKeyText } from "./keys";
import type { Target } from "./target";

/** sshd ends the connection at its MaxAuthTries, 6 by default; a key with which it agrees needs a last one. */
const maxTries = 5;
const agentMs = 5_000;

export interface Attempt {
  method: AnyAuthMethod;
  /** For messages. */
  what: string;
}

/** An agent that has one key. ssh2 offers all that an agent has, and is thrown out before it comes to the right one. */
class OneKeyAgent extends BaseAgent<ParsedKey> {
  constructor(
    private readonly agent: OpenSSHAgent,
    private readonly key: ParsedKey,
  ) {
    super();
  }

  override getIdentities(done: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    done(undefined, [this.key]);
  }

  override sign(...args: unknown[]): void {
    (this.agent.sign as (...all: unknown[]) => void)(...args);
  }
}

/**
 * What to try, in order: keys of the agent (those that the target names first, and only those where it says so), key
 * files, the literal key. Each key once. Throws AUTH where there is nothing to try.
 */
export async function attemptsFor(target: Target): Promise<Attempt[]> {
  const problems: string[] = [];
  const attempts: Attempt[] = [];
  const named: { what: string; loaded: LoadedKey }[] = [];
  for (const path of target.privateKeyPaths) {
    named.push({ what: path, loaded: await loadKeyFile(path, target.passphrase) });
  }
  if (target.privateKey) {
    const loaded = await loadKeyText(target.privateKey, target.passphrase);
    named.push({ what: "the key given as privateKey", loaded });
  }

  const names = named.map(({ loaded }) => publicOf(loaded)).filter((blob) => blob !== undefined);
  const rank = (key: ParsedKey) => (names.findIndex((blob) => blob.equals(key.getPublicSSH())) + 1 || Infinity) - 1;
  const held: Buffer[] = [];
  if (target.agentSocket) {
    const agent = createAgent(target.agentSocket) as OpenSSHAgent;
    const keys = await identities(agent).catch((error: Error) => {
      problems.push(`the agent at ${target.agentSocket} does not answer (${error.message})`);
      return [];
    });
    const offered = keys.filter((key) => !target.identitiesOnly || rank(key) < Infinity);
    for (const key of offered.sort((a, b) => Math.min(rank(a), 1e9) - Math.min(rank(b), 1e9))) {
      held.push(key.getPublicSSH());
      const method = { type: "agent" as const, username: target.user, agent: new OneKeyAgent(agent, key) };
      attempts.push({ method: method as AnyAuthMethod, what: `agent key ${fingerprint(key.getPublicSSH())}` });
    }
    if (offered.length === 0) problems.push(`the agent holds ${keys.length ? "none of the keys named" : "no key"}`);
  }
  const fromAgent = attempts.length;
  for (const { what, loaded } of named) {
    if (held.some((blob) => publicOf(loaded)?.equals(blob))) continue;
    if ("problem" in loaded) problems.push(`${what} ${loaded.problem}`);
    else attempts.push({ method: methodOf(target.user, loaded), what });
  }

  if (attempts.length === 0) {
    const why = problems.length ? problems.join("; ") : "no key and no agent are given";
    throw new HostnetError("AUTH", `there is no key to log in with: ${why}`, {
      host: target.name,
      remedy: "Give privateKeyPath, or load the key into the agent (SSH_AUTH_SOCK), or name it in ~/.ssh/config.",
    });
  }
  // Keys that the user named have their turn, however many the agent holds.
  const own = attempts.slice(fromAgent);
  return [...attempts.slice(0, Math.min(fromAgent, Math.max(1, maxTries - own.length))), ...own].slice(0, maxTries);
}

function methodOf(username: string, loaded: Exclude<LoadedKey, { problem: string }>): AnyAuthMethod {
  if ("key" in loaded) return { type: "publickey", username, key: loaded.key };
  return { type: "agent", username, agent: loaded.locked } as unknown as AnyAuthMethod;
}

function publicOf(loaded: LoadedKey): Buffer | undefined {
  if ("problem" in loaded) return loaded.publicKey;
  return ("key" in loaded ? loaded.key : loaded.locked.publicKey).getPublicSSH();
}

function identities(agent: OpenSSHAgent): Promise<ParsedKey[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer in time")), agentMs);
    agent.getIdentities((error, keys) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve((keys ?? []) as ParsedKey[]);
    });
  });
}
