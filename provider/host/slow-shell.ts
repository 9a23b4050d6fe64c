import type { Result } from "../model/command";
import type { BatchRun, Shell } from "./shell";
import type { Counters } from "./types";

/** How many commands run at once: each is a few processes of the host. */
const most = 16;

interface Request {
  batch: BatchRun;
  resolve(results: Result[]): void;
  reject(error: unknown): void;
}

/**
 * A shell for what takes long (a ping), so that nobody else waits for it. What is asked together, or while it is busy,
 * runs at once.
 */
export class SlowShell {
  private readonly waiting: Request[] = [];
  private shell?: Shell;
  private busy = false;

  /** `open` gives the shell, and is asked again when that one has died. */
  constructor(
    private readonly open: () => Promise<Shell>,
    private readonly counters: Counters,
  ) {}

  run(batch: BatchRun): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ batch, resolve, reject });
      setImmediate(() => void this.next());
    });
  }

  close(): void {
    this.shell?.close();
  }

  /** Never rejects. */
  private async next(): Promise<void> {
    if (this.busy || this.waiting.length === 0) return;
    this.busy = true;
    const taken = this.takeBatch();
    try {
      if (!this.shell || this.shell.dead) this.shell = await this.open();
      this.counters.roundTrips++;
      const results = await this.shell.run({ ...joined(taken.map(({ batch }) => batch)), together: true });
      for (const { batch, resolve } of taken) resolve(results.splice(0, batch.parts.length));
    } catch (error) {
      for (const { reject } of taken) reject(error);
    }
    this.busy = false;
    void this.next();
  }

  private takeBatch(): Request[] {
    let [count, requests] = [0, 0];
    for (const { batch } of this.waiting) {
      count += batch.parts.length;
      if (requests > 0 && count > most) break;
      requests++;
    }
    return this.waiting.splice(0, requests);
  }
}

function joined(batches: BatchRun[]): BatchRun {
  const names = batches.flatMap(({ parts, show }) => parts.map((_, index) => show?.(index) ?? ""));
  return {
    parts: batches.flatMap(({ parts }) => parts),
    timeoutMs: Math.max(...batches.map(({ timeoutMs }) => timeoutMs)),
    show: (index) => names[index] ?? "",
  };
}
