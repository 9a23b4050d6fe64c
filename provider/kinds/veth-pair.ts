import { z } from "zod";
import type { Seen } from "../host/seen";
import { type Context, kind } from "../kind";
import type { Step } from "../model/command";
import { otherKind } from "../model/errors";
import {
  afterCreation,
  contextOf,
  convergeLink,
  creationWords,
  deleteLink,
  foreignMaster,
  linkFactsOf,
  liveLinkArgs,
  observeLink,
  withNeighbors,
} from "../model/link";
import { linkFacts, linkObject, linkReset, nameTaken } from "../model/link-args";
import { ipv6Rules } from "../model/link-ipv6";
import { bridgeRules, layer3Claims, linkClaim, portClaims, shownLink } from "../model/link-kind";
import { addressCheck, type LinkJson, type LinkState, linkState, linksIn } from "../model/link-state";
import { inNamespace, namespaceIdsSection, otherNamespaces } from "../model/namespaces";

const ends = ["a", "b"] as const;
type End = (typeof ends)[number];
type Pair = { [E in End]?: LinkState };

const args = z
  .strictObject({
    a: linkObject
      .meta({ title: "VethEnd" })
      .describe("One end: a link with its own name, namespace, addresses and bridge."),
    b: linkObject.meta({ title: "VethEnd" }).describe("The other end."),
  })
  .superRefine(({ a, b }, issues) => {
    if (a.name === b.name && a.namespace === b.namespace) {
      issues.addIssue({
        code: "custom",
        path: ["b", "name"],
        message: "must differ from a.name when both ends are in one namespace",
      });
    }
    for (const [path, end] of [
      ["a", a],
      ["b", b],
    ] as const) {
      const taken = nameTaken(end.name, end.namespace);
      const broken = [...(taken ? [["name", taken]] : []), ...ipv6Rules(end), ...bridgeRules(end)];
      for (const [key = "", message] of broken) issues.addIssue({ code: "custom", path: [path, key], message });
    }
  });

export const vethPair = kind({
  name: "VethPair",
  doc: "Two virtual Ethernet devices: what enters one leaves the other. Each end has its own name, namespace, addresses and bridge.",
  args,
  facts: z.object({
    a: linkFacts.meta({ title: "LinkLive" }).optional().describe("End a as it is."),
    b: linkFacts.meta({ title: "LinkLive" }).optional().describe("End b as it is."),
  }),
  identity: ["a.name", "a.namespace", "b.name", "b.namespace"],
  needs: ["ip"],
  mark: "alias",
  reset: Object.fromEntries(
    ends.flatMap((end) => Object.entries(linkReset).map(([key, value]) => [`${end}.${key}`, value])),
  ),
  claims: (want) =>
    ends
      .map((end) => want[end])
      .flatMap((end) => [linkClaim(end.namespace, end.name), ...layer3Claims(end), ...portClaims(end)]),
  observe: (want) => ends.flatMap((end) => observeLink(want[end])),
  find(want, seen) {
    const a = linkState(seen, want.a.namespace, want.a.name);
    const b = linkState(seen, want.b.namespace, want.b.name);
    if (!a && !b) return undefined;
    return {
      args: { a: a && liveLinkArgs(a, want.a.namespace), b: b && liveLinkArgs(b, want.b.namespace) } as Partial<
        typeof want
      >,
      facts: { a: a && linkFactsOf(a), b: b && linkFactsOf(b) },
      marks: [a, b].flatMap((state) => (state ? [state.json.ifalias] : [])),
      broken:
        a && b
          ? peers(a, b)
            ? undefined
            : "the ends are not each other's peers"
          : `only end ${a ? "a" : "b"} is there`,
      pending: (a && addressCheck(a)) ?? (b && addressCheck(b)),
      raw: { a, b } satisfies Pair,
    };
  },
  *inquire(want, live, host, context) {
    const { a, b } = live.raw as Pair;
    if (!a || !b || live.broken) return live;
    const states = {
      a: yield* withNeighbors(host, want.a, a, contextOf(context, "a")),
      b: yield* withNeighbors(host, want.b, b, contextOf(context, "b")),
    };
    return { ...live, raw: states satisfies Pair };
  },
  converge(want, live, context) {
    if (!live) return create(want, context);
    const { a, b } = live.raw as Pair;
    for (const state of [a, b]) {
      if (state && state.type !== "veth") {
        throw otherKind(state.json.ifname, `${state.type ?? "a network card"}, not veth`);
      }
    }
    // With one end the other goes too, wherever it has been moved to.
    if (!a || !b || live.broken) {
      const left = ends.filter((end) => live.raw && (live.raw as Pair)[end]);
      return [...left.map((end) => deleteLink(want[end].name, want[end].namespace)), ...create(want, context)];
    }
    return [...convergeLink(want.a, a, contextOf(context, "a")), ...convergeLink(want.b, b, contextOf(context, "b"))];
  },
  survey: (namespace) => inNamespace(namespace, namespaceIdsSection),
  // Each pair once: where its first end is, the host's own namespace being the last.
  list: (seen, namespace) =>
    linksIn(seen, namespace)
      .filter((link) => link.linkinfo?.info_kind === "veth")
      .flatMap((link) => {
        const peer = peerOf(seen, namespace, link);
        if (!peer || order({ namespace, name: link.ifname }) > order(peer)) return [];
        return [{ a: { name: link.ifname, namespace }, b: peer } as Partial<Want>];
      }),
  usual: Object.fromEntries(
    ends.map((end) => [`${end}.bridge`, (live: { raw?: unknown }) => foreignMaster((live.raw as Pair)[end])]),
  ),
  remove(live, want) {
    const there = ends.filter((end) => (live.raw as Pair)[end]).map((end) => want[end]);
    // One end takes the other with it. Those in the host's own namespace are deleted together with those of other pairs.
    const end = there.find(({ namespace }) => namespace === undefined) ?? there[0];
    return end ? [deleteLink(end.name, end.namespace)] : [];
  },
  shown(path, want, live) {
    const [end, ...rest] = path.split(".") as [End, ...string[]];
    const state = (live.raw as Pair)[end];
    return state && shownLink(rest.join("."), want[end], state, live.args[end] ?? {});
  },
});

