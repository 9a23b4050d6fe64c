import type { Counts } from "./hosts";
import type { Verb } from "./measure";
import type { WorkloadName } from "./workloads";

/** How a contender was driven: by the CLI at a parallelism, or all at once in a process of its own. */
export const ways = ["parallel64", "parallelDefault", "process"] as const;
export type Way = (typeof ways)[number];

export const contenders = ["ours", "noop", "connectPerOperation", "shellScript"] as const;
export type Contender = (typeof contenders)[number];

export interface Sample {
  workload: WorkloadName;
  way: Way;
  contender: Contender;
  verb: Verb;
  round: number;
  seconds: number;
  /** Of processors on our side: the CLI and all that it started, or the contender's process. */
  cpuSeconds: number;
  roundTripsPerBatch?: number;
  /** What each host counted. */
  hosts: Counts[];
}

export type Select = Partial<Pick<Sample, "workload" | "way" | "contender" | "verb">>;

/** All that was measured, in the order in which it was. */
export class Samples {
  constructor(readonly all: Sample[] = []) {}

  add(sample: Sample): void {
    this.all.push(sample);
  }

  /** Those of a kind, by round. */
  of(select: Select): Sample[] {
    const wanted = Object.entries(select) as [keyof Select, string][];
    return this.all.filter((sample) => wanted.every(([key, value]) => sample[key] === value));
  }

  seconds = (select: Select) => this.of(select).map(({ seconds }) => seconds);

  cpuSeconds = (select: Select) => this.of(select).map(({ cpuSeconds }) => cpuSeconds);
}
