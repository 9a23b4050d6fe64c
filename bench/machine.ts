import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { root } from "../tools/root";
import { run } from "./run";

/** Where it was measured. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  system: string;
  /** Load average of a minute at the start and at the end: more than a little at the start spoils the figures. */
  load: [start: number, end: number];
}

export const loadNow = () => Math.round((loadavg()[0] ?? 0) * 10) / 10;

export function describeMachine(loadAtStart: number): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    load: [loadAtStart, loadNow()],
  };
}

/** Of all that takes part. */
export async function versions(pulumi: string): Promise<Record<string, string>> {
  const ofPackage = (path: string) => JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")).version;
  return {
    "pulumi-hostnet": ofPackage("."),
    pulumi: (await run(pulumi, ["version"])).trim(),
    "@pulumi/pulumi": ofPackage("node_modules/@pulumi/pulumi"),
    node: process.version,
    ssh2: ofPackage("node_modules/ssh2"),
    openssh: /OpenSSH_[^\s,]+/.exec((await run("sh", ["-c", "ssh -V 2>&1"])).trim())?.[0] ?? "unknown",
    iproute2: (await run("ip", ["-V"])).replace(/^.*iproute2-?/, "").split(",")[0] ?? "unknown",
  };
}
