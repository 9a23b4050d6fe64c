import { setTimeout as sleep } from "node:timers/promises";
import type { Result, Section } from "../model/command";
import { HostnetError } from "../model/errors";
import { Seen } from "./seen";
import type { Session } from "./types";

export type Answers = Map<string, { section: Section; result: Result }>;

/** What `ip` says, with status 0, when the list changed while it was being read: what it printed is not all. */
const interrupted = /Dump was interrupted/;
/** How long to wait before each further attempt: a host that is busy with changes has to come to rest. */
const pausesMs = [0, 100, 200, 400, 800, 1600];

/** Asks again what could not be read in one piece. */
export async function reread(session: Session, answers: Answers, timeout: (count: number) => number | undefined) {
  for (const pause of pausesMs) {
    const torn = [...answers.values()].filter(({ result }) => interrupted.test(result.stderr));
    if (torn.length === 0) return;
    await sleep(pause);
    const questions = torn.map(({ section }) => section);
    const results = await session.run(questions, { timeoutMs: timeout(torn.length) });
    for (const [index, section] of questions.entries()) {
      answers.set(section.key, { section, result: results[index] as Result });
    }
  }
}

/**
 * Asks slow questions one by one, each once for all requests of a batch, and adds them to the batch's answers. Each has
 * its own time beside what any command may take.
 */
export function slowReader(
  session: Session,
  answers: Answers,
  timeoutMs: number | undefined,
): (sections: Section[]) => Promise<Seen> {
  const asked = new Map<string, Promise<Result | undefined>>();
  const ask = (section: Section) => {
    const limit = timeoutMs === undefined ? undefined : timeoutMs + (section.slow ?? 0) * 1000;
    const run = () => session.run([section], { slow: true, timeoutMs: limit }).then(([result]) => result);
    const asking = asked.get(section.key) ?? run();
    asked.set(section.key, asking);
    return asking;
  };
  return async (sections) => {
    const all: Answers = new Map(answers);
    const read = sections.map(async (section) => {
      all.set(section.key, { section, result: (await ask(section)) as Result });
    });
    await Promise.all(read);
    return new Seen(all);
  };
}

/** Each key once. Two different questions under one key would give somebody a wrong answer. */
export function distinct(sections: Section[]): Section[] {
  const byKey = new Map<string, Section>();
  for (const section of sections) {
    const other = byKey.get(section.key);
    if (other && textOf(other) !== textOf(section)) {
      throw new HostnetError("INTERNAL", `two questions are called ${section.key}`);
    }
    byKey.set(section.key, section);
  }
  return [...byKey.values()];
}

/** True for what is the same question to the host, whatever its key. */
export const textOf = ({ argv, stdin, namespace }: Section) => JSON.stringify([argv, stdin, namespace]);
