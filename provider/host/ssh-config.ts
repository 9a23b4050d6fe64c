import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HostnetError } from "../model/errors";
import { type Env, expandPath, expandTokens, localUser, passwdHome } from "./paths";

/** What the user's ssh config says of one host. Paths are expanded. undefined: it says nothing. */
export interface SshOptions {
  hostName?: string;
  port?: number;
  user?: string;
  /** In the order in which ssh tries them; [] for `none`. */
  identityFiles?: string[];
  /** Socket path, or "none". */
  identityAgent?: string;
  identitiesOnly?: boolean;
  knownHosts?: string[];
  hostKeyAlias?: string;
  /** Hops as the user wrote them, nearest first; [] for `none`. */
  proxyJump?: string[];
  proxyCommand?: string;
  /** Seconds. */
  connectTimeout?: number;
}

export interface Query {
  /** As the user wrote it: what `Host` patterns are compared with. */
  alias: string;
  /** What is known better than the config, for `Match` and for tokens. */
  port?: number;
  user?: string;
  /**
   * A config file in place of the user's own. Then the answer has only what that file itself says of the host, also
   * where it is what ssh would do anyway.
   */
  file?: string;
}

const cache = new Map<string, Promise<SshOptions>>();

/**
 * What `ssh` itself makes of its config for a host: asked of `ssh -G`, once for each question in a process. Without an
 * `ssh` on this machine nothing is known. Throws INVALID when ssh cannot read its config.
 */
export function sshOptions(query: Query, env: Env = process.env): Promise<SshOptions> {
  const key = JSON.stringify([query, env.HOME, env.SSH_AUTH_SOCK, env.PATH]);
  let asking = cache.get(key);
  if (!asking) {
    asking = ask(query, env);
    cache.set(key, asking);
    asking.catch(() => cache.delete(key));
  }
  return asking;
}

/** Values that nobody gives to an option: where one comes out, the user's file was silent. */
const silent = "hostnet-silent";
const silentJump = "hostnet-silent-jump"; // not the host itself: ssh refuses a loop
const silentPort = 65_001;
const silentTimeout = 64_999;

async function ask(query: Query, env: Env): Promise<SshOptions> {
  const { alias, port, user, file } = query;
  // Port and user on the command line would win over the file.
  const known = [...(port === undefined ? [] : ["-p", String(port)]), ...(user === undefined ? [] : ["-l", user])];
  const text =
    file === undefined
      ? await dump([...known, "--", alias], env, "the ssh config (~/.ssh/config, /etc/ssh/ssh_config)")
      : await withSilence(file, (path) => dump(["-F", path, "--", alias], env, file));
  return text === undefined ? {} : parse(text, query, env);
}

/** What `ssh -G` prints; undefined where there is no ssh. By Node itself: to load execa takes as long as to load ssh2. */
function dump(words: string[], env: Env, source: string): Promise<string | undefined> {
  const options = {
    env: { ...env, LC_ALL: "C" },
    timeout: 15_000, // a `Match exec` of the user's may hang
    killSignal: "SIGKILL" as const,
  };
  return new Promise((resolve, reject) => {
    const child = execFile("ssh", ["-G", "-T", ...words], options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (error.code === "ENOENT") return resolve(undefined);
      reject(
        new HostnetError("INVALID", "ssh cannot tell how to reach the host", {
          step: ["ssh", "-G", ...words].join(" "),
          exitCode: typeof error.code === "number" ? error.code : undefined,
          stderr: error.killed ? "no answer within 15 s" : stderr.trimEnd(),
          remedy: `Correct ${source}.`,
        }),
      );
    });
    child.stdin?.end();
  });
}

/**
 * A config that reads the user's file and then sets to a value of ours whatever that file says nothing of: with ssh
 * config the first value wins. A file, because ssh cannot open the socket that Node makes a child's standard input.
 */
