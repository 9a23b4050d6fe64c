import { family } from "../model/scalars";

/** One rule of a security group, checked; the group by its name. */
export interface GroupRule {
  direction: "ingress" | "egress";
  ethertype?: "IPv4" | "IPv6" | undefined;
  protocol?: string | number | undefined;
  ports?: number | string | undefined;
  icmpType?: number | undefined;
  icmpCode?: number | undefined;
  remoteCidr?: string | undefined;
  remoteGroup?: string | undefined;
}

/** The set of a port's table with the addresses of a group's members. A group's name may begin with a digit, a set's not. */
export const memberSet = (group: string, version: 4 | 6) => `group-${group}-v${version}`;

/** The IP versions that a rule speaks of. */
export function versionsOf({ ethertype, protocol, remoteCidr }: GroupRule): (4 | 6)[] {
  if (remoteCidr) return [family(remoteCidr)];
  if (ethertype) return [ethertype === "IPv4" ? 4 : 6];
  if (protocol === "icmp") return [4];
  return protocol === "icmpv6" ? [6] : [4, 6];
}

/**
 * The rule in nft's words. It speaks of the packet that began the flow (`ct original`), not of the one at hand: so the
 * same text judges both directions of a flow, every packet anew, and a flow ends when no rule lets its first packet in
 * any more. Nothing has to be taken out of conntrack for that. (`ct protocol` instead of `meta l4proto` would be printed
 * by nft 1.0.6 in a form that it does not read: the `meta protocol` before it is left out.)
 */
export function ruleText(rule: GroupRule): string[] {
  const side = rule.direction === "ingress" ? "saddr" : "daddr";
  return versionsOf(rule).map((version) => {
    const ip = version === 4 ? "ip" : "ip6";
    const remote =
      rule.remoteCidr ?? (rule.remoteGroup !== undefined ? `@${memberSet(rule.remoteGroup, version)}` : "");
    return [
      `meta protocol ${ip}`,
      ...(rule.protocol === undefined ? [] : [`meta l4proto ${protocolWord(rule.protocol)}`]),
      ...destination(rule),
      ...(remote ? [`ct original ${ip} ${side} ${remote}`] : []),
      "accept",
    ].join(" ");
  });
}

const protocolWord = (protocol: string | number) => (protocol === "icmpv6" ? "ipv6-icmp" : String(protocol));

/** conntrack keeps an ICMP type and code where other protocols have the port of destination, the type in the upper byte. */
function destination({ ports, icmpType, icmpCode }: GroupRule): string[] {
  if (ports !== undefined) return [`ct original proto-dst ${ports}`];
  if (icmpType === undefined) return [];
  const first = icmpType * 256 + (icmpCode ?? 0);
  return [`ct original proto-dst ${icmpCode === undefined ? `${first}-${first + 255}` : first}`];
}
