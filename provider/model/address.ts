import { z } from "zod";
import type { LostAddress, Step } from "./command";
import { HostnetError } from "./errors";
import { addressBits, canonicalAddress, cidr, family, ipAddress, isMulticast, subnet } from "./scalars";

const scope = z.enum(["global", "link", "host", "site"]);

/** What a device can have: the kernel refuses the rest, or takes it for nothing. */
const ofDevice = cidr.refine(
  (value) => !isMulticast(value) && addressBits(value.split("/")[0] as string) !== 0n,
  "must be an address of one host, neither multicast nor all zeros",
);

/** An address with all that `ip address add` takes. */
export const addressObject = z
  .strictObject({
    address: ofDevice.describe("Address with prefix length, as 10.0.1.1/24."),
    peer: ipAddress
      .optional()
      .describe("The address of the other end of a point-to-point link; the prefix length is its."),
    scope: scope.optional().describe("Where the address is valid. Default: what the kernel derives from the address."),
    label: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,15}$/, "must be 1 to 15 characters, beginning with the interface's name")
      .optional()
      .describe("Label of an IPv4 address, which begins with the interface's name. Default: that name."),
    nodad: z
      .boolean()
      .optional()
      .describe("Use an IPv6 address at once, without duplicate address detection. Default: true on links of ours."),
  })
  .superRefine(({ address: own, peer, scope, label }, issues) => {
    const refuse = (path: string, message: string) => issues.addIssue({ code: "custom", path: [path], message });
    if (peer && family(peer) !== family(own)) refuse("peer", "must be of the address's family: both IPv4 or both IPv6");
    // Such an IPv4 address is one without a peer to the kernel; of IPv6 it refuses it.
    if (peer && peer === hostOf({ address: own })) refuse("peer", "must be another address than the device's own");
    // The kernel derives the one, and has no place for the other.
    for (const [path, value] of Object.entries({ scope, label })) {
      if (value !== undefined && family(own) === 6) refuse(path, "is of IPv4 addresses only");
    }
  })
  .meta({ title: "IpAddress" });

export const address = z.union([ofDevice, addressObject]);

export const addressList = z
  .array(address)
  .refine(
    (list) => new Set(list.map((item) => addressKey(full(item)))).size === list.length,
    "must not have an address twice, and one of IPv6 has one prefix length and peer",
  );

export type Address = z.output<typeof address>;
export type AddressObject = z.output<typeof addressObject>;

/** An address as the kernel lists it. */
export interface LiveAddress {
  address: string;
  peer?: string;
  scope: string;
  label?: string;
  secondary: boolean;
  /** From DHCP or a router advertisement: it has a lifetime. */
  dynamic: boolean;
  /** Its subnet has no route by it: IFA_F_NOPREFIXROUTE. */
  noPrefixRoute?: boolean;
  /** A link-local address that the kernel made itself, as far as that can be told. */
  kernelMade: boolean;
  /** The daemon that has set it (IFA_PROTO), where one says so. */
  daemon?: string;
  tentative: boolean;
  dadFailed: boolean;
}

/** An entry of `addr_info` of `ip -j -d addr`. */
export interface AddressInfo {
  family: string;
  local: string;
  /** The peer's address, where there is one. */
  address?: string;
  prefixlen: number;
  scope: string;
  label?: string;
  secondary?: boolean;
  dynamic?: boolean;
  broadcast?: string;
  metric?: number;
  noprefixroute?: boolean;
  mngtmpaddr?: boolean;
  home?: boolean;
  autojoin?: boolean;
  tentative?: boolean;
  dadfailed?: boolean;
  protocol?: string;
  deprecated?: boolean;
  "stable-privacy"?: boolean;
}

/**
 * Before Linux 6.3 nothing tells the link-local address that the kernel made from one that somebody set, but its form: from
 * a MAC address (ff:fe), an IPv4 address (ISATAP, or on a sit device the address itself), or at random with a flag
 * (addrconf_addr_gen, add_v4_addrs).
 */
function isKernels({ scope, protocol, ...flags }: AddressInfo, local: string): boolean {
  if (scope !== "link" || !local.startsWith("fe80:") || protocol !== undefined) return false;
  const low = addressBits(local) & 0xffff_ffff_ffff_ffffn;
  const [middle, upper, lower] = [(low >> 24n) & 0xffffn, low >> 32n, low & 0xffff_ffffn];
  const isIpv4s = (upper & 0xfdff_ffffn) === 0x5efen || (upper === 0n && lower >= 0x0100_0000n);
  return flags["stable-privacy"] === true || middle === 0xfffen || isIpv4s;
}

export function liveAddress(info: AddressInfo): LiveAddress {
  const local = canonicalAddress(info.local);
  return {
    address: `${local}/${info.prefixlen}`,
    peer: info.address === undefined ? undefined : canonicalAddress(info.address),
    scope: info.scope,
    label: info.label,
    secondary: info.secondary === true,
    dynamic: info.dynamic === true,
    noPrefixRoute: info.noprefixroute,
    kernelMade: info.protocol?.startsWith("kernel") === true || isKernels(info, local),
    daemon: info.protocol?.startsWith("kernel") ? undefined : info.protocol,
    tentative: info.tentative === true,
    dadFailed: info.dadfailed === true,
  };
}

