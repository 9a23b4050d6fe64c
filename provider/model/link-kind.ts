import { z } from "zod";
import type { Seen } from "../host/seen";
import type { Context, Found, Kind, kind } from "../kind";
import { shownAddresses } from "./address";
import type { Section, Step } from "./command";
import { type Loss, lossesOf, restore } from "./going-down";
import {
  afterCreation,
  convergeLink,
  creationWords,
  deleteLink,
  foreignMaster,
  linkFactsOf,
  liveLinkArgs,
  markLink,
  mustBeType,
  observeLink,
  withNeighbors,
} from "./link";
import { type LinkArgs, type LinkTraits, linkFacts, linkReset, linkShape, nameTaken } from "./link-args";
import { ipv6Rules } from "./link-ipv6";
import {
  differingFixed,
  differingWords,
  differs,
  type LinkOption,
  liveValue,
  resetsOf,
  usualOf,
  wordsOf,
} from "./link-option";
import { addressCheck, fallbackDevices, type LinkState, linkState, linksIn } from "./link-state";
import { placeWords } from "./namespaces";
import { get } from "./path";
import type { KnownHost } from "./question";
import { sysctlClaim } from "./sysctl";

export { options } from "./link-option";

type Shape<T extends Record<string, LinkOption>> = { [P in keyof T]: T[P]["schema"] };

export interface LinkKindDefinition<T extends Record<string, LinkOption>, F extends z.ZodObject = typeof linkFacts> {
  name: string;
  /** The type word of `ip link add … type`. */
  type: string | ((want: Want) => string);
  /** All type words that there are, when `type` is not just one. */
  types?: string[];
  doc: string;
  options: T;
  traits?: LinkTraits | ((want: Want) => LinkTraits);
  /** Arguments of every link that mean something else here. */
  common?: Partial<typeof linkShape>;
  needs?: string[];
  /** Loads kernel modules that netlink does not load by itself, or not as they should be. */
  load?(want: Want): Step[];
  identity?: string[];
  /** What `live` tells beside what it tells of every link. */
  facts?: F;
  /** How it is made, when not simply in its namespace. */
  creation?(want: Want): Creation;
  /** Rules over several arguments: [path, what is allowed] of each that is broken. */
  rules?(want: Want): [path: string, text: string][];
  reset?: Record<string, unknown>;
  /** What it occupies beside its name. */
  claims?(want: Want): string[];
  /** What has to be read beside the links of its namespace. */
  observe?(want: Want): Section[];
  /** What the link's own entry does not tell. */
  complete?(live: LinkState, want: Want, seen: Seen): Completion;
  /** Of a link of the type: the arguments that its name and the table's fixed ones do not tell; undefined: not to be declared. */
  listed?(live: LinkState, namespace: string | undefined, seen: Seen): Record<string, unknown> | undefined;
  /** What `listed` needs to have read of a namespace. */
  survey?(namespace?: string): Section[];
  /** Of options: live values that stand for "not declared" beside `default`. */
  usual?: Record<string, (live: Found<Want, object>) => unknown>;
  /** One form of what can be declared in several ways, for comparing and writing. */
  effective?(want: Want): Want;
  /** Option words that the kernel takes only in a command of their own, before the others. */
  beforehand?(want: Want, live: Found<Want, object>): string[];
  /** What follows when the device itself is as it should be. */
  converge?(want: Want, live: Found<Want, object>, context: Context<Want>): Step[];
  /** What follows when it has been taken away. */
  released?(want: Want, live: Found<Want, object>): Step[];
  /** Changes that the kernel refuses in place. */
  replaces?(was: Want, want: Want): string[];
}

type Want = LinkArgs & Record<string, unknown>;

export interface Creation {
  /** What makes it, where that is not `ip link add`; what every link takes is set afterwards. */
  argv?: string[];
  /** Words of `ip link add` before the name, as `link eth1`. */
  words?: string[];
  /** Where `ip link add` runs, when not in the device's namespace; null: in the host's own. */
  from?: string | null;
  /** The name under which it is born there, marked, before it moves to its namespace and gets its own. */
  bornAs?: string;
}

export interface Completion {
  args?: Record<string, unknown>;
  facts?: Record<string, unknown>;
  broken?: string;
  /** For `reset`, `converge`; it becomes `raw.extra`. */
  extra?: unknown;
}

