import { z } from "zod";
import type { Context, Found, Kind, kind } from "../kind";
import { shownAddresses } from "./address";
import type { Step } from "./command";
import {
  afterCreation,
  convergeLink,
  creationWords,
  deleteLink,
  type LinkArgs,
  type LinkTraits,
  linkFacts,
  linkFactsOf,
  linkReset,
  linkShape,
  liveLinkArgs,
  mustBeType,
  nameTaken,
  observeLink,
} from "./link";
import { fallbackDevices, type LinkState, linkState, linksIn } from "./link-state";
import { get, same } from "./path";

/** One attribute of `ip link … type X`: a line in a kind's table. */
export interface LinkOption {
  /** Type, limits and documentation. */
  schema: z.ZodType;
  /** The word of `ip link … type X`. */
  word: string;
  /** Its name in `info_data` of `ip -j -d link`. Default: the word. */
  json?: string;
  /** The kernel's default, where a removed argument goes back to. */
  default?: unknown;
  /** The words to set it. Default: the word and the value, 1 or 0 for a boolean. */
  encode?: (value: never) => string[];
  /** The value as declared, from what `ip -j -d link` prints. Default: as it is printed; a boolean from 1 or 0. */
  decode?: (printed: unknown, data: Record<string, unknown>) => unknown;
  /** Largest difference that is none: the kernel keeps times in jiffies. */
  tolerance?: number;
  /** The kernel takes it only when the device is made: a change replaces the device. */
  fixed?: true;
}

/** Gives the table its types, so that the schema's types become the arguments'. */
export const options = <T extends Record<string, LinkOption>>(table: T): T => table;

type Shape<T extends Record<string, LinkOption>> = { [P in keyof T]: T[P]["schema"] };

export interface LinkKindDefinition<T extends Record<string, LinkOption>> {
  name: string;
  /** The type word of `ip link add … type`. */
  type: string | ((want: LinkArgs & Record<string, unknown>) => string);
  doc: string;
  options: T;
  traits?: LinkTraits;
  needs?: string[];
  identity?: string[];
  /** Words before the type, as `link eth1` of a macvlan, and the namespace in which `ip link add` runs when not the device's. */
  creation?(want: LinkArgs & Record<string, unknown>): { words: string[]; from?: string | null };
  /** Rules over several arguments: [path, what is allowed] of each that is broken. */
  rules?(want: LinkArgs & Record<string, unknown>): [path: string, text: string][];
  reset?: Record<string, unknown>;
}

/** Most devices are a table and a type word. */
export function linkKind<T extends Record<string, LinkOption>>(definition: LinkKindDefinition<T>) {
  const table = Object.entries(definition.options) as [string, LinkOption][];
  const shape = {
    ...linkShape,
    ...Object.fromEntries(table.map(([key, option]) => [key, option.schema])),
  } as typeof linkShape & Shape<T>;
  const args = z.strictObject(shape).superRefine((value, issues) => {
    const want = value as LinkArgs & Record<string, unknown>;
    const taken = nameTaken(want.name, want.namespace);
    const broken = [...(taken ? [["name", taken]] : []), ...(definition.rules?.(want) ?? [])] as [string, string][];
    for (const [path, message] of broken) issues.addIssue({ code: "custom", path: path.split("."), message });
  });
  type A = LinkArgs & Record<string, unknown>;
  const traits = definition.traits ?? {};
  const typeOf = (want: A) => (typeof definition.type === "string" ? definition.type : definition.type(want));
  const fixed = table.filter(([, option]) => option.fixed).map(([key]) => key);

  const spec: Kind<A, z.output<typeof linkFacts>> = {
    name: definition.name,
    doc: definition.doc,
    args,
    facts: linkFacts,
    identity: ["name", "namespace", ...(definition.identity ?? []), ...fixed],
    needs: ["ip", ...(definition.needs ?? [])],
    mark: "alias",
    reset: { ...linkReset, ...resetsOf(table), ...definition.reset },
    claims: (want) => [linkClaim(want.namespace, want.name), ...addressClaims(want)],
    observe: (want) => observeLink(want, traits),
    find(want, seen) {
      const live = linkState(seen, want.namespace, want.name);
      return live && found(live, want.namespace, table);
    },
    list: (seen) =>
      linksIn(seen, undefined)
        .filter((link) => link.linkinfo?.info_kind === definition.type && !fallbackDevices.has(link.ifname))
        .map((link) => ({ name: link.ifname }) as Partial<A>),
    converge(want, live, context) {
      if (!live) return create(want, context);
      const state = stateOf(live);
      mustBeType(state, typeOf(want));
      const differing = differingWords(table, want, live.args);
      const setOptions: Step[] =
        differing.length === 0
          ? []
          : [
              {
                argv: ["ip", "link", "set", "dev", want.name, "type", typeOf(want), ...differing],
                namespace: want.namespace,
              },
            ];
      return [...setOptions, ...convergeLink(want, state, context, traits)];
    },
    remove: (_live, want) => [deleteLink(want.name, want.namespace)],
    shown: (path, want, live) => shownLink(path, want, stateOf(live), live.args),
  };

  function create(want: A, context: Context<A>): Step[] {
    const { words, from } = definition.creation?.(want) ?? { words: [] };
    const namespace = from === undefined ? want.namespace : (from ?? undefined);
    const into = namespace !== want.namespace && want.namespace ? ["netns", want.namespace] : [];
    const argv = ["ip", "link", "add", ...words, "name", want.name, ...into, ...creationWords(want, context, traits)];
    const optionWords = table.flatMap(([key, option]) => wordsOf(option, want[key]));
    return [
      { argv: [...argv, "type", typeOf(want), ...optionWords], namespace },
      ...afterCreation(want, context, traits),
    ];
  }

  // The table gives the arguments their types; within, they are looked up by name.
  return spec as unknown as ReturnType<typeof kind<z.ZodObject<typeof linkShape & Shape<T>>, typeof linkFacts>>;
}