export const full = (item: Address): AddressObject => (typeof item === "string" ? { address: item } : item);

type Place = Pick<LiveAddress, "address" | "peer">;

/** Two addresses are one when the kernel would call the second one a duplicate. By this a device's thousands are found. */
const textOf = ({ address, peer = "" }: Place) => `${address} ${peer}`;
const byText = <T extends Place>(items: T[]) => new Map(items.map((item) => [textOf(item), item]));

export const sameAddress = (a: Place, b: Place) => a.address === b.address && (a.peer ?? "") === (b.peer ?? "");

/** What a device has once: of IPv6 the address alone (ipv6_add_addr). */
export const addressKey = (item: { address: string; peer?: string }) =>
  family(item.address) === 6 ? hostOf(item) : `${item.address}${item.peer ? ` peer ${item.peer}` : ""}`;

/** The address is there with all that was declared of it. */
export function matches(want: AddressObject, live: LiveAddress): boolean {
  const wantedScope = want.scope ?? live.scope;
  const wantedLabel = want.label ?? live.label;
  return sameAddress(want, live) && wantedScope === live.scope && wantedLabel === live.label;
}

function words(item: AddressObject): string[] {
  const [local = "", length = ""] = item.address.split("/");
  return item.peer ? [local, "peer", `${item.peer}/${length}`] : [item.address];
}

export function addAddress(item: AddressObject, device: string, namespace?: string): Step {
  const argv = ["ip", "address", "add", ...words(item)];
  if (item.scope) argv.push("scope", item.scope);
  if (item.label) argv.push("label", item.label);
  argv.push("dev", device);
  if (family(item.address) === 6 && item.nodad !== false) argv.push("nodad");
  return { argv, namespace };
}

/** The same, where it may be there already. */
export function replaceAddress(item: AddressObject, device: string, namespace?: string): Step {
  const { argv } = addAddress(item, device, namespace);
  return { argv: argv.map((word) => (word === "add" ? "replace" : word)), namespace };
}

/** Gives a device back what it had. */
export const restoreAddress = (item: LiveAddress, device: string, namespace?: string): Step => {
  const { argv } = replaceAddress(declaredAs(item), device, namespace);
  return { argv: [...argv, ...(item.noPrefixRoute ? ["noprefixroute"] : [])], namespace };
};

export function removeAddress(item: LostAddress, device: string, namespace?: string): Step {
  const { address, peer, secondary } = item;
  const loses = namespace ? undefined : [{ address, peer, secondary }];
  return { argv: ["ip", "address", "del", ...words(item), "dev", device], namespace, loses };
}

export interface AddressPlan {
  device: string;
  namespace?: string;
  want: Address[];
  /** Declared before: these go when they are wanted no more. */
  was: Address[];
  live: LiveAddress[];
  /** Everything else goes too, but for what the kernel made. */
  exact: boolean;
}

/** What makes the addresses of a device into the declared ones, the first of each subnet being its primary. */
export function convergeAddresses({ device, namespace, want, was, live, exact }: AddressPlan): Step[] {
  const wanted = byText(want.map(full));
  const isWanted = (item: LiveAddress) => wanted.has(textOf(item));
  refuseDuplicates(live.filter(isWanted), device);
  const declared = byText([...want, ...was].map(full));
  const held = new Set([...declared.values()].map((item) => stopgap(item, 32)));
  const gone = live.filter((item) => {
    if (isWanted(item)) return false;
    if (declared.has(textOf(item)) || held.has(item.address)) return true;
    return exact && !item.kernelMade && !item.dynamic;
  });
  const redo = demoted(wanted, live);
  const again = live.filter((item) => {
    const now = wanted.get(textOf(item));
    return now !== undefined && (!matches(now, item) || redo.has(subnet(item.address)));
  });
  const [there, anew] = [byText(live), byText(again)];
  const coming = [...wanted].filter(([text]) => !there.has(text) || anew.has(text)).map(([, item]) => item);
  return exchangeAddresses({ device, namespace, live, leaving: [...gone, ...again], coming });
}

/** Throws NOT_CONVERGED when the address is another machine's too. */
export function refuseDuplicates(live: LiveAddress[], device: string): void {
  const twin = live.find(({ dadFailed }) => dadFailed);
  if (!twin) return;
  throw new HostnetError("NOT_CONVERGED", `another machine on ${device}'s link has ${twin.address}`, {
    remedy:
      "Find it by its answer to neighbour discovery (`ndisc6`, `ip -6 neigh`) and end that, or choose another address. The check begins anew when the address is taken away: `ip address del`.",
  });
}

export interface AddressExchange {
  device: string;
  namespace?: string;
  live: LiveAddress[];
  leaving: LiveAddress[];
  coming: AddressObject[];
}