/** Most devices are a table and a type word. */
export function linkKind<T extends Record<string, LinkOption>, F extends z.ZodObject = typeof linkFacts>(
  definition: LinkKindDefinition<T, F>,
) {
  const table = Object.entries(definition.options) as [string, LinkOption][];
  const shape = {
    ...linkShape,
    ...definition.common,
    ...Object.fromEntries(table.map(([key, option]) => [key, option.schema])),
  } as typeof linkShape & Shape<T>;
  const args = z.strictObject(shape).superRefine((value, issues) => {
    const want = value as Want;
    const taken = nameTaken(want.name, want.namespace);
    const broken = [...(taken ? [["name", taken]] : []), ...ipv6Rules(want), ...bridgeRules(want)];
    broken.push(...(definition.rules?.(want) ?? []));
    for (const [path = "", message] of broken) issues.addIssue({ code: "custom", path: path.split("."), message });
  });
  const { type, traits = {} } = definition;
  const traitsOf = typeof traits === "function" ? traits : () => traits;
  const typeOf = typeof type === "function" ? type : () => type;
  const types = definition.types ?? [type];
  const effective = definition.effective ?? ((want: Want) => want);
  const fixed = table.filter(([, option]) => option.fixed).map(([key]) => key);
  const load = (want: Want): Step[] => definition.load?.(want) ?? [];

  const spec: Kind<Want, z.output<typeof linkFacts>> = {
    name: definition.name,
    doc: definition.doc,
    args,
    facts: definition.facts ?? linkFacts,
    identity: ["name", "namespace", ...(definition.identity ?? []), ...fixed],
    needs: ["ip", ...(definition.needs ?? [])],
    mark: "alias",
    reset: { ...linkReset, ...resetsOf(table), ...definition.reset },
    claims: (want) => [
      linkClaim(want.namespace, want.name),
      ...layer3Claims(want),
      ...portClaims(want),
      ...(definition.claims?.(effective(want)) ?? []),
    ],
    observe: (want) => [...observeLink(want, traitsOf(want)), ...(definition.observe?.(want) ?? [])],
    find(want, seen) {
      const live = linkState(seen, want.namespace, want.name) ?? unfinished(want, seen);
      if (!live) return undefined;
      const { args: more, facts, broken, extra } = definition.complete?.(live, want, seen) ?? {};
      const here = found<Want>(live, want.namespace, table);
      const args = { ...here.args, ...more };
      const wrong = broken ?? differingFixed(table, effective(want), args);
      return {
        ...here,
        args,
        facts: { ...here.facts, ...facts },
        broken: live.json.ifname === want.name ? wrong : "it has not been moved to its namespace",
        raw: { ...live, extra },
      };
    },
    list: (seen, namespace) =>
      linksIn(seen, namespace)
        .filter((link) => types.includes(link.linkinfo?.info_kind ?? "") && !fallbackDevices.has(link.ifname))
        .flatMap((link) => {
          const live = linkState(seen, namespace, link.ifname) as LinkState;
          const more = definition.listed ? definition.listed(live, namespace, seen) : {};
          const values = Object.entries(found<Want>(live, namespace, table).args).filter(([key]) =>
            fixed.includes(key),
          );
          return more
            ? [{ name: link.ifname, namespace, ...Object.fromEntries(values), ...more } as Partial<Want>]
            : [];
        }),
    survey: definition.survey,
    usual: {
      ...usualOf(table),
      bridge: (live) => foreignMaster(stateOf(live)),
      mac: (live) => (traitsOf(live.args as Want).keepsMac ? live.args.mac : undefined),
      ...definition.usual,
    },
    converge(declared, live, context) {
      const want = effective(declared);
      if (!live) return create(want, context);
      const state = stateOf(live);
      mustBeType(state, typeOf(want));
      if (live.broken) return [removal(want, state), ...create(want, context)];
      const beforehand = definition.beforehand?.(want, live) ?? [];
      const differing = differingWords(table, want, live.args);
      const set = (...words: string[]): Step => ({
        argv: ["ip", "link", "set", "dev", want.name, ...words],
        namespace: want.namespace,
        touches: touched(want),
      });
      const down = goesDown(want, live);
      return [
        ...(down ? [set("down")] : []),
        ...(beforehand.length > 0 ? [set("type", typeOf(want), ...beforehand)] : []),
        ...(differing.length > 0 ? [...load(want), set("type", typeOf(want), ...differing)] : []),
        ...(down && want.up ? [set("up"), ...restore(state.losses ?? [])] : []),
        ...convergeLink(want, state, context, traitsOf(want)),
        ...(definition.converge?.(want, live, context) ?? []),
      ];
    },
    inquire,
    remove: (live, want) => [removal(want, stateOf(live)), ...(definition.released?.(want, live) ?? [])],
    replaces: definition.replaces && ((was, want) => definition.replaces?.(was, want) ?? []),
    shown: (path, want, live) => shownLink(path, want, stateOf(live), live.args),
  };

  /** For an option that the kernel takes only then. */
  function goesDown(want: Want, live: Found<Want, object>): boolean {
    const isUp = stateOf(live).json.flags.includes("UP");
    return isUp && !live.broken && table.some((entry) => entry[1].down && differs(entry, effective(want), live.args));
  }

  function* inquire(
    want: Want,
    live: Found<Want, z.output<typeof linkFacts>>,
    host: KnownHost,
    context: Context<Want>,
  ) {
    if (live.broken) return live;
    const down = goesDown(want, live);
    const losses = down ? yield* lossesOf({ namespace: want.namespace, device: want.name }, host) : [];
    const state = yield* withNeighbors(host, effective(want), stateOf(live), context, traitsOf(want));
    return { ...live, raw: { ...state, losses } };
  }

  /** What an interrupted creation has left under the name of birth. */
  function unfinished(want: Want, seen: Seen): LinkState | undefined {
    const { bornAs, from } = definition.creation?.(want) ?? {};
    return bornAs ? linkState(seen, from ?? undefined, bornAs) : undefined;
  }

  function removal(want: Want, state: LinkState): Step {
    if (state.json.ifname === want.name) return deleteLink(want.name, want.namespace);
    return deleteLink(state.json.ifname, definition.creation?.(want)?.from ?? undefined);
  }

  function create(want: Want, context: Context<Want>): Step[] {
    const { argv, words = [], from, bornAs } = definition.creation?.(want) ?? {};
    if (argv) return [{ argv, namespace: want.namespace }, ...afterCreation(want, context, traitsOf(want), true)];
    const own = traitsOf(want);
    const namespace = from === undefined ? want.namespace : (from ?? undefined);
    const into = !bornAs && namespace !== want.namespace && want.namespace ? ["netns", want.namespace] : [];
    const first = ["ip", "link", "add", ...words, "name", bornAs ?? want.name, ...into];
    // `null` stands for a reset: what is new has nothing to take away.
    const optionWords = table.flatMap(([key, option]) => wordsOf(option, want[key] ?? undefined, want));
    const add = {
      argv: [...first, ...creationWords(want, context, own), "type", typeOf(want), ...optionWords],
      namespace,
    };
    if (!bornAs) return [...load(want), add, ...afterCreation(want, context, own)];
    const move = ["ip", "link", "set", "dev", bornAs, "netns", want.namespace ?? "", "name", want.name];
    const born = [...load(want), add, markLink(bornAs, namespace, context)];
    return [...born, { argv: move, namespace }, ...afterCreation(want, context, own)];
  }

  // The table gives the arguments their types; within, they are looked up by name.
  return spec as unknown as ReturnType<typeof kind<z.ZodObject<typeof linkShape & Shape<T>>, F>>;
}

