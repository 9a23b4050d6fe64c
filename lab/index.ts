import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accelerator } from "./accelerator";
import { ensureKey } from "./identity";
import { ensureImage } from "./image";
import { withLock } from "./lock";
import { interfaces, prepareMachine, readPort, type Start, snapshotKey, writePort } from "./machine";
import { hubName, startHub } from "./network";
import { requireTools } from "./packages";
import { knownHostsFile, loginKeyFile, machineFiles, machineNames, stateRoot } from "./paths";
import { choosePort } from "./ports";
import { endMachine, labProcesses, processUptime } from "./processes";
import { secondsSince, until } from "./run";
import {
  adoptIdentity,
  boot,
  bootTimeout,
  restore,
  type Snapshot,
  saveSnapshot,
  snapshotIn,
  waitForServices,
} from "./snapshot";
import { address, runOn, sshArguments, user, waitForGreeting, writeKnownHosts } from "./ssh";

/** A machine of the lab, and how to log in to it. */
export interface LabHost {
  name: string;
  address: string;
  port: number;
  user: string;
  privateKeyPath: string;
  knownHostsPath: string;
  interfaces: { management: string; underlay: string; external: string };
  running: boolean;
  /** Seconds since its QEMU was started. */
  uptime?: number;
}

export type Log = (line: string) => void;
const silent: Log = () => {};

/**
 * Brings the lab up: `hosts` machines (default 2, at most 4) and the networks between them, in seconds from snapshots,
 * in minutes the very first time. A machine that runs is left as it is; one that has died starts again clean. Resolves
 * with all machines that run. Throws when a tool is missing (naming its Debian package), when the image cannot be
 * built, or when a machine does not answer in time.
 */
export async function up(options: { hosts?: number; log?: Log } = {}): Promise<LabHost[]> {
  const { hosts = 2, log = silent } = options;
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > machineNames.length) {
    throw new Error(`The lab has 1 to ${machineNames.length} hosts, not ${hosts}.`);
  }
  requireTools();
  return locked(log, async () => {
    const begin = Date.now();
    const names = machineNames.slice(0, hosts);
    let processes = await labProcesses(stateRoot());
    if (!processes.has(hubName) && processes.size > 0) {
      log("the lab's network is gone: its machines start again clean");
      await endAll(processes);
      processes = new Map();
    }
    const missing = names.filter((name) => !processes.has(name) || !existsSync(machineFiles(name).ready));
    if (missing.length > 0) {
      const base = { image: await ensureImage(log), accelerator: await accelerator() };
      await ensureKey(loginKeyFile(), "pulumi-hostnet lab");
      if (!processes.has(hubName)) await startHub();
      await startAll(missing, base, log);
      log(`${missing.join(", ")} up in ${secondsSince(begin)}`);
    }
    return status();
  });
}

/** Starts machines side by side; when a snapshot proves useless, once more from the image. */
async function startAll(names: readonly Name[], base: Start, log: Log, again = true): Promise<void> {
  const folder = join(base.image.folder, `snapshots-${await snapshotKey(base.image, base.accelerator)}`);
  const snapshots = new Map<Name, Snapshot>();
  for (const name of names) {
    const before = await readPort(name).catch(() => undefined);
    await discard(name);
    const snapshot = snapshotIn(join(folder, name));
    snapshots.set(name, snapshot);
    const port = await choosePort(machineNames.indexOf(name), before);
    if (existsSync(snapshot.folder)) await adoptIdentity(name, snapshot, port);
    else await prepareMachine(name, port);
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeKnownHosts();

  const useless: Name[] = [];
  const results = await Promise.allSettled(
    [...snapshots].map(async ([name, snapshot]) => {
      if (!existsSync(snapshot.folder)) {
        log(`${name}: first boot, then a snapshot of it (about a minute, once)…`);
        await onFreePort(name, () => boot(name, base, log));
        await saveSnapshot(name, snapshot, log);
        await adoptIdentity(name, snapshot, await readPort(name));
      }
      await onFreePort(name, () => restore(name, { ...base, snapshot }, log)).catch(async (error: Error) => {
        if (!again) throw error;
        log(`${name}: its snapshot cannot be restored, so it is made anew (${error.message})`);
        await rm(snapshot.folder, { recursive: true, force: true });
        useless.push(name);
      });
      if (!useless.includes(name)) await markReady(name);
    }),
  );
  const failed = results.find((each) => each.status === "rejected");
  if (failed) throw failed.reason;
  if (useless.length > 0) await startAll(useless, base, log, false);
}

/** QEMU says this where another lab (another state folder, another user) took the port after it was found free. */
const portTaken = /Could not set up host forwarding rule/;

/** Starts a machine; on another port when its own has been taken meanwhile. */
async function onFreePort<T>(name: Name, start: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (tries <= 1 || !portTaken.test(String(error))) throw error;
    await writePort(name, await choosePort(machineNames.indexOf(name)));
    await writeKnownHosts();
    return onFreePort(name, start, tries - 1);
  }
}

