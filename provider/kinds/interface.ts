import { z } from "zod";
import { type Context, type Found, kind } from "../kind";
import { type Address, full, sameAddress } from "../model/address";
import type { Step } from "../model/command";
import { HostnetError } from "../model/errors";
import {
  convergeLink,
  foreignMaster,
  isMember,
  linkFactsOf,
  liveLinkArgs,
  withNeighbors,
  withSeenNeighbors,
} from "../model/link";
import { type LinkArgs, linkFacts, linkReset, linkShape } from "../model/link-args";
import { ipv6Rules, leastMtuOfIpv6, wantsIpv6 } from "../model/link-ipv6";
import { layer3Claims, linkClaim, portClaims, shownLink } from "../model/link-kind";
import { addressCheck, hasLink, type LinkState, linkSections } from "../model/link-state";
import { isMark } from "../model/mark";
import { inNamespace, placeOrHost } from "../model/namespaces";
import { neighborSections } from "../model/neighbor";
import { cardsIn, chosenNic, nicFeatures, nicRings, nicSections, type RingSize, shownChoice } from "../model/nic";
import { get } from "../model/path";
import { between, family, macAddress } from "../model/scalars";

const ringEntries = (what: string) =>
  between(1, 0xffff_ffff)
    .optional()
    .describe(`Entries of the ${what} ring. Drivers round, or take powers of two only: give what the driver takes.`);

const args = z
  .strictObject({
    ...linkShape,
    name: linkShape.name.describe(
      "The device's name on the host. Default: the last part of the resource's name after '/'. With `selector` it is only what the resource is called by: the device's name is `live.name`, which resources that are given this one as a parent take.",
    ),
    namespace: linkShape.namespace.describe(
      "The network namespace in which the device is found. Default: the host's own. A change replaces the resource.",
    ),
    mac: linkShape.mac.describe(
      "MAC address, unicast. Default: as it is. A member of a bond has the bond's: a declared one is set when it has left.",
    ),
    mtu: linkShape.mtu.describe("Largest packet in bytes, 68 to 65535. Default: as it is."),
    selector: z
      .strictObject({
        mac: macAddress.optional().describe("The MAC address that the NIC was made with."),
        pciPath: z
          .string()
          .regex(
            /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/,
            "must be a PCI address, as 0000:00:03.0, in lower case",
          )
          .optional()
          .describe("The PCI address, as 0000:00:03.0; of a virtio NIC that of its virtio device."),
      })
      .refine(({ mac, pciPath }) => mac !== undefined || pciPath !== undefined, "must have `mac` or `pciPath`")
      .optional()
      .describe("Choose the NIC by what it is instead of by name. A change replaces the resource."),
    ringSize: z
      .strictObject({ rx: ringEntries("receive"), tx: ringEntries("transmit") })
      .optional()
      .describe("Sizes of the NIC's rings (`ethtool -G`). Default: as they are."),
    promisc: z.boolean().optional().describe("Take all packets, whoever they are for (`promisc`). Default: as it is."),
    allMulticast: z.boolean().optional().describe("Take all multicast packets (`allmulticast`). Default: as it is."),
  })
  .superRefine((want, issues) => {
    for (const [path, message] of ipv6Rules(want)) issues.addIssue({ code: "custom", path: [path], message });
  })
  .meta({ title: "Interface" });

type Want = z.output<typeof args>;
type Nic = Partial<Want>;

const traits = { keepsMac: true, unmarked: true };

/** What is given back, each by itself. */
const kept = ["mac", "mtu", "up", "bridge", "ipv6", "arp", "txQueueLength", "promisc", "allMulticast"] as const;

const isMore = ([path, value]: [string, unknown]) =>
  value !== undefined && path !== "name" && !(path === "up" && value === true);

const stateOf = (live: Found<unknown, unknown>) => live.raw as LinkState;

/** The MAC address that it was built with; of a member that cannot be told. */
const builtMac = (live: Found<Nic>) => {
  const { json } = stateOf(live);
  return isMember(json) ? live.args.mac : (json.permaddr ?? json.address);
};

