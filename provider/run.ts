import { setTimeout as sleep } from "node:timers/promises";
import { guard } from "./guard";
import { managementSections } from "./host/management";
import type { HostRef } from "./host/reach";
import type { Seen } from "./host/seen";
import type { Look, Machine, StepFailure } from "./host/types";
import { conduct } from "./inquiry";
import type { Context, Found, Kind } from "./kind";
import {
  entriesOf,
  forget,
  forgetFormer,
  heirOf,
  ledgersSection,
  type OwnedEntry,
  record,
  replaceEntry,
  turnAfter,
} from "./ledger";
import { type Step, show } from "./model/command";
import { HostnetError, nothingRan, remedyFor } from "./model/errors";
import { linkClaim } from "./model/link-kind";
import { nonceOf } from "./model/mark";
import { same } from "./model/path";
import { isOurs, type Part, partsOf } from "./ownership";

/** How often the host is written to before we say that it does not do what it was told. */
const rounds = 3;

/** How long the host may be at something by itself: an address check, a port that comes up, a namespace that goes. */
const patienceMs = 15_000;

/** How long a refresh waits for that: what is at something for ever must not hold up those who only look. */
const refreshPatienceMs = 5_000;

/** What is special about a run. */
interface Circumstances {
  /** The create failed half way: what is there without a mark may be of our making. */
  unfinished?: boolean;
  /** It is to be taken away. */
  removes?: boolean;
  /** Owners that its Host had before: what bears their marks is the stack's, and is to bear its Host's. */
  formerOwners?: string[];
}

/** One resource at work on its machine: looks, writes, looks again. */
export class Run {
  found: Found<unknown, unknown> | undefined;
  /** What takes away the remains of an object that is gone. */
  private remains: Step[] = [];
  /** What the ledger has of it: its owner's first. */
  private entries: OwnedEntry[] = [];
  /** What other owners have recorded of an object that bears no mark. */
  private others: OwnedEntry[] = [];
  /** What writes that entry. */
  private recording: Step[] = [];
  /** True once something may have been written. */
  begun = false;
  private seen: Seen | undefined;
  /** True when it was absent, or begun and not marked, before that: what is there now without a mark is of our making. */
  makes = false;

  constructor(
    private readonly kind: Kind,
    private readonly machine: Machine,
    private readonly host: HostRef,
    private readonly id: string,
    public want: Record<string, unknown>,
    private readonly context: Context<unknown>,
    private readonly circumstances: Circumstances,
  ) {}

  private get sections() {
    const more = this.circumstances.removes ? (this.kind.beforeRemoval?.(this.want) ?? []) : [];
    return [...this.kind.observe(this.want), ...more, ledgersSection];
  }

  private get owners() {
    return [this.host.owner, ...(this.circumstances.formerOwners ?? [])];
  }

  /** With `guarded`, also at what `guard` asks of the first write: else that takes a round trip of its own. */
  async look(guarded = false, how: Look = {}): Promise<void> {
    const guards = guarded ? managementSections(this.machine.facts) : [];
    this.take(await this.machine.observe([...this.sections, ...guards], how));
  }

  /**
   * What is there and bears no mark may be somebody's that is only now made, or of a deployment that was killed and whose
   * last batch still runs: it is looked at again when nobody writes.
   */
  async lookAgainIfUnmarked(guarded: boolean): Promise<void> {
    const unmarked = this.kind.permanent !== true && this.parts().some(({ whose }) => whose === "none");
    if (unmarked) await this.look(guarded, { whileNobodyWrites: true });
  }

  private take(seen: Seen): void {
    this.seen = seen;
    this.context.seen = seen;
    const all = entriesOf(seen, this.id);
    this.entries = this.owners.flatMap((one) => all.filter(({ owner }) => owner === one));
    this.others = this.kind.mark === "ledger" ? all.filter(({ owner }) => owner !== this.host.owner) : [];
    this.context.memory = this.entries[0]?.memory;
    this.found = this.kind.find(this.want, seen);
    this.remains = this.found ? [] : (this.kind.sweep?.(this.want, seen, this.context) ?? []);
  }

  parts(): Part[] {
    // What is there by itself is nobody's, whoever has recorded it.
    const entry = this.entries[0] ?? (this.kind.permanent ? undefined : this.others.at(-1));
    return this.found ? partsOf(this.found, entry, this.context.mark, this.circumstances) : [];
  }

