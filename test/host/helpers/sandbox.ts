import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of the test file's own, and what has to be ended with it, last made first. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "hostnet-test-"));
  private readonly ends: (() => unknown)[] = [];

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Ends `thing` when the test, or the file, is over. */
  keep<T>(thing: T, end: (thing: T) => unknown): T {
    this.ends.push(() => end(thing));
    return thing;
  }

  /** After each test. */
  async clean(): Promise<void> {
    for (const end of this.ends.splice(0).reverse()) await end();
  }

  /** After the last. */
  async remove(): Promise<void> {
    await this.clean();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** How long something took, in ms. */
export async function timed<T>(work: () => Promise<T>): Promise<[value: T, ms: number]> {
  const start = performance.now();
  const value = await work();
  return [value, performance.now() - start];
}

/** Waits for a state that somebody else brings about. Throws when it does not come within half a minute. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 30_000; !isSo(); await new Promise((go) => setTimeout(go, 20))) {
    if (performance.now() > deadline) throw new Error(`what was waited for did not happen: ${what}`);
  }
}

/**
 * A limit for what is done at once, in ms: far above what a slow machine makes of that, and far below the times of those
 * commands and deadlines that it must not have waited for.
 */
export const atOnceMs = 15_000;

/** The error of a promise that has to reject. */
export async function failure(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}
