import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Up to four machines: n1 to n4. */
export const machineNames = ["n1", "n2", "n3", "n4"] as const;

const base = (variable: string, fallback: string) =>
  join(process.env[variable] || join(homedir(), fallback), "pulumi-hostnet", "lab");

/** What may be built again at any time: images, snapshots, the login key. Survives clones and `down`. */
export const cacheRoot = () => base("XDG_CACHE_HOME", ".cache");

/** The running lab: one for each user. */
export const stateRoot = () => base("XDG_STATE_HOME", join(".local", "state"));

export const knownHostsFile = () => join(stateRoot(), "known_hosts");
export const loginKeyFile = () => join(cacheRoot(), "id_ed25519");

/** The files of one machine (or of the hub) in the running lab. */
export function machineFiles(name: string, root = stateRoot()) {
  const folder = join(root, name);
  return {
    folder,
    /** Also the mark by which a process is known as ours: see processes.ts. */
    pid: join(folder, "qemu.pid"),
    monitor: join(folder, "qmp"),
    /** What QEMU and its supervisor say. */
    log: join(folder, "qemu.log"),
    /** What the machine's kernel says. */
    console: join(folder, "console.log"),
    disk: join(folder, "disk.qcow2"),
    memory: join(folder, "memory"),
    identity: join(folder, "identity.json"),
    identityArchive: join(folder, "identity.tar"),
    hostKey: join(folder, "host_key"),
    /** The forwarded port; written before the machine starts. */
    port: join(folder, "port"),
    /** Exists once the machine has answered: an `up` that was killed half way leaves none. */
    ready: join(folder, "ready"),
  };
}

/** The guest's configuration, build script and supervisor: this file runs as lab/paths.ts under jest, else as dist/lab/paths.js. */
export function guestFiles(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, "lab", "files");
    if (existsSync(join(found, "customize"))) return found;
  }
  throw new Error(`The lab's files are not in this installation (looked upwards from ${__dirname}).`);
}

export const supervisorFile = () => join(guestFiles(), "supervise");
