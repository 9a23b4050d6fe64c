import { parseArgs } from "node:util";
import { workloadNames } from "./workloads";

/** What can be measured alone: the workloads of links, and the main example's layout on the lab. */
export const suiteNames = [...workloadNames, "layout"] as const;
export type SuiteName = (typeof suiteNames)[number];

export interface Options {
  rounds: number;
  /** A fifth of the links (and the whole layout) and one round: shows that the benchmark works, and measures nothing. */
  quick: boolean;
  only: SuiteName[];
  json: boolean;
  writeDocs: boolean;
}

export const usage = `usage: npm run bench -- [--rounds N] [--quick] [--only ${suiteNames.join("|")}] [--json] [--write-docs]`;

/** Throws an Error that says how it is used. */
export function parseOptions(args: string[]): Options {
  const { rounds, quick = false, only, json = false, "write-docs": writeDocs = false } = valuesOf(args);
  const count = rounds === undefined ? (quick ? 1 : 3) : Number(rounds);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--rounds must be 1 or more, not ${rounds}\n${usage}`);
  const names = only ?? [...suiteNames];
  for (const name of names) {
    if (!isSuite(name)) throw new Error(`there is no workload ${name}\n${usage}`);
  }
  const complete = !quick && count >= 3 && suiteNames.every((name) => names.includes(name));
  if (writeDocs && !complete) throw new Error("--write-docs takes all workloads, in full, and at least 3 rounds");
  return { rounds: count, quick, only: names.filter(isSuite), json, writeDocs };
}

const isSuite = (name: string): name is SuiteName => (suiteNames as readonly string[]).includes(name);

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        rounds: { type: "string" },
        quick: { type: "boolean" },
        only: { type: "string", multiple: true },
        json: { type: "boolean" },
        "write-docs": { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}
