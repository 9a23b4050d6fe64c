import { posix } from "node:path";
import type { Command } from "../model/command";
import { show } from "../model/command";
import { HostnetError } from "../model/errors";

/**
 * What the lock is held on. A folder that is always there: a lock file of ours would stay behind after `destroy`,
 * and removing one is a race. Each machine has its own /run, also those that are mount namespaces of one.
 */
export const lockPath = "/run";

/** Exit status by which `flock` says that somebody else kept the lock. Any other failure means: not this `flock`. */
const lockTaken = 75;

/** Words of the shell itself that would outlive their command, or take their argument for shell text. */
const shellWords = new Set(
  (
    ". alias bg break builtin cd command continue declare enable eval exec exit export fg getopts hash jobs let local " +
    "logout popd pushd read readonly return set shift shopt source suspend times trap typeset ulimit umask unalias " +
    "unset wait _mark"
  ).split(" "),
);

/** Programs of iproute2 that enter a namespace themselves: one process less than `ip netns exec`. */
const entersNamespace = new Set(["ip", "bridge", "tc"]);

/**
 * Programs that always ask and tell the kernel by sockets and /proc/sys. They need nothing else that `ip netns exec` makes for
 * what it runs, a /sys and the files of /etc/netns: without it each takes 4 to 6 ms less (of 10 to 15, measured).
 */
const needsSocketsOnly = new Set(["ethtool", "nft", "sysctl"]);

/**
 * The one place where a string becomes shell text: exactly one word of it, whatever is in it.
 * NUL cannot be in an argument, and half a surrogate pair has no UTF-8: both are refused.
 */
export function quote(word: string): string {
  if (word.includes("\0") || /\p{Surrogate}/u.test(word)) {
    throw new HostnetError("INVALID", `${JSON.stringify(word)} cannot be given to a program: it is not text`, {
      nothingRan: true,
    });
  }
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** What runs, after the namespace has been taken in. */
export function argvOf(command: Command): string[] {
  const { argv, namespace, socketsOnly } = command;
  const program = argv[0];
  if (!program || shellWords.has(program)) {
    throw new HostnetError("INVALID", `${JSON.stringify(program ?? "")} is not a program`, {
      step: show(command),
      nothingRan: true,
    });
  }
  if (!namespace) return argv;
  const name = posix.basename(program);
  if (entersNamespace.has(name)) return [program, "-n", namespace, ...argv.slice(1)];
  const enter =
    socketsOnly || needsSocketsOnly.has(name)
      ? ["nsenter", `--net=/run/netns/${namespace}`]
      : ["ip", "netns", "exec", namespace];
  return [...enter, ...argv];
}

/**
 * One command as a line of shell. What it reads comes through a pipe from the built-in `printf`, byte by byte what was
 * given: a heredoc would add a newline, and in bash needs a writable /tmp when it is long.
 */
export function renderCommand(command: Command, locked = false): string {
  // Without 9>&- a daemon that the command leaves behind would hold the machine's lock for good.
  const line = argvOf(command).map(quote).join(" ") + (locked ? " 9>&-" : "") + (command.mayFail ? " || :" : "");
  return command.stdin === undefined ? line : `printf %s ${quote(command.stdin)} 2>&- | ${line}`;
}

export interface BatchOptions {
  /** 128 random bits in hex, fresh for each batch: output cannot contain it by chance or by intent. */
  nonce: string;
  /** For how many seconds to wait for the machine's lock, which is held while the batch runs. */
  lockSeconds?: number;
  /**
   * So many of the parts, the first ones, write: none of them runs after one that failed, and they run to their end also
   * when nobody is there any more to hear of it. The others run whatever came before. Default: 0.
   */
  writes?: number;
  /** The parts run at once, and what they print on stderr comes with what they print on stdout. */
  together?: boolean;
}

/**
 * A batch as one text for the standard input of a POSIX shell that stays open. After each part both streams get
 * `\n<nonce> <number> <exit status>\n`: number 0 before the first command, `L` when the lock was not had, `E` at the end.
 * - Inside `( eval … )` a syntax error ends the batch; at top level it would end dash, bash and busybox for good.
 * - `</dev/null`: a program that reads its standard input would otherwise eat the rest of what we send.
 * - `printf` is built in, so a mark costs no process, and does not depend on a newline before it.
 * - Writes ignore SIGHUP and SIGPIPE: else the first word that `ip -batch` prints after our end of the connection died
 *   ends it, and leaves a device that is made and not yet marked, thus nobody's.
 */
export function renderBatch(parts: readonly string[], options: BatchOptions): string {
  const { nonce, lockSeconds, writes = 0, together = false } = options;
  const render = (part: string, index: number) =>
    index < writes
      ? `[ "$_failed" ] || {\n${part}\n}\n_mark ${index + 1}\n[ "$_r" = 0 ] || _failed=1\n`
      : `${part}\n_mark ${index + 1}\n`;
  const rendered = parts.map(render);
  const writing = rendered.splice(0, writes).join("");
  const toTheEnd = writing && `_failed=\ntrap '' HUP PIPE\n${writing}trap - HUP PIPE\n`;
  const script = together ? atOnce(parts) : toTheEnd + rendered.join("");
  const locked = lockSeconds !== undefined;
  const lock = locked
    ? `flock -w ${lockSeconds} -E ${lockTaken} 9 2>/dev/null\n` +
      `case $? in ${lockTaken}) _mark L; exit ${lockTaken};; esac\n`
    : "";
  return (
    `_n=${nonce}\n` +
    `_mark() { _r=$?; printf '\\n%s %s %s\\n' "$_n" "$1" "$_r"; printf '\\n%s %s %s\\n' "$_n" "$1" "$_r" >&2; }\n` +
    `(\n_mark 0\n${lock}eval ${quote(script)}\n) </dev/null${locked ? ` 9<${lockPath}` : ""}\n_mark E\n`
  );
}

/**
 * All parts at once, and what they print one after the other. Each runs at the head of a pipe whose other end first lets
 * through all that comes of those before it. So nothing is kept in a file that a broken connection would leave behind.
 */
function atOnce(parts: readonly string[]): string {
  const one = (part: string, index: number) => `{ {\n${part}\n} 2>&1\n_mark ${index + 1}\n}`;
  return parts.reduce(
    (before, part, index) =>
      index === 0 ? one(part, 0) : `${before} | { ${one(part, index)} </dev/null 3<&- | { cat <&3; cat; }; } 3<&0`,
    "",
  );
}
