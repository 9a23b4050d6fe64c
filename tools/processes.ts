import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Set in the environment of a test run, hence of everything that it starts, however far down. */
export const markVariable = "HOSTNET_TEST_RUN";

/** jest and its workers; Pulumi's CLI; what that starts: language host, program, provider. */
type Role = "jest" | "cli" | "plugin";

/** The running processes that were started under a mark, but for those of no role here. */
export function markedProcesses(mark: string): { pid: number; role: Role }[] {
  const found: { pid: number; role: Role }[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, "utf8").split("\0");
      if (!environment.includes(`${markVariable}=${mark}`)) continue;
      const [program = "", ...args] = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      const role = roleOf(basename(program), args);
      if (role) found.push({ pid: Number(entry), role });
    } catch {
      // It ended meanwhile, or is another user's.
    }
  }
  return found;
}

function roleOf(program: string, args: string[]): Role | undefined {
  if (program === "pulumi") return "cli";
  const runs = (script: RegExp) => args.some((arg) => script.test(arg));
  if (program.startsWith("pulumi") || runs(/\/@pulumi\/pulumi\/cmd\//)) return "plugin";
  return runs(/\/node_modules\/jest(-worker)?\/.*\.js$/) ? "jest" : undefined;
}

/** Sends a signal to jest and its workers. */
export function signalJest(mark: string, name: NodeJS.Signals): void {
  for (const { pid, role } of markedProcesses(mark)) if (role === "jest") signal(pid, name);
}

/** Interrupts the CLIs under a mark as Ctrl-C would, so that they finish what they have begun, and waits for their end. */
export async function interruptPulumi(mark: string, limitMs: number): Promise<void> {
  const clis = () => markedProcesses(mark).filter(({ role }) => role === "cli");
  for (const { pid } of clis()) signal(pid, "SIGINT");
  for (const end = Date.now() + limitMs; Date.now() < end && clis().length > 0; ) await sleep(200);
}

/**
 * Ends what Pulumi left behind under a mark. Its plugins run in process groups of their own and stay when the CLI was
 * killed, for ever: a provider would hold its connections to the lab.
 */
export async function endPulumi(mark: string): Promise<void> {
  const left = () => markedProcesses(mark).filter(({ role }) => role !== "jest");
  for (const { pid } of left()) signal(pid, "SIGTERM");
  for (let i = 0; i < 10 && left().length > 0; i++) await sleep(200);
  for (const { pid } of left()) signal(pid, "SIGKILL");
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}
