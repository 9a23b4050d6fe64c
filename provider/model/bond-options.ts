import { z } from "zod";
import { flag, options } from "./link-option";
import { between, canonicalAddress, family, ipAddress, ipv4Address, macAddress } from "./scalars";

// Options of `ip link help bond`, but for active_slave, which is a state: `primary` is the wish. Defaults and limits as in
// bond_options.c of Linux 6.1.

export const bondModes = [
  "balance-rr",
  "active-backup",
  "balance-xor",
  "broadcast",
  "802.3ad",
  "balance-tlb",
  "balance-alb",
] as const;

/** What the kernel takes only while the bond is down (BOND_OPTFLAG_IFDOWN). */
const down = { down: true as const };

const count = (
  word: string,
  [least, most]: [number, number],
  byDefault: number,
  doc: string,
  more: { down?: true; json?: string } = {},
) => ({
  schema: between(least, most)
    .optional()
    .describe(`${doc} (\`${word}\`), ${least} to ${most}. Kernel default: ${byDefault}.`),
  word,
  default: byDefault,
  decode: (printed: unknown) => printed ?? byDefault,
  ...more,
});

const choice = <const V extends string>(
  word: string,
  values: readonly [V, ...V[]],
  byDefault: V,
  doc: string,
  more: { down?: true; fixed?: true; json?: string } = {},
) => ({
  schema: z
    .enum(values)
    .optional()
    .describe(`${doc} (\`${word}\`). Kernel default: ${byDefault}.`) as unknown as z.ZodOptional<z.ZodType<V>>,
  word,
  ...(more.fixed ? {} : { default: byDefault }),
  // `ip -j` prints null for some defaults.
  decode: (printed: unknown) => printed ?? byDefault,
  ...more,
});

type Want = Record<string, unknown>;

/** They hang on `miimon`. */
const delays = ["updelay", "downdelay", "peerNotifyDelay"];

/** Without `miimon` the kernel refuses even 0, which it has by itself (EPERM). */
const delay = <T extends { word: string }>(option: T) => ({
  ...option,
  encode: (value: number, _: Want, live?: Want) => (value === 0 && !live ? [] : [option.word, String(value)]),
});

const milliseconds = (word: string, doc: string, json?: string) =>
  count(word, [0, 0x7fff_ffff], 0, doc, json === undefined ? {} : { json });

/** A list of addresses, exactly these; without any the word has nothing behind it. */
const targets = (word: string, json: string, schema: z.ZodType<string>, doc: string) => ({
  schema: z
    .array(schema)
    .max(16, "must be 16 at most")
    .optional()
    .describe(`${doc} (\`${word}\`), at most 16. Default: none.`),
  word,
  json,
  default: [],
  encode: (value: string[]) => [word, value.join(",")],
  decode: (printed: unknown) => ((printed ?? []) as string[]).map(canonicalAddress),
});

