import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import { until } from "./run";

/** Sends commands to a machine's QEMU over its monitor socket, in order, and resolves with the last answer. */
export async function monitor(
  socketFile: string,
  ...commands: { execute: string; arguments?: object }[]
): Promise<unknown> {
  const socket = createConnection(socketFile);
  // An answer that never comes must not hold the lab's lock for ever.
  socket.setTimeout(30_000, () => socket.destroy(new Error(`${socketFile}: no answer from QEMU`)));
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const failed = new Promise<never>((_, reject) => socket.once("error", reject));
    let answer: unknown;
    for (const command of [{ execute: "qmp_capabilities" }, ...commands]) {
      socket.write(`${JSON.stringify(command)}\n`);
      answer = await Promise.race([answerOf(lines, command.execute), failed]);
    }
    return answer;
  } finally {
    socket.destroy();
  }
}

/** Events and the greeting come between the answers. */
async function answerOf(lines: AsyncIterator<string>, command: string): Promise<unknown> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`QEMU ended during ${command}`);
    const message = JSON.parse(value) as { return?: unknown; error?: { desc: string } };
    if (message.error) throw new Error(`QEMU refused ${command}: ${message.error.desc}`);
    if ("return" in message) return message.return;
  }
}

/** Stops a machine and writes its memory and devices to a file; its disk is consistent with it from then on. */
export async function saveMemory(socketFile: string, file: string): Promise<void> {
  await monitor(
    socketFile,
    { execute: "stop" },
    { execute: "migrate-set-parameters", arguments: { "max-bandwidth": 1 << 30 } },
    { execute: "migrate", arguments: { uri: `exec:cat >'${file}'` } },
  );
  const finished = async () => {
    const { status, ...rest } = (await monitor(socketFile, { execute: "query-migrate" })) as { status?: string };
    if (status === "failed" || status === "cancelled")
      throw new Error(`QEMU: saving ${status}: ${JSON.stringify(rest)}`);
    return status === "completed" || undefined;
  };
  await until(finished, 120_000, () => `${file}: saving the machine's memory takes too long`);
}

/** Waits until a machine has its memory back, then lets it run: it was saved stopped, and stopped it comes back. */
export async function continueRestored(socketFile: string): Promise<void> {
  const loaded = async () => {
    const { status } = (await monitor(socketFile, { execute: "query-status" })) as { status: string };
    return status !== "inmigrate" || undefined;
  };
  await until(loaded, 60_000, () => `${socketFile}: restoring the machine's memory takes too long`, 50);
  await monitor(socketFile, { execute: "cont" });
}
