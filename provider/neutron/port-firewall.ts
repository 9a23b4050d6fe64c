import { family } from "../model/scalars";
import { disjoint, linkLocal } from "./addresses";
import { type GroupRule, memberSet, ruleText, versionsOf } from "./group-rules";
import type { instanceDevices } from "./names";

/** A pair of addresses that a guest may send from; the address may be a network, or a range as 10.0.0.3-10.0.0.9. */
export interface AddressPair {
  mac: string;
  address: string;
}

export interface PortPlan {
  devices: ReturnType<typeof instanceDevices>;
  /** The conntrack zone: that of the network on this node. */
  zone: number;
  /** false: everything passes, but for the host itself. */
  security: boolean;
  /** The guest's own MAC address. */
  mac: string;
  pairs: AddressPair[];
  /** Rules of all groups of the port. */
  rules: GroupRule[];
}

export interface Chain {
  type?: "filter";
  hook?: "prerouting" | "input" | "forward";
  priority?: number;
  policy?: "accept" | "drop";
  rules: string[];
}

interface PlannedSet {
  type: string;
  flags?: "interval"[];
  elements?: string[];
}

/** In the bridge family nft's `filter` is -200, where the kernel has conntrack, too (nf_conntrack_bridge). */
const filter = -200;
const conntrack = -200;
const afterConntrack = conntrack + 50;

const base = (hook: "prerouting" | "input" | "forward", priority: number, rules: string[]): Chain => ({
  ...{ type: "filter", hook, priority, policy: "accept", rules },
});

/**
 * The firewall of one port of a guest, on its Linux bridge: a table of its own, so that a port comes and goes without a
 * change to any other's. Chains are called as in Neutron's iptables driver: i to the guest, o from it. What comes from the
 * guest is judged before the bridge has given it its VLAN tag: nft would take the tag's for the packet's own type.
 */
export function portChains(plan: PortPlan): Record<string, Chain> {
  const { tap, qvb } = plan.devices;
  const both = `iifname { "${tap}", "${qvb}" }`;
  // Whoever sends to the bridge's own MAC address would reach the host, though the bridge has no IP address.
  const host = base("input", filter, [`${both} drop`]);
  if (!plan.security) return { "to-host": host };
  return {
    "to-host": host,
    "ct-zone": base("prerouting", conntrack - 100, [`${both} ct zone set ${plan.zone}`]),
    "from-guest": base("prerouting", afterConntrack, [`iifname "${tap}" jump o`]),
    "to-guest": base("forward", filter, [`oifname "${tap}" jump i`]),
    i: { rules: toGuest },
    o: { rules: [...spoofing(plan), ...fromGuest] },
    "i-rules": { rules: unique(plan.rules.filter(({ direction }) => direction === "ingress").flatMap(ruleText)) },
    "o-rules": { rules: unique(plan.rules.filter(({ direction }) => direction === "egress").flatMap(ruleText)) },
  };
}

/**
 * The sets of the port's table: what the guest may send from, and the members of each group that a rule names. `given`:
 * the addresses of which DHCP gives it one.
 */
export function portSets(
  plan: PortPlan,
  members: ReadonlyMap<string, readonly string[]>,
  given: readonly string[] = [],
): Record<string, PlannedSet> {
  if (!plan.security) return {};
  const pairs = withLinkLocal(plan, given);
  const remotes = plan.rules.flatMap((rule) =>
    rule.remoteGroup === undefined
      ? []
      : versionsOf(rule).map((version) => [rule.remoteGroup as string, version] as const),
  );
  return {
    ...Object.fromEntries(
      ([4, 6] as const).map((version) => [
        `pairs-v${version}`,
        {
          type: `ether_addr . ${addressType(version)}`,
          flags: ["interval"],
          elements: unique(pairs.map(({ mac }) => mac)).flatMap((mac) =>
            addressesOf(
              version,
              pairs.flatMap((pair) => (pair.mac === mac ? pair.address : [])),
            ).map((address) => `${mac} . ${address}`),
          ),
        },
      ]),
    ),
    ...Object.fromEntries(
      remotes.map(([group, version]) => [
        memberSet(group, version),
        {
          type: addressType(version),
          flags: ["interval"],
          elements: addressesOf(version, members.get(group) ?? []),
        },
      ]),
    ),
  };
}

const addressType = (version: 4 | 6) => (version === 4 ? "ipv4_addr" : "ipv6_addr");

const addressesOf = (version: 4 | 6, all: readonly string[]) =>
  disjoint(all.filter((address) => family(address) === version));

function withLinkLocal(plan: PortPlan, given: readonly string[]): AddressPair[] {
  const own = given.map((address) => ({ mac: plan.mac, address }));
  return [...own, ...plan.pairs, ...macsOf(plan).map((mac) => ({ mac, address: linkLocal(mac) }))];
}

const macsOf = ({ mac, pairs }: PortPlan) => unique([mac, ...pairs.map((pair) => pair.mac)]);

/** What a guest may not pretend to be. Neutron lets an ARP probe (RFC 5227) pass only where it is the OVS driver's. */
function spoofing(plan: PortPlan): string[] {
  const macs = macsOf(plan).join(", ");
  return [
    `ether saddr != { ${macs} } drop`,
    // ARP: the sender in the packet must be the sender of the frame, with an address of its own, or none while it probes.
    `ether type arp arp saddr ether != { ${macs} } drop`,
    "ether type arp arp saddr ip 0.0.0.0 arp operation request accept",
    "ether type arp ether saddr . arp saddr ip @pairs-v4 accept",
    "ether type arp drop",
    // A DHCP client has no address yet; a DHCP server a guest must not be.
    "ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept",
    "udp sport 67 udp dport 68 drop",
    "udp sport 547 udp dport 546 drop",
    "icmpv6 type { nd-router-advert, nd-redirect } drop",
    "ip6 saddr :: ip6 daddr ff02::/16 icmpv6 type { mld-listener-report, nd-neighbor-solicit, mld2-listener-report } accept",
    "meta protocol ip ether saddr . ip saddr != @pairs-v4 drop",
    "meta protocol ip6 ether saddr . ip6 saddr != @pairs-v6 drop",
    "udp sport 68 udp dport 67 accept",
    "udp sport 546 udp dport 547 accept",
    "icmpv6 type { mld-listener-query, mld-listener-report, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept",
    // No other protocols of layer 2, VLAN tags among them.
    "meta protocol != { ip, ip6 } drop",
  ];
}

/** ICMP errors about a flow that conntrack knows. */
const related = "meta l4proto { icmp, ipv6-icmp } ct state related accept";

/** A packet of a flow that began outside is judged by the rules for what comes in, in both directions; and the other way. */
const fromGuest = [
  "ct state invalid drop",
  related,
  "ct direction reply jump i-rules",
  "ct direction original jump o-rules",
  "drop",
];

const toGuest = [
  "ether type arp accept",
  "icmpv6 type { mld-listener-query, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
  // Servers among guests are stopped where they send.
  "udp sport 67 udp dport 68 accept",
  "udp sport 547 udp dport 546 accept",
  "ct state invalid drop",
  related,
  "ct direction reply jump o-rules",
  "ct direction original jump i-rules",
  "drop",
];

const unique = <T>(items: T[]) => [...new Set(items)];
