import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { root } from "../../tools/root";
import type { Verb } from "../measure";
import { run } from "../run";
import { type Spec, specEnv } from "../spec";

export type Program = "ours" | "noop" | "connectPerOperation";

/** A stack of a program of ours, on a backend and Pulumi home of its own, in memory. */
export class Stack {
  private constructor(
    private readonly pulumi: string,
    private readonly folder: string,
    private readonly env: Record<string, string>,
  ) {}

  static async create(pulumi: string, parent: string, program: Program, spec: Spec): Promise<Stack> {
    const folder = join(parent, program);
    for (const name of ["backend", "home"]) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "Pulumi.yaml"), `name: bench-${program}\nruntime: nodejs\n`);
    writeFileSync(join(folder, "package.json"), '{ "main": "index.js" }\n');
    const source = join(root, "dist", "bench", "programs", program === "ours" ? "ours.js" : "stand-in.js");
    writeFileSync(join(folder, "index.js"), `require(${JSON.stringify(source)});\n`);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const stack = new Stack(pulumi, folder, {
      ...specEnv(spec),
      BENCH_HANDLER: program,
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

  private call(args: string[]): Promise<string> {
    return run("sh", ["-c", timed, "sh", this.pulumi, ...args, "--non-interactive"], {
      cwd: this.folder,
      env: this.env,
    });
  }
}

const timed = '"$@"; status=$?; times >times; exit $status';

/** Processor time of the CLI and of all that it started and waited for: the second line of what `times` prints. */
export function childSeconds(times: string): number {
  const parts = [...(times.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}