const touched = (want: LinkArgs) => (want.namespace === undefined ? [want.name] : undefined);

export const linkClaim = (namespace: string | undefined, name: string) => `device ${name}${placeWords(namespace)}`;

/** Addresses belong to one resource: the link's own list, or Address resources; and so does IPv6 on or off: or a Sysctl. */
export const layer3Claims = ({ namespace, name, addresses, ipv6 }: LinkArgs) => [
  ...(addresses ? [`addresses of ${linkClaim(namespace, name)}`] : []),
  ...(ipv6 === undefined ? [] : [sysctlClaim(namespace, `net/ipv6/conf/${name}/disable_ipv6`)]),
];

/** Being a port belongs to one resource: the link itself, or a BridgePort. */
export const portClaims = ({ bridge, ...want }: LinkArgs) => (bridge ? [portClaim(want.namespace, want.name)] : []);

export const portClaim = (namespace: string | undefined, name: string) => `bridge of ${linkClaim(namespace, name)}`;

type Rules = [path: string, text: string][];

/** The kernel refuses loops: a device as its own bridge, or below itself, or as a port of the bridge that it is on. */
export const bridgeRules = ({ name, bridge }: { name: string; bridge?: string | undefined }): Rules =>
  bridge === name ? [["bridge", "must not be the device itself"]] : [];

/** `path` names the argument that says on which device of its namespace it is. */
export function stackRules(want: Want, path: string): Rules {
  if (want[path] === want.name) return [[path, "must not be the device itself"]];
  const isPortOfIt = want.bridge !== undefined && want.bridge === want[path];
  return isPortOfIt ? [["bridge", "must not be what the device is on"]] : [];
}

/** The link of which `found` was made, and what it loses when it goes down, where that was asked. */
export const stateOf = (live: Found<unknown, unknown>) => live.raw as LinkState & { extra?: unknown; losses?: Loss[] };

/** What `find` answers for a link. */
export function found<A>(
  live: LinkState,
  namespace: string | undefined,
  table: [string, LinkOption][],
): Found<A, z.output<typeof linkFacts>> {
  const data = live.json.linkinfo?.info_data ?? {};
  const values = Object.fromEntries(table.map(([key, option]) => [key, liveValue(option, data)]));
  return {
    args: { ...liveLinkArgs(live, namespace), ...values } as Partial<A>,
    facts: linkFactsOf(live),
    marks: [live.json.ifalias],
    pending: addressCheck(live),
    raw: live,
  };
}

/** A link's live value: of the addresses only the declared ones; foreign ones are no drift. */
export function shownLink(path: string, want: LinkArgs, state: LinkState, args: object): unknown {
  // A policy, not a value of the device.
  if (path === "addressesExact") return want.addressesExact;
  return path === "addresses"
    ? shownAddresses(want.addresses ?? [], state.addresses, want.addressesExact === true)
    : get(args, path);
}
