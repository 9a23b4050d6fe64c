import { fstatSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How long the last thing to do may take: nobody waits after a kill but a batch that is under way; the engine does 5 seconds. */
const afterKillMs = 60_000;
const afterInterruptMs = 5_000;

/**
 * A killed CLI leaves its provider running with its work (pulumi 3.259, seen): the provider's standard input is a pipe
 * from the CLI and ends with it. By its own will the engine interrupts it: in the end, or when it is told to end a second
 * time. Only in the engine's own dynamic-provider process: elsewhere stdin is somebody else's.
 */
export function endWithEngine(afterKill: () => Promise<void>, afterInterrupt: () => Promise<void>): void {
  if (!process.argv[1]?.includes("dynamic-provider") || !isPipe()) return;
  const endAfter = (last: () => Promise<void>, mostMs: number) => () =>
    void Promise.race([last(), sleep(mostMs)]).finally(() => process.exit(1));
  process.stdin.once("end", endAfter(afterKill, afterKillMs));
  process.stdin.once("error", endAfter(afterKill, afterKillMs));
  process.once("SIGINT", endAfter(afterInterrupt, afterInterruptMs));
  process.stdin.resume();
  // Otherwise the pipe alone would keep the process alive.
  (process.stdin as { unref?: () => void }).unref?.();
}

function isPipe(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
