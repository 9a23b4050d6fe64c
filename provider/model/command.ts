import type { RuleJson } from "./rule";

/** A command on a host, as data. No part of it is ever shell text: quoting is done once, in host/render.ts. */
export interface Command {
  /** Program and arguments. */
  argv: string[];
  /** What the program reads; without it, its standard input is empty. */
  stdin?: string;
  /** The network namespace in which it runs; without it, the host's own. */
  namespace?: string;
  /** Of a namespace it needs only its sockets and /proc/sys; see host/render.ts. */
  socketsOnly?: true;
  /** How it ends says nothing that matters. */
  mayFail?: true;
}

/** A question to the host. Sections of one key are asked once in a batch, whoever wants them. */
export interface Section extends Command {
  /** Names the question: two sections with one key must be the same command. */
  key: string;
  /**
   * So many seconds at most, by itself: longer than a look at the kernel takes (a ping), so that it must not hold up the
   * reads of others. What it prints on stderr comes with its stdout.
   */
  slow?: number;
  /** The answer follows from the command alone, not from the state of the host: it is asked once of a machine. */
  pure?: boolean;
}

/** One change on the host. */
export interface Step extends Command {
  /** Devices of the root namespace that the step may cut off; compared with the path of our own connection. */
  touches?: string[];
  /** Routes of the root namespace that it makes, changes or takes away; compared with our packets' way back. */
  routes?: RouteChange[];
  /** Rules of the root namespace's policy routing that it makes or takes away; compared likewise. */
  rules?: RuleChange[];
  /** Permanent neighbours of the root namespace that it sets; compared with the one by which our packets go. */
  neighbors?: NeighborChange[];
  /** Addresses of the root namespace that it takes away; compared with the one at which we came in. */
  loses?: LostAddress[];
  /** The arguments from which the lines of `stdin` come, so that a complaint about a line names the argument; one is of all. */
  sources?: string[];
}

/** What becomes of a route; its table by name where it has one on every host. */
export interface RouteChange {
  to: string;
  table: number | "main" | "local" | "default";
  metric: number;
  removed?: boolean;
  /** The ways that it then leads, when it leads on. */
  hops?: { via?: string; device?: string }[];
}

/** What becomes of a rule, in the words of `ip -N -j rule`. */
export type RuleChange = Omit<RuleJson, "src"> & Partial<Pick<RuleJson, "src">> & { family: 4 | 6; removed?: boolean };

export interface NeighborChange {
  address: string;
  device: string;
  mac: string;
}

export interface LostAddress {
  /** With its prefix length, which is of `peer` where there is one. */
  address: string;
  peer?: string;
  secondary?: boolean;
}

/** How a command ended. */
export interface Result {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The exit status by which a shell says that a program is not there. */
export const notInstalled = 127;

/** What a command looks like to a person, for messages only. */
export function show(command: Command): string {
  const words = command.argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  const inside = command.namespace ? ["ip", "netns", "exec", command.namespace] : [];
  return [...inside, ...words].join(" ");
}
