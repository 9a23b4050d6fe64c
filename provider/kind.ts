import type { z } from "zod";
import type { Seen } from "./host/seen";
import type { Section, Step } from "./model/command";
import type { KnownHost, Question } from "./model/question";

/** A dotted path into the arguments, as `mtu` or `a.namespace`. */
export type Path = string;

/** Where the mark of an object of ours is kept; `none`: nothing of it stays on the host (a check). */
export type MarkPlace = "alias" | "externalIds" | "comment" | "cookie" | "ledger" | "none";

/** What `find` saw of one object. */
export interface Found<A, F = object> {
  /** The live values, in the words of the arguments. */
  args: Partial<A>;
  /** What else is worth knowing; it becomes `live`. */
  facts: F;
  /** The texts where our marks would be (an alias, an external id), whoever wrote them; one for each part that is there. */
  marks: (string | undefined)[];
  /** The host is still at it; asked again until a deadline. */
  pending?: string;
  /** What `converge` and `remove` need of the answers beside `args`; it goes nowhere else. */
  raw?: unknown;
  /** What is ended when it is taken over, as it cannot be adopted while it runs, and started again: `dnsmasq[123]`. */
  restarts?: string;
  /** Part of it is gone or wrong in a way that `args` cannot say. `converge` mends it or throws. */
  broken?: string;
  /** Why it does nothing yet, though it is as declared; said after an `up` and a refresh, and no error: it may come. */
  idle?: string;
}

/** What `converge` knows beside what is wanted and what is there. */
export interface Context<A, M = unknown> {
  /** `hostnet:<owner>:<nonce>`, to be written where the kind keeps its mark. */
  mark: string;
  /** 64 random bits of the Host, in hex: what derived MACs and cookies come from. */
  owner: string;
  /** The stack's other owners on this machine: the Host has taken their place. */
  formerOwners?: string[];
  /** What was declared before and may still be on the host: a value in it that is wanted no more goes. */
  was: Partial<A>[];
  /** What `remember` kept when the resource was created. */
  memory?: M;
  /** It is taken over (`adopt`, import): what is declared of it counts as its own, though it was there before. */
  adopts?: boolean;
  /** The answers of the last look: what is to be known of a host on which nothing of it is yet. */
  seen?: Seen;
}

/** The stack's owners on the machine, the Host's first. */
export const ownersOf = ({ owner, formerOwners = [] }: Context<unknown>): [string, ...string[]] => [
  owner,
  ...formerOwners,
];

/**
 * All that the library knows of one kind of object on a host. lifecycle.ts does the rest, the same for every kind.
 * `Args` is the schema's output. A kind is pure: it never reaches a host by itself.
 */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds kinds of all argument types.
