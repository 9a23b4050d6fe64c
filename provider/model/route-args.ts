import { z } from "zod";
import { familyOf, type Nexthop, routeTypes, scopes, sinks, tables } from "./route";
import { between, deviceRef, family, ipAddress, namespaceRef, prefix, unsigned } from "./scalars";

const zeros = "0.0.0.0/0";

const destination = z.union([z.literal("default"), prefix]).transform((to) => (to === zeros ? "default" : to));

const table = z
  .union([z.enum(["main", "local", "default"]), between(1, 0xffff_ffff)])
  .transform((value) => tables[value] ?? value);

const nexthop = z.strictObject({
  via: ipAddress.optional().describe("Address of the next router. Default: the destination is on the link."),
  device: deviceRef.optional().describe("Device by which it is reached. Default: the one that `via` is on."),
  weight: between(1, 256).optional().describe("Share of the traffic against the others, 1 to 256. Default: 1."),
});

const window = (doc: string) => unsigned(32).min(1, "must be 1 or more").optional().describe(doc);

export const routeArgs = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe(
        "The network namespace. Default: that of a `device` given as a resource, else the host's own. A change replaces the route.",
      ),
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
    // What the kernel cuts them to (ip_metrics_convert).
    mtu: between(68, 65520)
      .optional()
      .describe("Path MTU to the destination in bytes, 68 to 65520. Default: the device's."),
    advmss: between(1, 65495)
      .optional()
      .describe("TCP segment size to announce, in bytes, 1 to 65495. Default: from the MTU."),
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

export type RouteArgs = z.output<typeof routeArgs>;

/** Rules over several arguments, the kernel's own. */
function broken(want: RouteArgs): [path: string, message: string][] {
  const found: [string, string | false | undefined][] = [
    ["via", want.via && want.nexthops && "must not be given together with nexthops"],
    ["device", want.device && want.nexthops && "must not be given together with nexthops"],
    ["nexthops", want.nexthops && want.type !== "unicast" && "are for the type unicast only"],
    ["scope", want.scope && familyOf(want) === 6 && "is of IPv4 routes only"],
    ["onlink", want.onlink && !want.nexthops && !(want.via && want.device) && "needs via and device"],
    ["onlink", want.onlink && want.nexthops?.some(({ device }) => !device) && "needs a device of each of the nexthops"],
    ["via", want.via && here(want) && `must not be given for the type ${want.type}`],
    [
      "scope",
      want.via &&
        (want.scope === "host" || want.scope === "link") &&
        "must not be host or link with via: that is further",
    ],
    ["scope", want.scope && familyOf(want) === 4 && tooFar(want.type, want.scope)],
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
    found.push([at("device"), /^fe[89ab]/i.test(hop.via ?? "") && !hop.device && "a link-local `via` needs one"]);
    if (!hop.via || family(hop.via) === familyOf(want)) continue;
    found.push([at("via"), familyOf(want) === 6 && "must be an IPv6 address"]);
    found.push([at("via"), want.to === "default" && "must be an IPv4 address: for IPv6 write to: '::/0'"]);
  }
  return found.filter((item): item is [string, string] => typeof item[1] === "string" && item[1] !== "");
}

/** Of IPv4, what ends on the host or its links. */
const here = (want: RouteArgs) =>
  familyOf(want) === 4 && ["local", "broadcast", "anycast", "multicast"].includes(want.type);

/** What ends on the host or its links is no further than that (fib_props). */
function tooFar(type: string, scope: string): string | false {
  if (type === "local") return scope !== "host" && "must be host for the type local";
  const near = type === "broadcast" || type === "anycast";
  return near && scope !== "host" && scope !== "link" && `must be link or host for the type ${type}`;
}

/** The way out as a list, be it declared by `via` and `device` or by `nexthops`. */
export function hopsOf({ via, device, nexthops }: RouteArgs): Nexthop[] {
  if (nexthops && nexthops.length > 0) return nexthops;
  return via || device ? [{ via: via || undefined, device }] : [];
}
