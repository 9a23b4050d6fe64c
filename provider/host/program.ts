import type { Command, Result, Step } from "../model/command";

/** How far a merged command came when it failed. */
export type Blame =
  /** The steps before `ran` are done. With `culprit` the one at `ran` failed; without, nobody did. */
  | { ran: number; culprit: boolean }
  /** The cause is none of the steps: all of them have failed, or ran once for all. */
  | "all"
  /** Nothing tells whose step it was, and running them again does no harm: each once more, alone. */
  | "apart";

/** What may be merged of one program's steps, and how. */
export interface Program {
  /** What two steps must have in common to stand in one command (beside the namespace); undefined: goes alone. */
  bucket(step: Step): string | undefined;
  /** A fresh judge, asked in order, of whether one more step may join those that it let in before. */
  judge(): (step: Step) => boolean;
  /** One command of several steps. */
  join(steps: Step[]): Command;
  /** Whose fault it was that a command of several steps failed. */
  blame(result: Result, count: number): Blame;
  /** Waits until nothing else can run, so that it runs seldom. */
  late?: boolean;
  /** A host without it needs no such step. */
  optional?: boolean;
}

/** 126, 127: no such program. Above 128: ended by a signal; but 255 is what `ip` and `sysctl` say by themselves. */
export function notStarted(exitCode: number): boolean {
  return exitCode === 126 || exitCode === 127 || (exitCode > 128 && exitCode < 255);
}

/** What one argument, and so all together, may be at most, in bytes: Linux takes none longer than 131072 (MAX_ARG_STRLEN). */
const argvBytes = 100_000;

/** Lets in what fits into one command, where `join` makes arguments of what the steps have, be it their standard input. */
export function argvJudge(): (step: Step) => boolean {
  let size = 0;
  return ({ argv, stdin = "" }) => {
    const before = size;
    size += [...argv, stdin].reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
    return before === 0 || size <= argvBytes;
  };
}
