import { z } from "zod";
import { type Context, type Found, kind } from "../kind";
import type { RouteChange, Step } from "../model/command";
import { inNamespace } from "../model/namespaces";
import {
  familyOf,
  identityOf,
  type LiveRoute,
  liveRoutes,
  metricOf,
  type Nexthop,
  routesSection,
  routeTypes,
  scopes,
  sinks,
  tableOf,
  tables,
} from "../model/route";
import { between, deviceRef, family, ipAddress, mtu, namespaceRef, prefix, unsigned } from "../model/scalars";

const zeros = "0.0.0.0/0";

const destination = z.union([z.literal("default"), prefix]).transform((to) => (to === zeros ? "default" : to));

const table = z
  .union([z.enum(["main", "local", "default"]), between(1, 0xffff_ffff)])
  .transform((value) => tables[value] ?? value);

const nexthop = z.strictObject({
  via: ipAddress.optional().describe("Address of the next router. Default: the destination is on the link."),
  device: deviceRef.optional().describe("Device by which it is reached. Default: the one that `via` is on."),
  weight: between(1, 256).optional().describe("Share of the traffic against the others. Default: 1."),
});

const window = (doc: string) => unsigned(32).min(1, "must be 1 or more").optional().describe(doc);

const args = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe("The network namespace. Default: the host's own. A change replaces the route."),
    to: destination.describe(
      "Destination: a network as 10.9.0.0/16, one address, or `default`, which is 0.0.0.0/0; for IPv6 write ::/0. A change replaces the route.",
    ),
    via: ipAddress
      .optional()
      .describe("Address of the next router; an IPv4 network may have an IPv6 one. Not together with `nexthops`."),
    device: deviceRef
      .optional()
      .describe("Device by which packets leave (`dev`). Default: the one that `via` is on. Not with `nexthops`."),
    type: z
      .enum(routeTypes)
      .default("unicast")
      .describe(
        "What becomes of the packets: unicast sends them on; blackhole drops them in silence; unreachable and prohibit drop them with an ICMP error; throw looks in the next table; local delivers them here; broadcast, multicast, anycast as the kernel has them. Default: unicast.",
      ),
    metric: unsigned(32)
      .optional()
      .describe(
        "Of several routes to one destination the lowest metric is used. Default: the kernel's, 0 for IPv4, 1024 for IPv6. A change replaces the route.",
      ),
    table: table
      .optional()
      .describe(
        "Routing table: main, local, default or a number. Default: main; local for the types local, broadcast and anycast. A change replaces the route.",
      ),
    source: ipAddress
      .optional()
      .describe(
        "Source address of packets that the host itself sends by this route (`src`). Default: the kernel's choice.",
      ),
    scope: z
      .enum(scopes)
      .optional()
      .describe(
        "How far the destination is, IPv4 only. Default: link without a router, host for the type local, else global.",
      ),
    onlink: z
      .boolean()
      .optional()
      .describe("Take `via` to be on the device's link although no address there says so. Default: false."),
    mtu: mtu.optional().describe("Path MTU to the destination in bytes. Default: the device's."),
    advmss: between(1, 65535).optional().describe("TCP segment size to announce, in bytes. Default: from the MTU."),
    initcwnd: window("Initial congestion window of TCP, in segments. Kernel default: 10."),
    initrwnd: window("Initial receive window of TCP, in segments. Kernel default: from the socket's buffer."),
    nexthops: z
      .array(nexthop)
      .min(2, "must be two or more; a single one is `via` and `device`")
      .optional()
      .describe("Several next routers that share the traffic (ECMP), instead of `via` and `device`."),
  })
  .superRefine((want, issues) => {
    for (const [path, message] of broken(want)) issues.addIssue({ code: "custom", path: path.split("."), message });
  });

type Want = z.output<typeof args>;

/** Rules over several arguments, the kernel's own. */
function broken(want: Want): [path: string, message: string][] {
  const found: [string, string | false | undefined][] = [
    ["via", want.via && want.nexthops && "must not be given together with nexthops"],
    ["device", want.device && want.nexthops && "must not be given together with nexthops"],
    ["nexthops", want.nexthops && want.type !== "unicast" && "are for the type unicast only"],
    ["scope", want.scope && familyOf(want) === 6 && "is of IPv4 routes only"],
    ["onlink", want.onlink && !want.nexthops && !(want.via && want.device) && "needs via and device"],
    ["source", want.source && family(want.source) !== familyOf(want) && "must be of the destination's family"],
    [
      "device",
      !want.device && !want.via && !want.nexthops && !sinks.includes(want.type) && "via or nexthops will do as well",
    ],
  ];
  if (sinks.includes(want.type)) {
    found.push(["via", want.via && `must not be given for the type ${want.type}`]);
    found.push(["device", want.device && `must not be given for the type ${want.type}`]);
  }
  for (const [path, hop] of hopsOf(want).map(
    (item, index) => [want.nexthops ? `nexthops.${index}` : "", item] as const,
  )) {
    const at = (key: string) => (path ? `${path}.${key}` : key);
    found.push([at("device"), path && !hop.via && !hop.device && "via will do as well"]);
    if (!hop.via || family(hop.via) === familyOf(want)) continue;
    found.push([at("via"), familyOf(want) === 6 && "must be an IPv6 address"]);
    found.push([at("via"), want.to === "default" && "must be an IPv4 address: for IPv6 write to: '::/0'"]);
  }
  return found.filter((item): item is [string, string] => typeof item[1] === "string" && item[1] !== "");
}

export const route = kind({
  name: "Route",
  doc: "A route of the kernel, told from others by destination, table and metric. It is made with `proto static`, as routes of an administrator are. The kernel drops routes of a device that goes down: that shows as a missing route, and the next `up` makes it again.",
  args,
  facts: z.object({
    device: z.string().optional().describe("The device by which packets leave; absent with several."),
    protocol: z.string().describe("Who made it: static is an administrator or this resource."),
  }),
  identity: ["to", "namespace", "table", "metric"],
  needs: ["ip"],
  mark: "ledger",
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
    `route to ${want.to} table ${tableOf(want)} metric ${metricOf(want)} in namespace ${want.namespace ?? "-"}`,
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

/** The way out as a list, be it declared by `via` and `device` or by `nexthops`. */
function hopsOf({ via, device, nexthops }: Want): Nexthop[] {
  if (nexthops && nexthops.length > 0) return nexthops;
  return via || device ? [{ via: via || undefined, device }] : [];
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