async function withSilence<T>(file: string, use: (path: string) => Promise<T>): Promise<T> {
  readable(file);
  const folder = await mkdtemp(join(tmpdir(), "hostnet-"));
  try {
    const path = join(folder, "config");
    await writeFile(path, silenceAfter(resolve(file)), { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readable(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HostnetError("INVALID", `the ssh config ${file} cannot be read (${code})`, { cause });
  }
}

function silenceAfter(file: string): string {
  if (/["\n\r\\*?[]/.test(file)) throw new HostnetError("INVALID", `ssh takes no such path: ${JSON.stringify(file)}`);
  return `Include "${file}"
Match all
  HostName ${silent}
  Port ${silentPort}
  User ${silent}
  IdentityFile /${silent}
  IdentityAgent /${silent}
  UserKnownHostsFile /${silent}
  GlobalKnownHostsFile /${silent}
  HostKeyAlias ${silent}
  ProxyJump ${silentJump}
  ConnectTimeout ${silentTimeout}
`;
}

/** Reads what `ssh -G` prints: a word, a space and the value on each line; some words come more than once. */
export function parse(text: string, query: Query, env: Env = process.env): SshOptions {
  const { alias } = query;
  const lines = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, word, value] = /^(\S+) (.*)$/.exec(line.trimEnd()) ?? [];
    if (word !== undefined && value !== undefined) lines.set(word, [...(lines.get(word) ?? []), value]);
  }
  const one = (word: string) => {
    const value = lines.get(word)?.[0];
    return value === silent || value === `/${silent}` ? undefined : value;
  };
  const number = (word: string, nothing: number) => {
    const value = Number(one(word) ?? Number.NaN);
    return Number.isInteger(value) && value !== nothing ? value : undefined;
  };
  const hostName = one("hostname");
  const port = number("port", silentPort);
  const user = one("user");
  const hostKeyAlias = one("hostkeyalias");
  const home = passwdHome();
  const expand = (path: string) =>
    expandPath(
      expandTokens(path, {
        d: home,
        h: hostName ?? alias,
        i: String(process.getuid?.() ?? ""),
        k: hostKeyAlias ?? alias,
        L: hostname().split(".")[0] ?? "",
        l: hostname(),
        n: alias,
        p: String(port ?? query.port ?? 22),
        r: user ?? query.user ?? localUser(),
        u: localUser(),
      }),
      env,
      home,
    );

  const files = lines.get("identityfile")?.filter((file) => file !== `/${silent}`);
  const identityFiles = files?.filter((file) => file !== "none").map(expand);
  const agent = one("identityagent");
  const known = ["userknownhostsfile", "globalknownhostsfile"].flatMap((word) => splitPaths(one(word)));
  const jump = lines.get("proxyjump")?.[0];
  const command = one("proxycommand");
  return {
    hostName,
    port,
    user,
    identityFiles: files?.length ? identityFiles : undefined,
    identityAgent: agent === undefined ? undefined : agentPath(agent, expand, env),
    identitiesOnly: one("identitiesonly") === "yes" ? true : undefined,
    knownHosts: known.length ? known.filter((path) => path !== "none").map(expand) : undefined,
    hostKeyAlias,
    // `none` for either is not printed at all, and then ours behind it is not either.
    proxyJump: jump === silentJump ? undefined : (jump?.split(",") ?? []),
    proxyCommand: command === "none" ? undefined : command,
    connectTimeout: number("connecttimeout", silentTimeout),
  };
}

/** ssh -G prints paths without quotes; those that we can use are absolute or begin with `~`. */
function splitPaths(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(/ (?=[/~]|none(?: |$))/);
}

function agentPath(value: string, expand: (path: string) => string, env: Env): string {
  if (value === "SSH_AUTH_SOCK") return env.SSH_AUTH_SOCK ?? "none";
  if (value.startsWith("$") && !value.startsWith("${")) return env[value.slice(1)] ?? "none";
  return value === "none" ? value : expand(value);
}

/** `user@host:port`, `[v6]:port` or `ssh://…`, as ssh's -J takes them. */
export function parseHop(text: string): { address: string; port?: number; user?: string } {
  const [, user, bracketed, plain, port] =
    /^(?:ssh:\/\/)?(?:(.+)@)?(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(text.trim()) ?? [];
  // Without brackets an IPv6 address has no port.
  const address = bracketed ?? plain ?? text.trim().replace(/^.*@/, "");
  return { address, user, port: port === undefined ? undefined : Number(port) };
}
