import { homedir } from "node:os";
import { join } from "node:path";
import { root } from "./root";

/**
 * A lab of the end-to-end tests alone, beside the user's: one test leaves half of two processors idle. It has a state
 * folder of its own, always the same, so that what a crash left is found by the next run.
 */
const stateHome = join(
  process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"),
  "pulumi-hostnet",
  "second-lab",
);

/** What a test has in its environment to work on a lab: those that reboot machines ask the lab itself. */
export interface LabEnv extends Record<string, string> {
  HOSTNET_LAB: string;
}

/** Brings it up, new. Throws when it does not come up. */
export async function secondLabUp(): Promise<LabEnv> {
  await secondLabDown();
  await lab("up");
  return { HOSTNET_LAB: await lab("status", "--json"), XDG_STATE_HOME: stateHome };
}

export async function secondLabDown(): Promise<void> {
  await lab("down");
}

/** `hostnet lab …` for it: a process of its own, as a process has one lab. Resolves to its stdout. */
async function lab(...args: string[]): Promise<string> {
  const { execa } = await import("execa");
  const { stdout } = await execa(
    process.execPath,
    [join(root, "dist", "provider", "cli", "index.js"), "lab", ...args],
    {
      env: { XDG_STATE_HOME: stateHome },
      stdin: "ignore",
      stderr: "inherit",
      // A signal asks us, who take the lab down.
      detached: true,
    },
  );
  return stdout;
}
