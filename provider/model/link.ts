import type { Seen } from "../host/seen";
import type { Context } from "../kind";
import { convergeAddresses, declarable } from "./address";
import type { Step } from "./command";
import { otherKind } from "./errors";
import { type LinkArgs, type LinkFacts, type LinkTraits, usualMtu } from "./link-args";
import { leastMtuOfIpv6, wantsIpv6 } from "./link-ipv6";
import { hasIpv6ByDefault, type LinkJson, type LinkState, linkSections } from "./link-state";
import { derivedMac, isMark } from "./mark";
import { neighborSections, neighborsOf, replaceNeighbor } from "./neighbor";
import { convergeOffloads, liveOffloads } from "./offloads";
import type { KnownHost, Question } from "./question";
import { family } from "./scalars";
import { udevSettled } from "./udev";

/** What is a port of something else than a Linux bridge has no `bridge` to declare. */
export const foreignMaster = (state: LinkState | undefined) =>
  state?.json.linkinfo?.info_slave_kind === "bridge" ? undefined : state?.json.master;

/**
 * A member of a bond or team has the MAC address of that (bond_enslave), with another one it is sent nothing more; and its
 * MTU, with every change of it.
 */
export const isMember = ({ linkinfo }: LinkJson) =>
  linkinfo?.info_slave_kind === "bond" || linkinfo?.info_slave_kind === "team";

/** The MAC address of its own: what a bond gives back to a member that leaves. */
const ownMac = (json: LinkJson) => {
  const kept = isMember(json) ? json.linkinfo?.info_slave_data?.perm_hwaddr : undefined;
  return typeof kept === "string" ? kept : json.address;
};

/** `ip` leaves out a queue of length 0. */
const queueLength = ({ txqlen = 0 }: LinkJson) => txqlen;

export function observeLink(want: LinkArgs, traits: LinkTraits = {}) {
  return linkSections(want.namespace, {
    ipv6: wantsIpv6(want, traits) !== undefined,
    features: want.offloads && want.name,
  });
}

/** The live link in the words of the arguments. */
export function liveLinkArgs(live: LinkState, namespace: string | undefined): Partial<LinkArgs> {
  const { json } = live;
  return {
    name: json.ifname,
    namespace,
    mac: ownMac(json),
    mtu: json.mtu,
    up: json.flags.includes("UP"),
    addresses: declarable(live.addresses, json.ifname),
    bridge: json.master,
    ipv6: live.ipv6Disabled === undefined ? undefined : !live.ipv6Disabled,
    arp: !json.flags.includes("NOARP"),
    offloads: live.features && liveOffloads(live.features),
    txQueueLength: queueLength(json),
  };
}

export function linkFactsOf({ json, addresses }: LinkState): LinkFacts {
  return {
    ifindex: json.ifindex,
    // A layer-3 tunnel prints its local IP address here.
    mac: json.link_type === "ether" ? json.address : undefined,
    mtu: json.mtu,
    operstate: json.operstate,
    addresses: addresses.map((item) => item.address),
  };
}

/** The MAC that the device must have; undefined when that is the kernel's business. */
export function wantedMac(want: LinkArgs, context: Context<unknown>, traits: LinkTraits): string | undefined {
  if (want.mac === "kernel") return undefined;
  if (want.mac !== undefined) return want.mac;
  return traits.keepsMac ? undefined : derivedMac(context.owner, want.namespace, want.name);
}

/** What the device is made with, where that is not left to be set. */
const mtuOfBirth = ({ mtu }: LinkArgs, { mtuOfPorts }: LinkTraits) =>
  mtuOfPorts ? (mtu === usualMtu ? usualMtu - 1 : undefined) : mtu;

/** The words of `ip link add` that every link takes. All at once: udev rewrites the MAC of a device made without one. */
export function creationWords(want: LinkArgs, context: Context<unknown>, traits: LinkTraits = {}): string[] {
  const mac = wantedMac(want, context, traits);
  const mtu = mtuOfBirth(want, traits);
  return [
    ...(mac ? ["address", mac] : []),
    ...(mtu === undefined ? [] : ["mtu", String(mtu)]),
    ...(want.txQueueLength === undefined ? [] : ["txqueuelen", String(want.txQueueLength)]),
  ];
}

