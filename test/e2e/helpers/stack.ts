import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateDir } from "../../../tools/root";
import { which } from "../../../tools/which";
import { type Changes, isOfEngine, parseEvents } from "./events";
import { type Language, projectFiles } from "./program";

export interface StackOptions {
  /** The text of the program, in TypeScript. */
  program: string;
  /** Name of project and stack. */
  name?: string;
  /** Environment of every command. */
  env?: Record<string, string>;
  /** An existing project folder instead of a new one; it is left alone by `dispose`, and `program` is not written. */
  dir?: string;
  /** `js` (default) or `ts`; see program.ts. */
  language?: Language;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** stdout and stderr as they came. */
  all: string;
}

/** What up, preview, refresh and destroy say: how they ended, and what they did to which resource. */
export interface OperationResult extends CommandResult, Changes {}

export interface CommandOptions {
  /** More arguments for the CLI. */
  args?: string[];
  /** The command has to fail; without it, it has to succeed. */
  expectFailure?: boolean;
  env?: Record<string, string>;
  timeoutMs?: number;
}

/** A command under way, for tests that interrupt one. */
export interface Running {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  /** How it ended; also after a kill. */
  result: Promise<OperationResult>;
}

type Operation = "up" | "preview" | "refresh" | "destroy";

const timeLimit = 600_000;

/**
 * A stack of the real CLI with a project folder, a file backend and a passphrase of its own.
 * The folder is inside the repository, so that `pulumi-hostnet` is found in its node_modules.
 * @throws Error when the CLI is not on PATH (tools/test.ts puts it there) or the stack cannot be made.
 */
export async function createStack(options: StackOptions): Promise<Stack> {
  const parent = join(stateDir, "e2e");
  mkdirSync(parent, { recursive: true });
  const stack = new Stack(options.dir ?? mkdtempSync(join(parent, "stack-")), options);
  if (!options.dir) stack.write(options.program);
  const result = await stack.run(["stack", "init", stack.name]);
  if (result.exitCode !== 0) throw new CommandFailure(["stack", "init", stack.name], result, "succeed");
  return stack;
}

/** A command of the CLI ended otherwise than the test expects; the message has all of its output. */
export class CommandFailure extends Error {
  constructor(
    args: string[],
    readonly result: CommandResult,
    expected: "succeed" | "fail",
  ) {
    super(`pulumi ${args.join(" ")} should ${expected}, but exited with ${result.exitCode}:\n${result.all}`);
    this.name = "CommandFailure";
  }
}

export class Stack {
  /** The stack's name; `rename` changes it. */
  name: string;
  private readonly project: string;
  private readonly backend: string;
  private runs = 0;

  constructor(
    /** The project's folder, which is also where the commands run. */
    readonly dir: string,
    private readonly options: StackOptions,
  ) {
    this.name = options.name ?? "test";
    this.project = this.name;
    this.backend = mkdtempSync(join(stateDir, "e2e", "backend-"));
  }

  /** Replaces the program. */
  write(program: string): void {
    for (const file of projectFiles(this.project, program, this.options.language ?? "js")) {
      writeFileSync(join(this.dir, file.name), file.text);
    }
  }

  /** `pulumi up` without its own preview, which would run the program twice. */
  up(options: CommandOptions = {}): Promise<OperationResult> {
    return this.operate("up", ["--yes", "--skip-preview"], options);
  }

  preview(options: CommandOptions = {}): Promise<OperationResult> {
    return this.operate("preview", ["--diff"], options);
  }

  refresh(options: CommandOptions = {}): Promise<OperationResult> {
    return this.operate("refresh", ["--yes", "--skip-preview"], options);
  }

  destroy(options: CommandOptions = {}): Promise<OperationResult> {
    return this.operate("destroy", ["--yes", "--skip-preview"], options);
  }

  /** Starts an operation and does not wait for it, nor mind how it ends. */
  async start(operation: Operation, options: CommandOptions = {}): Promise<Running> {
    const preview = operation === "preview" ? [] : ["--yes", "--skip-preview"];
    return this.begin([operation, ...preview, ...(options.args ?? [])], options);
  }

  /** Any command of the CLI on this stack; it does not throw, whatever the exit code. */
  async run(args: string[], options: Omit<CommandOptions, "args" | "expectFailure"> = {}): Promise<CommandResult> {
    return (await this.begin(args, options, false)).result;
  }

  /** `pulumi stack rename`. */
  async rename(name: string): Promise<void> {
    await this.mustRun(["stack", "rename", name]);
    this.name = name;
  }

  /** The state as `pulumi stack export` gives it; secrets stay encrypted unless `--show-secrets` is among `args`. */
  // biome-ignore lint/suspicious/noExplicitAny: a deployment's resources have no type of their own here
  async export(args: string[] = []): Promise<any> {
    return JSON.parse((await this.mustRun(["stack", "export", ...args])).stdout);
  }

