import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { down, type LabHost, status, up } from "../../lab";
import type { Footprint } from "../../tools/footprint";
import { log } from "../../tools/log";
import { proofCommand, proofsOf } from "../../tools/proof";
import type { Pulumi } from "../../tools/pulumi";
import { root } from "../../tools/root";
import { Stack } from "../contenders/engine";
import { recommended } from "../suite";
import { compileExample } from "./example";
import type { LayoutResults } from "./figures";
import { Machine } from "./machine";
import {
  type LayoutContender,
  type LayoutSample,
  type LayoutVerb,
  layoutContenders,
  type SessionCounts,
} from "./samples";
import { footprintDifferences, shapeDifferences, shapeOf } from "./shape";
import { runShell } from "./shell";
import { declaredIn } from "./twin";

/**
 * The main example on the lab: by the CLI, by the CLI with a provider that does nothing, and by layout.sh. Brings the lab
 * up, and down again when it was. Throws when a contender's layout does not work, or leaves something behind.
 */
export async function runLayout(rounds: number, pulumi: Pulumi): Promise<LayoutResults> {
  const wasUp = (await status()).some(({ running }) => running);
  const folder = mkdtempSync(join(tmpdir(), "hostnet-bench-"));
  // Ctrl-C reaches Pulumi, which finishes what is under way and fails; we then put the lab back as it was.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  let machines: Machine[] = [];
  try {
    const hosts = (await up({ log })).slice(0, 2);
    machines = await Promise.all(hosts.map((host) => Machine.open(host, folder)));
    const contest = await LayoutContest.create(pulumi, hosts, machines, folder);
    for (let round = 0; round < rounds; round++) await contest.round(round);
    return contest.results;
  } finally {
    for (const machine of machines) machine.close();
    rmSync(folder, { recursive: true, force: true });
    if (!wasUp) await down({ log });
    process.off("SIGINT", ignore);
  }
}

class LayoutContest {
  private readonly samples: LayoutSample[] = [];
  private sessions: SessionCounts[] = [];
  private resources = 0;
  private outputs: unknown;
  private shapes: string[][] = [];

  private constructor(
    private readonly hosts: LabHost[],
    private readonly machines: Machine[],
    private readonly stacks: Record<"ours" | "noop", Stack>,
    private readonly before: Footprint[],
  ) {}

  get results(): LayoutResults {
    return { samples: this.samples, sessions: this.sessions, resources: this.resources };
  }

  static async create(pulumi: Pulumi, hosts: LabHost[], machines: Machine[], folder: string): Promise<LayoutContest> {
    const env = { ...pulumi.env, HOSTNET_LAB: JSON.stringify(hosts), BENCH_TWIN: join(folder, "twin.json") };
    for (const name of ["ours", "noop"]) mkdirSync(join(folder, name));
    const twin = join(root, "dist", "bench", "programs", "twin.js");
    const stacks = {
      ours: await Stack.create(pulumi.command, join(folder, "ours"), compileExample(join(folder, "ours")), env),
      noop: await Stack.create(pulumi.command, join(folder, "noop"), twin, env),
    };
    const before = await Promise.all(machines.map((machine) => machine.footprint()));
    const contest = new LayoutContest(hosts, machines, stacks, before);
    await contest.record(env.BENCH_TWIN, join(folder, "sessions.json"));
    return contest;
  }

  /** One `up` of ours that is not timed: what it declares and makes, and how often it asks the hosts. */
  private async record(twinFile: string, sessionsFile: string): Promise<void> {
    const { ours } = this.stacks;
    const counting = join(root, "dist", "bench", "contenders", "count-sessions.js");
    const env = { NODE_OPTIONS: `--require=${counting}`, BENCH_SESSIONS: sessionsFile };
    log("layout: once without a clock, to record what is declared and made");
    await ours.call(["up", "--yes", "--skip-preview", "--stack", "bench", "--parallel", String(recommended)], env);
    this.sessions = Object.values(JSON.parse(readFileSync(sessionsFile, "utf8")));
    const declared = declaredIn(JSON.parse(await ours.call(["stack", "export", "--stack", "bench"])));
    writeFileSync(twinFile, JSON.stringify(declared));
    this.resources = declared.filter(({ custom }) => custom).length;
    this.outputs = JSON.parse(await ours.call(["stack", "output", "--json", "--stack", "bench"]));
    await this.prove("ours");
    await ours.time("destroy", recommended);
    await this.proveClean("ours");
  }

  async round(round: number): Promise<void> {
    for (const contender of layoutContenders) {
      await this.sample(contender, "up", round);
      if (contender !== "noop") await this.prove(contender);
      await this.sample(contender, "destroy", round);
      if (contender !== "noop") await this.proveClean(contender);
    }
  }

  private async sample(contender: LayoutContender, verb: LayoutVerb, round: number): Promise<void> {
    const ends = await Promise.all(this.machines.map((machine) => machine.count()));
    const measured =
      contender === "shell" ? await this.shell(verb) : await this.stacks[contender].time(verb, recommended);
    const hosts = await Promise.all(ends.map((end) => end()));
    this.samples.push({ workload: "layout", contender, verb, round, ...measured, hosts });
    const counted = hosts.map(({ connections, processes }) => `${connections} connections, ${processes} processes`);
    log(
      `${round + 1}  ${`layout ${contender} ${verb}`.padEnd(52)} ${measured.seconds.toFixed(3).padStart(8)} s   ${counted.join("; ")}`,
    );
  }

  private async shell(verb: LayoutVerb): Promise<{ seconds: number }> {
    const start = performance.now();
    await runShell(this.hosts, verb === "up" ? "up" : "down");
    return { seconds: (performance.now() - start) / 1000 };
  }

  /** The pings of the example's proof, and whether layout.sh makes what the example makes. */
  private async prove(contender: LayoutContender): Promise<void> {
    for (const proof of proofsOf(this.outputs)) {
      const machine = this.machines.find(({ host }) => host.name === proof.host);
      const result = await machine?.try(proofCommand(proof));
      if (result?.exitCode !== (proof.answered === false ? 1 : 0)) {
        throw new Error(`layout ${contender}: it is not so that ${proof.says}\n${result?.stdout}${result?.stderr}`);
      }
    }
    const shapes = await Promise.all(this.machines.map(async (machine) => shapeOf(await machine.footprint())));
    if (this.shapes.length === 0) this.shapes = shapes;
    for (const [index, { host }] of this.machines.entries()) {
      const [first, ...more] = shapeDifferences(this.shapes[index] as string[], shapes[index] as string[]);
      if (first) throw new Error(`layout ${contender}: ${host.name} is another: ${first} (and ${more.length} more)`);
    }
  }

  /** What a host takes down by itself, after it was told (gre_sys of ovs-vswitchd), has a while for it. */
  private async proveClean(contender: LayoutContender): Promise<void> {
    for (let tries = 1; ; tries++) {
      const after = await Promise.all(this.machines.map((machine) => machine.footprint()));
      const changes = after.flatMap((footprint, index) => {
        const { name } = (this.machines[index] as Machine).host;
        return footprintDifferences(this.before[index] as Footprint, footprint).map((line) => `${name}: ${line}`);
      });
      if (changes.length === 0) return;
      if (tries === 5)
        throw new Error(`layout ${contender} left something behind:\n${changes.slice(0, 20).join("\n")}`);
      await sleep(2000);
    }
  }
}
