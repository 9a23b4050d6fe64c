import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Set in the environment of a test run, hence of everything that it starts, however far down. */
export const markVariable = "HOSTNET_TEST_RUN";

/** The running processes of Pulumi (CLI, language host, program, provider) that were started under a mark. */
export function pulumiProcesses(mark: string): { pid: number; isCli: boolean }[] {
  const found = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, "utf8").split("\0");
      if (!environment.includes(`${markVariable}=${mark}`)) continue;
      const [program = "", script = ""] = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      const name = basename(program);
      const ofPulumi = name.startsWith("pulumi") || script.includes("/@pulumi/pulumi/cmd/");
      if (ofPulumi) found.push({ pid: Number(entry), isCli: name === "pulumi" });
    } catch {
      // It ended meanwhile, or is another user's.
    }
  }
  return found;
}

/** Interrupts the CLIs under a mark as Ctrl-C would, so that they finish what they have begun, and waits for their end. */
export async function interruptPulumi(mark: string, limitMs: number): Promise<void> {
  const clis = () => pulumiProcesses(mark).filter(({ isCli }) => isCli);
  for (const { pid } of clis()) signal(pid, "SIGINT");
  for (const end = Date.now() + limitMs; Date.now() < end && clis().length > 0; ) await sleep(200);
}

/**
 * Ends what Pulumi left behind under a mark. Its plugins run in process groups of their own and stay when the CLI was
 * killed, for ever: a provider would hold its connections to the lab.
 */
export async function endPulumi(mark: string): Promise<void> {
  for (const { pid } of pulumiProcesses(mark)) signal(pid, "SIGTERM");
  for (let i = 0; i < 10 && pulumiProcesses(mark).length > 0; i++) await sleep(200);
  for (const { pid } of pulumiProcesses(mark)) signal(pid, "SIGKILL");
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}
