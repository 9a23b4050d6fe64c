import { fstatSync } from "node:fs";

/**
 * A killed CLI leaves its provider running with its work (pulumi 3.259, seen): the provider's standard input is a pipe
 * from the CLI and ends with it. Only in the engine's own dynamic-provider process: elsewhere stdin is somebody else's.
 */
export function endWithEngine(): void {
  if (!process.argv[1]?.includes("dynamic-provider") || !isPipe()) return;
  process.stdin.on("end", () => process.exit(1));
  process.stdin.on("error", () => process.exit(1));
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
