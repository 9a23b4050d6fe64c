import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { which } from "../tools/which";
import { run } from "./run";
import { workFolder } from "./sandbox";
import type { Login } from "./spec";

/** What a host saw since it was asked to count. */
export interface Counts {
  /** Logins that its sshd accepted. */
  connections: number;
  /** Sessions that its sshd started: shells and commands. */
  channels: number;
  /** Processes started on it, whatever for: sshd's own, shells, `ip`. */
  processes: number;
}

const rootHome = "/run/home";

/** A host of the benchmark: an SSH server with network, mounts, process numbers, /run and machine id of its own. */
export interface BenchHost {
  login: Login;
  /** Starts to count; the function returned tells what was counted since. */
  count(): Promise<() => Promise<Counts>>;
  /** Throws an Error when a login on it is not as it was made: then what was measured there is worth nothing. */
  prove(): Promise<void>;
  /** What `ip` prints for the arguments given, in the host's network. */
  ip(...args: string[]): Promise<string>;
}

/** Makes hosts hn-b1, hn-b2 …, each behind a veth of its own. They end with the namespaces of the benchmark. */
export async function makeHosts(count: number, folder: string): Promise<BenchHost[]> {
  const key = join(folder, "id");
  const knownHostsPath = join(folder, "known_hosts");
  await makeKey(key);
  const hosts = await Promise.all(
    Array.from({ length: count }, (_, index) => makeHost(index + 1, folder, key, knownHostsPath)),
  );
  writeFileSync(knownHostsPath, hosts.map(({ known }) => known).join(""));
  return hosts.map(({ host }) => host);
}

async function makeHost(number: number, folder: string, key: string, knownHostsPath: string) {
  const name = `hn-b${number}`;
  const address = `10.199.${number}.2`;
  const own = join(folder, name);
  mkdirSync(own);
  await makeKey(join(own, "host-key"));
  await run("cp", ["-a", "/etc", own]);
  rmSync(join(own, "etc", "machine-id"), { force: true });
  writeFileSync(join(own, "etc", "machine-id"), `${randomBytes(16).toString("hex")}\n`);
  writeFileSync(join(own, "etc", "passwd"), passwd(readFileSync("/etc/passwd", "utf8")));
  writeFileSync(join(own, "sshd_config"), sshdConfig(address, join(own, "host-key"), `${key}.pub`));
  writeFileSync(join(own, "start.sh"), start(own));

  await run("ip", ["netns", "add", name]);
  await run("ip", ["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name]);
  await run("ip", ["addr", "add", `10.199.${number}.1/30`, "dev", name]);
  await run("ip", ["link", "set", name, "up"]);
  await run("ip", ["-n", name, "addr", "add", `${address}/30`, "dev", "eth0"]);
  for (const device of ["lo", "eth0"]) await run("ip", ["-n", name, "link", "set", device, "up"]);

  const log = join(own, "log");
  const output = openSync(log, "a");
  const unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", join(own, "start.sh")];
  spawn("ip", ["netns", "exec", name, ...unshare], { stdio: ["ignore", output, output] }).unref();
  closeSync(output);
  await until(
    () => existsSync(log) && readFileSync(log, "utf8").includes("Server listening"),
    () => {
      return `the sshd of ${name} does not start: ${readFileSync(log, "utf8")}`;
    },
  );

  const login: Login = { name, address, port: 22, user: "root", privateKeyPath: key, knownHostsPath };
  const host: BenchHost = {
    login,
    count: () => counter(log, readFileSync(join(own, "pid"), "utf8").trim()),
    prove: () => proveLogin(login),
    ip: async (...args) => run("ip", ["-n", name, ...args]),
  };
  const [type, blob] = readFileSync(join(own, "host-key.pub"), "utf8").split(" ");
  return { host, known: `${address} ${type} ${blob}\n` };
}

/** The home of its root is empty, so that no rc file of this machine is part of what a login takes. */
async function proveLogin({ name, address, user, privateKeyPath, knownHostsPath }: Login): Promise<void> {
  const options = ["-F", "/dev/null", "-i", privateKeyPath, "-o", `UserKnownHostsFile=${knownHostsPath}`];
  const home = await run("ssh", [...options, "-o", "BatchMode=yes", `${user}@${address}`, 'echo "$HOME"; ls -A ~']);
  if (home.trim() !== rootHome)
    throw new Error(`a login on ${name} is at home in ${home}, not in an empty ${rootHome}`);
}

async function counter(log: string, pid: string): Promise<() => Promise<Counts>> {
  const lines = (pattern: RegExp, from: number) => readFileSync(log, "utf8").slice(from).match(pattern)?.length ?? 0;
  const from = readFileSync(log, "utf8").length;
  const before = await lastPid(pid);
  return async () => ({
    // One of them is the look itself.
    processes: (await lastPid(pid)) - before - 1,
    connections: lines(/^Accepted publickey /gm, from),
    channels: lines(/^Starting session: /gm, from),
  });
}

/** Process numbers of a namespace are given one after the other, so their difference counts every process there was. */
async function lastPid(pid: string): Promise<number> {
  return Number(await run("nsenter", ["-t", pid, "-p", "-m", "cat", "/proc/sys/kernel/ns_last_pid"]));
}

/** The machine's own users, with a root whose home is empty and whose shell is bash. */
const passwd = (text: string) => text.replace(/^root:.*$/m, `root:x:0:0:root:${rootHome}:/bin/bash`);

/** MaxSessions and MaxStartups are sshd's defaults: users have them too. */
const sshdConfig = (address: string, hostKey: string, authorized: string) => `ListenAddress ${address}
HostKey ${hostKey}
AuthorizedKeysFile ${authorized}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
PrintLastLog no
PidFile none
LogLevel VERBOSE
`;

/**
 * The first process of a host, which becomes its sshd. Its own number, as others see it, is known before /proc is.
 * All of /etc is its own: a bind mount of one file goes when somebody outside renames another over it, as useradd does
 * with passwd. Then logins would run the .bashrc of this machine's root (seen: 115 processes each).
 */
const start = (own: string) => `set -e
read -r pid rest </proc/self/stat
echo "$pid" >${own}/pid
mount -t proc proc /proc
mount --bind ${own}/etc /etc
mkdir ${own}/run
mount -t tmpfs -o mode=755 tmpfs ${own}/run
mkdir ${own}/run/sshd ${own}${rootHome} ${own}/run/bench
mount --bind ${workFolder} ${own}/run/bench
mount -n --move ${own}/run /run
exec ${which("sshd")} -D -e -f ${own}/sshd_config
`;

async function makeKey(path: string): Promise<void> {
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "hostnet-bench", "-f", path]);
}

async function until(ready: () => boolean, problem: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (ready()) return;
    await sleep(50);
  }
  throw new Error(problem());
}
