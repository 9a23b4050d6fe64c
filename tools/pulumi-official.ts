import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Log } from "./log";
import { root } from "./root";

/** Long enough for the download over a slow line; a network that refuses answers at once. */
const timeLimit = 180_000;
const day = 24 * 3600 * 1000;

/** The folder of the official build inside `cache`; the SDK installs the version that matches its own. */
export function officialFolder(cache: string): string {
  const { version } = require(join(root, "node_modules", "@pulumi", "pulumi", "package.json")) as { version: string };
  return join(cache, `official-v${version}`);
}

/**
 * Installs the official CLI into `folder` by the SDK's own installer; says whether it is there then. A failure is
 * remembered for a day in a file beside the folder, so that a machine without access does not wait at every run.
 */
export async function installOfficial(folder: string, log: Log): Promise<boolean> {
  const marker = `${folder}.failed`;
  if (existsSync(marker) && Date.now() - statSync(marker).mtimeMs < day) return false;
  log("Installing the official Pulumi CLI with the SDK's installer.");
  const { execa } = await import("execa");
  mkdirSync(dirname(folder), { recursive: true });
  // In a process of its own: the installer knows no time limit, and loading the SDK costs over a second.
  const script = `require("@pulumi/pulumi/automation").PulumiCommand.install({ root: process.argv[1] }).then(
    () => process.exit(0), (error) => { console.error(String(error.message ?? error)); process.exit(1); })`;
  const result = await execa(process.execPath, ["-e", script, folder], {
    cwd: root,
    timeout: timeLimit,
    stdin: "ignore",
    all: true,
    reject: false,
  });
  if (!result.failed) {
    rmSync(marker, { force: true });
    return true;
  }
  const why = result.timedOut ? `no answer within ${timeLimit / 1000} s` : (result.all ?? "").trim().split("\n")[0];
  log(`  not to be had: ${why}. Not tried again for a day (${marker}).`);
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(marker, `${why}\n`);
  return false;
}