  isOurs = () => isOurs(this.kind, this.parts());

  /** Makes what is there into what is wanted, and reads it again until it is. Throws NOT_CONVERGED, STEP_FAILED. */
  async converge(): Promise<void> {
    await this.settle();
    if (this.found && this.kind.inquire) {
      this.found = await conduct(this.kind.inquire(this.want, this.found, this.host, this.context));
    }
    this.recording = this.ledgerSteps();
    let steps = [...this.recording, ...this.remains, ...this.kind.converge(this.want, this.found, this.context)];
    let last: Step[] = [];
    for (let round = 0; steps.length > 0; round++) {
      if (round === rounds || same(last, steps)) throw this.notConverged(steps);
      await this.write(steps);
      await this.settle();
      last = steps;
      steps = this.kind.converge(this.want, this.found, this.context);
    }
  }

  /** The mark and the old values of what has no place for them, written before the first change. */
  private ledgerSteps(): Step[] {
    const { kind, found } = this;
    const [entry] = this.entries;
    const foreignAlias = found?.marks.some((mark) => mark && !mark.startsWith("hostnet:"));
    if (kind.mark !== "ledger" && !kind.remember && !foreignAlias) return [];
    const nonce = nonceOf(this.context.mark);
    const memory = entry ? entry.memory : kind.remember?.(found, this.want, this.context);
    this.context.memory = memory;
    const isThere = entry?.owner === this.host.owner;
    const turn = entry ? entry.turn : turnAfter(this.others);
    const own = { ...entry, id: this.id, nonce, memory, turn };
    const recorded = isThere ? replaceEntry(this.host.owner, own) : [record(this.host.owner, own)];
    return [
      ...(isThere && entry.nonce === nonce ? [] : recorded),
      ...this.entries.filter(({ owner }) => owner !== this.host.owner).flatMap(this.forgotten),
    ];
  }

  private readonly forgotten = ({ owner }: OwnedEntry): Step[] =>
    owner === this.host.owner ? [forget(owner, this.id)] : forgetFormer(owner, this.id);

  /** Looks and waits a little while the host is at it by itself: a refresh shows where things stand, not how they got there. */
  async lookAtRest(): Promise<void> {
    await this.look(false, { last: true });
    await this.rest(refreshPatienceMs);
  }

  /** Waits while the host is at it by itself. Throws NOT_CONVERGED. */
  private async settle(): Promise<void> {
    await this.rest(patienceMs);
    if (!this.found?.pending) return;
    throw new HostnetError("NOT_CONVERGED", `still waiting for ${this.found.pending}`, {
      remedy: "Find out on the host why it does not come, then run the command again.",
    });
  }

  private rest(patience: number): Promise<void> {
    return this.lookWhile(() => Boolean(this.found?.pending), patience);
  }

  /** Again and again, ever more seldom, at most for so many milliseconds. */
  private async lookWhile(unsettled: () => boolean, patience: number): Promise<void> {
    const deadline = performance.now() + patience;
    for (let pause = 50; unsettled() && performance.now() <= deadline; pause = Math.min(pause * 2, 1000)) {
      await sleep(pause);
      await this.look();
    }
  }

  private async write(steps: Step[]): Promise<void> {
    // A device that is only now made carries nothing.
    const made = this.found ? [] : this.kind.claims(this.want);
    await guard(steps, this.machine, this.seen, (device) => !made.includes(linkClaim(undefined, device)));
    const begin = () => {
      if (!this.begun) this.makes = this.circumstances.unfinished === true || !this.found;
      this.begun = true;
    };
    const { seen, failure } = await this.machine.write(steps, this.sections).catch((error: unknown) => {
      if (!nothingRan(error)) begin();
      throw error;
    });
    if (failure && this.isForestalled(steps, failure)) {
      // The ledger would call it ours.
      if (this.recording.length > 0) await this.machine.write([forget(this.host.owner, this.id)], []);
      throw stepFailed(failure);
    }
    begin();
    if (failure) throw this.refusal(seen) ?? stepFailed(failure);
    this.take(seen);
  }

