import { hex } from "../model/scalars";
import type { TunnelType } from "./mtu";

/** One flow, in the words of ovs-ofctl. */
export interface Flow {
  table?: number;
  priority: number;
  match?: string;
  actions: string;
}

/** The tables of Neutron's Open vSwitch agent (neutron_lib, ovs_constants). */
export const tables = {
  fromInt: 2,
  fromTunnel: { gre: 3, vxlan: 4 } satisfies Record<TunnelType, number>,
  learn: 10,
  unicast: 20,
  flood: 22,
  /** Of br-int: what has been let in, and is switched. */
  transient: 60,
} as const;

const to = (table: number) => `resubmit(,${table})`;
const unicast = "dl_dst=00:00:00:00:00:00/01:00:00:00:00:00";
const broadcast = "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00";

/** br-int switches as a learning switch does, but for the VLAN that no packet may have. */
export const integrationFlows: Flow[] = [
  { priority: 65535, match: "dl_vlan=4095", actions: "drop" },
  { priority: 0, actions: to(tables.transient) },
  { table: tables.transient, priority: 3, actions: "NORMAL" },
];

/**
 * br-tun without any network. What comes from br-int goes out by the learned entry for its destination (20), or to all
 * nodes of its network (22). All else comes from a tunnel: it gets its VLAN (3 or 4), and its sender is learned (10, where
 * each network has a flow).
 * Neutron has a flow for the in_port of each tunnel; here one does for all, so that a new node changes no flow here.
 */
export function tunnelFlows(type: TunnelType): Flow[] {
  const { fromInt, fromTunnel, flood } = tables;
  return [
    { priority: 2, match: "in_port=LOCAL", actions: "drop" },
    { priority: 1, match: 'in_port="patch-int"', actions: to(fromInt) },
    { priority: 0, actions: to(fromTunnel[type]) },
    { table: fromInt, priority: 0, match: unicast, actions: to(tables.unicast) },
    { table: fromInt, priority: 0, match: broadcast, actions: to(flood) },
    { table: fromTunnel[type], priority: 0, actions: "drop" },
    { table: tables.unicast, priority: 0, actions: to(flood) },
    { table: flood, priority: 0, actions: "drop" },
  ];
}

/** A tenant network on one node: its local VLAN is the tunnel id's on the wire, and floods to the other nodes it is on. */
export function tenantFlows(
  type: TunnelType,
  { vlan, tunnelId, ports }: { vlan: number; tunnelId: number; ports: string[] },
): Flow[] {
  const inward = {
    table: tables.fromTunnel[type],
    priority: 1,
    match: `tun_id=${hex(tunnelId)}`,
    actions: `mod_vlan_vid:${vlan},${to(tables.learn)}`,
  };
  const learning = {
    table: tables.learn,
    priority: learnPriority[type],
    match: `dl_vlan=${vlan}`,
    actions: `learn(${source(tunnelId)}),output:"patch-int"`,
  };
  const outputs = ports.map((port) => `output:${quoted(port)}`);
  const outward = {
    table: tables.flood,
    priority: 1,
    match: `dl_vlan=${vlan}`,
    actions: ["strip_vlan", `set_tunnel:${hex(tunnelId)}`, ...outputs].join(","),
  };
  return ports.length > 0 ? [inward, learning, outward] : [inward, learning];
}

/**
 * The entry for who has sent a packet. With a flow that learns goes what it has learned (OvsFlows), and that must go when a
 * network gets another VLAN or tunnel id, or its tunnels become others: packets would go where nobody takes them, for five
 * minutes. Neutron has one flow that learns for all, and the agent takes that away.
 */
const source = (tunnelId: number) =>
  [
    "table=20,hard_timeout=300,priority=1",
    "NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]",
    `load:0->NXM_OF_VLAN_TCI[],load:${hex(tunnelId)}->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[]`,
  ].join(",");

/** Another type of tunnel is another flow: the ports that were learned are gone with the old tunnels. */
const learnPriority: Record<TunnelType, number> = { gre: 1, vxlan: 2 };

/** Where ovs-ofctl takes a number, a name with a dash in it needs its quotes. */
const quoted = (port: string) => JSON.stringify(port);

/** Nothing passes between br-int and a physical network that no network of the cloud is on. */
export const closedPatch = (port: string): Flow[] => [
  { priority: 2, match: `in_port=${quoted(port)}`, actions: "drop" },
];

/** From the physical network into br-int: untagged packets (flat) or those of a VLAN get the local VLAN. */
export const fromPhysical = (port: string, vlan: number, segment?: number): Flow[] => [
  {
    priority: 3,
    match:
      segment === undefined
        ? `in_port=${quoted(port)},vlan_tci=0x0000/0x1fff`
        : `in_port=${quoted(port)},dl_vlan=${segment}`,
    actions: `mod_vlan_vid:${vlan},${to(tables.transient)}`,
  },
];

/** From br-int to the physical network, back to what the wire has. */
export const toPhysical = (port: string, vlan: number, segment?: number): Flow[] => [
  {
    priority: 4,
    match: `in_port=${quoted(port)},dl_vlan=${vlan}`,
    actions: `${segment === undefined ? "strip_vlan" : `mod_vlan_vid:${segment}`},NORMAL`,
  },
];
