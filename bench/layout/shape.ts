import type { Footprint } from "../../tools/footprint";

/** The layout of a host, a line for each thing that is there, whoever made it and however they keep their books. */
export function shapeOf(footprint: Footprint): string[] {
  const parts = Object.keys(footprint).map((topic) => linesOf(topic, footprint).map((line) => `${topic}: ${line}`));
  return parts.flat().sort();
}

/** How two hosts' layouts differ; empty when they do not. */
export function shapeDifferences(one: string[], other: string[]): string[] {
  return [
    ...one.filter((line) => !other.includes(line)).map((line) => `- ${line}`),
    ...other.filter((line) => !one.includes(line)).map((line) => `+ ${line}`),
  ];
}

/** How two footprints of a host differ, in all that they have. */
export function footprintDifferences(before: Footprint, after: Footprint): string[] {
  const all = (footprint: Footprint) =>
    Object.entries(footprint).flatMap(([topic, value]) => rows(value).map((row) => `${topic}: ${JSON.stringify(row)}`));
  return shapeDifferences(all(before), all(after));
}

type Row = Record<string, unknown>;
const rows = (value: unknown) => (value ?? []) as Row[];

function linesOf(topic: string, footprint: Footprint): string[] {
  const value = footprint[topic];
  const [first = "", last = ""] = topic.split(" ");
  if (first === "ports") return value as string[];
  if (first === "flows") return flows(value as string[], portNames(last, footprint));
  if (first === "ovs") return ["Bridge", "Port", "Interface"].includes(last) ? rows(value).map(ovsRow) : [];
  if (last === "link") return rows(value).map(link);
  if (last === "addr") return rows(value).flatMap(addresses);
  if (last === "nft") return ruleset(value as string[]);
  return ["route", "rule", "vlan"].includes(last) ? rows(value).map((row) => ofAnyMac(JSON.stringify(row))) : [];
}

/** A MAC address only where somebody chose it: the guests' are those of OpenStack. */
function link({ ifname, flags, mtu, master, address, linkinfo }: Row): string {
  const { info_kind: type, info_data: all } = (linkinfo ?? {}) as { info_kind?: string; info_data?: Row };
  const options = Object.fromEntries(
    bridgeOptions.filter((key) => all?.[key] !== undefined).map((key) => [key, all?.[key]]),
  );
  const mac = String(address).startsWith("fa:16:3e:") ? address : undefined;
  return JSON.stringify({ ifname, type, mtu, master, mac, up: (flags as string[]).includes("UP"), ...options });
}

const bridgeOptions = [
  ...["ageing_time", "forward_delay", "mcast_snooping", "stp_state"],
  ...["vlan_default_pvid", "vlan_filtering", "vlan_protocol"],
];

/** An address of IPv6 that the kernel makes of a MAC address says only that IPv6 is on. */
const ofAnyMac = (text: string) => text.replace(/fe80::[0-9a-f:]+/g, "fe80::");

const addresses = ({ ifname, addr_info }: Row): string[] =>
  rows(addr_info).map(({ local, prefixlen }) => ofAnyMac(`${ifname} ${local}/${prefixlen}`));

/** Without comments; the tables, and the sets and chains of one, in any order. */
function ruleset(all: string[]): string[] {
  const kept = all.map((line) => line.trim()).filter((line) => line !== "}" && !line.startsWith("comment "));
  const parts = kept.join("\n").split(/\n(?=(?:table|set|map|chain) )/);
  let table = "";
  return parts.map((part) => {
    if (part.startsWith("table ")) table = part;
    return `${table} ${part.replaceAll("\n", "; ")}`;
  });
}

const ovsColumns = ["name", "type", "options", "fail_mode", "tag", "trunks", "vlan_mode"];

function ovsRow(row: Row): string {
  const ids = (row.external_ids as [string, [string, unknown][]] | undefined)?.[1] ?? [];
  const theirs = ids.filter(([key]) => !key.startsWith("hostnet-"));
  return JSON.stringify([...ovsColumns.map((column) => row[column]), theirs]);
}

/** The ports of a bridge by the numbers that OVS gave them. */
function portNames(bridge: string, footprint: Footprint): Map<string, string> {
  const ports = footprint[`ports ${bridge}`] as string[];
  const own = rows(footprint["ovs Interface"]).filter(({ name }) => ports.includes(String(name)));
  return new Map(own.map(({ ofport, name }) => [String(ofport), String(name)]));
}

/** A flow that packets have made, of another. */
const learned = /hard_timeout=\d+, priority/;

/** Flows as they were written: with names for numbers, and without their cookies. */
function flows(lines: string[], names: Map<string, string>): string[] {
  return lines
    .filter((line) => !learned.test(line))
    .map((line) => line.replace(/cookie=0x[0-9a-f]+,? ?|reset_counts ?/g, "").trim())
    .map((line) => line.replace(/(in_port=|output:)(\d+)/g, (_, what, number) => what + (names.get(number) ?? number)));
}