  /** Somebody else made it between our look and our first step, which so has done nothing. */
  private isForestalled(steps: Step[], { step, result }: StepFailure): boolean {
    const first = steps.find((one) => !this.recording.includes(one));
    const isNew = !this.begun && !this.found && !this.circumstances.unfinished;
    return isNew && step === first && /File exists|already assigned/.test(result.stderr);
  }

  /** What the kind says of an object that was only now made, and is broken: more than the step says that failed for it. */
  private refusal(seen: Seen): HostnetError | undefined {
    if (!this.makes) return undefined;
    try {
      this.take(seen);
      if (this.found?.broken) this.kind.converge(this.want, this.found, this.context);
    } catch (error) {
      if (error instanceof HostnetError && error.code !== "READ_FAILED") return error;
    }
    return undefined;
  }

  /** Its entries in the ledger. */
  private get recorded(): OwnedEntry[] {
    const nonce = nonceOf(this.context.mark);
    return this.entries.filter((entry) => entry.nonce === nonce);
  }

  /**
   * Leaves what another stack has taken up after us to that one, with what we had found and declared: it is given back
   * when the last of them goes. Answers whether there is one. Throws STEP_FAILED.
   */
  async bequeath(): Promise<boolean> {
    const [own] = this.recorded;
    const heir = own && this.found && heirOf(own, this.others);
    if (!heir) return false;
    const inherited = { ...own.inherited, ...this.want, ...heir.inherited };
    await this.write([
      ...replaceEntry(heir.owner, { ...heir, memory: own.memory, inherited }),
      ...this.recorded.flatMap(this.forgotten),
    ]);
    return true;
  }

  /** Removes it, or gives it back as it was, and proves that. Throws NOT_CONVERGED, IN_USE, STEP_FAILED. */
  async takeAway(): Promise<void> {
    const { kind, recorded } = this;
    const [own] = recorded;
    const { memory, was } = this.context;
    const more = own?.inherited ? [own.inherited] : [];
    const want = Object.assign({}, ...more, this.want);
    const left = () =>
      this.found ? kind.remove(this.found, want, { ...this.context, memory, was: [...was, ...more] }) : this.remains;
    const all = () => [...left(), ...recorded.flatMap(this.forgotten)];
    if (all().length === 0) return;
    await this.write(all()).catch(async (error: unknown) => {
      // It may have gone by itself meanwhile, with what it stood on.
      if (!isStepFailed(error)) throw error;
      await this.look();
      if (left().length > 0) throw error;
      await this.write(all());
    });
    // The kernel takes namespaces and their devices down behind our back.
    await this.lookWhile(() => !kind.permanent && left().length > 0, patienceMs);
    if (left().length === 0) return;
    // The next attempt has to know them, too.
    if (own) await this.machine.write([record(this.host.owner, { ...own, id: this.id })], []);
    throw new HostnetError("NOT_CONVERGED", "is still there after it was taken away", {
      step: left().map(show).join("; "),
    });
  }

  private notConverged(steps: Step[]): HostnetError {
    const what = this.found ? "does not show what was declared" : "is not there after it was made";
    const why = this.found?.broken ? `: ${this.found.broken}` : "";
    return new HostnetError("NOT_CONVERGED", `${what}${why}`, { step: steps.map(show).join("; ") });
  }
}

const isStepFailed = (error: unknown) => error instanceof HostnetError && error.code === "STEP_FAILED";

/** What the kernel says when it was built, or booted, without something. */
const missingFeature =
  /unknown device type|operation not supported|protocol not supported|address family not supported|module \S+ not found/i;

function stepFailed({ step, result }: StepFailure): HostnetError {
  const { exitCode, stdout, stderr } = result;
  const said = stderr.trim() || stdout.trim();
  const line = step.sources?.length === 1 ? 1 : Number(/^\S*:(\d+):/m.exec(said)?.[1]);
  const path = step.sources?.[line - 1];
  const summary = `${path ? `${path}: ` : ""}${said.split("\n")[0] || "a command failed without a word"}`;
  const details = { step: show(step), exitCode, stderr: said.includes("\n") ? said : undefined };
  if (missingFeature.test(said)) {
    return new HostnetError("MISSING_FEATURE", summary, {
      ...details,
      remedy: "The kernel lacks the module or was built without it: look with `modprobe` and `dmesg` on the host.",
    });
  }
  return new HostnetError("STEP_FAILED", summary, { ...details, remedy: remedyFor(said) });
}