export const nic = kind({
  name: "Interface",
  doc: "A network card, or another device, that exists: never created nor deleted. It is set up as declared, and when the resource is deleted it is given back as it was.",
  args,
  facts: linkFacts.extend({ name: z.string().describe("The device's name; with `selector` the one that was found.") }),
  identity: ["name", "namespace", "selector.mac", "selector.pciPath"],
  needs: ["ip"],
  mark: "ledger",
  permanent: true,
  namedByHost: ({ selector }) => selector !== undefined,
  // All else goes back to what is remembered, in `converge`.
  reset: { addresses: [] },
  claims: ({ selector, ...want }) =>
    selector
      ? [`the device ${shownChoice({ ...want, selector })}`]
      : [linkClaim(want.namespace, want.name), ...layer3Claims(want), ...portClaims(want)],
  // Whoever else manages it wants it up as well.
  configures: (want) =>
    want.namespace === undefined && !want.selector && Object.entries(want).some(isMore) ? [want.name] : [],
  observe: (want) => [
    ...linkSections(want.namespace, { ipv6: true }),
    ...inNamespace(want.namespace, ...nicSections(want)),
  ],
  beforeRemoval: (want) => (givesBackMac(want) ? neighborSections(want.namespace) : []),
  find(want, seen) {
    const found = chosenNic(seen, want);
    if (!found) return undefined;
    const { ifname, flags, ifalias } = found.json;
    const features = nicFeatures(seen, want, ifname);
    const state: LinkState = { ...found, features };
    return {
      args: {
        ...liveLinkArgs(state, want.namespace),
        name: want.name,
        selector: want.selector,
        ringSize: nicRings(seen, want, ifname),
        promisc: flags.includes("PROMISC"),
        allMulticast: flags.includes("ALLMULTI"),
      } as Nic,
      facts: { ...linkFactsOf(state), name: ifname },
      // A device that a resource of ours has made is that resource's.
      marks: isMark(ifalias) ? [ifalias] : [],
      pending: addressCheck(state),
      raw: state,
    };
  },
  list: (seen, namespace) =>
    cardsIn(seen, namespace).map((link) => ({ name: link.ifname, namespace }) as Partial<Want>),
  usual: {
    ...{ promisc: () => false, allMulticast: () => false },
    // A bond gives its members its own, and a new one when that changes.
    mtu: (live: Found<Want>) => (isMember(stateOf(live).json) ? live.args.mtu : linkReset.mtu),
    ...{ arp: () => true, ipv6: () => true, txQueueLength: () => 1000 },
    mac: builtMac,
    bridge: (live) => foreignMaster(stateOf(live)),
    // The driver's.
    offloads: (live: Found<Want>) => live.args.offloads,
    ringSize: (live: Found<Want>) => live.args.ringSize,
  },
  remember(live, want, { adopts }) {
    const { addresses, ...args } = live?.args ?? {};
    return { ...args, addresses: adopts ? addresses?.filter((item) => !isIn(want.addresses, item)) : addresses };
  },
  *inquire(want, live, host, context) {
    const target = { ...want, ...dropped(want, context) };
    return { ...live, raw: yield* withNeighbors(host, target, stateOf(live), context, traits) };
  },
  converge(want, live, context) {
    if (!live) throw absent(want);
    const target = { ...want, ...dropped(want, context) };
    return steps({ ...target, addresses: withOwn(target, live, context) }, live, context);
  },
  remove(live, want, context) {
    const before = { ...context, was: [...context.was, want] };
    const back = givenBack(want, live, context);
    const state =
      context.seen && givesBackMac(want)
        ? withSeenNeighbors(context.seen, back, stateOf(live), before, traits)
        : stateOf(live);
    return steps({ ...back, addresses: withOwn(back, live, before) }, { ...live, raw: state }, before);
  },
  shown: (path, want, live) =>
    path.startsWith("addresses") ? shownLink(path, want, stateOf(live), live.args) : get(live.args, path),
});

/** Its own MAC address, or ARP as it was, costs it its neighbours again. */
const givesBackMac = ({ mac, arp }: Nic) => mac !== undefined || arp !== undefined;

/** The bridge that it was in, if that is still there; none is "". */
const formerBridge = ({ bridge }: Nic, { namespace }: Want, { seen }: Context<unknown>) =>
  seen && hasLink(seen, namespace, bridge) ? bridge : "";

const memoryOf = (context: Context<Want>) => (context as Context<Want, Nic>).memory ?? {};

const isIn = (list: Address[] = [], item: Address) => list.some((other) => sameAddress(full(other), full(item)));

/** With these the kernel drops a device's IPv6 addresses: down, without IPv6, or below the least MTU of IPv6. */
const losesIpv6 = (args: Want) =>
  args.up === false || Number(args.mtu) < leastMtuOfIpv6 || wantsIpv6(args, traits) === false;

/** Whether an IPv6 address can be set when all else is as wanted; that somebody else has switched IPv6 off stays so. */
function takesIpv6(want: Want, { json, ipv6Disabled, ipv6ByDefault }: LinkState): boolean {
  const isOff = want.ipv6 === undefined && ipv6Disabled === true && ipv6ByDefault !== undefined;
  return !isOff && !losesIpv6({ ...want, mtu: want.mtu ?? json.mtu });
}

/**
 * The declared addresses, and those that were there before us: one that was declared as well stays when it no longer is,
 * what an exact list has taken away comes back when the list is exact no more, and what went with IPv6 when IPv6 does.
 */
