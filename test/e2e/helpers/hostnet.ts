import { join } from "node:path";
import { host } from "./lab";
import type { Stack } from "./stack";

/** What a command said. */
export interface Said {
  exitCode: number;
  stdout: string;
  /** stdout and stderr as they came. */
  all: string;
}

/** The `hostnet` command as a user calls it in a stack's project, with that one's pulumi and backend. */
export async function hostnet(stack: Stack, ...args: string[]): Promise<Said> {
  const { execa } = await import("execa");
  const cli = join(__dirname, "..", "..", "..", "dist", "provider", "cli", "index.js");
  const result = await execa(process.execPath, [cli, ...args], {
    ...{ cwd: stack.dir, env: stack.environment(), stdin: "ignore", all: true, reject: false },
  });
  return { exitCode: result.exitCode ?? 255, stdout: result.stdout, all: result.all };
}

/** A lab host as the command takes one. */
export function at(name: string): string {
  const { user, address, port } = host(name);
  return `${name}=${user}@${address}:${port}`;
}

/** How to log in to the lab's hosts. */
export const login = () => ["-i", host("n1").privateKeyPath, "--known-hosts-path", host("n1").knownHostsPath];