export const bondOptions = options({
  mode: {
    schema: z
      .enum(bondModes)
      .default("balance-rr")
      .describe(
        "How the members are used (`mode`): balance-rr each in turn; active-backup one at a time; balance-xor by a hash of the packet; broadcast all at once; 802.3ad as agreed with the switch by LACP; balance-tlb and balance-alb by load. Default: balance-rr. A change replaces the bond.",
      ),
    word: "mode",
    fixed: true,
  },
  miimon: {
    ...milliseconds("miimon", "How often the members' links are looked at, in ms; 0 for never"),
    // Without it the delays cannot even be set to 0 (EPERM), and in one message it comes first: so it waits for a round.
    encode: (value: number, want: Want, live: Want = {}) =>
      value === 0 && delays.some((key) => want[key] === 0 && Number(live[key]) > 0) ? [] : ["miimon", String(value)],
  },
  updelay: delay(
    milliseconds("updelay", "How long a link must be up before its member is used, in ms; a multiple of `miimon`"),
  ),
  downdelay: delay(
    milliseconds(
      "downdelay",
      "How long a link must be down before its member is given up, in ms; a multiple of `miimon`",
    ),
  ),
  peerNotifyDelay: delay(
    count(
      "peer_notify_delay",
      [0, 300_000],
      0,
      "Time between announcements after a failover, in ms; a multiple of `miimon`",
    ),
  ),
  useCarrier: flag("use_carrier", true, "Ask the drivers for carrier, not the MII registers"),
  arpInterval: milliseconds("arp_interval", "How often members are tried by ARP, in ms; not with `miimon`"),
  arpValidate: choice(
    "arp_validate",
    ["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"],
    "none",
    "Which members' ARP packets are checked",
  ),
  arpAllTargets: choice("arp_all_targets", ["any", "all"], "any", "Whether one target must answer or all of them"),
  arpIpTargets: targets("arp_ip_target", "arp_ip_target", ipv4Address, "Whom `arpInterval` asks"),
  nsIp6Targets: targets(
    "ns_ip6_target",
    "ns_ip6_target",
    ipAddress.refine((address) => family(address) === 6, "must be an IPv6 address"),
    "Whom `arpInterval` asks by neighbour discovery",
  ),
  arpMissedMax: count("arp_missed_max", [1, 255], 2, "Answers missed until a member counts as down"),
  primaryReselect: choice(
    "primary_reselect",
    ["always", "better", "failure"],
    "always",
    "When `primary` takes over again",
  ),
  failOverMac: choice(
    "fail_over_mac",
    ["none", "active", "follow"],
    "none",
    "Whose MAC address is used in mode active-backup; with active the bond has its active member's, and no `mac`; a change replaces the bond",
    { fixed: true },
  ),
  xmitHashPolicy: choice(
    "xmit_hash_policy",
    ["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"],
    "layer2",
    "What the choice of a member is made by, in modes balance-xor, 802.3ad and balance-tlb",
  ),
  resendIgmp: count("resend_igmp", [0, 255], 1, "IGMP reports after a failover"),
  numPeerNotifications: count(
    "num_grat_arp",
    [0, 255],
    1,
    "Gratuitous ARPs and unsolicited neighbour advertisements after a failover",
    { json: "num_peer_notif" },
  ),
  allMembersActive: flag("all_slaves_active", false, "Take what comes in by members that are not active"),
  minLinks: count("min_links", [0, 0x7fff_ffff], 0, "Members that must be up for the bond to have carrier"),
  lpInterval: count("lp_interval", [1, 0x7fff_ffff], 1, "Time between learning packets, in s"),
  packetsPerMember: count(
    "packets_per_slave",
    [0, 65_535],
    1,
    "Packets by one member before the next; 0 at random; mode balance-rr",
  ),
  tlbDynamicLb: flag("tlb_dynamic_lb", true, "Move flows by load; modes balance-tlb and balance-alb", down),
  lacpRate: choice("lacp_rate", ["slow", "fast"], "slow", "LACP packets each 30 s or each second; mode 802.3ad", {
    ...down,
    json: "ad_lacp_rate",
  }),
  lacpActive: flag("lacp_active", true, "Send LACP packets unasked; mode 802.3ad", { ...down, json: "ad_lacp_active" }),
  adSelect: choice(
    "ad_select",
    ["stable", "bandwidth", "count"],
    "stable",
    "Which aggregator is used; mode 802.3ad",
    down,
  ),
  adUserPortKey: count(
    "ad_user_port_key",
    [0, 1023],
    0,
    "The administrator's part of the port key; mode 802.3ad",
    down,
  ),
  adActorSysPrio: count("ad_actor_sys_prio", [1, 65_535], 65_535, "System priority; mode 802.3ad"),
  adActorSystem: {
    schema: macAddress
      .optional()
      .describe(
        "MAC address in LACP packets (`ad_actor_system`); mode 802.3ad. Kernel default: 00:00:00:00:00:00, the bond's own.",
      ),
    word: "ad_actor_system",
    default: "00:00:00:00:00:00",
    decode: (printed: unknown) => printed ?? "00:00:00:00:00:00",
  },
});

const balanced = ["balance-tlb", "balance-alb"];

/** The modes that an option goes with (unsuppmodes of bond_opts). */
const modesOf: Record<string, readonly string[]> = {
  primary: ["active-backup", ...balanced],
  primaryReselect: ["active-backup", ...balanced],
  failOverMac: ["active-backup"],
  arpInterval: ["balance-rr", "active-backup", "balance-xor", "broadcast"],
  arpValidate: ["balance-rr", "active-backup", "balance-xor", "broadcast"],
  arpMissedMax: ["balance-rr", "active-backup", "balance-xor", "broadcast"],
  packetsPerMember: ["balance-rr"],
  tlbDynamicLb: balanced,
  lacpRate: ["802.3ad"],
  lacpActive: ["802.3ad"],
  adSelect: ["802.3ad"],
  adUserPortKey: ["802.3ad"],
  adActorSysPrio: ["802.3ad"],
  adActorSystem: ["802.3ad"],
};

const monitored = ["802.3ad", ...balanced];

/** Where `miimon` goes back to: these modes must look at the links. */
export const usualMiimon = (mode: unknown) => (monitored.includes(mode as string) ? 100 : 0);

/** What the kernel refuses, or takes and then does otherwise. */
export function bondRules(want: Want): [path: string, text: string][] {
  const given = (path: string) => want[path] !== undefined && want[path] !== 0;
  const mode = want.mode as string;
  const miimon = (want.miimon ?? usualMiimon(mode)) as number;
  const validates = want.arpValidate !== undefined && want.arpValidate !== "none";
  const wrong: [boolean, string, string][] = [
    ...Object.entries(modesOf).map(([path, modes]): [boolean, string, string] => [
      want[path] !== undefined && !modes.includes(mode),
      path,
      `needs \`mode: ${modes.join(" or ")}\``,
    ]),
    [want.miimon === 0 && monitored.includes(mode), "miimon", `must be 1 or more with \`mode: ${mode}\``],
    [given("miimon") && given("arpInterval"), "arpInterval", "must not be given with `miimon`"],
    [given("miimon") && validates, "arpValidate", "must not be given with `miimon`"],
    [given("arpInterval") && !hasTargets(want), "arpInterval", "needs `arpIpTargets` or `nsIp6Targets`"],
    ...delays.flatMap((path): [boolean, string, string][] => [
      [given(path) && miimon === 0, path, "needs `miimon`"],
      [
        given(path) && miimon !== 0 && (want[path] as number) % miimon !== 0,
        path,
        `must be a multiple of \`miimon\` (${miimon}): the kernel rounds it down`,
      ],
    ]),
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, path, text]) => [path, text]);
}

const hasTargets = (want: Want) =>
  ["arpIpTargets", "nsIp6Targets"].some((path) => ((want[path] ?? []) as unknown[]).length > 0);
