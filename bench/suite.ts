import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { log } from "../tools/log";
import { root } from "../tools/root";
import { Stack } from "./contenders/engine";
import { inOwnProcess } from "./contenders/own-process";
import type { ProcessReport } from "./contenders/process";
import { type BenchHost, type Counts, makeHosts } from "./hosts";
import { type Verb, verbs } from "./measure";
import type { Options } from "./options";
import { type Contender, Samples, type Way } from "./samples";
import { workFolder } from "./sandbox";
import { type Spec, specEnv } from "./spec";
import { type Device, differences } from "./state";
import { mostHosts, type Workload, type WorkloadName, workload, workloadNames } from "./workloads";

/** The parallelism that our documentation recommends. */
export const recommended = 64;

/** The workloads of links that are asked for. */
export const linkWorkloads = (options: Options): WorkloadName[] =>
  workloadNames.filter((name) => options.only.includes(name));

/** Runs all rounds: in each, every contender once, one right after the other. Throws when a host is not as it should be. */
export async function runSuite(options: Options, pulumi: string): Promise<Samples> {
  const samples = new Samples();
  const hosts = await makeHosts(mostHosts, workFolder);
  const before = (await devices(hosts[0] as BenchHost)).map(({ ifname }) => ifname);
  const contests = await Promise.all(
    linkWorkloads(options).map((name) =>
      Contest.create(workload(name, options.quick), { hosts, before, pulumi, samples }),
    ),
  );
  for (let round = 0; round < options.rounds; round++) {
    await proveLogins(hosts);
    for (const contest of contests) {
      await contest.throughEngine("parallel64", round);
      await contest.inProcesses(round);
      if (contest.workload.name === "links100") await contest.throughEngine("parallelDefault", round);
    }
  }
  await proveLogins(hosts);
  return samples;
}

const proveLogins = (hosts: BenchHost[]) => Promise.all(hosts.map((host) => host.prove()));

interface Ground {
  hosts: BenchHost[];
  /** The devices that every host has of its own. */
  before: string[];
  pulumi: string;
  samples: Samples;
}

/** The shell script knows nothing of the engine. */
type EngineContender = Exclude<Contender, "shellScript">;

/** One workload on its hosts. */
class Contest {
  private constructor(
    readonly workload: Workload,
    private readonly ground: Ground,
    private readonly spec: Spec,
    private readonly stacks: Record<EngineContender, Stack>,
  ) {}

  static async create(what: Workload, all: Ground): Promise<Contest> {
    const hosts = all.hosts.slice(0, what.hosts);
    const spec: Spec = { hosts: hosts.map(({ login }) => login), links: what.links };
    const folder = join(workFolder, what.name);
    mkdirSync(folder);
    const stack = (program: EngineContender) => {
      const main = join(root, "dist", "bench", "programs", program === "ours" ? "ours.js" : "stand-in.js");
      const env = { ...specEnv(spec), BENCH_HANDLER: program };
      return Stack.create(all.pulumi, join(folder, program), main, env);
    };
    // One after the other: they also warm up the file cache.
    const stacks = {
      ours: await stack("ours"),
      noop: await stack("noop"),
      connectPerOperation: await stack("connectPerOperation"),
    };
    return new Contest(what, { ...all, hosts }, spec, stacks);
  }

  async throughEngine(way: Exclude<Way, "process">, round: number): Promise<void> {
    const parallel = way === "parallel64" ? recommended : undefined;
    const time = (contender: EngineContender, verb: Verb) =>
      this.sample(way, contender, verb, round, () => this.stacks[contender].time(verb, parallel));
    for (const verb of verbs) {
      await time("ours", verb);
      await time("noop", verb);
    }
    // With 64 logins at once sshd would refuse some of them (MaxStartups).
    if (way !== "parallelDefault") return;
    for (const verb of ["up", "destroy"] as const) await time("connectPerOperation", verb);
  }

  async inProcesses(round: number): Promise<void> {
    const stateFile = join(workFolder, `${this.workload.name}.json`);
    for (const contender of ["ours", "connectPerOperation", "shellScript"] as const) {
      const program = contender === "ours" ? "lifecycle" : contender;
      for (const verb of ["up", "refresh", "destroy"] as const) {
        await this.sample("process", contender, verb, round, () => inOwnProcess(program, verb, this.spec, stateFile));
      }
    }
  }

  private async sample(
    way: Way,
    contender: Contender,
    verb: Verb,
    round: number,
    act: () => Promise<ProcessReport>,
  ): Promise<void> {
    const { name } = this.workload;
    const title = `${name} ${way} ${contender} ${verb}`;
    const ends = await Promise.all(this.ground.hosts.map((host) => host.count()));
    const start = performance.now();
    const measured = await act();
    const hosts = await Promise.all(ends.map((end) => end()));
    this.ground.samples.add({ workload: name, way, contender, verb, round, ...measured, hosts });
    if (contender !== "noop") await this.prove(title, verb);
    const total = ((performance.now() - start) / 1000).toFixed(1);
    const sum = (what: keyof Counts) => hosts.reduce((total, counts) => total + counts[what], 0);
    const counted = (["connections", "channels", "processes"] as const).map((what) => `${sum(what)} ${what}`);
    log(
      `${round + 1}  ${title.padEnd(52)} ${measured.seconds.toFixed(3).padStart(8)} s   ` +
        `${counted.join(", ")} on hosts (${total} s with the proof)`,
    );
  }

  /** Wrong state: what was measured is worth nothing. */
  private async prove(title: string, verb: Verb): Promise<void> {
    const links = verb === "destroy" ? [] : this.workload.links;
    for (const host of this.ground.hosts) {
      const [first, ...more] = differences(links, await devices(host), this.ground.before);
      if (first) throw new Error(`${title} left ${host.login.name} wrong: ${first} (and ${more.length} more)`);
    }
  }
}

const devices = async (host: BenchHost) => JSON.parse(await host.ip("-j", "-d", "addr")) as Device[];
