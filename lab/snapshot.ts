import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Start, startMachine, writePort } from "./machine";
import { machineFiles, stateRoot } from "./paths";
import { endMachine, labProcesses, processUptime } from "./processes";
import { continueRestored, saveMemory } from "./qmp";
import { run, secondsSince } from "./run";
import { runOn, waitForGreeting } from "./ssh";

/** The first boot is Debian's whole one, emulated, on a computer that may be busy with others. */
export const bootTimeout = 300_000;
const restoreTimeout = 60_000;

/** A machine as it was after its first boot, in a folder of the cache: disk and memory, and who it is. */
export interface Snapshot {
  folder: string;
  disk: string;
  memory: string;
}

type Log = (line: string) => void;

export function snapshotIn(folder: string): Snapshot {
  return { folder, disk: join(folder, "disk.qcow2"), memory: join(folder, "memory") };
}

/** Who the machine is, as files of its folder. */
const identityFiles = (name: string, root?: string) => {
  const { identity, identityArchive, hostKey } = machineFiles(name, root);
  return [identity, identityArchive, hostKey, `${hostKey}.pub`];
};

/** Puts the identity of a saved machine into the folder of the running one. */
export async function adoptIdentity(name: string, snapshot: Snapshot, port: number): Promise<void> {
  const files = machineFiles(name);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  for (const file of identityFiles(name)) await copyFile(join(snapshot.folder, basename(file)), file);
  await writePort(name, port);
}

/** Boots a machine from the image and waits until it is up. */
export async function boot(name: string, start: Start, log: Log): Promise<void> {
  const begin = Date.now();
  await startMachine(name, start);
  await waitForGreeting(name, bootTimeout);
  await waitForServices(name);
  await requireClock(name);
  log(`${name}: booted in ${secondsSince(begin)}`);
}

/**
 * Waits until systemd has started all that it starts. Throws when a unit failed: on a computer that is too busy Open
 * vSwitch runs into its time limit, and a snapshot would keep that for good.
 */
export async function waitForServices(name: string): Promise<void> {
  await runOn(name, "systemctl is-system-running --wait || true", bootTimeout);
  const failed = await runOn(name, "systemctl list-units --failed --plain --no-legend --full | cut -d' ' -f1");
  if (failed.trim() !== "") throw new Error(`${name}: did not start ${failed.trim().split("\n").join(", ")}`);
}

/**
 * Throws when the machine's clock runs away: an emulated kernel that did not get the processor while it measured the
 * speed of its clock has it wrong for good (seen: 36 times too fast).
 */
async function requireClock(name: string): Promise<void> {
  const [pid = 0] = (await labProcesses(stateRoot())).get(name) ?? [];
  const inside = Number.parseFloat(await runOn(name, "cat /proc/uptime"));
  const outside = await processUptime(pid);
  if (outside !== undefined && Math.abs(inside - outside) > 10 + outside / 2) {
    throw new Error(
      `${name}: its clock counted ${inside} s in ${outside} s; this computer was too busy when it booted`,
    );
  }
}

/** Saves the machine that runs and ends it. Its disk and memory go to the cache: nothing may change them from now on. */
export async function saveSnapshot(name: string, snapshot: Snapshot, log: Log): Promise<void> {
  const begin = Date.now();
  const files = machineFiles(name);
  await runOn(name, "sync");
  await saveMemory(files.monitor, files.memory);
  await endMachine(name, stateRoot());
  const saving = `${snapshot.folder}.${process.pid}`;
  await mkdir(saving, { recursive: true, mode: 0o700 });
  for (const file of [files.disk, files.memory, ...identityFiles(name)]) {
    // The cache may be on another file system than the state.
    await run("mv", [file, join(saving, basename(file))]);
  }
  await Promise.all([chmod(join(saving, "disk.qcow2"), 0o400), chmod(join(saving, "memory"), 0o400)]);
  await rename(saving, snapshot.folder).catch(async (error: Error) => {
    // Another lab of this user (another state folder) was quicker: its machine is as good as ours.
    await rm(saving, { recursive: true, force: true });
    if (!existsSync(snapshot.folder)) throw error;
  });
  log(`${name}: snapshot taken in ${secondsSince(begin)}`);
}

/** Goes on where the snapshot was taken, on a disk of its own, and puts the clock right. */
export async function restore(name: string, start: Start & { snapshot: Snapshot }, log: Log): Promise<void> {
  const begin = Date.now();
  await startMachine(name, start);
  await continueRestored(machineFiles(name).monitor);
  await waitForGreeting(name, restoreTimeout);
  // The kernel's clock went to sleep with the snapshot; the emulated RTC shows this computer's time.
  await runOn(name, "sudo busybox hwclock -s -u", restoreTimeout);
  log(`${name}: restored from its snapshot in ${secondsSince(begin)}`);
}
