import type { Kind } from "../../../provider/kind";
import { kinds } from "../../../provider/kinds";
import * as lifecycle from "../../../provider/lifecycle";
import { same } from "../../../provider/model/path";
import { type Args, report, type State, type Trial, textOf } from "./trial";

/** Something that samples need, made for them. */
export interface Need {
  kind: string;
  args: Args;
  state?: State;
}

export const isSame = (one: Need, other: Need) => one.kind === other.kind && same(one.args, other.args);

/** What the samples on trial need; one resource for all that need the same. */
export class Needs {
  /** What stands first in any sample, what stands second: those of a level at the same time. */
  private readonly levels: Need[][] = [];

  constructor(private readonly trial: Trial) {
    const deepest = Math.max(...trial.subjects.map(({ sample }) => sample.needs?.length ?? 0));
    for (let depth = 0; depth < deepest; depth++) {
      const level: Need[] = [];
      this.levels.push(level);
      for (const { sample } of trial.subjects) {
        const need = sample.needs?.[depth];
        if (need && !this.all.some((one) => isSame(one, need))) level.push({ ...need });
      }
    }
  }

  get all(): Need[] {
    return this.levels.flat();
  }

  /** Makes all, or all again. Who needs what cannot be made leaves the run. */
  async make(): Promise<void> {
    for (const level of this.levels) await Promise.all(level.map((need) => this.makeOne(need)));
    const missing = this.all.filter(({ state }) => !state);
    for (const subject of this.trial.subjects) {
      for (const need of subject.sample.needs ?? []) {
        if (missing.some((one) => isSame(one, need))) {
          this.trial.fail(subject, `what it needs could not be made: ${need.kind} ${JSON.stringify(need.args)}`);
        }
      }
    }
  }

  private async makeOne(need: Need): Promise<void> {
    const kind = kinds[need.kind] as Kind;
    need.state = await lifecycle.apply(kind, this.trial.inputsOf(kind, need.args)).catch((error) => {
      report(textOf(error));
      return undefined;
    });
  }

  /** Takes all away; gives what kept it from that. */
  async takeAway(): Promise<unknown[]> {
    const faults: unknown[] = [];
    for (const level of this.levels.toReversed()) {
      const gone = level.flatMap(({ kind, state }) =>
        state ? [lifecycle.remove(kinds[kind] as Kind, state.id, state.outs)] : [],
      );
      for (const one of await Promise.allSettled(gone)) if (one.status === "rejected") faults.push(one.reason);
    }
    return faults;
  }
}
