import { HostnetError } from "../model/errors";
import { localTransport } from "./local";
import { opensshTransport } from "./openssh";
import { type LiveSession, openSession, type SessionOptions } from "./session";
import { ssh2Transport } from "./ssh2";
import type { Target } from "./target";
import { targetKey } from "./target-key";
import type { Transport } from "./transport";
import type { Counters, Session } from "./types";
import { forAnotherKey } from "./unfit-key";

/** What tests replace. */
export interface PoolOptions extends SessionOptions {
  transports?: Partial<Record<Target["transport"], Transport>>;
  idleMs?: number;
  /** Dialling costs 6 ms of our own CPU, and a host gives an unknown client little time: not all hosts at once. */
  maxDials?: number;
}

interface Entry {
  session?: Promise<LiveSession>;
  live?: LiveSession;
  /** A login that was refused. It is not tried again: hosts punish whoever does (PerSourcePenalties). */
  refused?: HostnetError;
  counters: Counters;
  idle?: NodeJS.Timeout;
}

/** The sessions of this process: one for each target, dialled once however many ask for it at the same time. */
export class Pool {
  private readonly entries = new Map<string, Entry>();
  private readonly transports: Record<Target["transport"], Transport>;
  private readonly waiting: (() => void)[] = [];
  private dials = 0;

  constructor(private readonly options: PoolOptions = {}) {
    this.transports = {
      ssh2: ssh2Transport(),
      openssh: opensshTransport(),
      local: localTransport(),
      ...options.transports,
    };
  }

  /** Throws HostnetError, at the latest after the target's connectTimeoutMs and the time that its shell has to answer. */
  async acquire(target: Target): Promise<Session> {
    const entry = this.entryOf(target);
    if (entry.refused) throw entry.refused;
    if (entry.live && !entry.live.alive) this.forget(entry);
    entry.session ??= this.dial(target, entry);
    try {
      return await entry.session;
    } catch (error) {
      const known =
        error instanceof HostnetError ? error : new HostnetError("UNREACHABLE", String(error), { cause: error });
      throw known.at({ host: target.name });
    }
  }

  async closeAll(): Promise<void> {
    const entries = [...this.entries.values()];
    this.entries.clear();
    await Promise.all(
      entries.map(async (entry) => {
        clearTimeout(entry.idle);
        const session = await entry.session?.catch(() => undefined);
        await session?.close();
      }),
    );
  }

  private entryOf(target: Target): Entry {
    const key = targetKey(target);
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { counters: { connections: 0, channels: 0, roundTrips: 0, commands: 0 } };
      this.entries.set(key, entry);
    }
    return entry;
  }

  private async dial(target: Target, entry: Entry): Promise<LiveSession> {
    await this.slot();
    try {
      const session = await this.persist(target, entry);
      entry.live = session;
      this.watch(entry, session);
      void session.ended.then(() => entry.live === session && this.forget(entry));
      return session;
    } catch (error) {
      entry.session = undefined;
      if (error instanceof HostnetError && error.code === "AUTH") entry.refused = error;
      throw error;
    } finally {
      this.dials--;
      this.waiting.shift()?.();
    }
  }

  /** Dials again as long as nothing can have run: with growing pauses of random length, within connectTimeoutMs. */
  private async persist(asked: Target, entry: Entry): Promise<LiveSession> {
    let [target, unfit]: [Target, unknown?] = [asked];
    const deadline = performance.now() + asked.connectTimeoutMs;
    let secondTry = true;
    for (let pause = 250; ; pause = Math.min(pause * 2, 10_000)) {
      try {
        const connection = await this.transports[target.transport].connect(target, deadline);
        entry.counters.connections++;
        return await openSession(target, connection, entry.counters, this.options);
      } catch (error) {
        const another = forAnotherKey(target, error);
        if (another) {
          [target, unfit] = [another, unfit ?? error];
          continue;
        }
        // It has no key of another type.
        if (unfit && codeOf(error) === "UNREACHABLE" && !worthAnotherTry(error)) throw unfit;
        const wait = Math.random() * pause;
        // The connection broke after the login, before anything but the probe ran.
        const lost = codeOf(error) === "CONNECTION_LOST" && secondTry;
        if (lost) secondTry = false;
        if ((!lost && !worthAnotherTry(error)) || performance.now() + wait >= deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  private async slot(): Promise<void> {
    if (this.dials >= (this.options.maxDials ?? 64)) await new Promise<void>((go) => this.waiting.push(go));
    this.dials++;
  }

  private forget(entry: Entry): void {
    clearTimeout(entry.idle);
    entry.session = undefined;
    entry.live = undefined;
  }

  /** Closes the session once it has been idle for long. */
  private watch(entry: Entry, session: LiveSession): void {
    const limit = this.options.idleMs ?? 60_000;
    const look = () => {
      if (entry.live !== session) return;
      const idle = session.idleSince === undefined ? 0 : performance.now() - session.idleSince;
      if (idle >= limit) {
        void session.close();
        this.forget(entry);
      } else {
        entry.idle = setTimeout(look, limit - idle).unref();
      }
    };
    look();
  }
}

/** Failures before the host has seen anything of us but a handshake. */
const transient = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "EPIPE",
]);

const codeOf = (error: unknown) => (error instanceof HostnetError ? error.code : undefined);

function worthAnotherTry(error: unknown): boolean {
  if (!(error instanceof HostnetError) || error.code !== "UNREACHABLE") return false;
  const cause = error.details.cause as (NodeJS.ErrnoException & AggregateError) | undefined;
  return transient.has(cause?.code ?? cause?.errors?.[0]?.code ?? "");
}

// Each dynamic provider is a closure of its own, and the package may be loaded more than once: the process has one pool.
const anchor = Symbol.for("pulumi-hostnet.pool");
const shared = globalThis as { [anchor]?: Pool };

function pool(): Pool {
  shared[anchor] ??= new Pool();
  return shared[anchor];
}

/** The session for a target: the one that is open, or a new one. */
export function acquire(target: Target): Promise<Session> {
  return pool().acquire(target);
}

/** Ends all sessions of this process. */
export function closeAll(): Promise<void> {
  return pool().closeAll();
}
