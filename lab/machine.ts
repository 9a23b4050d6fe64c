import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { Accelerator } from "./accelerator";
import { type Identity, macOf, readIdentity, writeIdentity } from "./identity";
import type { Image } from "./image";
import { type Segment, segments, socketOf } from "./network";
import { toolPath } from "./packages";
import { loginKeyFile, machineFiles, stateRoot, supervisorFile } from "./paths";
import { monitor } from "./qmp";
import { run, until } from "./run";

/** The three NICs of every machine, by role. */
export const interfaces = { management: "eth0", underlay: "eth1", external: "eth2" };

/**
 * One processor: with two, emulation needs a third more of the host's time for the same work, and two machines share
 * it. tsc: the kernel distrusts an emulated one and falls back to the HPET, which is slow to read. norandmaps: QEMU 7
 * keeps translated code by its virtual address, so that at random ones a program is translated again each time it is
 * started: a process took 54 ms of the host's time, and takes 12. init_on_alloc: Debian's kernel clears each page twice.
 */
const hardware = ["-smp", "1", "-m", "1024", "-rtc", "base=utc"];
const kernelLine = [
  "root=/dev/vda rw console=ttyS0 quiet loglevel=3 net.ifnames=0",
  "mitigations=off apparmor=0 tsc=reliable norandmaps init_on_alloc=0",
].join(" ");

/** What a machine is started from. */
export interface Start {
  image: Image;
  accelerator: Accelerator;
  /** A stopped machine's disk to go on from, and its memory; the image itself when absent. */
  snapshot?: { disk: string; memory: string };
}

/** Starts QEMU for a machine whose identity and port are in its folder. Throws with QEMU's words if it cannot start. */
export async function startMachine(name: string, { image, accelerator, snapshot }: Start): Promise<void> {
  const files = machineFiles(name);
  const [identity, port] = [await readIdentity(name), await readPort(name)];
  await rm(files.ready, { force: true });
  const backing = snapshot ? ["-b", snapshot.disk, "-F", "qcow2"] : ["-b", image.disk, "-F", "raw"];
  await run("qemu-img", ["create", "-q", "-f", "qcow2", ...backing, files.disk]);
  const machine = machineArguments(files, identity, port, image, accelerator);
  await startSupervisor(name, [files.console, snapshot?.memory ?? "", ...machine]);
}

/** Resolves when QEMU's monitor answers. The supervisor and QEMU outlive this process. */
async function startSupervisor(name: string, args: string[]): Promise<void> {
  const { log, monitor: monitorFile } = machineFiles(name);
  await rm(log, { force: true });
  const { execa } = await import("execa");
  const detached = { stdio: "ignore", detached: true, cleanup: false, reject: false } as const;
  const supervisor = execa("sh", [supervisorFile(), log, ...args], { env: { PATH: toolPath }, cwd: "/", ...detached });
  supervisor.unref();
  const ended = supervisor.then(async () => {
    throw new Error(`${name} did not start: ${(await readFile(log, "utf8")).trim()}`);
  });
  const answers = () => monitor(monitorFile).then(Boolean, () => undefined);
  await Promise.race([ended, until(answers, 30_000, () => `${name}: QEMU does not answer, see ${log}`, 50)]);
}

function machineArguments(
  files: ReturnType<typeof machineFiles>,
  identity: Identity,
  port: number,
  image: Image,
  accelerator: Accelerator,
): string[] {
  return [
    ...["-name", `hostnet-lab-${identity.name}`, "-pidfile", files.pid, "-uuid", identity.uuid],
    ...["-machine", "q35,vmport=off", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    // Emulated, what a newer processor has for speed (AVX, rep movsb) is slower than what it replaces.
    ...(accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", "qemu64"]),
    ...hardware,
    ...["-kernel", image.kernel, "-initrd", image.initrd, "-append", kernelLine],
    ...["-fw_cfg", `name=opt/hostnet/identity,file=${files.identityArchive}`],
    ...["-serial", `file:${files.console}`, "-qmp", `unix:${files.monitor},server=on,wait=off`],
    ...["-drive", `file=${files.disk},if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap`],
    ...["-device", "virtio-blk-pci,drive=disk,addr=2", "-device", "virtio-rng-pci,addr=3"],
    // Tells a restored kernel that it is a copy, so that it makes new random numbers.
    ...["-device", "vmgenid,guid=auto"],
    ...nics(identity, port),
  ];
}

/** restrict: the machine reaches neither this one nor what lies behind it; only the forwarded port leads in. */
function nics(identity: Identity, port: number): string[] {
  const netdevs = [
    [`user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...segments.map((segment, hub) => joined(segment, hub, identity.name)),
  ];
  // The kernel names them in the order of the bus: eth0, eth1, eth2.
  return netdevs.flatMap((parts, nic) => {
    const device = `virtio-net-pci,netdev=${Object.keys(interfaces)[nic]},mac=${macOf(identity, nic)}`;
    return [...parts.flatMap((part) => ["-netdev", part]), "-device", `${device},addr=${nic + 4},romfile=`];
  });
}

/**
 * A NIC at its segment's hub. A card that is down takes no frames, and QEMU then stops to read: the hub, whose writes block,
 * stood still for all machines after some 300 frames (seen). So there is a hub before the card too, with a port that goes
 * nowhere and takes them.
 */
function joined(segment: Segment, hub: number, machine: string): string[] {
  const wire = `stream,id=${segment}-wire,server=off,addr.type=unix,addr.path=${socketOf(segment, machine)}`;
  const port = (name: string) => `hubport,id=${name},hubid=${hub}`;
  return [wire, `${port(`${segment}-in`)},netdev=${segment}-wire`, port(`${segment}-sink`), port(segment)];
}

/** Makes the folder of a machine that is new: another machine id, other MACs, another host key if none is there. */
export async function prepareMachine(name: string, port: number): Promise<void> {
  const files = machineFiles(name);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  await writePort(name, port);
  await writeIdentity(name, loginKeyFile());
}

export const writePort = (name: string, port: number) => writeFile(machineFiles(name).port, String(port));

export async function readPort(name: string): Promise<number> {
  return Number(await readFile(machineFiles(name).port, "utf8"));
}

/** A snapshot is good only for the same QEMU, hardware and login key. */
export async function snapshotKey(image: Image, accelerator: Accelerator): Promise<string> {
  const version = await run("qemu-system-x86_64", ["--version"]);
  const loginKey = await readFile(`${loginKeyFile()}.pub`, "utf8");
  const anybody = { name: "n0", machineId: "", uuid: "", hostKey: "" };
  const hardware = machineArguments(machineFiles("n0", "/"), anybody, 0, image, accelerator);
  // Where the lab runs makes no difference to the machine.
  const recipe = JSON.stringify([version, loginKey, hardware]).replaceAll(stateRoot(), "").replaceAll(image.folder, "");
  return createHash("sha256").update(recipe).digest("hex").slice(0, 16);
}
