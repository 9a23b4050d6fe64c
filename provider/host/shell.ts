import { randomBytes } from "node:crypto";
import type { Result } from "../model/command";
import { HostnetError } from "../model/errors";
import { type Frame, Frames } from "./frames";
import { renderBatch } from "./render";
import type { Channel, ChannelEnd } from "./transport";

const maxStdout = 128 * 1024 * 1024;
const maxStderr = 1024 * 1024;
/** ssh2 takes what it is given at once, however small the peer's window: we wait between pieces. */
const pieceSize = 64 * 1024;

export interface BatchRun {
  /** The commands, as renderCommand made them. */
  parts: readonly string[];
  timeoutMs: number;
  /** The commands run at once. Each one's stderr then comes with its stdout. */
  together?: boolean;
  /** Wait for and hold the machine's lock; nothing runs when it is not had in that time. */
  lockSeconds?: number;
  /** So many of the commands, the first ones, write: see renderBatch. */
  writes?: number;
  /** What a command looks like, to name the one that did not end. */
  show?: (index: number) => string;
  /** Until then the shell must have begun to answer. Only the first batch of a shell needs it. */
  startMs?: number;
}

interface Job extends BatchRun {
  nonce: string;
  stdout: Map<string, Frame>;
  stderr: Map<string, Frame>;
  streams: { stdout: Frames; stderr: Frames };
  timers: NodeJS.Timeout[];
  resolve(results: Result[]): void;
  reject(error: HostnetError): void;
}

/** A POSIX shell at the other end of a channel that stays open: batches in, results out, one batch after the other. */
export class Shell {
  /** True once the shell has answered. */
  started = false;
  /** What came before its first answer: noise of rc files, what ssh and sudo complain of. */
  noise = { stdout: "", stderr: "" };
  /** Why it cannot be used any more. */
  dead?: HostnetError;
  end?: ChannelEnd;

  private readonly waiting: Job[] = [];
  private current?: Job;

  constructor(private readonly channel: Channel) {
    channel.stdin.on("error", () => {});
    // Both are always read: bytes of stderr that nobody takes stop stdout too, they share ssh's window.
    for (const name of ["stdout", "stderr"] as const) {
      channel[name].on("error", () => {});
      channel[name].on("data", (chunk: Buffer) => this.current?.streams[name].feed(chunk));
    }
    channel.closed.then((end) => {
      this.end = end;
      this.die(new HostnetError("CONNECTION_LOST", "the connection broke while commands ran", { cause: end.cause }));
    });
  }

  get busy(): boolean {
    return this.current !== undefined;
  }

  /** Settles before its time is over, whatever the other side does; the time counts from when the batch is sent. */
  run(batch: BatchRun): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      if (this.dead) return reject(this.dead.at({ nothingRan: true }));
      const nonce = randomBytes(16).toString("hex");
      const job: Job = {
        ...batch,
        nonce,
        resolve,
        reject,
        stdout: new Map(),
        stderr: new Map(),
        timers: [],
        streams: {
          stdout: new Frames(nonce, maxStdout, (frame) => this.take(job, "stdout", frame)),
          stderr: new Frames(nonce, maxStderr, (frame) => this.take(job, "stderr", frame)),
        },
      };
      this.waiting.push(job);
      this.next();
    });
  }

  /** Lets the shell end by itself: it does at the end of its input. */
  close(): void {
    this.die(new HostnetError("CONNECTION_LOST", "the session is closed"), false);
    this.channel.stdin.end();
  }

  private next(): void {
    if (this.current || this.dead) return;
    const job = this.waiting.shift();
    if (!job) return;
    this.current = job;
    const after = (ms: number) => {
      const expire = () => {
        const step = job.stdout.has("0") ? job.show?.(job.stdout.size - 1) : undefined;
        this.die(new HostnetError("TIMEOUT", `no answer within ${ms / 1000} s`, { step }));
      };
      job.timers.push(setTimeout(expire, ms));
    };
    after(job.timeoutMs + (job.lockSeconds ?? 0) * 1000);
    if (job.startMs !== undefined) after(job.startMs);
    void this.send(Buffer.from(renderBatch(job.parts, job)));
  }

  /** Never rejects, and may never end: a write into a closing ssh2 channel has no callback. The deadline holds. */
  private async send(text: Buffer): Promise<void> {
    const { stdin } = this.channel;
    for (let at = 0; at < text.length && !this.dead; at += pieceSize) {
      if (!stdin.write(text.subarray(at, at + pieceSize))) await new Promise((go) => stdin.once("drain", go));
    }
  }

  private take(job: Job, name: "stdout" | "stderr", frame: Frame): void {
    if (job !== this.current) return;
    job[name].set(frame.id, frame);
    if (frame.id === "0" && job.startMs !== undefined) {
      this.noise[name] = frame.content.toString("utf8");
      if (name === "stdout") {
        this.started = true;
        clearTimeout(job.timers.pop());
      }
    }
    if (!job.stdout.has("E") || !job.stderr.has("E")) return;
    this.settle(job);
    try {
      job.resolve(resultsOf(job));
    } catch (error) {
      job.reject(error as HostnetError);
    }
    this.next();
  }

  private settle(job: Job): void {
    for (const timer of job.timers) clearTimeout(timer);
    if (this.current === job) this.current = undefined;
  }

  private die(error: HostnetError, kill = true): void {
    if (this.dead) return;
    this.dead = error;
    if (kill) this.channel.kill();
    const { current } = this;
    if (current) {
      if (!this.started) {
        for (const name of ["stdout", "stderr"] as const) {
          if (!this.noise[name]) this.noise[name] = current.streams[name].soFar().toString("utf8");
        }
      }
      this.settle(current);
      current.reject(error);
    }
    // Those were never sent.
    for (const job of this.waiting.splice(0)) job.reject(error.at({ nothingRan: true }));
  }
}

function resultsOf(job: Job): Result[] {
  if (job.stdout.has("L")) {
    const summary = `another hostnet program held this host's lock for more than ${job.lockSeconds} s; nothing was run`;
    throw new HostnetError("TIMEOUT", summary, {
      remedy: "Wait until the other deployment is through, then try again.",
      nothingRan: true,
    });
  }
  return job.parts.map((_, index) => {
    const id = String(index + 1);
    const out = job.stdout.get(id);
    const err = job.stderr.get(id);
    if (!out || !err) throw new HostnetError("CONNECTION_LOST", "the shell ended in the middle of a batch");
    const stderr = err.content.toString("utf8");
    const result = { exitCode: out.exitCode, stdout: out.content.toString("utf8"), stderr };
    if (!out.truncated) return result;
    const note = `hostnet: the command printed more than ${maxStdout >> 20} MB; the rest was dropped`;
    return { ...result, exitCode: out.exitCode || 1, stderr: `${stderr}${note}\n` };
  });
}
