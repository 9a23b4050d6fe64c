import { setImmediate as nextTurn } from "node:timers/promises";
import { type Command, type Result, show } from "../model/command";
import { HostnetError } from "../model/errors";
import { parseFacts, preparation, probe } from "./facts";
import { renderCommand } from "./render";
import { Shell } from "./shell";
import { SlowShell } from "./slow-shell";
import type { Target } from "./target";
import { bootstrap, ChannelRefused, type Connection } from "./transport";
import type { Counters, HostFacts, RunOptions, Session } from "./types";

const openMs = 10_000;
/** An rc file that starts a dozen programs takes 12 s on a machine that is very busy (seen). */
const startMs = 30_000;

/** Limits that tests make smaller. */
export interface SessionOptions {
  openMs?: number;
  startMs?: number;
}

/** A session that tells when it is of no more use. */
export interface LiveSession extends Session {
  /** Settles when the session cannot be used any more. */
  readonly ended: Promise<void>;
  readonly alive: boolean;
  /** Since when nothing runs on it (as performance.now() counts); undefined while something does. */
  readonly idleSince?: number;
}

/** A root shell on a machine that has been dialled, and what it tells of the machine. Closes the connection on failure. */
export async function openSession(
  target: Target,
  connection: Connection,
  counters: Counters,
  options: SessionOptions = {},
): Promise<LiveSession> {
  try {
    const { shell, results } = await openShell(target, connection, counters, options);
    const { facts, canLock } = parseFacts(results[0]?.stdout ?? "", shell.noise.stdout);
    if (connection.hostKeyFingerprint) facts.hostKeyFingerprint = connection.hostKeyFingerprint;
    return new ShellSession(target, connection, counters, options, shell, facts, canLock);
  } catch (error) {
    void connection.close();
    throw error;
  }
}

/** Opens a channel with a shell on it, and makes it answer the probe. */
async function openShell(target: Target, connection: Connection, counters: Counters, options: SessionOptions) {
  const wait = (options.startMs ?? startMs) + (connection.dialsOnOpen ? target.connectTimeoutMs : 0);
  const channel = await connection.open(bootstrap(target.become), options.openMs ?? openMs);
  counters.channels++;
  counters.roundTrips++;
  const shell = new Shell(channel);
  try {
    // Not in the subshell of a batch: it has to last. It stands in the first write all the same.
    channel.stdin.write(preparation);
    const results = await shell.run({ parts: [probe], timeoutMs: wait + target.commandTimeoutMs, startMs: wait });
    connection.loggedIn?.();
    return { shell, results };
  } catch (error) {
    throw shell.started ? error : await neverStarted(shell, connection, target, error);
  }
}

/** Why a shell never answered. */
async function neverStarted(shell: Shell, connection: Connection, target: Target, cause: unknown): Promise<unknown> {
  const { stdout, stderr } = shell.noise;
  const explained = connection.explain?.(stderr, shell.end ?? {});
  if (explained) return explained;
  // A shell that ends by itself says how, and leaves the connection open.
  const isOver = await Promise.race([connection.closed.then(() => true), nextTurn(false)]);
  if (isOver && shell.end && shell.end.exitCode === undefined) return cause;
  const complaint =
    /^(?:sudo: (?!unable to resolve).*|.*\bsudo: (?:command )?not found.*|.*not in the sudoers file.*)$/m;
  const refused = target.become === "sudo" ? complaint.exec(stderr)?.[0] : undefined;
  if (refused) {
    const line = /must have a tty/.test(refused)
      ? `Defaults:${target.user} !requiretty`
      : `${target.user} ALL=(root) NOPASSWD: ALL`;
    const remedy = /not found/.test(refused)
      ? "Install sudo on the host, or log in as root."
      : `Give the user "${target.user}" the right in /etc/sudoers.d: ${line}`;
    return new HostnetError("BECOME", printable(refused), { remedy, cause });
  }
  const seen = printable(`${stdout}${stderr}`.trim());
  const what = shell.end ? `ended${endText(shell.end.exitCode)} before it answered` : "does not answer";
  return new HostnetError("SHELL", `the shell ${what}${seen ? `; it printed: ${seen}` : ""}`, { cause });
}

function endText(exitCode: number | undefined): string {
  return exitCode === undefined ? "" : ` with status ${exitCode}`;
}

/** The first 200 characters, without what could play tricks on a terminal. */
function printable(text: string): string {
  return text
    .slice(0, 200)
    .replace(/[^\x21-\x7e]+/g, " ")
    .trim();
}

/** The commands that were not run after a failed one say so. */
function withSkipped(results: Result[], before: number): Result[] {
  const failed = results.slice(0, before).findIndex(({ exitCode }) => exitCode !== 0);
  if (failed < 0) return results;
  const skipped = { exitCode: -1, stdout: "", stderr: "" };
  return results.map((result, index) => (index > failed && index < before ? skipped : result));
}

class ShellSession implements LiveSession {
  readonly ended: Promise<void>;
  private readonly slow: SlowShell;
  private inFlight = 0;
  private lastUsed = performance.now();
  private closing?: Promise<void>;

  constructor(
    private readonly target: Target,
    private readonly connection: Connection,
    readonly counters: Counters,
    private readonly options: SessionOptions,
    private readonly main: Shell,
    readonly facts: HostFacts,
    private readonly canLock: boolean,
  ) {
    this.slow = new SlowShell(() => this.secondShell(), counters);
    this.ended = connection.closed.then(() => {});
  }

  get alive(): boolean {
    return !this.main.dead && !this.closing;
  }

  get idleSince(): number | undefined {
    return this.inFlight > 0 ? undefined : this.lastUsed;
  }

  async run(commands: Command[], options: RunOptions = {}): Promise<Result[]> {
    if (commands.length === 0) return [];
    const locked = options.lock === true && this.canLock;
    const timeoutMs = options.timeoutMs ?? this.target.commandTimeoutMs + 50 * commands.length;
    this.inFlight++;
    try {
      const parts = commands.map((command) => renderCommand(command, locked));
      const name = (index: number) => (commands[index] ? show(commands[index]) : "");
      this.counters.commands += commands.length;
      if (options.slow) return await this.slow.run({ parts, timeoutMs, show: name });
      this.counters.roundTrips++;
      const lockSeconds = locked ? Math.max(1, this.target.commandTimeoutMs / 1000) : undefined;
      const { writes } = options;
      const results = await this.main.run({ parts, timeoutMs, lockSeconds, writes, show: name });
      return withSkipped(results, writes ?? 0);
    } catch (error) {
      throw error instanceof HostnetError ? error.at({ host: this.target.name }) : error;
    } finally {
      this.lastUsed = performance.now();
      this.inFlight--;
      if (this.main.dead) void this.close();
    }
  }

  /** The first one where the host gives only one (MaxSessions 1). */
  private async secondShell(): Promise<Shell> {
    try {
      return (await openShell(this.target, this.connection, this.counters, this.options)).shell;
    } catch (error) {
      if (error instanceof ChannelRefused) return this.main;
      throw error;
    }
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.main.close();
    this.slow.close();
    await this.connection.close();
  }
}
