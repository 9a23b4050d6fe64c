import type { Step } from "../model/command";
import { notStarted, type Program } from "./program";

/** `ip` reads a batch with a tokenizer of its own: quotes, `#` and backslashes mean something there. */
const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;

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

/** `ip`: all lines of one namespace and address family in one batch. */
export const ipBatch: Program = {
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

function ipFlags(argv: string[]): string[] {
  return argv[1] === "-4" || argv[1] === "-6" ? [argv[1]] : [];
}
