import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { log, runMain } from "../tools/log";
import { missingPackages } from "../tools/packages";
import { findPulumi } from "../tools/pulumi";
import { root } from "../tools/root";
import { setup } from "../tools/setup";
import { withFigures } from "./docs";
import { figuresOf } from "./figures";
import { describeMachine, loadNow, versions } from "./machine";
import { type Options, parseOptions } from "./options";
import { packages } from "./packages";
import { figuresTable, type Report } from "./report";
import { enter, isInside } from "./sandbox";
import { runSuite } from "./suite";

/** `npm run bench`: ours against the engine's own time, and against one connection for each operation. */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (!isInside()) {
    if (missingPackages(packages).length > 0) await setup(packages);
    const pulumi = await findPulumi(log);
    return enter(__filename, process.argv.slice(2), { ...pulumi.env, BENCH_PULUMI: pulumi.command });
  }
  const report = await measure(options, process.env.BENCH_PULUMI ?? "pulumi");
  if (options.writeDocs) {
    const path = join(root, "docs", "benchmarks.md");
    writeFileSync(path, withFigures(readFileSync(path, "utf8"), report));
    log(`${path} is written`);
  }
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${figuresTable(report)}\n`);
  return 0;
}

async function measure(options: Options, pulumi: string): Promise<Report> {
  const load = loadNow();
  if (load > 1)
    log(`The load average is ${load}: the machine is busy, and the figures will be worse than they could be.`);
  const samples = await runSuite(options, pulumi);
  return {
    ...figuresOf(samples, options.quick),
    rounds: options.rounds,
    quick: options.quick,
    machine: describeMachine(load),
    versions: await versions(pulumi),
    samples: samples.all,
  };
}

runMain(main);
