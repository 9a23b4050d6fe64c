import type { Seen } from "../host/seen";
import type { Section, Step } from "./command";
import { keyIn, namespaceExists } from "./namespaces";
import { canonicalAddress, family } from "./scalars";
import { unsaidOf } from "./unsaid";

/** Reading the kernel's routes. By numbers (-N): names of tables depend on a file of the host. */

/** The types that `ip route` takes and the kernel implements. */
export const routeTypes = [
  "unicast",
  "local",
  "broadcast",
  "anycast",
  "multicast",
  "blackhole",
  "unreachable",
  "prohibit",
  "throw",
] as const;

// RTN_* of linux/rtnetlink.h, by number.
const typeNames = [
  "unspec",
  "unicast",
  "local",
  "broadcast",
  "anycast",
  "multicast",
  "blackhole",
  "unreachable",
].concat(["prohibit", "throw"]);

export const scopes = ["global", "site", "link", "host"] as const;

// RT_SCOPE_* and RTPROT_*; other protocols stay numbers.
const scopeNames: Record<string, string> = { 0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere" };
const protocols: Record<string, string> = { 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp" };

/** The tables that have a name on every host: RT_TABLE_*. */
export const tables: Record<string | number, "main" | "local" | "default"> = {
  253: "default",
  254: "main",
  255: "local",
};

export interface Nexthop {
  via?: string;
  device?: string;
  weight?: number;
  onlink?: boolean;
}

/** A route in the words of the arguments of Route. */
export interface LiveRoute {
  to: string;
  type: string;
  table: number | "main" | "local" | "default";
  metric: number;
  protocol: string;
  scope: string;
  source?: string;
  metrics: { mtu?: number; advmss?: number; initcwnd?: number; initrwnd?: number };
  hops: Nexthop[];
  /** What it has besides, and no argument says: `rto_min`, a nexthop object. */
  unsaid: string[];
}

interface HopJson {
  gateway?: string;
  via?: { host: string };
  dev?: string;
  weight?: number;
  flags?: string[];
  /** It leads into a tunnel; `dst` and `tos` may be the tunnel's then, as JSON has one of a name. */
  encap?: string;
}

/** An entry of `ip -N -j -d route show`. */
export interface RouteJson extends HopJson {
  type?: string;
  dst: string;
  tos?: string;
  from?: string;
  /** Of IPv6: `medium` unless somebody said otherwise. */
  pref?: string;
  table?: string;
  metric?: number;
  protocol?: string;
  scope?: string;
  prefsrc?: string;
  metrics?: LiveRoute["metrics"][];
  nexthops?: HopJson[];
}

const metrics = new Set(["mtu", "advmss", "initcwnd", "initrwnd"]);

/** What is said, what is but the state of it, and what tells of a nexthop object again. */
const known = new Set(
  (
    "type dst table metric protocol scope prefsrc metrics nexthops gateway via dev weight flags pref " +
    "cache nh_info used age expires error"
  ).split(" "),
);

/** A route for one TOS, for some senders, or into a tunnel is another route than ours. */
export const isOther = ({ tos, from, encap, nexthops = [] }: RouteJson) =>
  tos !== undefined || from !== undefined || encap !== undefined || nexthops.some((hop) => hop.encap !== undefined);

/** All routes of one family, in all tables. */
export const routesSection = (family: 4 | 6): Section => ({
  key: `routes${family}`,
  argv: ["ip", "-N", "-j", "-d", `-${family}`, "route", "show", "table", "all"],
});

/** The routes of a namespace, none where it is absent. Throws READ_FAILED. */
export function liveRoutes(seen: Seen, namespace: string | undefined, family: 4 | 6): LiveRoute[] {
  if (!namespaceExists(seen, namespace)) return [];
  const key = keyIn(`routes${family}`, namespace);
  return seen.derive(key, () =>
    routesJson(seen, namespace, family)
      .filter((route) => !isOther(route))
      .map((route) => liveRoute(route, family)),
  );
}

/** The same as `ip` shows them, with those that are no Route. `ip -j` prints {} for what it leaves out. */
export const routesJson = (seen: Seen, namespace: string | undefined, family: 4 | 6): RouteJson[] =>
  seen.json<RouteJson[]>(keyIn(`routes${family}`, namespace)).filter((route) => route.dst !== undefined);

export function liveRoute(json: RouteJson, family: 4 | 6): LiveRoute {
  const hops = json.nexthops ?? (json.dev || json.gateway || json.via ? [json] : []);
  return {
    to: destination(json.dst, family),
    type: typeNames[Number(json.type ?? 1)] ?? String(json.type),
    table: tables[json.table ?? 254] ?? Number(json.table),
    metric: json.metric ?? 0,
    protocol: protocols[json.protocol ?? ""] ?? String(json.protocol),
    scope: scopeNames[json.scope ?? ""] ?? String(json.scope),
    source: json.prefsrc && canonicalAddress(json.prefsrc),
    metrics: json.metrics?.[0] ?? {},
    unsaid: [
      ...unsaidOf(json, known),
      ...(json.metrics ?? []).flatMap((some) => unsaidOf(some, metrics)),
      ...(json.pref === undefined || json.pref === "medium" ? [] : [`pref ${json.pref}`]),
    ],
    hops: hops.map((hop) => ({
      via: address(hop),
      device: hop.dev,
      weight: hop.weight,
      onlink: hop.flags?.includes("onlink") === true,
    })),
  };
}

const address = ({ gateway, via }: HopJson) => (gateway ?? via?.host) && canonicalAddress(gateway ?? via?.host ?? "");

function destination(dst: string, family: 4 | 6): string {
  if (dst === "default") return family === 4 ? "default" : "::/0";
  const [address = "", length = family === 4 ? "32" : "128"] = dst.split("/");
  return `${canonicalAddress(address)}/${length}`;
}

/** Types that lead nowhere. */
export const sinks: string[] = ["blackhole", "unreachable", "prohibit", "throw"];

/** What tells a route from all others. */
interface Selector {
  to: string;
  type: string;
  table?: number | "main" | "local" | "default" | undefined;
  metric?: number | undefined;
}

export const familyOf = ({ to }: { to: string }): 4 | 6 => (to === "default" ? 4 : family(to));

export const tableOf = (want: Selector) =>
  want.table ?? (["local", "broadcast", "anycast"].includes(want.type) ? "local" : "main");

// A metric of 0 is none to IPv6, which then takes IP6_RT_PRIO_USER.
export const metricOf = (want: Selector) => want.metric || (familyOf(want) === 6 ? 1024 : 0);

/** The arguments that tell a live route from others, and what the schema wants beside them. */
export function identityOf({ to, table, metric, type, hops }: LiveRoute, namespace: string | undefined) {
  const want = { to, namespace, type };
  return {
    ...want,
    table: table === tableOf(want) ? undefined : table,
    metric: metric === metricOf(want) ? undefined : metric,
    ...(hops.length > 1
      ? {
          nexthops: hops.map(({ via, device, weight }) => ({ via, device, weight: weight === 1 ? undefined : weight })),
        }
      : { via: hops[0]?.via, device: sinks.includes(type) ? undefined : hops[0]?.device }),
  };
}

/** What gateways stand on comes before them. */
export const gatewaysLast = (routes: LiveRoute[]) =>
  [...routes].sort((a, b) => Number(a.hops[0]?.via !== undefined) - Number(b.hops[0]?.via !== undefined));

/** Makes a route, in one go where one of its destination, table and metric is there. */
export function replaceRoute(route: LiveRoute, namespace?: string): Step {
  const { to, type, table, metric, protocol, scope, source, metrics, hops } = route;
  const version = familyOf(route);
  const several = hops.length > 1;
  return {
    argv: [
      ...["ip", "route", "replace", type, to, "table", String(table), "metric", String(metric), "proto", protocol],
      ...(version === 4 ? ["scope", scope] : []),
      ...(source ? ["src", source] : []),
      ...Object.entries(metrics).flatMap(([word, value]) => [word, String(value)]),
      ...hops.flatMap(({ via, device, weight, onlink }) => [
        ...(several ? ["nexthop"] : []),
        ...(via ? ["via", ...(family(via) === version ? [] : ["inet6"]), via] : []),
        ...(device ? ["dev", device] : []),
        ...(several && weight ? ["weight", String(weight)] : []),
        ...(onlink ? ["onlink"] : []),
      ]),
    ],
    namespace,
    routes:
      namespace === undefined
        ? [{ to, table, metric, hops: hops.map(({ via, device }) => ({ via, device })) }]
        : undefined,
  };
}