/** The mark, first thing after the creation: what a crash leaves behind must be known as ours. */
export const markLink = (name: string, namespace: string | undefined, context: Context<unknown>): Step => ({
  argv: ["ip", "link", "set", "dev", name, "alias", context.mark],
  namespace,
});

/** What follows the creation of a link, `bare` without creationWords: mark, udev, IPv6, then all that `convergeLink` knows. */
export function afterCreation(
  want: LinkArgs,
  context: Context<unknown>,
  traits: LinkTraits = {},
  bare = false,
): Step[] {
  const { name, namespace } = want;
  return [
    markLink(name, namespace, context),
    ...(namespace === undefined ? [udevSettled] : []),
    ...convergeLink(want, newborn(want, bare ? undefined : want, context, traits), context, traits),
  ];
}

/** What a link is right after `ip link add`, with what creationWords said of it. */
function newborn(
  { name, namespace }: LinkArgs,
  said: LinkArgs | undefined,
  context: Context<unknown>,
  traits: LinkTraits,
): LinkState {
  return {
    json: {
      ifindex: 0,
      ifname: name,
      flags: traits.noArp ? ["NOARP"] : [],
      mtu: (said && mtuOfBirth(said, traits)) ?? 0,
      operstate: "DOWN",
      // Not none: what the kernel gives it.
      txqlen: said?.txQueueLength ?? -1,
      ifalias: context.mark,
      link_type: "ether",
      address: said && wantedMac(said, context, traits),
    },
    addresses: [],
    type: undefined,
    ipv6Disabled: !hasIpv6ByDefault(context.seen, namespace),
    features: {},
  };
}

/** What differs, and costs a device its permanent neighbours, whosever they are (neigh_changeaddr). */
function losesNeighbors(want: LinkArgs, { json }: LinkState, context: Context<unknown>, traits: LinkTraits) {
  const mac = isMember(json) ? undefined : wantedMac(want, context, traits);
  return {
    mac: mac === json.address ? undefined : mac,
    arp: want.arp === json.flags.includes("NOARP") ? want.arp : undefined,
  };
}

/** The live link, with the neighbours that it is about to lose: so they are given back. */
export function* withNeighbors(
  host: KnownHost,
  want: LinkArgs,
  live: LinkState,
  context: Context<unknown>,
  traits: LinkTraits = {},
): Generator<Question[], LinkState, Seen[]> {
  const { mac, arp } = losesNeighbors(want, live, context, traits);
  return mac === undefined && arp === undefined ? live : yield* keepingNeighbors(host, want.namespace, live);
}

/** The live link, with all the neighbours that it has to keep. */
export function* keepingNeighbors(
  host: KnownHost,
  namespace: string | undefined,
  live: LinkState,
): Generator<Question[], LinkState, Seen[]> {
  const [seen] = yield [{ host, sections: neighborSections(namespace) }];
  return { ...live, neighbors: lastingNeighbors(seen as Seen, namespace, live) };
}

/** The same of a link that is given back, for which they were asked beforehand. */
export function withSeenNeighbors(
  seen: Seen,
  want: LinkArgs,
  live: LinkState,
  context: Context<unknown>,
  traits: LinkTraits = {},
): LinkState {
  const { mac, arp } = losesNeighbors(want, live, context, traits);
  const isLost = mac !== undefined || arp !== undefined;
  return isLost ? { ...live, neighbors: lastingNeighbors(seen, want.namespace, live) } : live;
}

const lastingNeighbors = (seen: Seen, namespace: string | undefined, { json }: LinkState) =>
  neighborsOf(seen, namespace, json.ifname).filter(({ proxy }) => !proxy);

