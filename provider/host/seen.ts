import type { Result, Section } from "../model/command";
import { show } from "../model/command";
import { HostnetError } from "../model/errors";

/** The answers of one read of a host, by the key of the section that asked. */
export class Seen {
  private readonly parsed = new Map<string, unknown>();

  constructor(private readonly answers: ReadonlyMap<string, { section: Section; result: Result }>) {}

  /** True when the section was asked for. */
  has(key: string): boolean {
    return this.answers.has(key);
  }

  /** How the section's command ended, whatever it said. Throws READ_FAILED when nobody asked for it. */
  result(key: string): Result {
    const answer = this.answers.get(key);
    if (!answer) throw new HostnetError("READ_FAILED", `section ${key} was not read`);
    return answer.result;
  }

  /**
   * Standard output of a command that must have succeeded without a word on stderr, but for lines that `harmless`
   * matches. Throws READ_FAILED.
   */
  text(key: string, harmless?: RegExp): string {
    const { exitCode, stdout, stderr } = this.result(key);
    // `ip` exits 0 and prints a partial list after "Dump was interrupted": any word on stderr makes a read incomplete.
    const complaint = stderr.split("\n").some((line) => line.trim() !== "" && !harmless?.test(line));
    if (exitCode !== 0 || complaint) {
      const section = this.answers.get(key)?.section;
      const step = section && show(section);
      throw new HostnetError("READ_FAILED", `could not read ${key}`, { step, exitCode, stderr });
    }
    return stdout;
  }

  /** The same as JSON, parsed once. Empty output is an empty list, as `ip -j netns` has it. Throws READ_FAILED. */
  json<T>(key: string, harmless?: RegExp): T {
    if (!this.parsed.has(key)) {
      const text = this.text(key, harmless);
      try {
        this.parsed.set(key, text.trim() === "" ? [] : JSON.parse(text));
      } catch (cause) {
        throw new HostnetError("READ_FAILED", `${key} is not JSON`, { cause });
      }
    }
    return this.parsed.get(key) as T;
  }

  /** These answers and others; where both have one, the later counts. */
  and(later: Seen): Seen {
    return new Seen(new Map([...this.answers, ...later.answers]));
  }

  /** What `make` derives from these answers, made once: an index of links, say, that every resource of a batch uses. */
  derive<T>(key: string, make: () => T): T {
    const name = `derived:${key}`;
    if (!this.parsed.has(name)) this.parsed.set(name, make());
    return this.parsed.get(name) as T;
  }
}
