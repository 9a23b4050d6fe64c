import type { Command, Result, Step } from "../model/command";
import type { Blame, Program } from "./program";
import { programs } from "./programs";
import type { StepFailure } from "./types";

/** The steps of one resource: ordered among themselves, independent of those of every other resource. */
export class Job {
  /** How many are done. */
  done = 0;
  /** True once one of them may have run. */
  begun = false;
  failure?: StepFailure;
  /** How often the step that is to come was refused by a kernel that was busy. */
  refusals = 0;
  /** Programs whose steps of this job are not merged any more, since a merged command failed. */
  readonly apart = new Set<Program>();

  constructor(readonly steps: Step[]) {}

  get finished(): boolean {
    return this.failure !== undefined || this.done >= this.steps.length;
  }
}

/** One command to run, and whose steps it does, in the order in which it does them. */
export interface Planned {
  command: Command;
  program?: Program;
  parts: { job: Job; step: Step }[];
}

/** What the kernel says when it would do the same a moment later. */
const busy = /Device or resource busy|Resource temporarily unavailable|Text file busy/;
const mostRefusals = 3;

/** The exit status of a command that was not run, since one before it had failed. */
const skipped = -1;

/** What one batch holds at most. */
export const limits = { steps: 2000, bytes: 512_000 };

interface Head {
  job: Job;
  next: number;
}

/** What is to run next of some jobs, and can stand in one command. */
interface Bucket {
  /** Absent where the one step that is in it runs alone. */
  program?: Program;
  heads: Head[];
}

/**
 * Puts what the jobs still have to do into few commands. Greedy: again and again the kind of command for which most
 * jobs stand waiting, with as many steps in a row as each of them has for it. Ends early at the limits; what does not
 * get in is not lost: it is planned again when the results are known.
 */
export function plan(jobs: Job[], limit = limits): Planned[] {
  const buckets = new Map<string, Bucket>();
  let alone = 0;
  const join = (head: Head) => {
    const step = head.job.steps[head.next];
    if (!step) return;
    const place = placeOf(head.job, step);
    const key = place?.key ?? `alone ${alone++}`;
    const bucket = buckets.get(key);
    if (bucket) bucket.heads.push(head);
    else buckets.set(key, { program: place?.program, heads: [head] });
  };
  for (const job of jobs) if (!job.finished) join({ job, next: job.done });

  const planned: Planned[] = [];
  let room = { ...limit };
  for (let key = fullest(buckets); key !== undefined && room.steps > 0 && room.bytes > 0; key = fullest(buckets)) {
    const bucket = buckets.get(key) as Bucket;
    buckets.delete(key);
    const { entry, left } = take(key, bucket, room);
    planned.push(entry);
    room = left;
    for (const head of bucket.heads) join(head);
  }
  return planned;
}

/** One command for the heads of one bucket; moves each head behind what was taken of it. */
function take(key: string, { program, heads }: Bucket, room: typeof limits): { entry: Planned; left: typeof limits } {
  const fits = program?.judge();
  const parts: Planned["parts"] = [];
  const left = { ...room };
  for (const head of heads) {
    for (;;) {
      const step = head.job.steps[head.next];
      if (!step || (parts.length > 0 && (left.steps <= 0 || left.bytes <= 0))) break;
      if (parts.length > 0 && placeOf(head.job, step)?.key !== key) break;
      if (fits && !fits(step)) break;
      parts.push({ job: head.job, step });
      head.next++;
      left.steps--;
      left.bytes -= size(step);
    }
  }
  const steps = parts.map(({ step }) => step);
  const command = program && steps.length > 1 ? program.join(steps) : plain(steps[0] as Step);
  return { entry: { command, program, parts }, left };
}

/**
 * Books what the commands did: which steps are done, and which jobs have failed at which step. True when the kernel was
 * too busy for a step: that one is to be tried again, in a moment.
 */
export function settle(planned: Planned[], results: Result[]): boolean {
  let refused = false;
  for (const [index, { program, parts }] of planned.entries()) {
    const result = results[index] as Result;
    if (result.exitCode === skipped) continue;
    const failed = (job: Job, step: Step) => {
      if (busy.test(result.stderr) && job.refusals < mostRefusals) {
        job.refusals++;
        refused = true;
        return;
      }
      job.failure ??= { step, result: { ...result, stderr: result.stderr.replace(/^Command failed .*:\d+\n?/m, "") } };
    };
    const doneUpTo = (count: number) => {
      for (const { job } of parts.slice(0, count)) {
        job.done++;
        job.refusals = 0;
      }
    };
    const blame = blameOf({ program, parts }, result);
    if (blame === "all") {
      for (const { job, step } of parts) failed(job, step);
    } else if (blame === "apart") {
      for (const { job } of parts) job.apart.add(program as Program);
    } else {
      doneUpTo(blame.ran);
      const culprit = parts[blame.ran];
      if (blame.culprit && culprit) failed(culprit.job, culprit.step);
    }
  }
  return refused;
}

function blameOf({ program, parts }: Pick<Planned, "program" | "parts">, result: Result): Blame {
  if (result.exitCode === 0) return { ran: parts.length, culprit: false };
  return program && parts.length > 1 ? program.blame(result, parts.length) : { ran: 0, culprit: true };
}

/** Steps that this host does not need are no steps. */
export function needed(steps: Step[], tools: Record<string, string>): Step[] {
  return steps.filter(
    ({ argv: [program = ""] }) => tools[program] || !programs[program]?.some(({ optional }) => optional),
  );
}

/** What one step adds to what is sent. */
export function size({ argv, stdin = "" }: Command): number {
  return argv.reduce((sum, word) => sum + word.length + 3, stdin.length);
}

/** The first way in which the step may be merged, and with what; undefined: it runs alone. */
function placeOf(job: Job, step: Step): { key: string; program: Program } | undefined {
  const name = step.argv[0] ?? "";
  for (const [way, program] of (programs[name] ?? []).entries()) {
    const bucket = job.apart.has(program) ? undefined : program.bucket(step);
    if (bucket !== undefined) return { key: JSON.stringify([name, way, step.namespace, bucket]), program };
  }
  return undefined;
}

/**
 * The bucket for which most jobs wait; of equals the one whose jobs have most still to do, so that the others may be
 * caught up with. Those that may wait come last.
 */
function fullest(buckets: Map<string, Bucket>): string | undefined {
  let best: string | undefined;
  let most = 0;
  for (const [key, { program, heads }] of buckets) {
    const ahead = heads.reduce((sum, { job, next }) => sum + job.steps.length - next, 0);
    const weight = heads.length + Math.min(ahead, 99_999) / 100_000;
    const rank = program?.late ? weight / 1e6 : weight;
    if (rank > most) [best, most] = [key, rank];
  }
  return best;
}

function plain({ argv, stdin, namespace, mayFail }: Step): Command {
  return { argv, stdin, namespace, mayFail };
}