function withOwn(want: Want, live: Found<Nic>, context: Context<Want>): Want["addresses"] {
  const was = context.was as Want[];
  const isThere = (item: Address) => stateOf(live).addresses.some((other) => sameAddress(full(item), other));
  const exactBefore = !want.addressesExact && was.some(({ addressesExact }) => addressesExact === true);
  const ipv6Back = takesIpv6(want, stateOf(live));
  const stays = (item: Address) => family(full(item).address) === 4 || ipv6Back;
  const isLost = (item: Address) =>
    family(full(item).address) === 4 ? exactBefore : ipv6Back && (exactBefore || was.some(losesIpv6));
  const own = want.addressesExact ? [] : (memoryOf(context).addresses ?? []);
  const back = own.filter(
    (item) =>
      !isIn(want.addresses, item) &&
      (isThere(item) ? stays(item) && was.some(({ addresses }) => isIn(addresses, item)) : isLost(item)),
  );
  return back.length > 0 ? [...(want.addresses ?? []), ...back] : want.addresses;
}

/** What was declared before and no longer is goes back to what is remembered. */
function dropped(want: Want, context: Context<Want>): Nic {
  const memory = memoryOf(context);
  const was = context.was as Want[];
  const said = (args: Nic, key: (typeof kept)[number]) =>
    key === "ipv6" ? wantsIpv6(args as Want, traits) !== undefined : args[key] !== undefined;
  const back = kept.filter((key) => !said(want, key) && was.some((args) => said(args, key)));
  const parts = (key: "offloads" | "ringSize") => {
    const old = Object.entries(memory[key] ?? {}).filter(([part]) =>
      was.some((args) => get(args, `${key}.${part}`) !== undefined),
    );
    return old.length > 0 ? { ...Object.fromEntries(old), ...want[key] } : want[key];
  };
  return {
    ...Object.fromEntries(
      back.map((key) => [key, key === "bridge" ? formerBridge(memory, want, context) : memory[key]]),
    ),
    offloads: parts("offloads") as Want["offloads"],
    ringSize: parts("ringSize") as Want["ringSize"],
  };
}

/** How it was, of all that is still as we set it; what somebody has changed since is not ours to change. */
function givenBack(want: Want, live: Found<Nic>, context: Context<Want>): Want {
  const memory = memoryOf(context);
  const declared: Nic = { ...want, ipv6: wantsIpv6(want, traits), ...(want.mac === "kernel" && { mac: undefined }) };
  const ours = kept.filter((key) => declared[key] !== undefined && declared[key] === live.args[key]);
  const parts = (key: "offloads" | "ringSize") => {
    const has = (live.args[key] ?? {}) as Record<string, unknown>;
    const old = (memory[key] ?? {}) as Record<string, unknown>;
    const own = Object.entries(want[key] ?? {}).filter(
      ([part, value]) => has[part] === value && old[part] !== undefined,
    );
    return Object.fromEntries(own.map(([part]) => [part, old[part]]));
  };
  const back = Object.fromEntries(
    ours.map((key) => [key, key === "bridge" ? formerBridge(memory, want, context) : memory[key]]),
  ) as Nic;
  const { name, namespace, selector } = want;
  const addresses = want.addresses && [];
  return {
    name,
    namespace,
    selector,
    addresses,
    ...back,
    offloads: parts("offloads"),
    ringSize: parts("ringSize"),
  } as Want;
}

function steps(want: Want, live: Found<Nic>, context: Context<unknown>): Step[] {
  const state = stateOf(live);
  const name = state.json.ifname;
  const { namespace, promisc, allMulticast, ringSize } = want;
  const touches = namespace === undefined ? [name] : undefined;
  const differs = (value: unknown, has: unknown) => value !== undefined && value !== has;
  const set = (word: string, on: boolean): Step => ({
    argv: ["ip", "link", "set", "dev", name, word, on ? "on" : "off"],
    namespace,
  });
  const rings = (["rx", "tx"] as const).filter((part) => differs(ringSize?.[part], live.args.ringSize?.[part]));
  const ringWords = rings.flatMap((part) => [part, String((ringSize as RingSize)[part])]);
  const link: LinkArgs = { ...want, name, ipv6: want.ipv6 };
  return [
    ...(rings.length > 0 ? [{ argv: ["ethtool", "-G", name, ...ringWords], namespace, touches }] : []),
    ...convergeLink(link, state, context, traits),
    ...(differs(promisc, live.args.promisc) ? [set("promisc", promisc === true)] : []),
    ...(differs(allMulticast, live.args.allMulticast) ? [set("allmulticast", allMulticast === true)] : []),
  ];
}

function absent(want: Want): HostnetError {
  const where = placeOrHost(want.namespace);
  return new HostnetError("STEP_FAILED", `there is no device ${shownChoice(want)} ${where}`, {
    remedy:
      "Host's output `interfaces` lists the devices that are there; `selector` finds one by MAC address or PCI path.",
  });
}