/**
 * Addresses for others. With an IPv4 address the kernel drops all routes that have it as their source, and with the last one
 * of a device all that lead through it, whosever they are: so for each that comes back, or the next where none would stay,
 * a stopgap does until the new ones are there.
 */
export function exchangeAddresses({ device, namespace, live, leaving, coming }: AddressExchange): Step[] {
  const inOrder = [...leaving].sort((a, b) => Number(b.secondary) - Number(a.secondary));
  const back = taken(leaving, live);
  const isIpv4 = ({ address }: { address: string }) => family(address) === 4;
  const lost = new Set([...leaving, ...back]);
  const stay = live.some((item) => !lost.has(item) && isIpv4(item));
  const after = [...coming, ...back].filter(isIpv4);
  const hosts = new Set([...lost].map(hostOf));
  const returning = after.filter((item) => hosts.has(hostOf(item)));
  const held = returning.length > 0 || stay || !leaving.some(isIpv4) ? returning : after.slice(0, 1);
  const used = new Set(held.length > 0 ? [...live, ...coming].map(({ address }) => address) : []);
  const stopgaps = [...new Set(held.map((item) => stopgap(item, used.has(stopgap(item, 32)) ? 31 : 32)))];
  const hold = (verb: string): Step[] =>
    stopgaps.map((address) => ({ argv: ["ip", "address", verb, address, "dev", device], namespace }));
  return [
    ...hold("add"),
    ...inOrder.map((item) => removeAddress(item, device, namespace)),
    ...coming.map((item) => addAddress(item, device, namespace)),
    ...back.map((item) => restoreAddress(item, device, namespace)),
    ...hold("del"),
  ];
}

/** The same IPv4 address in a subnet of its own: the kernel calls neither of the two the other's secondary. */
const stopgap = (item: { address: string }, length: number) => `${hostOf(item)}/${length}`;

const hostOf = ({ address }: { address: string }) => address.split("/")[0];

/**
 * A primary IPv4 address takes the secondary ones of its subnet with it, unless promote_secondaries is on. So they leave
 * before it, and those that stay are given back: `replace` does no harm where they never went.
 */
export function giveBack(leaving: LiveAddress[], live: LiveAddress[], device: string, namespace?: string): Step[] {
  return taken(leaving, live).map((item) => restoreAddress(item, device, namespace));
}

const declaredAs = ({ address, peer, scope, label }: LiveAddress) => ({
  address,
  peer,
  scope: scope as "global",
  label,
});

/** The secondary addresses that go with a primary one, and are to stay. Of IPv6 the same flag says: temporary. */
function taken(leaving: LiveAddress[], live: LiveAddress[]): LiveAddress[] {
  const lost = new Set(leaving.filter((item) => !item.secondary).map((item) => subnet(item.address)));
  return live.filter(
    (item) => item.secondary && family(item.address) === 4 && lost.has(subnet(item.address)) && !leaving.includes(item),
  );
}

/** The subnets of which another address is the primary than the first declared one, and is declared too. */
function demoted(wanted: Map<string, AddressObject>, live: LiveAddress[]): Set<string> {
  const firsts = new Map([...wanted.values()].reverse().map((item) => [subnet(item.address), item]));
  const wrong = live.filter((primary) => {
    if (primary.peer || primary.secondary || family(primary.address) !== 4) return false;
    const first = wanted.has(textOf(primary)) ? firsts.get(subnet(primary.address)) : undefined;
    return first !== undefined && !first.peer && !sameAddress(first, primary);
  });
  return new Set(wrong.map(({ address }) => subnet(address)));
}

/** The addresses that somebody has set by hand, as they would be declared: as text where there is no more to say. */
export function declarable(live: LiveAddress[], device: string): Address[] {
  return live
    .filter((item) => !item.kernelMade && !item.dynamic && !item.daemon)
    .map((item) => {
      const { address, peer } = item;
      const scope = item.scope === usualScope(address) ? undefined : (item.scope as AddressObject["scope"]);
      const label = item.label === device ? undefined : item.label;
      return peer || scope || label ? { address, peer, scope, label } : address;
    });
}

/** As iproute2 has it (default_scope): what is below 127.0.0.0/8 is the host's own. */
const usualScope = (address: string) =>
  address.startsWith("127.") || address.startsWith("::1/") ? "host" : address.startsWith("fe80:") ? "link" : "global";

/** The live addresses that were declared, in the declared form, and with `exact` the others. */
export function shownAddresses(declared: Address[], live: LiveAddress[], exact: boolean): Address[] {
  const [there, said] = [byText(live), byText(declared.map(full))];
  const kept = declared.flatMap((item) => {
    const found = there.get(textOf(full(item)));
    if (!found) return [];
    if (typeof item === "string") return [item];
    return [
      { ...item, ...(item.scope && { scope: found.scope }), ...(item.label && { label: found.label }) } as Address,
    ];
  });
  const foreign = live.filter((item) => !item.kernelMade && !item.dynamic && !said.has(textOf(item)));
  return exact ? [...kept, ...foreign.map((item) => item.address)] : kept;
}
