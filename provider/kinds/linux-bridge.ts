import { z } from "zod";
import { linkKind, options, stateOf } from "../model/link-kind";
import { flag } from "../model/link-option";
import { between, unsigned } from "../model/scalars";

// Options of `ip link help bridge`, but for fdb_flush, which is an order, and mcast_hash_elasticity, which the kernel ignores
// since 4.17. Names, defaults and limits as seen on Linux 6.1 (br_dev_setup, br_multicast_ctx_init).

const count = (word: string, least: number, most: number, byDefault: number, doc: string, json = word) => ({
  schema: between(least, most)
    .optional()
    .describe(`${doc} (\`${word}\`), ${least} to ${most}. Kernel default: ${byDefault}.`),
  word,
  json,
  default: byDefault,
});

/** Seconds in the program, hundredths of a second in the kernel's words. */
const seconds = (word: string, least: number, most: number, byDefault: number, doc: string, json = word) => ({
  schema: z
    .number()
    .min(least, `must be ${least} to ${most} seconds`)
    .max(most, `must be ${least} to ${most} seconds`)
    .optional()
    .describe(`${doc} (\`${word}\`), in seconds, ${least} to ${most}. Kernel default: ${byDefault}.`),
  word,
  json,
  default: byDefault,
  encode: (value: number) => [word, String(Math.round(value * 100))],
  decode: (printed: unknown) => (typeof printed === "number" ? printed / 100 : undefined),
  // It counts in ticks, 250 a second on Debian: 4.01 reads back as 4.00.
  tolerance: 0.02,
});

const ofRoot = "the root's";

/** A time that the root of the spanning tree says: while another bridge is that, its time is shown, and not our own. */
const timer = (...[word, least, most, byDefault, doc]: Parameters<typeof seconds>) => {
  const own = seconds(word, least, most, byDefault, `${doc}; set while no other bridge is the root`);
  return {
    ...own,
    decode: (printed: unknown, data: Record<string, unknown>) => (data.root_port ? ofRoot : own.decode(printed)),
    same: (want: number, live: unknown) => live === ofRoot || Math.abs(want - Number(live)) <= own.tolerance,
  };
};

type Rule = [path: string, text: string];

const longest = 21_474_836;
// A query interval above a day is cut down without a word (br_multicast_set_query_intvl).
const day = 86_400;
const uint32 = 0xffff_ffff;

