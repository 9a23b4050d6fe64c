import { performance } from "node:perf_hooks";
import { specFromEnv } from "../spec";
import { connectPerOperation } from "./connect-per-operation";
import { lifecycle } from "./lifecycle";
import { shellScript } from "./shell-script";

/** What a contender tells of its own work; absent where it cannot know. */
export interface Work {
  roundTripsPerBatch?: number;
}

/** A contender that has read its arguments, and now waits for the word. */
export type Ready = () => Promise<Work>;

const contenders = { lifecycle, connectPerOperation, shellScript };
export type ProcessContender = keyof typeof contenders;

/** What the process of a contender prints. */
export interface ProcessReport extends Work {
  seconds: number;
  /** Of our own processor, user and system. */
  cpuSeconds: number;
}

/**
 * `process.js <contender> <verb> <state file>`: one operation in a process of its own, as a provider's is at each
 * `pulumi up`: nothing is connected, nor compiled by V8. Counted from the first question how to dial to the last
 * answer, without the start of the process and without the check of the arguments.
 */
async function main(): Promise<void> {
  const [contender, verb, file] = process.argv.slice(2) as [ProcessContender, "up" | "refresh" | "destroy", string];
  const ready = contenders[contender](specFromEnv(), verb, file);
  const start = performance.now();
  const cpu = process.cpuUsage();
  const work = await ready();
  const { user, system } = process.cpuUsage(cpu);
  const report: ProcessReport = {
    ...work,
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (user + system) / 1e6,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
