import type { Command, Result, Step } from "../model/command";

/** How far a merged command came when it failed. */
export type Blame =
  /** The steps before `ran` are done. With `culprit` the one at `ran` failed; without, nobody did. */
  | { ran: number; culprit: boolean }
  /** The cause is none of the steps: all of them have failed, or ran once for all. */
  | "all"
  /** Nothing tells whose step it was, and running them again does no harm: each once more, alone. */
  | "apart";

/** What may be merged of one program's steps, and how. */
export interface Program {
  /** What two steps must have in common to stand in one command (beside the namespace); undefined: goes alone. */
  bucket(step: Step): string | undefined;
  /** A fresh judge, asked in order, of whether one more step may join those that it let in before. */
  judge(): (step: Step) => boolean;
  /** One command of several steps. */
  join(steps: Step[]): Command;
  /** Whose fault it was that a command of several steps failed. */
  blame(result: Result, count: number): Blame;
  /** Waits until nothing else can run, so that it runs seldom. */
  late?: boolean;
  /** A host without it needs no such step. */
  optional?: boolean;
}

/** `ip` reads a batch with a tokenizer of its own: quotes, `#` and backslashes mean something there. */
const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;
const argvLimit = 100_000;

/**
 * A line of the batch that says, on stdout, that the steps before it are done. Needed because `ip` leaves a batch
 * without a line number when it cannot parse an argument, and then nobody could tell what had run.
 * Costs 20 to 40 µs a line (measured). `lo` is in every namespace; were it renamed, the marker itself would fail, which is
 * progress without a culprit.
 */
const marker = "link show dev lo";
const marked = /^lo[ @]/gm;

/** Failures of `ip` before it has read a line. */
const noNamespace = /^(Cannot open network namespace|setting the network namespace|Option "?-|mount of \/sys failed)/m;

const ip: Program = {
  bucket({ argv, stdin }) {
    const flags = ipFlags(argv);
    const words = argv.slice(1 + flags.length);
    if (stdin !== undefined || words.length === 0 || !words.every((word) => plainWord.test(word))) return undefined;
    if (words[0]?.startsWith("-") || (words[0] === "netns" && words[1] !== "add" && words[1] !== "del"))
      return undefined;
    // Before iproute2 4.20 `netns add` left the rest of the batch in the new namespace: not together with others.
    return [...flags, words[0] === "netns" ? "netns" : ""].join(" ");
  },
  // ip keeps a name's index for the whole batch and does not notice that a device went away with its peer or parent:
  // made again under the same name it is `Device not found` (seen with veth). So nothing is made after a deletion.
  judge() {
    let deleted = false;
    return ({ argv }) => {
      const [object = "", verb = "", ...rest] = argv.slice(1 + ipFlags(argv).length);
      if (!["link", "tuntap", "tunnel", "netns", "l2tp"].includes(object)) return true;
      if (/^d/.test(verb)) deleted = true;
      const makes = /^[ar]/.test(verb) || (/^s/.test(verb) && rest.includes("name"));
      return !(deleted && makes);
    };
  },
  join(steps) {
    const [first] = steps as [Step];
    const lines = steps.map(({ argv }) => argv.slice(1 + ipFlags(argv).length).join(" "));
    const argv = ["ip", ...ipFlags(first.argv), "-br", "-batch", "-"];
    return { argv, stdin: `${lines.join(`\n${marker}\n`)}\n`, namespace: first.namespace };
  },
  blame({ exitCode, stdout, stderr }, count) {
    const line = /^Command failed [^\n]*:(\d+)$/m.exec(stderr)?.[1];
    if (line) {
      // Odd lines are steps, even ones are markers.
      const at = Number(line);
      return { ran: Math.floor(at / 2), culprit: at % 2 === 1 };
    }
    if (noNamespace.test(stderr) || notStarted(exitCode)) return "all";
    return { ran: Math.min((stdout.match(marked) ?? []).length, count - 1), culprit: true };
  },
};

/** `sysctl` goes on after a key that fails, and to set a key twice does no harm. */
const sysctl: Program = {
  bucket: ({ argv, stdin }) => (argv[1] === "-qw" && argv.length > 2 && stdin === undefined ? "" : undefined),
  judge: argvJudge,
  join: (steps) => ({
    argv: ["sysctl", "-qw", ...steps.flatMap(({ argv }) => argv.slice(2))],
    namespace: steps[0]?.namespace,
  }),
  blame: ({ exitCode }) => (notStarted(exitCode) ? "all" : "apart"),
};

/** One transaction: all of it or, when it fails, nothing. */
const ovsVsctl: Program = {
  bucket({ argv, stdin }) {
    const head = argv.indexOf("--");
    const options = argv.slice(1, head);
    const alone = head < 1 || head === argv.length - 1 || stdin !== undefined || argv.includes("wait-until");
    return alone || !options.every((option) => option.startsWith("-")) ? undefined : options.join(" ");
  },
  judge() {
    const fits = argvJudge();
    const ids = new Set<string>();
    return (step) => {
      // Two `--id=@qos` in one transaction would be one row.
      const own = new Set(step.argv.filter((word) => word.startsWith("--id=@")));
      if ([...own].some((id) => ids.has(id)) || !fits(step)) return false;
      for (const id of own) ids.add(id);
      return true;
    };
  },
  join(steps) {
    const [first] = steps as [Step];
    const head = first.argv.slice(0, first.argv.indexOf("--"));
    const argv = [...head, ...steps.flatMap((step) => step.argv.slice(step.argv.indexOf("--")))];
    return { argv, namespace: first.namespace };
  },
  // With the database or ovs-vswitchd gone each would wait out its --timeout, one after the other.
  blame: ({ exitCode, stderr }) =>
    notStarted(exitCode) || /database connection failed|Alarm clock|timed? ?out/i.test(stderr) ? "all" : "apart",
};

/** A command that says the same to the host whoever asks: those who ask together share one. */
const shared: Program = {
  bucket: ({ argv, stdin }) => JSON.stringify([argv, stdin]),
  judge: () => () => true,
  join: (steps) => steps[0] as Step,
  blame: () => "all",
};

/** By name; what is not here runs alone. */
export const programs: Record<string, Program> = {
  ip,
  sysctl,
  "ovs-vsctl": ovsVsctl,
  udevadm: { ...shared, late: true, optional: true },
  modprobe: shared,
  // The other words of systemctl are about one unit each.
  systemctl: { ...shared, bucket: ({ argv }) => (argv[1] === "daemon-reload" ? "" : undefined) },
  mkdir: shared,
};

function ipFlags(argv: string[]): string[] {
  return argv[1] === "-4" || argv[1] === "-6" ? [argv[1]] : [];
}

/** 126, 127: no such program. Above 128: ended by a signal; but 255 is what `ip` and `sysctl` say by themselves. */
function notStarted(exitCode: number): boolean {
  return exitCode === 126 || exitCode === 127 || (exitCode > 128 && exitCode < 255);
}

function argvJudge(): (step: Step) => boolean {
  let size = 0;
  return ({ argv }) => {
    const before = size;
    size += argv.reduce((sum, word) => sum + word.length + 1, 0);
    return before === 0 || size <= argvLimit;
  };
}
