/** What is deployed: links as plain data, from which each contender makes what it needs. */
export interface BridgeLink {
  kind: "LinuxBridge";
  name: string;
}

/** A pair whose far end is a port of a bridge, so that it can only be made after that. */
export interface PairLink {
  kind: "VethPair";
  name: string;
  near: { name: string; address: string };
  far: { name: string; bridge: string };
}

export type Link = BridgeLink | PairLink;

export interface Workload {
  name: WorkloadName;
  hosts: number;
  /** The same on each host. */
  links: Link[];
}

export const workloadNames = ["links100", "links4x25"] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** How many hosts the workloads need at most. */
export const mostHosts = 4;

export function workload(name: WorkloadName, quick: boolean): Workload {
  const [hosts, links] = name === "links100" ? [1, 100] : [mostHosts, 25];
  return { name, hosts, links: linksOf(quick ? Math.floor(links / 5) : links) };
}

/** Half of them bridges (one more when odd), the other half pairs, each on a bridge of its own. */
export function linksOf(count: number): Link[] {
  const bridges = Array.from({ length: Math.ceil(count / 2) }, (_, index): Link => {
    return { kind: "LinuxBridge", name: `br${index}` };
  });
  const pairs = Array.from({ length: Math.floor(count / 2) }, (_, index): Link => {
    const near = { name: `v${index}a`, address: `10.200.${index}.1/24` };
    return { kind: "VethPair", name: `v${index}`, near, far: { name: `v${index}b`, bridge: `br${index}` } };
  });
  return [...bridges, ...pairs];
}

/** The links in the order in which they can be made: all of one wave at once, the waves one after the other. */
export function wavesOf(links: Link[]): Link[][] {
  const waves = [links.filter((link) => link.kind === "LinuxBridge"), links.filter((link) => link.kind === "VethPair")];
  return waves.filter((wave) => wave.length > 0);
}

/** The waves of an operation: a read has no order, a deletion the opposite one. */
export function wavesFor(links: Link[], verb: "up" | "refresh" | "destroy"): Link[][] {
  if (verb === "refresh") return [links];
  return verb === "destroy" ? wavesOf(links).reverse() : wavesOf(links);
}
