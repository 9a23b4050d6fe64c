import { readdir, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { sleep } from "./run";

/**
 * The lab's machine (or "hub") that a command line belongs to: QEMU's, or that of a machine's supervisor, which has the
 * same arguments. Undefined if it is no process of this lab: a pid file alone proves nothing, after a crash or a reboot
 * its number may be anybody's.
 */
export function machineOf(commandLine: string[], root: string): string | undefined {
  if (!isSupervisor(commandLine) && !basename(commandLine[0] ?? "").startsWith("qemu-system-")) return undefined;
  const pidFile = commandLine[commandLine.indexOf("-pidfile") + 1];
  if (!commandLine.includes("-pidfile") || pidFile === undefined) return undefined;
  return dirname(dirname(pidFile)) === root ? basename(dirname(pidFile)) : undefined;
}

const isSupervisor = ([shell = "", script = ""]: string[]) =>
  basename(shell) === "sh" && basename(script) === "supervise";

/**
 * Every running process of the lab under `root`, by machine, supervisors first. Found by command line, so that none is
 * ever lost.
 */
export async function labProcesses(root: string): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const pid = Number(entry);
    const commandLine = await commandLineOf(pid);
    const name = machineOf(commandLine, root);
    if (name === undefined) continue;
    const others = found.get(name) ?? [];
    found.set(name, isSupervisor(commandLine) ? [pid, ...others] : [...others, pid]);
  }
  return found;
}

/**
 * Ends a machine (or the hub): politely, after two seconds by force. It looks anew each time: a machine that reboots
 * just now changes its QEMU.
 */
export async function endMachine(name: string, root: string): Promise<void> {
  for (const [signal, patience] of [["SIGTERM", 2000] as const, ["SIGKILL", 5000] as const]) {
    const told = new Set<number>();
    for (const end = Date.now() + patience; Date.now() < end; await sleep(30)) {
      const pids = (await labProcesses(root)).get(name) ?? [];
      if (pids.length === 0) return;
      // Supervisors first: one that is left would start QEMU again.
      for (const pid of pids.filter((each) => !told.has(each))) {
        told.add(pid);
        send(pid, signal);
      }
    }
  }
  throw new Error(`${name}: its processes do not end`);
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
