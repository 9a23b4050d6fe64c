import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";

/** Debian's place first: /usr/sbin is not in every user's PATH. */
export const sshdPath = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"].find((path) => existsSync(path));

/** `describe`, or a loud skip where OpenSSH's server is not installed. */
export function describeSshd(name: string, tests: () => void): void {
  if (!sshdPath) {
    process.stderr.write(`note: no sshd here, "${name}" does not run (apt-get install openssh-server)\n`);
  }
  (sshdPath ? describe : describe.skip)(name, tests);
}

/** A host key of the running user's own sshd, and lines of its config. */
export interface SshdOptions {
  folder: string;
  hostKeyPath: string;
  authorizedKeys: string[];
  config?: string[];
}

/** A real sshd on a free port of the loopback, for the user who runs the tests. No root needed. */
export async function startSshd({ folder, hostKeyPath, authorizedKeys, config = [] }: SshdOptions) {
  const port = await freePort();
  const keys = join(folder, `authorized-${port}`);
  const file = join(folder, `sshd-${port}.conf`);
  writeFileSync(keys, `${authorizedKeys.join("\n")}\n`, { mode: 0o600 });
  const lines = [
    ...config,
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${hostKeyPath}`,
    `AuthorizedKeysFile ${keys}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin yes",
    "LogLevel VERBOSE",
    // Nor are the rc files of whoever runs the tests, which may take longer than all the rest.
    `SetEnv HOME=${folder}`,
    // Post-quantum key exchange takes twice as long, and is not what is tested.
    "KexAlgorithms curve25519-sha256",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  // sshd of root will not start without the folder in which it locks up its unprivileged half.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const child = spawn(sshdPath as string, ["-D", "-e", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (text) => {
    log += text;
  });
  await waitFor(port, child, () => log);
  return {
    port,
    user: userInfo().username,
    log: () => log,
    count: (pattern: RegExp) => log.match(new RegExp(pattern, "g"))?.length ?? 0,
    /** Kills what serves the connections, and leaves the one that listens. */
    killSessions: () => {
      const list = spawnSync("ps", ["-o", "pid=,ppid=", "-A"], { encoding: "utf8" }).stdout;
      const pairs = list
        .trim()
        .split("\n")
        .map((line) => line.trim().split(/\s+/).map(Number));
      const kill = (parent: number) => {
        for (const [pid = 0, ppid] of pairs) {
          if (ppid !== parent) continue;
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // gone with its parent
          }
          kill(pid);
        }
      };
      if (child.pid) kill(child.pid);
    },
    stop: async () => {
      child.kill();
      if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

async function waitFor(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) break;
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`sshd does not start: ${log()}`);
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
