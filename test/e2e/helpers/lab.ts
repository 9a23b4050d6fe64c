import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type Footprint, footprintScript, parseFootprint } from "../../../tools/footprint";
import type { Login, SshResult } from "../../../tools/ssh";
import { RootShells } from "./root-shell";

/** A host of the lab, as `hostnet lab status --json` describes it. */
export interface LabHost extends Login {
  /** The names of its network cards. */
  interfaces: { management: string; underlay: string; external: string };
}

/**
 * The hosts of the lab, which tools/test.ts brings up.
 * @throws Error when HOSTNET_LAB is not set: the tests were not started by `npm test`.
 */
export function hosts(): LabHost[] {
  const text = process.env.HOSTNET_LAB;
  if (!text) {
    throw new Error(
      "HOSTNET_LAB is not set: run `npm run test:e2e`, or export HOSTNET_LAB=$(npx hostnet lab status --json) beforehand.",
    );
  }
  return JSON.parse(text) as LabHost[];
}

/** The host of that name. @throws Error when the lab has none. */
export function host(name: string): LabHost {
  const found = hosts().find((each) => each.name === name);
  if (!found)
    throw new Error(
      `The lab has no host "${name}", but ${hosts()
        .map((each) => each.name)
        .join(", ")}`,
    );
  return found;
}

export interface OnHostOptions {
  stdin?: string;
  timeoutMs?: number;
}

/**
 * Runs a bash command as root on a host, over one shared connection. It does not throw on an exit code; 255 is ssh's
 * own, with its reason in stderr.
 */
export function onHost(name: string, command: string, options: OnHostOptions = {}): Promise<SshResult> {
  let own = shells.get(name);
  if (!own) {
    own = new RootShells(host(name), join(socketFolder(), name));
    shells.set(name, own);
  }
  return own.run(command, options.stdin, options.timeoutMs ?? 120_000);
}

/** As `onHost`, for what has to succeed: its stdout. @throws Error with stderr otherwise. */
export async function mustOnHost(name: string, command: string, options: OnHostOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await onHost(name, command, options);
  if (exitCode !== 0) throw new Error(`${name}: exit code ${exitCode}: ${stderr || stdout}\nof: ${command}`);
  return stdout;
}

/**
 * Takes away the folder of `ip netns`, mounted on itself, where a test's own `ip netns add` has made it: the stack did
 * not, and leaves it.
 */
export const removeNetnsFolder = (name: string) => mustOnHost(name, "umount /run/netns; rmdir /run/netns");

/** What a host is like, to be compared before and after a test; one round trip. See footprint.ts. */
export async function footprint(name: string): Promise<Footprint> {
  return parseFootprint(await mustOnHost(name, footprintScript));
}

/**
 * The same when the kernel has done what it does by itself after a device came up (an address, its check, its routes, each a
 * second after the other): nothing has changed for two seconds. @throws Error when something still does after a minute.
 */
export async function footprintAtRest(name: string): Promise<Footprint> {
  for (let last = await footprint(name), tries = 0; tries < 30; tries++) {
    await sleep(2000);
    const now = await footprint(name);
    if (isDeepStrictEqual(now, last)) return now;
    last = now;
  }
  throw new Error(`${name} does not come to rest`);
}

const shells = new Map<string, RootShells>();

/** Short, as a socket's path may have 107 bytes; in a folder of this process, so that runs do not meet. */
function socketFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "hn-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}
