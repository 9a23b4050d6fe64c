import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { HostnetError } from "../model/errors";
import { type Channel, type ChannelEnd, ChannelRefused, type Connection } from "./transport";

const keepaliveMs = 15_000;
const keepaliveMisses = 3;
const refusedRetryMs = 3_000;

/** A connection of ssh2 that is logged in. */
export class Ssh2Connection implements Connection {
  readonly closed: Promise<unknown>;
  private finish: () => void = () => {};
  private opened = 0;
  private over = false;
  private cause: unknown;

  constructor(
    private readonly client: Client,
    private readonly stream: Duplex,
    readonly hostKeyFingerprint: string,
    /** The jump host's connection that carries this one. */
    via: Ssh2Connection | undefined,
    interval = keepaliveMs,
  ) {
    this.closed = new Promise((resolve) => {
      this.finish = () => {
        if (this.over) return;
        this.over = true;
        resolve(this.cause);
      };
    });
    client.on("error", (error) => {
      this.cause ??= error;
    });
    client.once("close", this.finish);
    via?.closed.then((cause) => this.kill(cause ?? new Error("the connection to the jump host is closed")));
    this.keepAlive(interval);
  }

  async open(commandLine: string, timeoutMs: number): Promise<Channel> {
    const deadline = performance.now() + timeoutMs;
    const patience = performance.now() + Math.min(timeoutMs / 2, refusedRetryMs);
    for (let pause = 5; ; pause = Math.min(50, pause * 2)) {
      try {
        const channel = await this.exec(commandLine, deadline);
        this.opened++;
        return channel;
      } catch (error) {
        // sshd gives a slot free only after it has waited for the child: later than our close. So the first channel
        // is asked for again; a further one is a comfort that MaxSessions 1 does not give.
        if (!(error instanceof ChannelRefused) || this.opened > 0) throw error;
        if (performance.now() > patience) throw new HostnetError("SHELL", error.message, { cause: error.cause });
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** A TCP connection from this host onwards. */
  forward(host: string, port: number, deadline: number): Promise<Duplex> {
    const what = `forwarding to ${host} port ${port}`;
    return this.within(deadline, "UNREACHABLE", what, (done) =>
      this.client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => {
        if (!error) return done(undefined, stream);
        const cause = atFarEnd(error);
        done(new HostnetError("UNREACHABLE", `${what} was refused (${error.message})`, { cause }));
      }),
    );
  }

  async close(): Promise<void> {
    if (this.over) return;
    this.client.end();
    const timer = setTimeout(() => this.kill(undefined), 1000);
    await this.closed;
    clearTimeout(timer);
  }

  private exec(commandLine: string, deadline: number): Promise<Channel> {
    return this.within(deadline, "TIMEOUT", "opening a channel", (done) =>
      this.client.exec(commandLine, (error, channel) => {
        if (!error) return done(undefined, this.wrap(channel));
        // Only an answer of the host has a reason.
        const { reason, message } = error as Error & { reason?: unknown };
        if (typeof reason === "number") {
          return done(new ChannelRefused(`the host opens no channel: ${message}`, { cause: error }));
        }
        const gone = this.over || /No response|closed channel/.test(message);
        const why = gone ? "the connection broke while a channel was opened" : `the host runs no command (${message})`;
        done(new HostnetError(gone ? "CONNECTION_LOST" : "SHELL", why, { cause: error }));
      }),
    );
  }

  /** Calls ssh2, which may throw at once (an ended client does) or never call back (a silent peer). */
  private within<T>(
    deadline: number,
    late: "TIMEOUT" | "UNREACHABLE",
    what: string,
    call: (done: (error: Error | undefined, value?: T) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | undefined, value?: T) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve(value as T);
      };
      const timer = setTimeout(
        () => done(new HostnetError(late, `${what} takes too long`)),
        Math.max(1, deadline - performance.now()),
      );
      try {
        call(done);
      } catch (cause) {
        done(new HostnetError("CONNECTION_LOST", `${what}: the connection is closed`, { cause }));
      }
    });
  }

  private wrap(channel: Duplex & { stderr: unknown; close(): void }): Channel {
    const closed = new Promise<ChannelEnd>((resolve) => {
      channel.once("close", (exitCode?: number | null) => resolve({ exitCode: exitCode ?? undefined }));
      // A channel with unread output does not tell when its connection dies.
      void this.closed.then((cause) => resolve({ cause }));
    });
    const stderr = channel.stderr as Channel["stderr"];
    return { stdin: channel, stdout: channel, stderr, closed, kill: () => channel.close() };
  }

  /**
   * ssh2 has no keepalive by default, and its own would keep an idle process alive: its timer cannot be unref'ed.
   * The question is a request that changes nothing and that every server answers: give up a forwarding we do not have.
   */
  private keepAlive(interval: number): void {
    let missed = 0;
    const timer = setInterval(() => {
      if (++missed > keepaliveMisses) return this.kill(new Error(`no answer to ${keepaliveMisses} keepalives`));
      try {
        this.client.unforwardIn("", 0, () => {
          missed = 0;
        });
      } catch {
        // It is being closed.
      }
    }, interval);
    timer.unref();
    void this.closed.then(() => clearInterval(timer));
  }

  /** Client.destroy() does nothing once the socket is half closed, and a peer that is gone confirms no end. */
  private kill(cause: unknown): void {
    this.cause ??= cause;
    this.stream.destroy();
    this.finish();
  }
}

/** SSH_OPEN_CONNECT_FAILED (RFC 4254): the jump host is willing, and the host behind it does not answer; it may boot. */
const connectFailed = 2;

/** The error with the code that a dial of our own would have had, where it is that of the host behind the jump host. */
function atFarEnd(error: Error & { reason?: unknown }): Error {
  if (error.reason !== connectFailed) return error;
  const code = /not known|No address/i.test(error.message) ? "ENOTFOUND" : "ECONNREFUSED";
  return Object.assign(error, { code });
}
