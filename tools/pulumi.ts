import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Log } from "./log";
import { buildFolder, buildPulumi, findGo } from "./pulumi-build";
import { installOfficial, officialFolder } from "./pulumi-official";
import { isAtLeast } from "./versions";
import { which } from "./which";

/** The oldest CLI whose import files take inputs and outputs, which `hostnet import` needs. */
export const oldestPulumi = "3.254.0";

export interface Pulumi {
  /** The executable. */
  command: string;
  /** Its folder, where the language host is as well. */
  bin: string;
  /** What a child process needs to find both. */
  env: { PATH: string };
  /** As `3.259.0`. */
  version: string;
  /** Where it comes from. */
  how: "PATH" | "official" | "built";
}

/**
 * The Pulumi CLI with its Node language host: the user's own on PATH if it is new enough, else the one in our cache,
 * else the official build, else our own build from Go modules. The cache survives clones.
 * @throws Error that says what to do, when none of them is to be had.
 */
export async function findPulumi(log: Log): Promise<Pulumi> {
  const own = which("pulumi", process.env.PATH, []);
  if (own) {
    const pulumi = await inspect(own, "PATH");
    if (pulumi && isAtLeast(pulumi.version, oldestPulumi) && hasLanguageHost(own)) return pulumi;
    log(
      pulumi
        ? `${own} is not used: it is version ${pulumi.version}${hasLanguageHost(own) ? "" : " without pulumi-language-nodejs"}; ${oldestPulumi} or newer is needed.`
        : `${own} is not used: it does not say its version.`,
    );
  }
  const official = officialFolder(cacheFolder());
  const built = buildFolder(cacheFolder());
  const cached =
    (await inspect(join(official, "bin", "pulumi"), "official")) ??
    (await inspect(join(built, "bin", "pulumi"), "built"));
  if (cached) return cached;

  if (await installOfficial(official, log)) {
    const pulumi = await inspect(join(official, "bin", "pulumi"), "official");
    if (pulumi) return pulumi;
  }
  const go = findGo();
  if (go) {
    await buildPulumi(go, built, log);
    const pulumi = await inspect(join(built, "bin", "pulumi"), "built");
    if (pulumi) return pulumi;
    throw new Error(`The Pulumi CLI was built, but does not run: try ${join(built, "bin", "pulumi")} version`);
  }
  throw new Error(
    [
      `The Pulumi CLI is missing: none on PATH that is ${oldestPulumi} or newer, the official build cannot be downloaded,`,
      "and Go is not there to build it. Do one of these, then run this again:",
      "  install Pulumi as its documentation says, and have it on PATH",
      "  install Go 1.25 or newer (https://go.dev/doc/install), for a build from Go modules",
    ].join("\n"),
  );
}

/** Where what takes minutes to get is kept, outside of any clone. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "pulumi-hostnet", "pulumi");
}

/** Asks an executable for its version; undefined if it is not there or does not run. */
async function inspect(command: string, how: Pulumi["how"]): Promise<Pulumi | undefined> {
  if (!which(command)) return undefined;
  const { execa } = await import("execa");
  const result = await execa(command, ["version"], {
    env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    stdin: "ignore",
    timeout: 30_000,
    reject: false,
  });
  const version = /^v?(\d+\.\d+\.\S+)/.exec(result.stdout.trim())?.[1];
  if (result.failed || !version) return undefined;
  const bin = dirname(command);
  return { command, bin, env: { PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` }, version, how };
}

/** The CLI looks for its language host on PATH and beside itself; a symbolic link on PATH is followed. */
function hasLanguageHost(command: string): boolean {
  const name = "pulumi-language-nodejs";
  return (
    which(name, [process.env.PATH, dirname(command), dirname(realpathSync(command))].join(delimiter), []) !== undefined
  );
}
