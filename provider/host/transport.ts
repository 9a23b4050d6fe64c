import type { Readable, Writable } from "node:stream";
import type { HostnetError } from "../model/errors";
import type { Target } from "./target";

/** How a channel ended. */
export interface ChannelEnd {
  exitCode?: number;
  cause?: unknown;
}

/** A running command with its three streams, on whichever side of whichever wire. */
export interface Channel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles once, and always fulfils. */
  readonly closed: Promise<ChannelEnd>;
  /** Ends it without asking. What it runs on a remote host may go on there. */
  kill(): void;
}

/** The host does not give one more channel (MaxSessions). Nothing has run. */
export class ChannelRefused extends Error {}

/**
 * A way to a machine that has been dialled. It does not keep the process alive: whoever waits for something does, by
 * the timer of the deadline that every wait has.
 */
export interface Connection {
  /** SHA256:… of the key that the host proved, where the transport tells. */
  readonly hostKeyFingerprint?: string;
  /** True where `open` is what dials, so that a channel's first answer takes as long as dialling does. */
  readonly dialsOnOpen?: boolean;
  /** Starts a command line in the user's login shell. Rejects with ChannelRefused or HostnetError, within the time. */
  open(commandLine: string, timeoutMs: number): Promise<Channel>;
  /** What the end of a channel means that never answered, where the transport can read it from stderr. */
  explain?(stderr: string, end: ChannelEnd): HostnetError | undefined;
  /** Called when the first shell answers: what was needed only to log in may go. */
  loggedIn?(): void;
  /** Settles once, and always fulfils: with the cause where there is one. */
  readonly closed: Promise<unknown>;
  /** Ends it politely within a second. */
  close(): Promise<void>;
}

export interface Transport {
  /** Dials once. Rejects with HostnetError before `deadline` (as performance.now() counts). */
  connect(target: Target, deadline: number): Promise<Connection>;
}

/**
 * The command line that every login shell is given: constant, and valid in bash, dash, csh and fish (no newline, no
 * backslash in single quotes but before n, no `!`). It leaves the user's environment behind, tells who we are and where
 * the connection comes from (sudo forgets that), and becomes a root shell that reads standard input.
 */
export function bootstrap(become: Target["become"]): string {
  const root = become === "sudo" ? 'case "$u" in 0) exec /bin/sh;; *) exec sudo -n -- /bin/sh;; esac' : "exec /bin/sh";
  const script =
    "while read -r k r u x; do case $k in Uid:) break;; esac; done </proc/self/status; " +
    `printf "\\n%s %s %s\\n" ${hello} "$u" "$SSH_CONNECTION"; ${root}`;
  return `exec env -i SSH_CONNECTION="$SSH_CONNECTION" PATH=${path} LC_ALL=C HOME=/ /bin/sh -c '${script}'`;
}

/** Begins the line by which the bootstrap tells user id and connection. */
export const hello = "hostnet-shell";

/** A user without root's PATH has no sbin in it; an rc file may have put anything before it. */
export const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
