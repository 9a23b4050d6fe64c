import { isIP } from "node:net";
import { addressBits, hex } from "./scalars";

/** What a protocol's name stands for (ovs-fields(7)): `eth_type`, `ip_proto`. */
const protocols: Record<string, [type: bigint, proto?: bigint]> = {
  ip: [0x800n],
  ...{ ipv6: [0x86ddn], ip6: [0x86ddn] },
  ...{ icmp: [0x800n, 1n], icmp6: [0x86ddn, 58n] },
  ...{ tcp: [0x800n, 6n], tcp6: [0x86ddn, 6n] },
  ...{ udp: [0x800n, 17n], udp6: [0x86ddn, 17n] },
  ...{ sctp: [0x800n, 132n], sctp6: [0x86ddn, 132n] },
  ...{ arp: [0x806n], rarp: [0x8035n], mpls: [0x8847n], mplsm: [0x8848n] },
};

/** Several names of one field. Ports, and what ICMP has in their place, are one field to Open vSwitch. */
const fields: Record<string, string> = {
  ...{ dl_type: "eth_type", dl_src: "eth_src", dl_dst: "eth_dst", vlan_pcp: "dl_vlan_pcp" },
  ...{ nw_src: "ip_src", arp_spa: "ip_src", nw_dst: "ip_dst", arp_tpa: "ip_dst" },
  ...{ nw_proto: "ip_proto", arp_op: "ip_proto", nw_ecn: "ip_ecn", nw_frag: "ip_frag" },
  ...{ tcp_src: "tp_src", udp_src: "tp_src", sctp_src: "tp_src", icmp_type: "tp_src", icmpv6_type: "tp_src" },
  ...{ tcp_dst: "tp_dst", udp_dst: "tp_dst", sctp_dst: "tp_dst", icmp_code: "tp_dst", icmpv6_code: "tp_dst" },
  ...{ tunnel_id: "tun_id", in_port_oxm: "in_port" },
};

/** Bits of the VLAN's tag that a field says (`vlan_tci`); the twelfth is set where there is a tag. */
const ofTag: Record<string, (value: bigint, mask?: bigint) => [value: bigint, mask: bigint]> = {
  dl_vlan: (value) => (value === 0xffffn ? [0n, 0x1fffn] : [0x1000n | value, 0x1fffn]),
  vlan_vid: (value, mask = 0x1fffn) => [value, mask],
  dl_vlan_pcp: (value) => [0x1000n | (value << 13n), 0xf000n],
  vlan_tci: (value, mask = 0xffffn) => [value, mask],
};

/**
 * One text for all spellings of a match, as far as they can be told without Open vSwitch, which has the last word when
 * it parses them. A value that is not understood stands as it is: no two matches that differ get one text.
 */
export function canonicalMatch(match: string): string {
  const said = new Map<string, string>();
  let [tag, tagMask] = [0n, 0n];
  for (const word of words(match)) {
    const [type, proto] = protocols[word] ?? [];
    if (type !== undefined) said.set("eth_type", hex(type));
    if (proto !== undefined) said.set("ip_proto", hex(proto));
    if (type !== undefined) continue;
    const [, name = word, text = ""] = /^(.*?)[=:(](.*?)\)?$/.exec(word) ?? [];
    const field = fields[name] ?? name;
    const { value, mask } = bitsOf(text);
    const bits = value === undefined ? undefined : ofTag[field]?.(value, mask);
    if (bits) [tag, tagMask] = [tag | (bits[0] & bits[1]), tagMask | bits[1]];
    else if (field === "nw_tos" && value !== undefined) said.set("ip_dscp", hex(value >> 2n));
    else if (text === "*" || mask === 0n) said.delete(field);
    else if (value === undefined) said.set(field, flags(text));
    else said.set(field, mask === undefined ? hex(value) : `${hex(value & mask)}/${hex(mask)}`);
  }
  if (tagMask > 0n) said.set("vlan_tci", `${hex(tag)}/${hex(tagMask)}`);
  return [...said]
    .map(([field, value]) => `${field}=${value}`)
    .sort()
    .join(",");
}

/** A comma in the name of a port is none between fields. */
const words = (match: string) => match.match(/(?:"[^"]*"|[^,"])+/g) ?? [];

/** The value of a field, and its mask unless that is of all bits, as numbers; nothing when they are no plain ones. */
function bitsOf(text: string): { value?: bigint | undefined; mask?: bigint | undefined } {
  const [value = "", mask, ...others] = text.split("/");
  const width = { 0: isMac(value) ? 48n : undefined, 4: 32n, 6: 128n }[isIP(value)];
  const all = width && (1n << width) - 1n;
  const isLength = all !== undefined && /^\d+$/.test(mask ?? "");
  const said = mask === undefined ? all : isLength ? all ^ (all >> BigInt(mask)) : numberOf(mask);
  if (others.length > 0 || (mask !== undefined && said === undefined)) return {};
  return { value: numberOf(value), mask: said === all ? undefined : said };
}

const isMac = (text: string) => /^[\da-f]{1,2}(:[\da-f]{1,2}){5}$/i.test(text);

/** A number that begins with 0 is octal to ovs-ofctl: it stays text. */
function numberOf(text: string): bigint | undefined {
  if (isIP(text)) return addressBits(text);
  if (isMac(text))
    return BigInt(
      `0x${text
        .split(":")
        .map((octet) => octet.padStart(2, "0"))
        .join("")}`,
    );
  if (text.toUpperCase() === "LOCAL") return 65534n;
  return /^(0|[1-9]\d*|0x[\da-f]+)$/i.test(text) ? BigInt(text) : undefined;
}

/** `+trk+est`, in whatever order. */
const flags = (text: string) => (/^([+-]\w+)+$/.test(text) ? (text.match(/[+-]\w+/g) ?? []).sort().join("") : text);
