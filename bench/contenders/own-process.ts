import { join } from "node:path";
import { root } from "../../tools/root";
import { run } from "../run";
import { type Spec, specEnv } from "../spec";
import type { ProcessContender, ProcessReport } from "./process";

/** Runs one operation of a contender without the engine, in a process of its own (process.ts). */
export async function inOwnProcess(
  contender: ProcessContender,
  verb: "up" | "refresh" | "destroy",
  spec: Spec,
  stateFile: string,
): Promise<ProcessReport> {
  const script = join(root, "dist", "bench", "contenders", "process.js");
  return JSON.parse(await run(process.execPath, [script, contender, verb, stateFile], { env: specEnv(spec) }));
}
