import { mustOnHost } from "../helpers/lab";

export interface Said {
  exitCode: number;
  /** Standard output and error. */
  text: string;
}

/**
 * Runs root shell commands on the host, in one round trip, each whatever the one before returned. On an emulated machine
 * a process costs more than what it does: what several ask is asked once, and of Open vSwitch all in one process.
 */
export async function all(host: string, commands: string[]): Promise<Said[]> {
  const once = [...new Set(commands)];
  const joined = once.filter((command) => joinable.test(command));
  const others = joined.length > 1 ? once.filter((command) => !joined.includes(command)) : once;
  const said = new Map<string, Said>();
  const keep = (asked: string[], answers: Said[]) => {
    asked.forEach((command, index) => {
      said.set(command, answers[index] as Said);
    });
  };
  if (others === once) {
    keep(once, await each(host, once));
  } else {
    const [together, ...rest] = await each(host, [join(joined), ...others]);
    keep(others, rest);
    // One transaction: when one of them failed, none has done anything.
    keep(joined, apart(together as Said, joined.length) ?? (await each(host, joined)));
  }
  return commands.map((command) => said.get(command) as Said);
}

async function each(host: string, commands: string[]): Promise<Said[]> {
  if (commands.length === 0) return [];
  const lines = commands.map((command) => `(\n${command}\n) </dev/null 2>&1\necho "@@@ $?"`);
  const output = await mustOnHost(host, lines.join("\n"), { timeoutMs: 300_000 });
  const said = [...output.matchAll(/([\s\S]*?)@@@ (\d+)\n/g)];
  return commands.map((_, index) => {
    const [, text = "", exitCode = "255"] = said[index] ?? [];
    return { text, exitCode: Number(exitCode) };
  });
}

/** One ovs-vsctl of a few words that only reads or only sets, without anything for the shell to do. */
const joinable = /^ovs-vsctl ((--if-exists )?get|set|remove|clear|get-controller|list-ifaces) [^;|&$()<>`]+$/;

const join = (commands: string[]) =>
  `ovs-vsctl --oneline ${commands.map((command) => `-- ${command.replace("ovs-vsctl ", "")}`).join(" ")}`;

/** What each said, a line each; undefined when not all of them succeeded. */
function apart({ exitCode, text }: Said, count: number): Said[] | undefined {
  const lines = text.split("\n").slice(0, -1);
  if (exitCode !== 0 || lines.length !== count) return undefined;
  const plain = (line: string) => line.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
  return lines.map((line) => ({ exitCode: 0, text: `${plain(line)}\n` }));
}
