import { z } from "zod";
import { type Context, type Found, kind } from "../kind";
import type { RouteChange, Step } from "../model/command";
import { inNamespace, placeWords } from "../model/namespaces";
import {
  familyOf,
  identityOf,
  type LiveRoute,
  liveRoutes,
  metricOf,
  type Nexthop,
  routesSection,
  sinks,
  tableOf,
} from "../model/route";
import { hopsOf, routeArgs, type RouteArgs as Want } from "../model/route-args";
import { family } from "../model/scalars";

export const route = kind({
  name: "Route",
  doc: "A route of the kernel, told from others by destination, table and metric. It is made with `proto static`, as routes of an administrator are. The kernel drops routes of a device that goes down: that shows as a missing route, and the next `up` makes it again.",
  args: routeArgs,
  facts: z.object({
    device: z.string().optional().describe("The device by which packets leave; absent with several."),
    protocol: z.string().describe("Who made it: static is an administrator or this resource."),
  }),
  identity: ["to", "namespace", "table", "metric"],
  placedBy: "device",
  needs: ["ip"],
  mark: "ledger",
  // The table is the type's where none is said.
  replaces: (was, want) => (tableOf(was) === tableOf(want) ? [] : ["type"]),
  // What `ip route replace` is given without its word. A device stays as it is.
  reset: {
    via: "",
    source: "",
    onlink: false,
    mtu: 0,
    advmss: 0,
    initcwnd: 0,
    initrwnd: 0,
    nexthops: [],
  },
  claims: (want) => [
    `route to ${want.to} table ${tableOf(want)} metric ${metricOf(want)}${placeWords(want.namespace)}`,
  ],
  observe: (want) => inNamespace(want.namespace, routesSection(familyOf(want))),
  find(want, seen) {
    const routes = liveRoutes(seen, want.namespace, familyOf(want));
    const all = routes.filter(
      (item) => item.to === want.to && item.table === tableOf(want) && item.metric === metricOf(want),
    );
    const made = all.filter((item) => !isLearned(item));
    const [live, ...more] = made.length > 0 ? made : all.slice(0, 1);
    if (!live) return undefined;
    return {
      args: argsOf(live, want),
      facts: { device: live.hops.length === 1 ? live.hops[0]?.device : undefined, protocol: live.protocol },
      marks: [],
      raw: { live, more } satisfies Raw,
    };
  },
  survey: (namespace) => inNamespace(namespace, routesSection(4), routesSection(6)),
  // The kernel's own come with addresses and devices.
  list: (seen, namespace) =>
    ([4, 6] as const).flatMap((version) =>
      liveRoutes(seen, namespace, version)
        .filter((live) => live.protocol !== "kernel" && live.table !== "local")
        .map((live) => identityOf(live, namespace) as Partial<Want>),
    ),
  usual: { scope: (live) => scopeByDefault(live.args as Want) },
  maker: ({ facts: { protocol } }) => (["boot", "static"].includes(protocol) ? undefined : protocol),
  converge(want, found, context) {
    if (!found) return [write("add", want)];
    const { more } = found.raw as Raw;
    if (more.length === 0 && matches(want, found, context)) return [];
    // `ip -6 route replace` leaves routes of the same destination and metric beside the one that it replaces.
    const surplus = more.map((item) => removal(want, item));
    return [...surplus, ...(matches(want, found, context) ? [] : [write("replace", want)])];
  },
  remove(found, want) {
    const { live } = found.raw as Raw;
    return isLearned(live) ? [] : [removal(want, live)];
  },
  shown: (path, _want, found) => found.args[path as keyof Want],
});

/** What routers tell (IPv6) is a route of its own beside one of the same destination and metric, and the kernel's to remove. */
const isLearned = ({ protocol }: LiveRoute) => protocol === "ra" || protocol === "redirect";

interface Raw {
  live: LiveRoute;
  /** Others that no argument tells from it. */
  more: LiveRoute[];
}

/** The live route in the words of the arguments. Several ways out are `nexthops`, also where one was declared. */
function argsOf(live: LiveRoute, want: Want): Partial<Want> {
  const [only] = live.hops.length === 1 ? live.hops : [];
  const declared = want.nexthops ?? [];
  const inOrder = [...live.hops].sort((a, b) => rank(declared, a) - rank(declared, b));
  return {
    namespace: want.namespace,
    to: live.to,
    via: only?.via,
    device: only?.device,
    type: live.type as Want["type"],
    metric: live.metric,
    table: live.table,
    source: live.source,
    scope: live.scope as Want["scope"],
    onlink: live.hops.length > 0 && live.hops.every((hop) => hop.onlink),
    ...live.metrics,
    nexthops: live.hops.length > 1 ? inOrder.map((hop) => asDeclared(declared, hop)) : undefined,
  };
}

