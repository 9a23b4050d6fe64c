import { setTimeout as sleep } from "node:timers/promises";
import type { Result, Section, Step } from "../model/command";
import { HostnetError, nothingRan } from "../model/errors";
import type { Connection } from "./connection";
import { Crowd } from "./crowd";
import { machineIdentity } from "./identity";
import { Job, limits, needed, type Planned, plan, settle, size } from "./merge";
import { type Answers, distinct, reread, slowReader, textOf } from "./reading";
import { Seen } from "./seen";
import type { HostFacts, Look, Machine, Session, StepFailure } from "./types";

type Answer = { seen: Seen; failure?: StepFailure };

/** One call of `write`, or of `observe`: that has nothing to write. */
interface Request {
  job: Job;
  sections: Section[];
  look: Look;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
  /** A read whose connection broke is asked once more; no harm in that. */
  again?: boolean;
  /** Goes in a batch of its own: it may be the one that cannot be sent. */
  solo?: boolean;
}

export interface BatcherOptions {
  /** How long one batch may take, beside what each of its steps takes. */
  commandTimeoutMs?: number;
  /** What tells the machine from another that answers after a reconnect. */
  identity?: Connection["identity"];
}

/** Time that the kernel may take for one step: to delete a bridge takes 40 ms (RCU), and hosts are slower than ours. */
const stepMs = 150;

/**
 * How long to wait for those who were answered just now and have more to say: until nobody has come for a while, as parts
 * of the time that the last batch took, for a host that is slow gains most when they share the next one. Who goes on comes
 * back at once. Who has done is followed by others, from the engine, which takes its time: as much as a batch is worth, and
 * one that only reads is worth less than one that writes.
 */
const linger = {
  goesOn: { part: 0.05, leastMs: 0, mostMs: 15 },
  read: { part: 0.3, leastMs: 5, mostMs: 60 },
  written: { part: 1, leastMs: 15, mostMs: 60 },
};

/** How long a batch is held back in all. */
const whole = { part: 0.8, leastMs: 60, mostMs: 1000 };

/** Of all machines of this process: the engine's steps are for any of them. */
const crowd = new Crowd();

/** How long a kernel that was too busy for a step is left alone. */
const busyMs = 200;

/**
 * Gathers what all resources want of one machine. Nothing in flight: what was asked in this tick goes out together.
 * Something in flight: what is asked meanwhile becomes the next batch. A batch is one round trip: all writes, in as few
 * commands as can be, then all questions, each once; so every answer was read after the call that asked for it.
 * A failed step stops its resource only; the others go on in a further round trip.
 */
export class MachineBatcher implements Machine {
  private queue: Request[] = [];
  private running = false;
  /** How long the last batch took, and what those who were in it had done with it. */
  private tookMs = 0;
  private last: keyof typeof linger = "goesOn";
  /** Answers that follow from their question. */
  private readonly remembered = new Map<string, Result>();
  /** True once another machine has answered at this address: of no more use. */
  replaced = false;

  private constructor(
    private readonly connect: () => Promise<Session>,
    private readonly options: BatcherOptions,
    private known: HostFacts,
  ) {}

  /** `connect` gives the session that is open, or a new one; it is asked before each batch. */
  static async open(connect: () => Promise<Session>, options: BatcherOptions = {}): Promise<MachineBatcher> {
    return new MachineBatcher(connect, options, (await connect()).facts);
  }

  get facts(): HostFacts {
    return this.known;
  }

  async observe(sections: Section[], look: Look = {}): Promise<Seen> {
    return (await this.request([], sections, look)).seen;
  }

  write(steps: Step[], then: Section[]): Promise<Answer> {
    return this.request(needed(steps, this.known.tools), then);
  }

