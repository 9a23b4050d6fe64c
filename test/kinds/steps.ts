import type { Found, Kind } from "../../provider/kind";
import type { Step } from "../../provider/model/command";
import { show } from "../../provider/model/command";
import { get, set } from "../../provider/model/path";
import { validate } from "../../provider/validate";
import { answers } from "./answers";

type Args = Record<string, unknown>;

export const mark = "hostnet:a1b2:c3";

/** A kind at work on recorded answers, as lifecycle does it. */
export class Bench {
  constructor(
    private readonly kind: Kind,
    private readonly args: Args,
  ) {}

  want(more: Args = {}) {
    const { value, failures } = validate(this.kind.args, { ...this.args, ...more });
    expect(failures).toEqual([]);
    return value as never;
  }

  /** What is found of it when the host answers so. */
  look(seen: Args, more: Args = {}) {
    return this.kind.find(this.want(more), this.seen(seen, more));
  }

  private seen = (byKey: Args, more: Args, removes = false) => {
    const want = this.want(more);
    const last = removes ? (this.kind.beforeRemoval?.(want) ?? []) : [];
    return answers([...this.kind.observe(want), ...last], byKey);
  };

  /** As `steps`, as data. */
  plan(seen: Args, more: Args = {}, formerOwners?: string[]): Step[] {
    const context = { mark, owner: "a1b2", formerOwners, was: [], seen: this.seen(seen, more) };
    return this.kind.converge(this.want(more), this.look(seen, more), context);
  }

  /** What is kept of it when a resource is made of what the host answers. */
  memory(seen: Args, more: Args = {}, adopts = false): unknown {
    const context = { mark, owner: "a1b2", was: [], adopts };
    return this.kind.remember?.(this.look(seen, more), this.want(more), context);
  }

  /** The commands that make what was declared into what is wanted; `was` is what was declared before. */
  steps(seen: Args, more: Args = {}, was: Args[] = [], memory?: unknown): string[] {
    const before = was.map((args) => this.want(args));
    const target = (found?: Found<unknown>) =>
      Object.entries(this.kind.reset).reduce((want, [path, reset]) => {
        const dropped = get(want, path) === undefined && before.some((args) => get(args, path) !== undefined);
        return dropped ? set(want, path, typeof reset === "function" ? found && reset(found) : reset) : want;
      }, this.want(more));
    const answered = answers(this.kind.observe(target()), seen);
    const found = this.kind.find(target(), answered);
    const context = { mark, owner: "a1b2", was: before, memory: memory as never, seen: answered };
    return texts(this.kind.converge(target(found), found, context));
  }

  /** As `steps`, after the kind has asked what it has to know beside the first look; and how often it asked. */
  inquired(seen: Args, more: Args = {}): { steps: string[]; asked: number } {
    const want = this.want(more);
    const answered = this.seen(seen, more);
    const context = { mark, owner: "a1b2", was: [], seen: answered };
    const found = this.kind.find(want, answered);
    if (!found || !this.kind.inquire) throw new Error("it does not inquire");
    const asks = this.kind.inquire(want, found, { name: "n1", machineId: "m1" }, context);
    let [turn, asked] = [asks.next(), 0];
    for (; !turn.done; asked++) turn = asks.next(turn.value.map(({ sections }) => answers(sections, seen)));
    return { steps: texts(this.kind.converge(want, turn.value, context)), asked };
  }

  removal(seen: Args, more: Args = {}, memory?: unknown): string[] {
    const answered = this.seen(seen, more, true);
    const found = this.kind.find(this.want(more), answered);
    if (!found) throw new Error("not found");
    const context = { mark, owner: "a1b2", was: [], memory: memory as never, seen: answered };
    return texts(this.kind.remove(found, this.want(more), context));
  }

  refusals(more: Args): string[] {
    return validate(this.kind.args, { ...this.args, ...more }).failures.map(({ path, reason }) => `${path}: ${reason}`);
  }
}

export const texts = (steps: Step[]) => steps.map(show);