const sameHop = (want: Nexthop, live: Nexthop) =>
  want.via === live.via && (want.device === undefined || want.device === live.device);

const rank = (declared: Nexthop[], live: Nexthop) => declared.findIndex((hop) => sameHop(hop, live)) >>> 0;

/** A live next hop with what was declared of it, and no more, so that only what differs shows. */
function asDeclared(declared: Nexthop[], live: Nexthop): Nexthop {
  const hop = declared.find((item) => sameHop(item, live));
  return {
    via: live.via,
    device: hop && hop.device === undefined ? undefined : live.device,
    weight: hop?.weight === undefined && live.weight === 1 ? undefined : live.weight,
  };
}

const plainValues = ["type", "source", "mtu", "advmss", "initcwnd", "initrwnd"] as const;

/** What was declared is there. An empty value stands for none: so resets say it. */
function matches(want: Want, found: Found<Want>, context: Context<Want>): boolean {
  const { live } = found.raw as Raw;
  const values = plainValues.every((key) => want[key] === undefined || (want[key] || undefined) === found.args[key]);
  return values && scopeFits(want, live, context) && hopsFit(want, live);
}

function scopeFits(want: Want, live: LiveRoute, { was }: Context<Want>): boolean {
  const dropped = was.some((before) => before.scope !== undefined);
  const wanted = want.scope ?? (dropped ? scopeByDefault(want) : undefined);
  return wanted === undefined || wanted === live.scope;
}

/** As iproute2 has it (iproute_modify). */
function scopeByDefault(want: Want): string | undefined {
  if (familyOf(want) === 6) return undefined;
  if (want.type === "local") return "host";
  if (["broadcast", "multicast", "anycast"].includes(want.type)) return "link";
  return want.type === "unicast" && !want.via && !(want.nexthops ?? []).length ? "link" : "global";
}

function hopsFit(want: Want, live: LiveRoute): boolean {
  const wanted = hopsOf(want);
  // The kernel shows its own device (lo) for IPv6 routes that lead nowhere.
  if (wanted.length === 0) return sinks.includes(want.type);
  if (wanted.length !== live.hops.length) return false;
  return wanted.every((hop) =>
    live.hops.some(
      (other) =>
        sameHop(hop, other) &&
        (hop.weight ?? 1) === (other.weight ?? 1) &&
        (want.onlink === undefined || want.onlink === (other.onlink === true)),
    ),
  );
}

function write(verb: "add" | "replace", want: Want): Step {
  const options = (["mtu", "advmss", "initcwnd", "initrwnd"] as const).flatMap((word) =>
    want[word] ? [word, String(want[word])] : [],
  );
  const hops = hopsOf(want);
  const several = hops.length > 1;
  const argv = [
    ...["ip", "route", verb, ...selector(want), "proto", "static"],
    ...(want.scope ? ["scope", want.scope] : []),
    ...(want.source ? ["src", want.source] : []),
    ...options,
    ...hops.flatMap((hop) => [
      ...(several ? ["nexthop"] : []),
      ...viaWords(want, hop),
      ...(hop.device ? ["dev", hop.device] : []),
      ...(several ? ["weight", String(hop.weight ?? 1)] : []),
      ...(want.onlink ? ["onlink"] : []),
    ]),
  ];
  return { argv, namespace: want.namespace, routes: changes(want, { hops: want.type === "unicast" ? hops : [] }) };
}

function viaWords(want: Want, { via }: Nexthop): string[] {
  if (!via) return [];
  return family(via) === familyOf(want) ? ["via", via] : ["via", "inet6", via];
}

/** What tells the route from all others; table and metric always said, so that nothing depends on the type or verb. */
function selector(want: Want): string[] {
  return [want.type, want.to, "table", String(tableOf(want)), "metric", String(metricOf(want))];
}

function removal(want: Want, live: LiveRoute): Step {
  const [only] = live.hops.length === 1 ? live.hops : [];
  const sink = sinks.includes(live.type);
  const argv = [
    ...["ip", "route", "del", ...selector({ ...want, type: live.type as Want["type"] })],
    ...(only && !sink ? [...viaWords(want, only), ...(only.device ? ["dev", only.device] : [])] : []),
  ];
  return { argv, namespace: want.namespace, routes: changes(want, { removed: true }) };
}

/** Any route of the host itself may be our own connection's. */
function changes(want: Want, more: Pick<RouteChange, "hops" | "removed">): RouteChange[] | undefined {
  if (want.namespace !== undefined) return undefined;
  return [{ to: want.to, table: tableOf(want), metric: metricOf(want), ...more }];
}
