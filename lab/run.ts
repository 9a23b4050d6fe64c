import type { Options, Result } from "execa";
import { toolPath } from "./packages";

/** Runs a tool and resolves with its output; rejects with the tool's own words when it fails. */
export async function run(program: string, args: string[], options: Options = {}): Promise<string> {
  const { execa } = await import("execa");
  const result: Result = await execa(program, args, {
    stdin: "ignore",
    ...options,
    env: { PATH: toolPath, LC_ALL: "C.UTF-8", ...options.env },
    reject: false,
  });
  if (result.failed) {
    const words = String(result.stderr ?? "").trim();
    throw new Error(`${result.shortMessage ?? program}${words === "" ? "" : `\n${words}`}`);
  }
  return typeof result.stdout === "string" ? result.stdout : "";
}

/** Seconds since `start` (a Date.now()), for what is said to the user. */
export function secondsSince(start: number): string {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

export const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Calls `attempt` until it gives a value, or throws `message` when the time is over. */
export async function until<T>(
  attempt: () => Promise<T | undefined>,
  timeout: number,
  message: () => string,
  pause = 200,
): Promise<T> {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(message());
    await sleep(pause);
  }
}
