import { createHash, randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { machineFiles } from "./paths";
import { run } from "./run";

/** What makes a machine this one and no other. */
export interface Identity {
  name: string;
  machineId: string;
  /** The product UUID of its firmware. */
  uuid: string;
  /** Public host key, as in known_hosts. */
  hostKey: string;
}

/** Makes a key pair unless it is there already. */
export async function ensureKey(file: string, comment: string): Promise<void> {
  if (await readFile(`${file}.pub`).catch(() => undefined)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(file, { force: true });
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
}

/** Writes a new identity into the machine's folder, with its old host key if there is one. */
export async function writeIdentity(name: string, loginKey: string): Promise<Identity> {
  const files = machineFiles(name);
  await ensureKey(files.hostKey, name);
  const hostKey = (await readFile(`${files.hostKey}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
  const identity = { name, machineId: randomUUID().replaceAll("-", ""), uuid: randomUUID(), hostKey };

  const folder = await mkdtemp(join(tmpdir(), "hostnet-lab-"));
  const put = async (path: string, text: string) => {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  try {
    await put("etc/hostname", `${name}\n`);
    // sudo looks its own host up and complains on stderr where it is not known.
    await put("etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost ip6-localhost ip6-loopback\n`);
    await put("etc/machine-id", `${identity.machineId}\n`);
    await put("etc/ssh/ssh_host_ed25519_key.pub", await readFile(`${files.hostKey}.pub`, "utf8"));
    await put("home/ops/.ssh/authorized_keys", await readFile(`${loginKey}.pub`, "utf8"));
    const key = join(folder, "etc/ssh/ssh_host_ed25519_key");
    await copyFile(files.hostKey, key);
    await chmod(key, 0o600);
    // Files only: the folders are the image's own, with their owners and modes.
    const paths = ["etc/hostname", "etc/hosts", "etc/machine-id", "etc/ssh/ssh_host_ed25519_key"];
    const all = [...paths, "etc/ssh/ssh_host_ed25519_key.pub", "home/ops/.ssh/authorized_keys"];
    await run("tar", ["-C", folder, "-cf", files.identityArchive, "--owner=0", "--group=0", ...all]);
    await chmod(files.identityArchive, 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await writeFile(files.identity, JSON.stringify(identity));
  return identity;
}

/** Throws when the machine has none: it is not of a running lab. */
export async function readIdentity(name: string): Promise<Identity> {
  return JSON.parse(await readFile(machineFiles(name).identity, "utf8"));
}

/** The MAC of a machine's NIC (0 management, 1 underlay, 2 external): another machine has others. */
export function macOf(identity: Identity, nic: number): string {
  const digest = createHash("sha256").update(identity.uuid).digest("hex");
  return `52:54:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}:0${nic}`;
}
