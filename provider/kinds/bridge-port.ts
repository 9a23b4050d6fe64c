import { z } from "zod";
import { type Context, type Found, kind } from "../kind";
import type { Step } from "../model/command";
import { bridgeRules, portClaim } from "../model/link-kind";
import { differingWords, type LinkOption, liveValue, flag as option, resetsOf } from "../model/link-option";
import { absent, hasLink, type LinkState, linkSections, linkState, linksIn } from "../model/link-state";
import { inNamespace } from "../model/namespaces";
import { convergeVlans, liveVlans, type PortVlan, portVlans, vlansSection } from "../model/port-vlans";
import { between, deviceRef, interfaceName, namespaceRef, refersTo, unsigned } from "../model/scalars";

const flag = (word: string, byDefault: boolean, doc: string) =>
  option(word, byDefault, doc, {
    encode: (value: boolean) => [word, value ? "on" : "off"],
    decode: (printed) => printed === true,
  });

// `ip link help bridge_slave`; defaults from br_if.c (new_nbp), seen on Linux 6.1.
const ports = {
  cost: {
    schema: between(1, 65535)
      .optional()
      .describe("Path cost in the spanning tree, 1 to 65535. Kernel default: by the device's speed; 2 at 10 Gbit/s."),
    word: "cost",
  },
  priority: {
    schema: between(0, 63).optional().describe("Port priority in the spanning tree, 0 to 63. Kernel default: 32."),
    word: "priority",
    default: 32,
  },
  guard: flag("guard", false, "Shut the port when a spanning tree packet comes in: BPDU guard"),
  hairpin: flag("hairpin", false, "Send packets back by the port that they came by"),
  rootBlock: flag("root_block", false, "Never let the port become the root port"),
  fastLeave: flag("fastleave", false, "Stop multicast at once when a listener leaves"),
  learning: flag("learning", true, "Learn MAC addresses from what comes in"),
  flood: flag("flood", true, "Send packets to unknown MAC addresses out by the port"),
  mcastFlood: flag("mcast_flood", true, "Send multicast without known listeners out by the port"),
  bcastFlood: flag("bcast_flood", true, "Send broadcasts out by the port"),
  mcastToUnicast: flag("mcast_to_unicast", false, "Send multicast as unicast to each listener"),
  mcastRouter: {
    schema: between(0, 3)
      .optional()
      .describe(
        "Multicast router behind the port (`mcast_router`): 0 never, 1 as seen, 2 always, 3 for a time. Kernel default: 1.",
      ),
    word: "mcast_router",
    json: "multicast_router",
    default: 1,
  },
  proxyArp: flag("proxy_arp", false, "Answer ARP for hosts behind the port"),
  proxyArpWifi: flag("proxy_arp_wifi", false, "Answer ARP as access points have to (Hotspot 2.0)"),
  neighSuppress: flag("neigh_suppress", false, "Answer ARP and neighbour discovery from the bridge's table"),
  groupForwardMask: {
    schema: unsigned(16)
      .refine((mask) => (mask & 2) === 0, "must not have bit 1, of MAC pause frames: the kernel refuses it")
      .optional()
      .describe(
        "Which link-local groups 01:80:c2:00:00:0X are forwarded, a bit each, 0 to 65535 (`group_fwd_mask`). Kernel default: 0.",
      ),
    word: "group_fwd_mask",
    default: 0,
    decode: (printed: unknown) => Number(printed ?? 0),
  },
  vlanTunnel: flag("vlan_tunnel", false, "Map VLANs to tunnel ids"),
  isolated: flag("isolated", false, "Exchange packets only with ports that are not isolated"),
  locked: flag("locked", false, "Let in only what comes from known MAC addresses; with `learning: false`"),
  backupPort: {
    schema: deviceRef
      .optional()
      .describe("Port of the same bridge that takes over while this one is down (`backup_port`). Default: none."),
    word: "backup_port",
    default: null,
    encode: (name: string | null) => (name === null ? ["nobackup_port"] : ["backup_port", name]),
  },
} satisfies Record<string, LinkOption>;

