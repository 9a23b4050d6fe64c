import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { duration, type Log } from "./log";
import { cacheFolder } from "./pulumi";

/**
 * The `node` of a release, as `22`, which npm's packages carry: the newest there was when it was first asked for, kept
 * beside the Pulumi CLI.
 * @throws Error with npm's words, when there is none.
 */
export async function nodeRelease(release: string, say: Log): Promise<string> {
  const name = `node-linux-${process.arch}`;
  const folder = join(dirname(cacheFolder()), "node", release);
  const node = join(folder, "node_modules", name, "bin", "node");
  if (existsSync(node)) return node;
  const { execa } = await import("execa");
  const started = Date.now();
  const args = ["install", "--prefix", folder, "--no-audit", "--no-fund", `${name}@${release}`];
  const result = await execa("npm", args, { stdin: "ignore", all: true, reject: false });
  if (result.failed || !existsSync(node)) throw new Error(`Node ${release} cannot be installed:\n${result.all}`);
  say(`Node ${release} installed in ${duration((Date.now() - started) / 1000)}`);
  return node;
}
