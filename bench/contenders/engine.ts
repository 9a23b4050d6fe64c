import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { performance } from "node:perf_hooks";
import { root } from "../../tools/root";
import type { Verb } from "../measure";
import { run } from "../run";

/** A stack of a program of ours, on a backend and Pulumi home of its own. */
export class Stack {
  private constructor(
    private readonly pulumi: string,
    private readonly folder: string,
    private readonly env: Record<string, string>,
  ) {}

  /** `main` is the program's compiled file; `env` is what it and its provider have to know. */
  static async create(pulumi: string, folder: string, main: string, env: Record<string, string>): Promise<Stack> {
    for (const name of ["backend", "home"]) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "Pulumi.yaml"), `name: bench-${basename(folder)}\nruntime: nodejs\n`);
    writeFileSync(join(folder, "package.json"), '{ "main": "index.js" }\n');
    writeFileSync(join(folder, "index.js"), `module.exports = require(${JSON.stringify(main)});\n`);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const stack = new Stack(pulumi, folder, {
      ...env,
      PULUMI_BACKEND_URL: `file://${join(folder, "backend")}`,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_CONFIG_PASSPHRASE: "bench",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    });
    await stack.call(["stack", "init", "bench"]);
    return stack;
  }

  /** From the start of the CLI to its end. Without the preview, whose time is the engine's and the program's. */
  async time(verb: Verb, parallel: number | undefined): Promise<{ seconds: number; cpuSeconds: number }> {
    const start = performance.now();
    const command = verb === "again" ? "up" : verb;
    const options = parallel === undefined ? [] : ["--parallel", String(parallel)];
    await this.call([command, "--yes", "--skip-preview", "--stack", "bench", ...options]);
    const seconds = (performance.now() - start) / 1000;
    return { seconds, cpuSeconds: childSeconds(readFileSync(join(this.folder, "times"), "utf8")) };
  }

  /** Any command of the CLI; resolves to what it printed. `env` is for this one alone. */
  call(args: string[], env: Record<string, string> = {}): Promise<string> {
    return run("sh", ["-c", timed, "sh", this.pulumi, ...args, "--non-interactive"], {
      cwd: this.folder,
      env: { ...this.env, ...env },
    });
  }
}

const timed = '"$@"; status=$?; times >times; exit $status';

/** Processor time of the CLI and of all that it started and waited for: the second line of what `times` prints. */
export function childSeconds(times: string): number {
  const parts = [...(times.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}