const table = Object.entries(ports) as [string, LinkOption][];
const shape = Object.fromEntries(table.map(([key, option]) => [key, option.schema])) as {
  [P in keyof typeof ports]: (typeof ports)[P]["schema"];
};

const args = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe(
        "The namespace of device and bridge. Default: that of a `device` given as a resource, else the host's own. A change replaces the resource.",
      ),
    device: deviceRef.describe(
      "The device that becomes a port; it may be one that is not ours. A change replaces the resource.",
    ),
    bridge: refersTo(interfaceName, "LinuxBridge").describe(
      "The Linux bridge. A device that is a port of something else is not taken from it without `adopt`.",
    ),
    ipv6: z
      .boolean()
      .optional()
      .describe(
        "IPv6 on the device (the inverse of `disable_ipv6`). Default: off as long as it has no addresses but link-local ones.",
      ),
    ...shape,
    vlans: portVlans
      .optional()
      .describe(
        "The port's VLANs, exactly these, for a bridge with `vlanFiltering`. Default: the bridge's `defaultPvid`, untagged.",
      ),
  })
  .superRefine(({ device, bridge }, issues) => {
    for (const [path, message] of bridgeRules({ name: device, bridge })) {
      issues.addIssue({ code: "custom", path: [path], message });
    }
  });

type Want = z.output<typeof args>;
type Port = Partial<Want>;

interface Raw {
  state: LinkState;
  vlans: PortVlan[];
  /** What a new port gets. */
  firstVlans: PortVlan[];
}

/** What the kernel gives a port by the speed of its device (port_cost, Linux 4 to 6.12). */
const costsBySpeed = [1, 2, 3, 4, 5, 19, 100];

const rawOf = (live: Found<unknown, unknown>) => live.raw as Raw;

export const bridgePort = kind({
  name: "BridgePort",
  doc: "A device as a port of a Linux bridge, with all of a port's options. Deleted, it is given back as it was: to the bridge that it was in before, or to none.",
  args,
  facts: z.object({
    master: z.string().optional().describe("What the device is a port of."),
    state: z.string().optional().describe("disabled, listening, learning, forwarding or blocking."),
    vlans: z
      .array(z.string())
      .describe("The port's VLANs, as '1 pvid untagged'; also the bridge's own that were not declared."),
  }),
  identity: ["device", "namespace"],
  placedBy: "device",
  needs: ["ip", "bridge"],
  mark: "ledger",
  permanent: true,
  reset: { ...resetsOf(table), vlans: (live: Found<unknown, unknown>) => rawOf(live).firstVlans },
  claims: (want) => [portClaim(want.namespace, want.device)],
  configures: (want) => (want.namespace === undefined ? [want.device] : []),
  observe: (want) => [...linkSections(want.namespace, { ipv6: true }), ...inNamespace(want.namespace, vlansSection)],
  find(want, seen) {
    const state = linkState(seen, want.namespace, want.device);
    if (!state) return undefined;
    const { master, linkinfo } = state.json;
    const isPort = linkinfo?.info_slave_kind === "bridge";
    const data = linkinfo?.info_slave_data ?? {};
    const vlans = isPort ? liveVlans(seen, want.namespace, want.device) : [];
    const pvid = linkState(seen, want.namespace, want.bridge)?.json.linkinfo?.info_data?.vlan_default_pvid;
    const firstVlans = typeof pvid === "number" && pvid > 0 ? [{ id: pvid, pvid: true, untagged: true }] : [];
    // What is somebody else's port is not ours to take.
    const foreign = master !== undefined && master !== want.bridge ? `a port of ${master}` : undefined;
    return {
      args: {
        namespace: want.namespace,
        device: want.device,
        bridge: master,
        ipv6: state.ipv6Disabled === undefined ? undefined : !state.ipv6Disabled,
        ...(isPort ? optionsOf(data) : {}),
        vlans,
      },
      facts: {
        master,
        state: data.state as string | undefined,
        vlans: vlans.map(({ id, pvid, untagged }) => `${id}${pvid ? " pvid" : ""}${untagged ? " untagged" : ""}`),
      },
      marks: foreign ? [foreign] : [],
      raw: { state, vlans, firstVlans } satisfies Raw,
    };
  },
  survey: (namespace) => inNamespace(namespace, vlansSection),
  list: (seen, namespace) =>
    linksIn(seen, namespace)
      .filter((link) => link.linkinfo?.info_slave_kind === "bridge")
      .map((link) => ({ device: link.ifname, namespace, bridge: link.master }) as Partial<Want>),
  usual: {
    cost: ({ args: { cost } }) => (cost !== undefined && costsBySpeed.includes(cost) ? cost : undefined),
    vlans: (live) => rawOf(live).firstVlans,
  },
  remember: (live) => live?.args,
  converge(want, live) {
    if (!live) throw absent(want.device, want.namespace);
    return steps(want, live, ipv6Wanted(want, rawOf(live).state));
  },
  remove(live, want, context) {
    // Taken over by somebody else meanwhile: no more ours to give back.
    if (live.args.bridge !== want.bridge) return [];
    const before = (context as Context<Want, Port>).memory ?? {};
    const quiet = ipv6Wanted(want, rawOf(live).state) === live.args.ipv6 ? before.ipv6 : undefined;
    if (!context.seen || !hasLink(context.seen, want.namespace, before.bridge)) {
      return [setLink(want, "nomaster"), ...setIpv6(want, live, quiet)];
    }
    const { vlans, ...rest } = before;
    // In another bridge it is a new port; there its VLANs are that bridge's.
    return steps({ ...want, ...rest, vlans: before.bridge === want.bridge ? vlans : undefined }, live, quiet);
  },
});