  /** The stack's outputs, secrets in the clear. */
  // biome-ignore lint/suspicious/noExplicitAny: the program decides what it exports
  async outputs(): Promise<Record<string, any>> {
    return JSON.parse((await this.mustRun(["stack", "output", "--json", "--show-secrets"])).stdout);
  }

  /**
   * Destroys what is left and removes the folders. A stack that cannot be destroyed does not fail the test that has
   * failed already; its folder stays, and the reason is printed.
   */
  async dispose(): Promise<void> {
    if (this.resourcesLeft() > 0) {
      await this.run(["cancel", "--yes"]);
      const result = await this.run(["destroy", "--yes", "--skip-preview"], { timeoutMs: timeLimit });
      if (result.exitCode !== 0) {
        console.warn(`${this.dir} could not be destroyed:\n${result.all}`);
        return;
      }
    }
    rmSync(this.backend, { recursive: true, force: true });
    // `stack init` writes the stack's settings beside Pulumi.yaml.
    if (this.options.dir) rmSync(join(this.dir, `Pulumi.${this.name}.yaml`), { force: true });
    else rmSync(this.dir, { recursive: true, force: true });
  }

  /** How many resources the backend's own file knows of the program; no command is run for it. */
  resourcesLeft(): number {
    const file = join(this.backend, ".pulumi", "stacks", this.projectName(), `${this.name}.json`);
    if (!existsSync(file)) return 0;
    const state = JSON.parse(readFileSync(file, "utf8")) as {
      checkpoint?: { latest?: { resources?: { type: string }[] } };
    };
    const resources = state.checkpoint?.latest?.resources ?? [];
    return resources.filter(({ type }) => !isOfEngine(type)).length;
  }

  private projectName(): string {
    const text = readFileSync(join(this.dir, "Pulumi.yaml"), "utf8");
    return /^name:\s*["']?([\w.-]+)/m.exec(text)?.[1] ?? this.project;
  }

  private async operate(operation: Operation, own: string[], options: CommandOptions): Promise<OperationResult> {
    const args = [operation, ...own, ...(options.args ?? [])];
    const result = await (await this.begin(args, options)).result;
    const failed = result.exitCode !== 0;
    if (failed !== (options.expectFailure ?? false))
      throw new CommandFailure(args, result, failed ? "succeed" : "fail");
    return result;
  }

  private async mustRun(args: string[]): Promise<CommandResult> {
    const result = await this.run(args);
    if (result.exitCode !== 0) throw new CommandFailure(args, result, "succeed");
    return result;
  }

  private async begin(args: string[], options: CommandOptions, events = true): Promise<Running> {
    const command = which("pulumi", process.env.PATH, []);
    if (!command) throw new Error("pulumi is not on PATH: run the end-to-end tests by `npm run test:e2e`");
    const { execa } = await import("execa");
    const log = join(this.backend, `events-${++this.runs}.json`);
    const common = ["--non-interactive", "--color", "never", "--stack", this.name];
    const isInit = args[0] === "stack" && args[1] === "init";
    const child = execa(
      command,
      [...args, ...(isInit ? common.slice(0, 3) : common), ...(events ? ["--event-log", log] : [])],
      {
        cwd: this.dir,
        env: { ...this.environment(), ...options.env },
        timeout: options.timeoutMs ?? timeLimit,
        // The CLI ends what is under way and its plugins, when it is let; killed, it leaves them behind.
        forceKillAfterDelay: 20_000,
        stdin: "ignore",
        all: true,
        reject: false,
      },
    );
    const result = child.then((ended) => ({
      exitCode: ended.exitCode ?? 128,
      stdout: ended.stdout,
      stderr: ended.stderr,
      all: ended.timedOut ? `${ended.all}\n(ended by the test after ${ended.durationMs} ms)` : ended.all,
      ...parseEvents(existsSync(log) ? readFileSync(log, "utf8") : ""),
    }));
    return { pid: child.pid as number, kill: (signal) => void child.kill(signal), result };
  }

  /** What every command of the CLI is given beside the test's own environment. */
  environment(): Record<string, string> {
    return {
      PULUMI_BACKEND_URL: `file://${this.backend}`,
      PULUMI_CONFIG_PASSPHRASE: "a test's passphrase",
      PULUMI_DEBUG_COMMANDS: "true", // without it there is no --event-log
      PULUMI_PARALLEL: "64", // as the README recommends
      PULUMI_HOME: process.env.PULUMI_HOME ?? join(stateDir, "e2e", "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      NO_COLOR: "1",
      ...this.options.env,
    };
  }
}