export const linuxBridge = linkKind({
  name: "LinuxBridge",
  type: "bridge",
  doc: "A Linux bridge: a layer-2 switch in the kernel. Its ports are links with `bridge`, or BridgePort resources.",
  // BROPT_MTU_SET_BY_USER, of which br_mtu_auto_adjust knows.
  traits: { layer2: true, mtuOfPorts: true },
  usual: {
    // While a topology change is told, the kernel ages by twice the forward delay (__br_set_topology_change).
    ageingTime: (live) =>
      stateOf(live).json.linkinfo?.info_data?.topology_change ? (live.args.ageingTime as number) : 300,
  },
  rules: ({ bridge, stp, forwardDelay, mcastVlanSnooping, vlanFiltering }) => [
    ...(bridge === undefined ? [] : [["bridge", "must not be given: a bridge cannot be a port of a bridge"] as Rule]),
    // Without the spanning tree any delay is taken (br_set_forward_delay).
    ...(stp === true && typeof forwardDelay === "number" && forwardDelay < 2
      ? [["forwardDelay", "must be 2 to 30 seconds with `stp`"] as Rule]
      : []),
    ...(mcastVlanSnooping === true && vlanFiltering !== true
      ? [["mcastVlanSnooping", "needs `vlanFiltering`"] as Rule]
      : []),
  ],
  options: options({
    // 2: a daemon in user space runs it.
    stp: flag(
      "stp_state",
      false,
      "Run the spanning tree protocol: a port forwards after twice `forwardDelay`, 30 seconds",
      { decode: (printed) => printed !== 0 },
    ),
    priority: count("priority", 0, 65535, 32768, "Bridge priority in the spanning tree"),
    forwardDelay: timer(
      "forward_delay",
      0,
      30,
      15,
      "Time in the listening and in the learning state; with `stp` at least 2",
    ),
    helloTime: timer("hello_time", 1, 10, 2, "Time between hello packets of the root"),
    maxAge: timer("max_age", 6, 40, 20, "Age at which another bridge counts as dead"),
    ageingTime: seconds(
      "ageing_time",
      0,
      longest,
      300,
      "Time after which a MAC address is forgotten; 0 keeps it for ever",
    ),
    groupAddress: {
      schema: z
        .string()
        .regex(/^01:80:c2:00:00:0[0-9a-f]$/i, "must be 01:80:c2:00:00:00 to 01:80:c2:00:00:0f")
        .refine((mac) => !/0[123]$/.test(mac), "must not end in 01, 02 or 03, which are reserved")
        .transform((mac) => mac.toLowerCase())
        .optional()
        .describe("Multicast address for spanning tree packets (`group_address`). Kernel default: 01:80:c2:00:00:00."),
      word: "group_address",
      json: "group_addr",
      default: "01:80:c2:00:00:00",
    },
    groupForwardMask: {
      schema: unsigned(16)
        .refine(
          (mask) => (mask & 7) === 0,
          "must not have the bits 0 to 2 (STP, MAC pause, LACP): the kernel refuses them",
        )
        .optional()
        .describe(
          "Which link-local groups 01:80:c2:00:00:0X are forwarded, a bit each, 0 to 65535 (`group_fwd_mask`); 0x4000 lets LLDP through. Kernel default: 0.",
        ),
      word: "group_fwd_mask",
      default: 0,
      // ip prints it as a hex string.
      decode: (printed) => (printed === undefined ? undefined : Number(printed)),
    },
    vlanFiltering: flag("vlan_filtering", false, "Keep VLANs apart by the ports' VLAN lists"),
    vlanProtocol: {
      schema: z
        .enum(["802.1Q", "802.1ad"])
        .optional()
        .describe("Ethertype of the tags when filtering (`vlan_protocol`). Kernel default: 802.1Q."),
      word: "vlan_protocol",
      default: "802.1Q",
    },
    defaultPvid: {
      schema: between(0, 4094)
        .optional()
        .describe(
          "VLAN of untagged packets at ports without a list (`vlan_default_pvid`), 0 for none, to 4094. Kernel default: 1.",
        ),
      word: "vlan_default_pvid",
      default: 1,
    },
    vlanStats: flag("vlan_stats_enabled", false, "Count packets by VLAN"),
    vlanStatsPerPort: flag(
      "vlan_stats_per_port",
      false,
      "Count packets by VLAN and port; changeable while no port has VLANs",
    ),
    mcastSnooping: flag("mcast_snooping", true, "Forward multicast only where it is listened to"),
    mcastVlanSnooping: flag("mcast_vlan_snooping", false, "Do so by VLAN"),
    mcastRouter: {
      schema: between(0, 2)
        .optional()
        .describe("Multicast router: 0 never, 1 as seen, 2 always (`mcast_router`). Kernel default: 1."),
      word: "mcast_router",
      default: 1,
    },
    mcastQueryUseIfaddr: flag("mcast_query_use_ifaddr", false, "Send queries from the bridge's own address"),
    mcastQuerier: flag("mcast_querier", false, "Send queries when no router does"),
    mcastHashMax: count("mcast_hash_max", 0, uint32, 4096, "Most multicast groups"),
    mcastLastMemberCount: count(
      "mcast_last_member_count",
      0,
      uint32,
      2,
      "Queries after a leave before the group is dropped",
      "mcast_last_member_cnt",
    ),
    mcastStartupQueryCount: count(
      "mcast_startup_query_count",
      0,
      uint32,
      2,
      "Queries sent at start",
      "mcast_startup_query_cnt",
    ),
    mcastLastMemberInterval: seconds(
      "mcast_last_member_interval",
      0,
      longest,
      1,
      "Time between queries after a leave",
      "mcast_last_member_intvl",
    ),
    mcastMembershipInterval: seconds(
      "mcast_membership_interval",
      0,
      longest,
      260,
      "Time after which a silent group is dropped",
      "mcast_membership_intvl",
    ),
    mcastQuerierInterval: seconds(
      "mcast_querier_interval",
      0,
      longest,
      255,
      "Time after which another querier counts as gone",
      "mcast_querier_intvl",
    ),
    mcastQueryInterval: seconds("mcast_query_interval", 1, day, 125, "Time between queries", "mcast_query_intvl"),
    mcastQueryResponseInterval: seconds(
      "mcast_query_response_interval",
      0,
      longest,
      10,
      "Time that listeners have to answer",
      "mcast_query_response_intvl",
    ),
    mcastStartupQueryInterval: seconds(
      "mcast_startup_query_interval",
      1,
      day,
      31.25,
      "Time between queries at start",
      "mcast_startup_query_intvl",
    ),
    mcastStats: flag("mcast_stats_enabled", false, "Count IGMP and MLD packets"),
    igmpVersion: count("mcast_igmp_version", 2, 3, 2, "IGMP version"),
    mldVersion: count("mcast_mld_version", 1, 2, 1, "MLD version"),
    nfCallIptables: flag("nf_call_iptables", false, "Pass bridged IPv4 packets through iptables; needs br_netfilter"),
    nfCallIp6tables: flag(
      "nf_call_ip6tables",
      false,
      "Pass bridged IPv6 packets through ip6tables; needs br_netfilter",
    ),
    nfCallArptables: flag("nf_call_arptables", false, "Pass bridged ARP packets through arptables; needs br_netfilter"),
    noLinklocalLearn: flag("no_linklocal_learn", false, "Do not learn from link-local packets"),
  }),
});