type Want = z.output<typeof args>;

/**
 * Both ends are made where they belong. The command runs where its first end belongs: up to Linux 6.1 at least, the name
 * of the first end must be free in the namespace where the command runs (rtnl_newlink), that of the peer need not.
 */
function create(want: Want, context: Context<Want>): Step[] {
  const [first, peer]: [End, End] = want.b.namespace === undefined ? ["b", "a"] : ["a", "b"];
  const words = (end: End) => ["name", want[end].name, ...creationWords(want[end], contextOf(context, end))];
  const into = want[peer].namespace === undefined ? [] : ["netns", want[peer].namespace];
  return [
    {
      argv: ["ip", "link", "add", ...words(first), "type", "veth", "peer", ...words(peer), ...into],
      namespace: want[first].namespace,
    },
    ...ends.flatMap((end) => afterCreation(want[end], contextOf(context, end))),
  ];
}

const order = ({ namespace, name }: { namespace?: string | undefined; name: string }) =>
  `${namespace ? `a/${namespace}` : "b"}/${name}`;

/** Where the other end is; undefined when that is in a namespace without a name. */
function peerOf(seen: Seen, namespace: string | undefined, link: LinkJson) {
  if (link.link) return { name: link.link, namespace };
  const leadsBack = ({ link_index, ifindex }: LinkJson) => link_index === link.ifindex && ifindex === link.link_index;
  const peers = otherNamespaces(seen, namespace, link.link_netnsid).flatMap((other) => {
    const peer = linksIn(seen, other).find((json) => json.linkinfo?.info_kind === "veth" && leadsBack(json));
    return peer ? [{ name: peer.ifname, namespace: other }] : [];
  });
  // Indexes alone lead to several: that is no answer.
  return peers.length === 1 ? peers[0] : undefined;
}

/** An index may stand for different devices in two namespaces; both directions together do not lie. */
function peers(a: LinkState, b: LinkState): boolean {
  return leadsTo(a, b) && leadsTo(b, a);
}

/** In the same namespace `ip` prints the peer's name, and its index only when it is in another one. */
const leadsTo = ({ json }: LinkState, other: LinkState) =>
  json.link ? json.link === other.json.ifname : json.link_index === other.json.ifindex;
