import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packages as labPackages } from "../lab/packages";
import { log, runMain } from "../tools/log";
import { missingPackages } from "../tools/packages";
import { findPulumi, type Pulumi } from "../tools/pulumi";
import { root } from "../tools/root";
import { setup } from "../tools/setup";
import { withFigures } from "./docs";
import { figuresOf } from "./figures";
import { layoutFigures } from "./layout/figures";
import { runLayout } from "./layout/suite";
import { describeMachine, loadNow, versions } from "./machine";
import { type Options, parseOptions } from "./options";
import { packages } from "./packages";
import { figuresTable, type Report } from "./report";
import { type Sample, Samples } from "./samples";
import { enter, isInside } from "./sandbox";
import { linkWorkloads, runSuite } from "./suite";

/**
 * `npm run bench`: ours against the engine's own time, against one connection for each operation, and against a shell
 * script. Links are measured in a sandbox, in which this runs a second time and prints its samples; the layout needs the
 * lab's machines, which are outside.
 */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (isInside()) {
    const samples = await runSuite(options, process.env.BENCH_PULUMI ?? "pulumi");
    process.stdout.write(JSON.stringify(samples.all));
    return 0;
  }
  const needed = [
    ...(linkWorkloads(options).length > 0 ? packages : []),
    ...(options.only.includes("layout") ? labPackages : []),
  ];
  if (missingPackages(needed).length > 0) await setup(needed);
  const report = await measure(options, await findPulumi(log));
  if (options.writeDocs) {
    const path = join(root, "docs", "benchmarks.md");
    writeFileSync(path, withFigures(readFileSync(path, "utf8"), report));
    log(`${path} is written`);
  }
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${figuresTable(report)}\n`);
  return 0;
}

async function measure(options: Options, pulumi: Pulumi): Promise<Report> {
  const load = loadNow();
  if (load > 1)
    log(`The load average is ${load}: the machine is busy, and the figures will be worse than they could be.`);
  const samples = linkWorkloads(options).length > 0 ? await inSandbox(pulumi) : [];
  const layout = options.only.includes("layout") ? await runLayout(options.rounds, pulumi) : undefined;
  return {
    ...figuresOf(new Samples(samples), options.quick),
    ...(layout ? { layout: layoutFigures(layout) } : {}),
    rounds: options.rounds,
    quick: options.quick,
    machine: describeMachine(load),
    versions: await versions(pulumi.command),
    samples: [...samples, ...(layout?.samples ?? [])],
  };
}

async function inSandbox(pulumi: Pulumi): Promise<Sample[]> {
  const env = { ...pulumi.env, BENCH_PULUMI: pulumi.command };
  return JSON.parse(await enter(__filename, process.argv.slice(2), env));
}

runMain(main);
