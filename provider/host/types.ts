import type { Command, Result, Section, Step } from "../model/command";
import type { Seen } from "./seen";

/** What one look at a machine, when the connection is made, tells of it. */
export interface HostFacts {
  /** /etc/machine-id, "" where there is none. */
  machineId: string;
  /** /sys/class/dmi/id/product_uuid where it can be read (it differs between clones of one disk image). */
  productUuid?: string;
  /** /proc/sys/kernel/random/boot_id. */
  bootId: string;
  hostname: string;
  /** `uname -r`. */
  kernel: string;
  /** Absolute paths of the programs of `knownTools` that are installed. */
  tools: Record<string, string>;
  /** Versions, as the programs print them, of those that have one of interest (ip, ovs-vsctl, nft, systemd). */
  versions: Record<string, string>;
  /** True when systemd is the init. */
  systemd: boolean;
  /** Both ends of our own connection, as sshd sees them; absent on the local transport. */
  sshConnection?: { clientAddress: string; clientPort: number; serverAddress: string; serverPort: number };
  /** SHA256:… of the key that the host proved; absent where the transport does not tell. */
  hostKeyFingerprint?: string;
}

/** Counters that the benchmark reads. */
export interface Counters {
  connections: number;
  channels: number;
  roundTrips: number;
  commands: number;
}

export interface RunOptions {
  timeoutMs?: number;
  lock?: boolean;
  slow?: boolean;
  writes?: number;
}

/** A root shell on a machine that stays open. */
export interface Session {
  readonly facts: HostFacts;
  readonly counters: Counters;
  /**
   * Runs the commands one after the other in one round trip, each whatever the one before returned.
   * `lock` holds the machine's hostnet lock meanwhile (writes). `slow` uses a shell of its own where one can be had;
   * there the commands of all who ask run at once, and the stderr of each comes with its stdout.
   * The first `writes` commands write: once one of them fails (exit status not 0), the later ones of them are skipped (exitCode
   * -1, no output), and once begun they go on to their end, also when the connection breaks. The others run always.
   * Throws HostnetError TIMEOUT or CONNECTION_LOST: then nothing is known about what ran.
   */
  run(commands: Command[], options?: RunOptions): Promise<Result[]>;
  close(): Promise<void>;
}

/** What went wrong with one of the steps given to `Machine.write`; the steps after it were not run. */
export interface StepFailure {
  step: Step;
  result: Result;
}

/** What is special about a look. */
export interface Look {
  /** With the machine's hostnet lock held: after what another deployment is writing, or one that was killed left running. */
  whileNobodyWrites?: boolean;
  /** The resource asks nothing after it: who comes next comes from the engine. */
  last?: boolean;
}

/** A machine as lifecycle sees it: questions and changes of all resources, gathered into batches. */
export interface Machine {
  readonly facts: HostFacts;
  /** Answers to all sections, read after the call was made. One round trip, shared with whoever asks meanwhile. */
  observe(sections: Section[], look?: Look): Promise<Seen>;
  /** Runs the steps in their order up to the first that fails, then reads the sections. One round trip. */
  write(steps: Step[], then: Section[]): Promise<{ seen: Seen; failure?: StepFailure }>;
}