  private request(steps: Step[], sections: Section[], look: Look = {}): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      this.queue.push({ job: new Job(steps), sections, look, resolve, reject });
      this.wake();
    });
    return crowd.join(answer);
  }

  /** One batch at a time. */
  private wake(): void {
    if (this.running || this.queue.length === 0) return;
    this.running = true;
    const turn = async () => {
      await this.gather();
      const start = performance.now();
      await this.turn();
      this.tookMs = performance.now() - start;
      this.running = false;
      this.wake();
    };
    setTimeout(turn);
  }

  private async gather(): Promise<void> {
    const partOf = ({ part, leastMs, mostMs }: { part: number; leastMs: number; mostMs: number }) =>
      Math.min(Math.max(this.tookMs * part, leastMs), mostMs);
    const quiet = partOf(linger[this.last]);
    const end = performance.now() + partOf(whole);
    for (let known = 0; known < this.queue.length && performance.now() < end; ) {
      known = this.queue.length;
      await crowd.wait(quiet);
    }
    crowd.closed();
  }

  /** Never rejects. */
  private async turn(): Promise<void> {
    const batch = this.takeBatch();
    let session: Session;
    try {
      session = await this.session();
    } catch (error) {
      // Those who came meanwhile would only wait as long for the same.
      for (const request of [...batch, ...this.queue.splice(0)]) refuse(request, error);
      return;
    }
    let planned: Planned[] = [];
    try {
      planned = plan(batch.map(({ job }) => job));
      const mayEnd = batch.some(({ look }) => look.last);
      this.last = planned.length > 0 ? "written" : mayEnd ? "read" : "goesOn";
      await this.send(session, batch, planned);
    } catch (error) {
      this.failed(batch, planned, error);
    }
  }

  private async send(session: Session, batch: Request[], planned: Planned[]): Promise<void> {
    const sent = new Map<Job, number>();
    for (const { job } of planned.flatMap(({ parts }) => parts)) sent.set(job, (sent.get(job) ?? 0) + 1);
    // The others did not get all their steps into this batch: they read after the last of them.
    const asking = batch.filter(({ job }) => job.finished || job.done + (sent.get(job) ?? 0) >= job.steps.length);
    const sections = distinct(asking.flatMap((request) => request.sections));
    const quick = sections.filter(({ slow }) => !slow);
    // Two names of one question: it is asked once.
    const texts = new Map(quick.map((section) => [textOf(section), section]));
    const questions = [...texts].filter(([text]) => !this.remembered.has(text));
    const position = new Map(questions.map(([text], index) => [text, planned.length + index]));

    const commands = [...planned.map(({ command }) => command), ...questions.map(([, section]) => section)];
    const results = commands.length
      ? await session.run(commands, {
          timeoutMs: this.timeout([...sent.values()].reduce((sum, steps) => sum + steps, questions.length)),
          lock: planned.length > 0 || batch.some(({ look }) => look.whileNobodyWrites),
          writes: planned.length,
        })
      : [];
    for (const job of sent.keys()) job.begun = true;
    const refused = settle(planned, results.slice(0, planned.length));
    const answers: Answers = new Map();
    for (const section of quick) {
      const text = textOf(section);
      const result = this.remembered.get(text) ?? (results[position.get(text) as number] as Result);
      if (section.pure && result.exitCode === 0) this.remembered.set(text, result);
      answers.set(section.key, { section, result });
    }
    await reread(session, answers, (count) => this.timeout(count));

    const seen = new Seen(answers);
    const slow = slowReader(session, answers, this.timeout(1));
    const left = batch.filter((request) => {
      const ready = request.job.finished && asking.includes(request);
      if (ready) this.answer(request, seen, slow);
      return !ready;
    });
    this.queue.unshift(...left);
    if (refused) await sleep(busyMs);
  }

  /** Answers one request. Its slow questions are asked beside the next batches, which do not wait for them. */
  private answer(request: Request, seen: Seen, slow: (sections: Section[]) => Promise<Seen>): void {
    const { failure } = request.job;
    const left = request.sections.filter((section) => section.slow);
    const reading = left.length > 0 ? slow(left) : Promise.resolve(seen);
    reading.then(
      (all) => request.resolve({ seen: all, failure }),
      (error: unknown) => {
        const readAgain = isLost(error) && request.job.steps.length === 0 && !request.again;
        if (readAgain) {
          this.queue.push({ ...request, again: true });
          this.wake();
        } else {
          refuse(request, error);
        }
      },
    );
  }

  /** What becomes of the requests of a batch that broke. */
  private failed(batch: Request[], planned: Planned[], error: unknown): void {
    const sent = new Set(planned.flatMap(({ parts }) => parts.map(({ job }) => job)));
    if (!nothingRan(error)) for (const job of sent) job.begun = true;
    const unsendable = nothingRan(error) && !isBroken(error);
    const again = batch.filter((request) => {
      if (unsendable && batch.length > 1) return true;
      // Writes that went out may have run: only another look can tell what of them, and that is for the caller.
      const untouched = !sent.has(request.job) && !request.job.begun;
      const repeat = isBroken(error) && untouched && !request.again;
      if (!repeat) refuse(request, error);
      return repeat;
    });
    const mark = unsendable ? { solo: true } : { again: true };
    this.queue.unshift(...again.map((request) => ({ ...request, ...mark })));
  }

  private takeBatch(): Request[] {
    const keys = new Set<string>();
    let [count, bytes] = [0, 0];
    let taken = 0;
    for (const { job, sections, solo } of this.queue) {
      if (solo && taken > 0) break;
      const fresh = sections.filter(({ key }) => !keys.has(key));
      const ahead = job.steps.slice(job.done);
      count += ahead.length + fresh.length;
      bytes += [...ahead, ...fresh].reduce((sum, command) => sum + size(command), 0);
      if (taken > 0 && (count > limits.steps || bytes > limits.bytes)) break;
      for (const { key } of fresh) keys.add(key);
      taken++;
      if (solo) break;
    }
    return this.queue.splice(0, taken);
  }

  /** The session; it must lead to the machine that the first one led to. */
  private async session(): Promise<Session> {
    const session = await this.connect();
    const identityOf = (facts: HostFacts) => machineIdentity(facts, this.options.identity);
    if (session.facts !== this.known && identityOf(session.facts) !== identityOf(this.known)) {
      this.replaced = true;
      throw new HostnetError("OTHER_MACHINE", "after the connection broke, another machine answered", {
        remedy: "Run `pulumi up` again: it looks at the machine that is there now.",
      });
    }
    this.known = session.facts;
    return session;
  }

  private timeout(commands: number): number | undefined {
    const { commandTimeoutMs } = this.options;
    return commandTimeoutMs === undefined ? undefined : commandTimeoutMs + stepMs * commands;
  }
}

/** What failed may have failed for many: of each it is said whether any of its own steps may have run. */
function refuse({ job, reject }: Request, error: unknown): void {
  const known = error instanceof HostnetError;
  reject(known ? new HostnetError(error.code, error.summary, { ...error.details, nothingRan: !job.begun }) : error);
}

const isLost = (error: unknown) => error instanceof HostnetError && error.code === "CONNECTION_LOST";
const isBroken = (error: unknown) => isLost(error) || (error instanceof HostnetError && error.code === "TIMEOUT");
