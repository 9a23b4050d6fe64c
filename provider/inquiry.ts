import { type HostRef, reach } from "./host/reach";
import type { Seen } from "./host/seen";
import type { Question } from "./model/question";

/** One at a time: an inquiry may count packets, and those of another one would be among them. */
let last: Promise<unknown> = Promise.resolve();

/** Puts the questions of an inquiry to the hosts, those of one turn at once, until it has its result; one without waits for none. */
export async function conduct<T>(inquiry: Generator<Question[], T, Seen[]>): Promise<T> {
  const first = inquiry.next();
  if (first.done) return first.value;
  const result = last.then(() => answerAll(inquiry, first));
  last = result.catch(() => {});
  return result;
}

async function answerAll<T>(
  inquiry: Generator<Question[], T, Seen[]>,
  first: IteratorResult<Question[], T>,
): Promise<T> {
  let turn = first;
  while (!turn.done) {
    const asked = turn.value;
    turn = await Promise.all(asked.map(answer)).then(
      (answers) => inquiry.next(answers),
      (error: unknown) => inquiry.throw(error),
    );
  }
  return turn.value;
}

/** The host is one that the program gave: it comes with all that a resource carries of it. */
const answer = async ({ host, sections }: Question) => (await reach(host as HostRef)).observe(sections);