/** What makes a live link into the declared one, but for what only its kind knows. */
export function convergeLink(
  want: LinkArgs,
  live: LinkState,
  context: Context<unknown>,
  traits: LinkTraits = {},
): Step[] {
  const { name, namespace } = want;
  const { json } = live;
  const touches = namespace === undefined ? [name] : undefined;
  const set = (...words: string[]): Step => ({
    argv: ["ip", "link", "set", "dev", name, ...words],
    namespace,
    touches,
  });
  const steps: Step[] = [];

  // An alias that somebody wrote is never overwritten; the ledger then has the mark.
  if (!traits.unmarked && json.ifalias !== context.mark && (!json.ifalias || isMark(json.ifalias)))
    steps.push(markLink(name, namespace, context));

  const { mac, arp } = losesNeighbors(want, live, context, traits);
  if (mac) steps.push(set("address", mac));
  if (arp !== undefined) steps.push(set("arp", arp ? "on" : "off"));
  // Before an MTU that has no IPv6.
  steps.push(...(live.neighbors ?? []).map((entry) => replaceNeighbor(entry, namespace)));
  if (want.mtu !== undefined && want.mtu !== json.mtu) steps.push(set("mtu", String(want.mtu)));
  if (want.txQueueLength !== undefined && want.txQueueLength !== queueLength(json)) {
    steps.push(set("txqueuelen", String(want.txQueueLength)));
  }

  const ipv6 = wantsIpv6(want, traits, live);
  // Below its least MTU the kernel has no IPv6 on a device (addrconf_notify), and so nothing to switch.
  const isSmall = (want.mtu ?? (json.mtu || leastMtuOfIpv6)) < leastMtuOfIpv6;
  const isSwitched = ipv6 !== undefined && (!isSmall || want.ipv6 === true);
  if (isSwitched && live.ipv6Disabled !== undefined && ipv6 === live.ipv6Disabled) {
    // What has such an MTU of the device it is on, or of Open vSwitch, has none to switch off.
    const words = ["sysctl", ipv6 ? "-qw" : "-eqw"];
    steps.push({ argv: [...words, `net/ipv6/conf/${name}/disable_ipv6=${ipv6 ? 0 : 1}`], namespace });
  }
  if (want.bridge === "" && json.master !== undefined && declaredBefore(context, json.master))
    steps.push(set("nomaster"));
  if (want.bridge && want.bridge !== json.master) steps.push(set("master", want.bridge));
  if (want.up !== undefined && want.up !== json.flags.includes("UP")) steps.push(set(want.up ? "up" : "down"));

  if (want.addresses) {
    const was = context.was.flatMap((before) => (before as Partial<LinkArgs>).addresses ?? []);
    const exact = want.addressesExact === true;
    // Going down, too small an MTU, and switching IPv6 off, have taken the IPv6 addresses away already.
    const flushed =
      isSmall || (want.up === false && json.flags.includes("UP")) || (ipv6 === false && live.ipv6Disabled === false);
    const left = flushed ? live.addresses.filter((item) => family(item.address) === 4) : live.addresses;
    steps.push(...convergeAddresses({ device: name, namespace, want: want.addresses, was, live: left, exact }));
  }
  // Last, so that what `ip` does stands in one command.
  return [...steps, ...convergeOffloads(want, live, context)];
}

const declaredBefore = (context: Context<unknown>, bridge: string) =>
  context.was.some((before) => (before as Partial<LinkArgs>).bridge === bridge);

/** The context of one of several links of a resource: what was declared of that one. */
export function contextOf(context: Context<unknown>, part: string): Context<unknown> {
  const was = context.was.map((args) => (args as Record<string, object | undefined>)[part] ?? {});
  return { ...context, was };
}

/** Takes a device away. */
export const deleteLink = (name: string, namespace?: string): Step => ({
  argv: ["ip", "link", "del", "dev", name],
  namespace,
  touches: namespace === undefined ? [name] : undefined,
});

/** Throws FOREIGN when the device of that name is of another type. */
export function mustBeType(live: LinkState, type: string): void {
  if (live.type === type) return;
  throw otherKind(live.json.ifname, `${live.type ?? "a network card"}, not ${type}`);
}