/** Ends the lab and throws away what changed in its machines; the image and the snapshots stay for the next `up`. */
export async function down(options: { log?: Log } = {}): Promise<void> {
  const { log = silent } = options;
  await locked(log, async () => {
    const processes = await labProcesses(stateRoot());
    await endAll(processes);
    for (const name of [...machineNames, hubName])
      await rm(machineFiles(name).folder, { recursive: true, force: true });
    await rm(knownHostsFile(), { force: true });
    log(processes.size > 0 ? `ended ${[...processes.keys()].sort().join(", ")}` : "nothing was running");
  });
}

/** The machines of the lab: none when it is down. One that was started and has died since has `running: false`. */
export async function status(): Promise<LabHost[]> {
  const processes = await labProcesses(stateRoot());
  const hosts = await Promise.all(
    machineNames.map(async (name): Promise<LabHost | undefined> => {
      const port = await readPort(name).catch(() => undefined);
      if (port === undefined) return undefined;
      const pid = processes.get(name)?.[0];
      const ready = existsSync(machineFiles(name).ready);
      const login = { user, privateKeyPath: loginKeyFile(), knownHostsPath: knownHostsFile() };
      const host = {
        name,
        address,
        port,
        ...login,
        interfaces: { ...interfaces },
        running: pid !== undefined && ready,
      };
      return pid === undefined ? host : { ...host, uptime: await processUptime(pid) };
    }),
  );
  return hosts.filter((host) => host !== undefined);
}

/**
 * Reboots machines, side by side, as their user would; resolves when each answers with a new boot id and its services are
 * up. Throws when one does not run (then none is touched) or does not come back.
 */
export async function reboot(names: string[], options: { log?: Log } = {}): Promise<void> {
  const { log = silent } = options;
  await locked(log, async () => {
    for (const name of names) await requireRunning(name);
    const results = await Promise.allSettled([...new Set(names)].map((name) => rebootOne(name, log)));
    const failed = results.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
  });
}

async function rebootOne(name: string, log: Log): Promise<void> {
  const begin = Date.now();
  const bootId = () => runOn(name, "cat /proc/sys/kernel/random/boot_id");
  const before = await bootId();
  // The connection is cut in the middle of the answer.
  await runOn(name, "sudo systemctl reboot").catch(() => {});
  const rebooted = async () => {
    await waitForGreeting(name, bootTimeout);
    const now = await bootId().catch(() => before);
    return now !== before || undefined;
  };
  await until(rebooted, bootTimeout, () => `${name} was told to reboot and still has boot id ${before}`, 1000);
  await waitForServices(name);
  log(`${name}: rebooted in ${secondsSince(begin)}`);
}

/**
 * Puts a machine that is new at the same address: fresh disk, other machine id, product UUID and MACs, first boot. Its
 * host key is another one (and known_hosts says so) unless it is to be kept, as by somebody who reinstalls a machine
 * and puts its keys back. Throws when the machine is not of the running lab or does not come up.
 */
export async function reset(name: string, options: { hostKey?: "keep" | "new"; log?: Log } = {}): Promise<void> {
  const { hostKey = "new", log = silent } = options;
  await locked(log, async () => {
    const machine = await requireRunning(name);
    const base = { image: await ensureImage(log), accelerator: await accelerator() };
    const port = await readPort(machine);
    await discard(machine, { keepHostKey: hostKey === "keep" });
    await prepareMachine(machine, port);
    await writeKnownHosts();
    await boot(machine, base, log);
    await markReady(machine);
  });
}

/** The system's ssh and its arguments, to log in to a machine. Throws when it does not run. */
export async function sshCommand(name: string): Promise<string[]> {
  return ["ssh", ...(await sshArguments(await requireRunning(name)))];
}

type Name = (typeof machineNames)[number];

async function requireRunning(name: string): Promise<Name> {
  const running = (await status()).filter((host) => host.running).map((host) => host.name);
  const found = machineNames.find((each) => each === name && running.includes(each));
  if (found) return found;
  const known = running.length > 0 ? `running: ${running.join(", ")}` : "the lab is down: hostnet lab up";
  throw new Error(`No machine "${name}" runs in the lab (${known}).`);
}

async function markReady(name: Name): Promise<void> {
  await writeFile(machineFiles(name).ready, "");
}

/** Ends a machine and removes its files. */
async function discard(name: Name, options = { keepHostKey: false }): Promise<void> {
  const files = machineFiles(name);
  await endMachine(name, stateRoot());
  const { hostKey, port: _, folder, ...others } = files;
  if (options.keepHostKey) for (const file of Object.values(others)) await rm(file, { force: true });
  else await rm(folder, { recursive: true, force: true });
}

async function endAll(processes: Map<string, number[]>): Promise<void> {
  await Promise.all([...processes.keys()].map((name) => endMachine(name, stateRoot())));
}

function locked<T>(log: Log, work: () => Promise<T>): Promise<T> {
  const file = join(stateRoot(), "lock");
  return withLock(file, () => log(`another lab command is at work; waiting (lock: ${file})`), work);
}