export const linkClaim = (namespace: string | undefined, name: string) =>
  `device ${name}${namespace ? ` in namespace ${namespace}` : ""}`;

/** Addresses belong to one resource: the link's own list, or Address resources. */
export const addressClaims = (want: LinkArgs) =>
  want.addresses ? [`addresses of ${linkClaim(want.namespace, want.name)}`] : [];

/** The link of which `found` was made. */
export const stateOf = (live: Found<unknown, unknown>) => live.raw as LinkState;

/** What `find` answers for a link. */
export function found<A>(
  live: LinkState,
  namespace: string | undefined,
  table: [string, LinkOption][],
): Found<A, z.output<typeof linkFacts>> {
  const data = live.json.linkinfo?.info_data ?? {};
  const values = Object.fromEntries(table.map(([key, option]) => [key, liveValue(option, data)]));
  const pending = live.addresses.some((item) => item.tentative) ? "duplicate address detection" : undefined;
  return {
    args: { ...liveLinkArgs(live, namespace), ...values } as Partial<A>,
    facts: linkFactsOf(live),
    marks: [live.json.ifalias],
    pending,
    raw: live,
  };
}

/** The words that set what differs, in the table's order: some options only hold together. */
export function differingWords(
  table: [string, LinkOption][],
  want: Record<string, unknown>,
  live: Record<string, unknown>,
): string[] {
  return table.flatMap(([key, option]) => {
    if (want[key] === undefined || option.fixed) return [];
    return sameValue(option, want[key], live[key]) ? [] : wordsOf(option, want[key]);
  });
}

function sameValue(option: LinkOption, want: unknown, live: unknown): boolean {
  if (typeof want === "number" && typeof live === "number") return Math.abs(want - live) <= (option.tolerance ?? 0);
  return same(want, live);
}

export function wordsOf(option: LinkOption, value: unknown): string[] {
  if (value === undefined) return [];
  if (option.encode) return option.encode(value as never);
  return [option.word, typeof value === "boolean" ? String(Number(value)) : String(value)];
}

function liveValue(option: LinkOption, data: Record<string, unknown>): unknown {
  const printed = data[option.json ?? option.word];
  if (option.decode) return option.decode(printed, data);
  if (option.schema instanceof z.ZodOptional && option.schema.unwrap() instanceof z.ZodBoolean) {
    return printed === 1 || printed === true || printed === "on";
  }
  return printed;
}

export function resetsOf(table: [string, LinkOption][]): Record<string, unknown> {
  return Object.fromEntries(
    table.filter(([, option]) => option.default !== undefined).map(([key, option]) => [key, option.default]),
  );
}

/** A link's live value: of the addresses only the declared ones; foreign ones are no drift. */
export function shownLink(path: string, want: LinkArgs, state: LinkState, args: object): unknown {
  return path === "addresses"
    ? shownAddresses(want.addresses ?? [], state.addresses, want.addressesExact === true)
    : get(args, path);
}