export interface Kind<A = any, F = any, M = any> {
  /** The resource's name in the public API. */
  name: string;
  /** One sentence and more on what it declares, for the class's documentation. */
  doc: string;
  /** The only home of names, types, limits, defaults and, by .describe(), of the documentation. */
  args: z.ZodObject;
  /** What `live` holds, for the outputs' types and documentation. */
  facts: z.ZodObject;
  /** A change of one of these is another object: replace, delete first. The first one is the object's name. */
  identity: Path[];
  /** The argument in whose namespace it is: one given as a resource there need not be said a second time. */
  placedBy?: Path;
  /** Programs (`ip`, `ovs-vsctl`) that must be on the host. */
  needs: string[];
  mark: MarkPlace;
  /** True when only the host knows what the object is called: who refers to it takes `live.name` instead of `name`. */
  namedByHost?(args: Partial<A>): boolean;
  /** Where an argument that is taken out of the program goes back to; without an entry it stays as it is. */
  reset: Record<Path, unknown | ((live: Found<A, F>) => unknown)>;
  /**
   * What this object occupies on its host; two resources of a stack that claim the same are refused in preview, unless
   * both say `shared X`, or `shared (G) X` of one group G (model/claim-table.ts).
   */
  claims(want: A): string[];
  /** Devices of the host's own namespace that it sets up without having made them: who else manages one is warned of. */
  configures?(want: A): string[];
  /** Managers of these devices of whom it does not warn, as it sees to what they do. */
  dealsWith?(want: A): string[];
  /** What has to be read to find it. */
  observe(want: A): Section[];
  /** What has to be read beside that before it is taken away. */
  beforeRemoval?(want: A): Section[];
  /** undefined = proven absent. Throws READ_FAILED when the answers do not prove anything. */
  find(want: A, seen: Seen): Found<A, F> | undefined;
  /**
   * What it has to know beside the first look, of its own host or another, before `converge` is asked: each turn puts
   * questions and is given the answers, or is thrown what kept a host from answering. Only an `up` inquires.
   */
  inquire?(
    want: A,
    found: Found<A, F>,
    host: KnownHost,
    context: Context<A>,
  ): Generator<Question[], Found<A, F>, Seen[]>;
  /**
   * All objects of the kind in a namespace (undefined: the host's own), by the arguments without which `find` cannot find
   * them or the schema refuses them; `find` then tells the others. What belongs to no namespace is listed in the host's own.
   */
  list?(seen: Seen, namespace?: string): Partial<A>[];
  /**
   * What `list` needs to have read of a namespace, beside the names of all namespaces and the links in each. `first`: what
   * the first look at the host has shown, with the database of Open vSwitch.
   */
  survey?(namespace: string | undefined, first: Seen): Section[];
  /** Where a live value stands for "not declared", beside `reset`: what the kernel or a driver chose by itself. */
  usual?: Record<Path, (live: Found<A, F>) => unknown>;
  /** Who has made it, when no administrator has: `kernel`, `dhcp`, `ra`, a routing daemon. Such a thing is not declared. */
  maker?(live: Found<A, F>): string | undefined;
  /** What somebody else made, as it is once it was taken over, where that is more than a mark; nobody notices the change. */
  asOurs?(live: Found<A, F>): Found<A, F>;
  /** Changes that the kernel refuses in place. */
  replaces?(was: A, want: A): Path[];
  /** Old values, kept in the ledger before the first write. `live` is undefined when the object is not there. */
  remember?(live: Found<A, F> | undefined, want: A, context: Context<A>): M;
  /** The single write path: what makes `live` into `want`. [] = nothing to do, and that is the proof of every write. */
  converge(want: A, live: Found<A, F> | undefined, context: Context<A, M>): Step[];
  /** Takes away what an object of ours, which is itself gone, has left behind (rows that nothing refers to). [] = nothing. */
  sweep?(want: A, seen: Seen, context: Context<A, M>): Step[];
  /** Takes it away, or gives it back as it was remembered. */
  remove(live: Found<A, F>, want: A, context: Context<A, M>): Step[];
  /** True when, deleted, it is still found (a sysctl, a NIC): delete then proves `remove(found, …)` to be []. */
  permanent?: boolean;
  /** What is there and not declared, by path, for what is exact in a record: a refresh shows it. */
  surplus?(want: A, live: Found<A, F>): Record<Path, unknown>;
  /** A live value in terms of what was declared: an address list without foreign addresses. Default: as in `live.args`. */
  shown?(path: Path, want: A, live: Found<A, F>): unknown;
}

/** What a kind says that only does or tries something: there is nothing to own, and nothing to take away. */
export const ownsNothing = {
  mark: "none",
  permanent: true,
  reset: {},
  claims: () => [],
  remove: () => [],
} satisfies Partial<Kind>;

/** Gives a kind its types from its schema; the value itself is unchanged. */
export function kind<S extends z.ZodObject, F extends z.ZodObject, M = never>(
  definition: Kind<z.output<S>, z.output<F>, M> & { args: S; facts: F },
): Kind<z.output<S>, z.output<F>, M> {
  return definition;
}
