import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { toolPath } from "./packages";

/**
 * Runs `work` while no other process does the same with this lock file. The lock is the kernel's (flock of util-linux,
 * held by a child that ends with us), so that no crash leaves it behind.
 */
export async function withLock<T>(file: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const { execa } = await import("execa");
  const child = execa("flock", [file, "sh", "-c", "echo locked; exec cat"], {
    env: { PATH: toolPath },
    stdin: "pipe",
    stdout: "pipe",
    reject: false,
    buffer: false,
    // Ctrl-C must not free the lock before the work is over.
    detached: true,
    cleanup: true,
  });
  try {
    const locked = new Promise<"locked" | "ended">((resolve) => {
      child.stdout.once("data", () => resolve("locked"));
      child.once("exit", () => resolve("ended"));
    });
    const patience = setTimeout(waiting, 1000);
    const state = await locked;
    clearTimeout(patience);
    if (state === "ended") throw new Error(`Cannot lock ${file}: ${(await child).shortMessage}`);
    return await work();
  } finally {
    child.stdin.end();
    await child;
  }
}
