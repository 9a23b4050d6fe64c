import { mustOnHost } from "../helpers/lab";

export interface Said {
  exitCode: number;
  /** Standard output and error. */
  text: string;
}

/**
 * Runs root shell commands on the host, one after the other whatever the one before returned, in one round trip: on an
 * emulated machine a login costs more than the commands.
 */
export async function all(host: string, commands: string[]): Promise<Said[]> {
  if (commands.length === 0) return [];
  const lines = commands.map((command) => `(\n${command}\n) </dev/null 2>&1\necho "@@@ $?"`);
  const output = await mustOnHost(host, "bash -s", { stdin: `${lines.join("\n")}\n`, timeoutMs: 300_000 });
  const said = [...output.matchAll(/([\s\S]*?)@@@ (\d+)\n/g)];
  return commands.map((_, index) => ({
    text: said[index]?.[1] ?? "",
    exitCode: Number(said[index]?.[2] ?? 255),
  }));
}
