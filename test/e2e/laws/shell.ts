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
  // What several ask is asked once: looks come before changes.
  const once = [...new Set(commands)];
  const lines = once.map((command) => `(\n${command}\n) </dev/null 2>&1\necho "@@@ $?"`);
  const output = await mustOnHost(host, "bash -s", { stdin: `${lines.join("\n")}\n`, timeoutMs: 300_000 });
  const said = [...output.matchAll(/([\s\S]*?)@@@ (\d+)\n/g)];
  return commands.map((command) => {
    const [, text = "", exitCode = "255"] = said[once.indexOf(command)] ?? [];
    return { text, exitCode: Number(exitCode) };
  });
}
