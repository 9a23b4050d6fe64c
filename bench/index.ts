import { log, runMain } from "../tools/log";
import { missingPackages } from "../tools/packages";
import { findPulumi } from "../tools/pulumi";
import { setup } from "../tools/setup";
import { parseOptions } from "./options";
import { packages } from "./packages";
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
  const samples = await runSuite(options, process.env.BENCH_PULUMI ?? "pulumi");
  process.stdout.write(`${JSON.stringify(samples.all)}\n`);
  return 0;
}

runMain(main);
