import { refuse } from "./register";

/**
 * A list that grows while the program runs, and that resources registered early have to know whole: the nodes that a
 * network is on, the addresses of a group's members. It is given out when the program's synchronous part is over. What
 * comes after that would be missing on hosts, and is refused.
 */
export class Late<T> {
  private readonly items: T[] = [];
  private given = false;

  /** `what` and `remedy` are for the error of `add`. */
  constructor(
    private readonly title: string,
    private readonly what: string,
    private readonly remedy: string,
  ) {}

  /** Throws RunError when the list has been given out without it. */
  add(item: T): void {
    if (this.given)
      refuse(this.title, `${this.what} came after the program's synchronous part was over: ${this.remedy}`);
    this.items.push(item);
  }

  /** What is there so far. */
  get now(): readonly T[] {
    return this.items;
  }

  /** All of them, once no more may come. */
  async all(): Promise<readonly T[]> {
    await programOver();
    this.given = true;
    return this.items;
  }
}

let over: Promise<void> | undefined;

/** Resolved after the turn of the event loop in which it was first asked for, and what was queued in that turn. */
function programOver(): Promise<void> {
  over ??= new Promise((resolve) => setImmediate(resolve)).then(() => {
    over = undefined;
  });
  return over;
}