const optionsOf = (data: Record<string, unknown>) =>
  Object.fromEntries(table.map(([key, option]) => [key, liveValue(option, data)])) as Port;

const defaults = resetsOf(table);

const touches = ({ namespace, device }: Want) => (namespace === undefined ? [device] : undefined);

const setLink = (want: Want, ...words: string[]): Step => ({
  argv: ["ip", "link", "set", "dev", want.device, ...words],
  namespace: want.namespace,
  touches: touches(want),
});

/** A layer-2 device has no layer 3: a guest's router advertisement must not reach the host by a port. */
function ipv6Wanted(want: Want, state: LinkState): boolean | undefined {
  if (want.ipv6 !== undefined) return want.ipv6;
  return state.addresses.some((item) => !item.kernelMade) ? undefined : false;
}

function setIpv6(want: Want, live: Found<Port>, ipv6: boolean | undefined): Step[] {
  if (ipv6 === undefined || live.args.ipv6 === undefined || ipv6 === live.args.ipv6) return [];
  const key = `net/ipv6/conf/${want.device}/disable_ipv6`;
  return [{ argv: ["sysctl", "-qw", `${key}=${ipv6 ? 0 : 1}`], namespace: want.namespace }];
}

/** IPv6 goes before the port is there, and options come after: they are the port's, and a new port has the defaults. */
function steps(want: Want, live: Found<Port>, ipv6: boolean | undefined): Step[] {
  const { device, namespace, bridge } = want;
  const joins = live.args.bridge !== bridge;
  const has = joins ? defaults : (live.args as Record<string, unknown>);
  const words = differingWords(table, want, has);
  const { vlans, firstVlans } = rawOf(live);
  return [
    ...setIpv6(want, live, ipv6),
    ...(joins ? [setLink(want, "master", bridge)] : []),
    ...(words.length > 0 ? [setLink(want, "type", "bridge_slave", ...words)] : []),
    ...(want.vlans ? convergeVlans({ device, namespace, want: want.vlans, live: joins ? firstVlans : vlans }) : []),
  ];
}
