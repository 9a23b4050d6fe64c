import type { HostFacts, RunOptions, Session } from "../../../provider/host/types";
import type { Command, Result } from "../../../provider/model/command";
import { HostnetError } from "../../../provider/model/errors";

export const facts = (more: Partial<HostFacts> = {}): HostFacts => ({
  machineId: "m1",
  bootId: "b1",
  hostname: "h",
  kernel: "6.1",
  tools: { ip: "/usr/sbin/ip", sysctl: "/usr/sbin/sysctl", "ovs-vsctl": "/usr/bin/ovs-vsctl", udevadm: "/bin/udevadm" },
  versions: {},
  systemd: false,
  ...more,
});

/** A session over a function that runs one command; it counts, and keeps what it was asked. */
export class ScriptedSession implements Session {
  readonly counters = { connections: 1, channels: 1, roundTrips: 0, commands: 0 };
  readonly runs: { commands: Command[]; options: RunOptions; results: Result[] }[] = [];
  /** What happens instead of the next run. */
  broken?: HostnetError;
  /** Runs wait for it. */
  gate: Promise<void> = Promise.resolve();

  constructor(
    private readonly execute: (command: Command) => Result | Promise<Result>,
    readonly facts: HostFacts = factsOfTest(),
  ) {}

  async run(commands: Command[], options: RunOptions = {}): Promise<Result[]> {
    this.counters.roundTrips++;
    this.counters.commands += commands.length;
    const results: Result[] = [];
    this.runs.push({ commands, options, results });
    await this.gate;
    if (this.broken) throw this.broken;
    let failed = false;
    for (const [index, command] of commands.entries()) {
      const skip: boolean = failed && index < (options.writes ?? 0);
      const result: Result = skip ? { exitCode: -1, stdout: "", stderr: "" } : await this.execute(command);
      failed ||= result.exitCode !== 0 && index < (options.writes ?? 0);
      results.push(result);
    }
    return results;
  }

  async close(): Promise<void> {}

  /** All commands of all runs, as a person reads them. */
  get words(): string[][] {
    return this.runs.map(({ commands }) => commands.map(({ argv }) => argv.join(" ")));
  }
}

const factsOfTest = () => facts();

export const done = (stdout = ""): Result => ({ exitCode: 0, stdout, stderr: "" });

export const lost = () => new HostnetError("CONNECTION_LOST", "gone");

/** Runs commands for real; those without a namespace run in the scratch one. */
export async function inScratch(scratch: string): Promise<(command: Command) => Promise<Result>> {
  const { execa } = await import("execa");
  return async ({ argv, stdin, namespace }) => {
    const [program = "", ...rest] = argv;
    const inside = namespace ?? scratch;
    const [file, ...words] =
      program === "ip" && rest[0] !== "netns"
        ? ["ip", "-n", inside, ...rest]
        : program === "ip"
          ? argv
          : ["ip", "netns", "exec", inside, ...argv];
    const { exitCode, stdout, stderr } = await execa(file as string, words, {
      input: stdin ?? "",
      reject: false,
      stripFinalNewline: false,
      env: { LC_ALL: "C" },
    });
    return { exitCode: exitCode ?? 127, stdout: String(stdout), stderr: String(stderr) };
  };
}
