import { readdir, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { sleep } from "./run";

/**
 * The lab's machine (or "hub") that a command line belongs to; undefined if it is no process of this lab. A pid file
 * alone proves nothing: after a crash or a reboot its number may be anybody's.
 */
export function machineOf(commandLine: string[], root: string): string | undefined {
  if (!basename(commandLine[0] ?? "").startsWith("qemu-system-")) return undefined;
  const pidFile = commandLine[commandLine.indexOf("-pidfile") + 1];
  if (!commandLine.includes("-pidfile") || pidFile === undefined) return undefined;
  return dirname(dirname(pidFile)) === root ? basename(dirname(pidFile)) : undefined;
}

/** Every running process of the lab under `root`, by machine. Found by command line, so that none is ever lost. */
export async function labProcesses(root: string): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    const name = machineOf(await commandLineOf(pid), root);
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), pid]);
  }
  return found;
}

/** Ends the processes of a machine of the lab: politely, after two seconds by force. */
export async function endProcesses(name: string, pids: number[], root: string): Promise<void> {
  const alive = async () => {
    const mine = await Promise.all(pids.map(async (pid) => machineOf(await commandLineOf(pid), root) === name));
    return pids.filter((_, index) => mine[index]);
  };
  for (const [signal, patience] of [["SIGTERM", 2000] as const, ["SIGKILL", 5000] as const]) {
    for (const pid of await alive()) send(pid, signal);
    for (const end = Date.now() + patience; Date.now() < end; await sleep(20)) {
      if ((await alive()).length === 0) return;
    }
  }
  throw new Error(`${name}: process ${(await alive()).join(", ")} does not end`);
}

/** Seconds since a process started. */
export async function processUptime(pid: number): Promise<number | undefined> {
  try {
    const [stat, uptime] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile("/proc/uptime", "utf8")]);
    // Field 22, counted after the command's name, which may hold spaces; in hundredths on every Linux.
    const start = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]) / 100;
    return Math.max(0, Math.round(Number(uptime.split(" ")[0]) - start));
  } catch {
    return undefined;
  }
}

/** Empty for a process that is gone, a zombie or a kernel thread. */
async function commandLineOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.split("\0").slice(0, -1);
}

function send(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
