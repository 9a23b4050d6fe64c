import { log } from "./log";
import { root } from "./root";

/** Runs a stage's programs one at a time and ends the running one when we are asked to end. */
export class Children {
  /** Set once a signal asked for the end: nothing more is started. */
  stopped: NodeJS.Signals | undefined;
  private current: { kill(signal: NodeJS.Signals): boolean } | undefined;

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.stop(signal));
  }

  /** Runs a program in the repository's root with its output shown; resolves to whether it succeeded. */
  async run(program: string, args: string[], env: Record<string, string> = {}): Promise<boolean> {
    if (this.stopped) return false;
    const { execa } = await import("execa");
    const child = execa(program, args, {
      cwd: root,
      env,
      stdin: "ignore",
      // stdout carries the last line, the result; the programs' own output joins it in order.
      stdout: "inherit",
      stderr: "inherit",
      reject: false,
      // A test run under way needs time to end its own children; after that it is ended all the same.
      forceKillAfterDelay: 30_000,
    });
    this.current = child;
    const result = await child;
    this.current = undefined;
    return !result.failed;
  }

  private stop(signal: NodeJS.Signals) {
    if (!this.stopped) log(`\n${signal}: ending; the lab is put back as it was`);
    this.stopped = signal;
    // On a terminal, Ctrl-C has reached the child already; a second signal would cut its own clean-up short.
    if (signal !== "SIGINT" || !process.stdin.isTTY) this.current?.kill("SIGTERM");
  }
}
