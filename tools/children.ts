import { randomUUID } from "node:crypto";
import { log } from "./log";
import { endPulumi, interruptPulumi, markVariable, signalJest } from "./processes";
import { root } from "./root";

/** Long enough for Pulumi to finish a resource on a slow host. */
const gentleMs = 60_000;

/** Runs a stage's programs one at a time, and ends the running one when we are asked to end. */
export class Children {
  /** Set once a signal asked for the end: nothing more is started. */
  stopped: NodeJS.Signals | undefined;
  private readonly mark = randomUUID();
  private current: { kill(signal: NodeJS.Signals): boolean } | undefined;

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void this.stop(signal));
  }

  /** Runs a program in the repository's root with its output shown; resolves to whether it succeeded. */
  async run(program: string, args: string[], env: Record<string, string> = {}): Promise<boolean> {
    if (this.stopped) return false;
    const { execa } = await import("execa");
    const child = execa(program, args, {
      cwd: root,
      env: { ...env, [markVariable]: this.mark },
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
      reject: false,
      // A group of its own, which the terminal's Ctrl-C does not reach: `stop` decides who is told, and in which order.
      detached: true,
    });
    this.current = child;
    const result = await child;
    this.current = undefined;
    await endPulumi(this.mark);
    return !result.failed;
  }

  /**
   * jest would die at once, and Pulumi with it, of a pipe that nobody reads, half way through a resource. So jest and its
   * workers are held, which also keeps them from going on with the next test, until Pulumi has ended. A second signal
   * waits for nothing.
   */
  private async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.current;
    const tell = (name: NodeJS.Signals) => {
      child?.kill(name);
      signalJest(this.mark, name);
    };
    if (this.stopped) return tell("SIGKILL");
    this.stopped = signal;
    log(`\n${signal}: ending; the lab is put back as it was`);
    tell("SIGSTOP");
    await interruptPulumi(this.mark, gentleMs);
    tell("SIGKILL");
  }
}
