import { up } from "../lab";
import { demo } from "./demo";
import { log, runMain } from "./log";
import { findPulumi } from "./pulumi";
import { needsLab, withStack } from "./pulumi-arguments";

/** `npm run pulumi -- <args>`: the right Pulumi CLI on the demonstration stack, with the lab up where it is needed. */
async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const pulumi = await findPulumi(log);
  const hosts = needsLab(args) ? await up({ log }) : undefined;
  return (await demo(pulumi, hosts)).run(withStack(args));
}

runMain(main);
