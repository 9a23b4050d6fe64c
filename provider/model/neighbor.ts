import type { Seen } from "../host/seen";
import type { Section, Step } from "./command";
import type { LinkJson } from "./link-state";
import { inNamespace, keyIn } from "./namespaces";
import { addressBits, canonicalAddress, ipAddress, isMulticast, macAddress } from "./scalars";

/** An entry of the table of neighbours, or of proxies, as `ip -j neighbour show` prints it. Flags are null. */
export interface NeighborJson {
  dst: string;
  /** A proxy entry may be of all devices. */
  dev?: string;
  lladdr?: string;
  state?: string[];
  router?: null;
  proxy?: null;
  /** A control plane (EVPN) has set it, and sees to it. */
  extern_learn?: null;
  protocol?: string;
}

/** What a neighbour's table says of one address at one device. */
export interface NeighborEntry {
  address: string;
  device: string;
  mac?: string;
  router: boolean;
  proxy: boolean;
}

// What a control plane sets says NOARP; so do the groups that the kernel sends to.
const tableSection: Section = {
  key: "neighbours:lasting",
  argv: ["ip", "-j", "neighbour", "show", "nud", "permanent", "nud", "noarp"],
};

const proxiesSection: Section = { key: "neighbours:proxy", argv: ["ip", "-j", "neighbour", "show", "proxy"] };

export const neighborSections = (namespace: string | undefined): Section[] =>
  inNamespace(namespace, tableSection, proxiesSection);

/** All that somebody has set in a namespace: neither learned nor the kernel's own. Throws READ_FAILED. */
export const neighborsIn = (seen: Seen, namespace: string | undefined): NeighborJson[] =>
  seen.derive(keyIn("neighbours", namespace), () =>
    [tableSection, proxiesSection].flatMap(({ key }) =>
      seen
        .json<NeighborJson[]>(keyIn(key, namespace))
        // `ip -j` prints {} for what a filter leaves out.
        .filter((entry) => entry.dst !== undefined && (isMade(entry) || isControlled(entry)))
        .map((entry) => ({ ...entry, dst: canonicalAddress(entry.dst) })),
    ),
  );

export const isProxy = ({ proxy }: NeighborJson) => proxy !== undefined;

const isControlled = ({ extern_learn }: NeighborJson) => extern_learn !== undefined;

const isPermanent = ({ state = [] }: NeighborJson) => state.includes("PERMANENT");

/** As `ip neighbour add` makes it, by whomever. */
export const isMade = (entry: NeighborJson) => isProxy(entry) || (isPermanent(entry) && !isControlled(entry));

export const neighborAddress = ipAddress.refine(
  (address) => !isMulticast(address) && addressBits(address) !== 0n && address !== "255.255.255.255",
  "must be the address of one host: neither multicast, nor broadcast, nor all zeros",
);

/** Whether a device has neighbours with MAC addresses; the kernel has one entry for all behind a tunnel or `lo` (arp_constructor). */
export const hasMacs = ({ link_type }: LinkJson) => link_type === "ether";

/** Whether a Neighbor can say it. */
export const isSayable = (entry: NeighborJson, link: LinkJson) =>
  neighborAddress.safeParse(entry.dst).success &&
  hasMacs(link) &&
  (isProxy(entry) || macAddress.safeParse(entry.lladdr).success);

/** What there is of it to say again. */
export const entryOf = (entry: NeighborJson): NeighborEntry => ({
  ...{ address: entry.dst, device: entry.dev ?? "", mac: entry.lladdr },
  ...{ router: entry.router !== undefined, proxy: isProxy(entry) },
});

/** What of a device somebody has made. */
export const neighborsOf = (seen: Seen, namespace: string | undefined, device: string): NeighborEntry[] =>
  neighborsIn(seen, namespace)
    .filter((entry) => entry.dev === device && isMade(entry))
    .map(entryOf);

const selector = ({ proxy, address, device }: Omit<NeighborEntry, "mac" | "router">) => [
  ...(proxy ? ["proxy"] : []),
  ...[address, "dev", device],
];

/** What was learned of the address gives way; who has set it is told, as the kernel keeps the old word otherwise. */
export function replaceNeighbor(entry: NeighborEntry, namespace: string | undefined): Step {
  const { address, device, mac = "", proxy, router } = entry;
  return {
    argv: [
      ...["ip", "neighbour", "replace", ...selector(entry)],
      ...(proxy ? [] : ["lladdr", mac, "nud", "permanent"]),
      ...(router ? ["router"] : []),
      ...["protocol", "static"],
    ],
    namespace,
    neighbors: namespace === undefined && !proxy ? [{ address, device, mac }] : undefined,
  };
}

export const removeNeighbor = (entry: Omit<NeighborEntry, "mac" | "router">, namespace: string | undefined): Step => ({
  argv: ["ip", "neighbour", "del", ...selector(entry)],
  namespace,
});
