import type { Seen } from "../host/seen";
import type { Section } from "./command";
import type { LinkJson } from "./link-state";
import { inNamespace, keyIn, namespaceIdsSection } from "./namespaces";
import { type OvsDatabase, ovsDatabase, ovsSections } from "./ovs";
import type { KnownHost } from "./question";

/** One host of a trace, and what it showed before packets were sent on purpose. */
export interface View {
  host: KnownHost;
  seen: Seen;
}

type Counted = { packets: number; errors: number; dropped: number };

/** A device with its counters. */
export type CountedLink = LinkJson & { stats64?: { rx: Counted; tx: Counted } };

const linksSection: Section = { key: "counters", argv: ["ip", "-s", "-d", "-j", "address", "show"] };
const rulesetSection: Section = { key: "ruleset", argv: ["nft", "-a", "list", "ruleset"] };
const neighboursSection: Section = { key: "neighbours", argv: ["ip", "-j", "neighbour", "show"] };

const vlansSection: Section = { key: "bridge vlans", argv: ["bridge", "-j", "vlan", "show"] };

/** Patch ports and tunnels of Open vSwitch are no devices: ovs-vswitchd counts for them, and its database lags 5 seconds. */
const portsScript = `
for bridge in $(ovs-vsctl --timeout=10 list-br); do
  echo "bridge $bridge"
  ovs-ofctl -O OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15 dump-ports "$bridge"
done
`.trim();
const portsSection: Section = { key: "ports", argv: ["sh", "-c", portsScript] };

/** A namespace; undefined: the host's own. */
type Place = string | undefined;

const everywhere = (places: Place[], sections: Section[]) =>
  places.flatMap((namespace) => inNamespace(namespace, ...sections));

/** What a host has on the way of packets, in all of its namespaces, with what each part has counted so far. */
export const viewSections = (places: Place[]): Section[] => [
  ...everywhere(places, [linksSection, namespaceIdsSection, neighboursSection, vlansSection, rulesetSection]),
  ...ovsSections,
  portsSection,
];

/** What has counted since. */
export const countSections = (places: Place[]): Section[] => [
  ...everywhere(places, [linksSection, rulesetSection]),
  portsSection,
];

/** All devices of a namespace; none when it went while we looked. */
export function countedLinks(seen: Seen, namespace: string | undefined): CountedLink[] {
  const key = keyIn(linksSection.key, namespace);
  if (seen.result(key).exitCode !== 0) return [];
  return seen.json<CountedLink[]>(key).filter(({ ifname }) => ifname !== undefined);
}

/** The state of the neighbour in the kernel's table; undefined when it has none. */
export function neighbourState(seen: Seen, namespace: string | undefined, device: string, address: string) {
  const { stdout } = seen.result(keyIn(neighboursSection.key, namespace));
  const entries = (stdout.startsWith("[") ? JSON.parse(stdout) : []) as {
    dst: string;
    dev: string;
    state?: string[];
  }[];
  return entries.find(({ dst, dev }) => dst === address && dev === device)?.state;
}

type PortVlan = { vlan: number; vlanEnd?: number; flags?: string[] };

/** The VLANs of a port of a Linux bridge; undefined for one whose bridge does not look at them. */
export function bridgeVlans(seen: Seen, namespace: string | undefined, device: string): PortVlan[] | undefined {
  const links = countedLinks(seen, namespace);
  const master = links.find(({ ifname }) => ifname === device)?.master;
  const filters = links.find(({ ifname }) => ifname === master)?.linkinfo?.info_data?.vlan_filtering === 1;
  const { stdout } = seen.result(keyIn(vlansSection.key, namespace));
  if (!filters || !stdout.startsWith("[")) return undefined;
  const ports = JSON.parse(stdout) as { ifname: string; vlans?: PortVlan[] }[];
  return ports.find(({ ifname }) => ifname === device)?.vlans ?? [];
}

/** What `nft -a list ruleset` prints; nothing where there is no nft. */
export const rulesetOf = (seen: Seen, namespace: string | undefined) =>
  seen.result(keyIn(rulesetSection.key, namespace)).stdout;

/** Open vSwitch's configuration; undefined on a host without one that runs. */
export function ovsOf(seen: Seen): OvsDatabase | undefined {
  const runs = seen.result("ovsdb").exitCode === 0 && seen.result("ovs-vswitchd").stdout.trim() !== "";
  return runs ? ovsDatabase(seen) : undefined;
}

/** Packets that a port of an OVS bridge has received from outside the bridge, and sent. */
export function portCounts(seen: Seen, bridge: string, ofport: number): { rx: number; tx: number } | undefined {
  const ports = seen.derive("port counts", () => parsePorts(seen.result(portsSection.key).stdout));
  return ports.get(`${bridge} ${ofport}`);
}

function parsePorts(text: string): Map<string, { rx: number; tx: number }> {
  const ports = new Map<string, { rx: number; tx: number }>();
  for (const block of text.split(/^bridge /m).slice(1)) {
    const bridge = block.split("\n")[0];
    for (const [, port, rx, tx] of block.matchAll(/port +"?(\w+)"?: rx pkts=(\d+),.*\n\s*tx pkts=(\d+),/g)) {
      ports.set(`${bridge} ${port}`, { rx: Number(rx), tx: Number(tx) });
    }
  }
  return ports;
}
