import type { Seen } from "../host/seen";
import { type AddressInfo, type LiveAddress, liveAddress } from "./address";
import type { Section } from "./command";
import { HostnetError } from "./errors";
import { inNamespace, keyIn, namespaceExists, placeOrHost } from "./namespaces";
import type { NeighborEntry } from "./neighbor";
import { type Feature, featuresIn } from "./offloads";

/** An entry of `ip -j -d address show`: the link and its addresses. */
export interface LinkJson {
  ifindex: number;
  ifname: string;
  /** The parent's or peer's name, where it is in the same namespace; null where it is not to be had. */
  link?: string | null;
  link_index?: number;
  link_netnsid?: number;
  flags: string[];
  mtu: number;
  master?: string;
  operstate: string;
  txqlen?: number;
  ifalias?: string;
  link_type: string;
  address?: string;
  permaddr?: string;
  promiscuity?: number;
  group?: string;
  altnames?: string[];
  xdp?: object;
  /** What hardware it hangs on: Linux and iproute2 since 5.14. */
  parentdev?: string;
  linkinfo?: {
    info_kind?: string;
    info_data?: Record<string, unknown>;
    info_slave_kind?: string;
    info_slave_data?: Record<string, unknown>;
  };
  addr_info?: AddressInfo[];
}

/** A link as the kernel has it. */
export interface LinkState {
  json: LinkJson;
  addresses: LiveAddress[];
  /** `ip link`'s word for its type; undefined for a NIC. */
  type: string | undefined;
  /** True when IPv6 is off on it; undefined when that was not asked. */
  ipv6Disabled: boolean | undefined;
  /** Whether a new device there has IPv6; undefined when that was not asked, or there is nothing on it to switch. */
  ipv6ByDefault?: boolean | undefined;
  /** The permanent neighbours, when that was asked because they are about to be lost. */
  neighbors?: NeighborEntry[];
  /** The features that `ethtool -k` shows, when that was asked. */
  features: Record<string, Feature> | undefined;
}

/** Devices that modules bring into every namespace, that nobody made and nobody can delete. */
export const fallbackDevices = new Set([
  "lo",
  "gre0",
  "gretap0",
  "erspan0",
  "ip6gre0",
  "tunl0",
  "sit0",
  "ip6tnl0",
  "ip_vti0",
  "ip6_vti0",
]);

export const linksSection: Section = { key: "links", argv: ["ip", "-j", "-d", "address", "show"] };

// `ip -j -d link` does not show disable_ipv6: one grep reads it of all devices. By the shell's names: `grep -r` looks at each
// of the 45 files that a device has, which takes five times as long. `*` leaves out names that begin with a dot.
const ipv6Section: Section = {
  key: "ipv6",
  argv: ["sh", "-c", 'exec grep -s "" "$0"/*/disable_ipv6 "$0"/.*/disable_ipv6', "/proc/sys/net/ipv6/conf"],
  socketsOnly: true,
};

const featuresSection = (device: string): Section => ({ key: `features:${device}`, argv: ["ethtool", "-k", device] });

/** What has to be read to know a link: all links of its namespace, and what only some resources ask for. */
export function linkSections(
  namespace: string | undefined,
  asks: { ipv6?: boolean; features?: string } = {},
): Section[] {
  return inNamespace(
    namespace,
    linksSection,
    ...(asks.ipv6 ? [ipv6Section] : []),
    ...(asks.features ? [featuresSection(asks.features)] : []),
  );
}

/** All links of a namespace; none where the namespace is absent. Throws READ_FAILED. */
export function linksIn(seen: Seen, namespace: string | undefined): LinkJson[] {
  if (!namespaceExists(seen, namespace)) return [];
  // `ip -j` prints {} for what a filter leaves out.
  return seen.json<LinkJson[]>(keyIn("links", namespace)).filter((link) => link.ifname !== undefined);
}

/** Whether there is a link of that name. Throws READ_FAILED. */
export const hasLink = (seen: Seen, namespace: string | undefined, name: string | undefined) =>
  name !== undefined && linkState(seen, namespace, name) !== undefined;

/** For a resource of a device that has to be there. */
export const absent = (device: string, namespace: string | undefined) =>
  new HostnetError("STEP_FAILED", `there is no device ${device} ${placeOrHost(namespace)}`, {
    remedy: "Check the name; where it is a resource, give that as `device`, so that it is made first.",
  });

/** One link by its name; undefined when it is proven absent. Throws READ_FAILED. */
export function linkState(seen: Seen, namespace: string | undefined, name: string): LinkState | undefined {
  const byName = seen.derive(
    keyIn("links", namespace),
    () => new Map(linksIn(seen, namespace).map((link) => [link.ifname, link])),
  );
  const json = byName.get(name);
  if (!json) return undefined;
  // Once for all that are on it: a device may have thousands of addresses.
  return seen.derive(`link ${namespace ?? ""}/${name}`, () => ({
    json,
    addresses: (json.addr_info ?? []).filter((info) => info.local !== undefined).map(liveAddress),
    type: json.linkinfo?.info_kind,
    ...ipv6Of(seen, namespace, name),
    features: features(seen, namespace, name),
  }));
}

/**
 * The host is still at an address that somebody has set. Nobody waits for those that the kernel makes by itself; and while
 * the link is not there, the check has not begun (addrconf_dad_begin: IF_READY).
 */
export function addressCheck({ json, addresses }: Pick<LinkState, "json" | "addresses">): string | undefined {
  const isReady = json.flags.includes("UP") && ["UP", "UNKNOWN"].includes(json.operstate);
  const isUnderWay = ({ tentative, dadFailed, kernelMade, dynamic }: LiveAddress) =>
    tentative && !dadFailed && !kernelMade && !dynamic;
  return isReady && addresses.some(isUnderWay) ? "duplicate address detection" : undefined;
}

function ipv6Of(seen: Seen, namespace: string | undefined, name: string) {
  if (!seen.has(keyIn("ipv6", namespace))) return { ipv6Disabled: undefined };
  const here = isIpv6Off(seen, namespace, name);
  // A device without an entry has no IPv6 at all (too small an MTU, or a kernel without it).
  if (here === undefined) return { ipv6Disabled: true };
  return { ipv6Disabled: here, ipv6ByDefault: hasIpv6ByDefault(seen, namespace) };
}

/** Whether a new device there has IPv6; a namespace that is itself new has not been asked. */
export const hasIpv6ByDefault = (seen: Seen | undefined, namespace: string | undefined) =>
  !seen?.has(keyIn("ipv6", namespace)) || !isIpv6Off(seen, namespace, "default");

function isIpv6Off(seen: Seen, namespace: string | undefined, device: string): boolean | undefined {
  const key = keyIn("ipv6", namespace);
  const values = seen.derive(key, () => {
    const lines = seen.result(key).stdout.matchAll(/^\/proc\/sys\/net\/ipv6\/conf\/(.*)\/disable_ipv6:(.*)$/gm);
    return new Map([...lines].map(([, name = "", value = ""]) => [name, value.trim()]));
  });
  const value = values.get(device);
  return value === undefined ? undefined : value !== "0";
}

function features(seen: Seen, namespace: string | undefined, name: string): Record<string, Feature> | undefined {
  const key = keyIn(`features:${name}`, namespace);
  return seen.has(key) ? featuresIn(seen.result(key).stdout) : undefined;
}
