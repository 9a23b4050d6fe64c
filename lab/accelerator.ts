import { accessSync, constants } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run";

export type Accelerator = "kvm" | "tcg";

/**
 * KVM where it really works. A /dev/kvm that can be opened is not enough: in nested sandboxes it exists and interprets
 * every instruction (3 s for what emulation does in 0.1 s, and Debian's kernel never boots), so the processor must show
 * the feature and a boot sector must run to its end in time. HOSTNET_LAB_ACCEL=tcg or kvm decides instead.
 */
export async function accelerator(): Promise<Accelerator> {
  const asked = process.env.HOSTNET_LAB_ACCEL;
  if (asked === "kvm" || asked === "tcg") return asked;
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(await readFile("/proc/cpuinfo", "utf8"))) return "tcg";
    return (await bootSectorRuns()) ? "kvm" : "tcg";
  } catch {
    return "tcg";
  }
}

/** mov al,0x21; out 0xf4,al: QEMU's exit device answers with code 0x21 * 2 + 1. */
async function bootSectorRuns(): Promise<boolean> {
  const sector = Buffer.alloc(512);
  Buffer.from([0xb0, 0x21, 0xe6, 0xf4, 0xf4]).copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  const file = join(tmpdir(), `hostnet-kvm-${process.pid}.img`);
  await writeFile(file, sector);
  const { execa } = await import("execa");
  const devices = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", `file=${file},format=raw,if=ide`];
  const args = ["-accel", "kvm", "-display", "none", "-nodefaults", ...devices];
  const result = await execa("qemu-system-x86_64", args, { reject: false, timeout: 10_000, stdin: "ignore" });
  await run("rm", ["-f", file]);
  return result.exitCode === 0x43;
}
