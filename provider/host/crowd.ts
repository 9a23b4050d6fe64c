/**
 * How many requests wait at once, of all machines together. The engine has no more than so many steps under way at a time, and
 * does not tell how many: when as many wait as ever have, and not for the first time, nobody else can come.
 */
export class Crowd {
  private now = 0;
  private most = 0;
  /** How often a batch was closed with so many. */
  private times = 0;
  private readonly waiting = new Set<() => void>();

  /** Takes part until the promise is settled. */
  join<T>(request: Promise<T>): Promise<T> {
    this.now++;
    if (this.complete) for (const wake of [...this.waiting]) wake();
    return request.finally(() => this.now--);
  }

  /** A batch is closed. */
  closed(): void {
    if (this.now > this.most) [this.most, this.times] = [this.now, 0];
    if (this.now === this.most) this.times++;
  }

  get complete(): boolean {
    return this.now >= leastAtOnce && this.now === this.most && this.times > 1;
  }

  /** So many milliseconds, or until all are there. */
  wait(ms: number): Promise<void> {
    if (this.complete) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.waiting.add(wake);
    });
  }
}

/** Pulumi's default is four steps for each processor. Fewer say nothing: many may follow one. */
const leastAtOnce = 4;
