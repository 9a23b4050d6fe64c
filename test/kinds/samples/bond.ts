import type { Sample, Update } from "../sample";

const shows = "ip -d link show dev s-bond";
const set = (words: string) => `ip link set dev s-bond type bond ${words}`;
const value = (word: string, printed: string | number) => new RegExp(` ${word} ${printed} `);

/** An option of `ip link … type bond`, as `ip -d` prints it; `other` is for drift. */
const option = (
  to: unknown,
  word: string,
  printed: string | number,
  byDefault: string | number,
  other: string | number = byDefault,
  more: object = {},
): Update => ({
  to,
  shows,
  expect: value(word, printed),
  removed: value(word, byDefault),
  drift: set(`${word} ${other}`),
  ...more,
});

/** One that the kernel takes only while the bond is down. */
const down = (update: Update): Update => ({
  ...update,
  drift: `ip link set dev s-bond down; ${update.drift}; ip link set dev s-bond up`,
});

const targets = (to: string[], word: string, other: string): Update => ({
  to,
  shows,
  expect: value(word, to.join(",")),
  removed: new RegExp(`bond mode (?!.* ${word} )`),
  drift: set(`${word} ${other}`),
});

const lacp = { with: { mode: "802.3ad" } };
const backup = { with: { mode: "active-backup" } };
const monitored = { with: { miimon: 100 } };
const asks = { mode: "active-backup", arpInterval: 200, arpIpTargets: ["10.89.0.1"] };
const members = "ip -br link show master s-bond | cut -d' ' -f1; ip link show dev s-bond-a";

export const bond: Sample = {
  kind: "Bond",
  needs: [{ kind: "Namespace", args: { name: "s-bond-ns" } }],
  before: "ip link add name s-bond-a type dummy; ip link add name s-bond-b type dummy; ip link set dev s-bond-a up",
  after: "ip link del dev s-bond-a; ip link del dev s-bond-b",
  args: { name: "s-bond" },
  exists: `${shows} | grep -q ' bond mode '`,
  vanish: "ip link del dev s-bond",
  updates: {
    members: {
      to: ["s-bond-a", "s-bond-b"],
      shows: members,
      expect: /s-bond-a\s+s-bond-b/,
      removed: /^\d+: s-bond-a: <[^>]*UP[,>](?!.* master )/m,
      drift: "ip link set dev s-bond-b nomaster",
    },
    primary: {
      to: "s-bond-b",
      with: { mode: "active-backup", members: ["s-bond-b"] },
      shows,
      expect: / primary s-bond-b /,
      removed: /bond mode active-backup (?!.* primary s-)/,
      drift: "echo >/sys/class/net/s-bond/bonding/primary",
    },
    miimon: option(100, "miimon", 100, 0, 200),
    updelay: option(200, "updelay", 200, 0, 400, monitored),
    downdelay: option(200, "downdelay", 200, 0, 400, monitored),
    peerNotifyDelay: option(200, "peer_notify_delay", 200, 0, 400, monitored),
    useCarrier: option(false, "use_carrier", 0, 1),
    arpInterval: option(200, "arp_interval", 200, 0, 300, { with: { arpIpTargets: ["10.89.0.1"] } }),
    arpIpTargets: targets(["10.89.0.1", "10.89.0.2"], "arp_ip_target", "10.89.0.3"),
    nsIp6Targets: targets(["fd89::1"], "ns_ip6_target", "fd89::3"),
    arpValidate: option("active", "arp_validate", "active", "none", "all", { with: asks }),
    arpAllTargets: option("all", "arp_all_targets", "all", "any"),
    arpMissedMax: option(3, "arp_missed_max", 3, 2, 4),
    primaryReselect: option("failure", "primary_reselect", "failure", "always", "better", backup),
    xmitHashPolicy: option("layer3+4", "xmit_hash_policy", "layer3\\+4", "layer2", "encap2+3"),
    resendIgmp: option(3, "resend_igmp", 3, 1, 4),
    numPeerNotifications: option(3, "num_grat_arp", 3, 1, 4),
    allMembersActive: option(true, "all_slaves_active", 1, 0),
    minLinks: option(1, "min_links", 1, 0, 2),
    lpInterval: option(3, "lp_interval", 3, 1, 4),
    packetsPerMember: option(3, "packets_per_slave", 3, 1, 4),
    tlbDynamicLb: down(option(false, "tlb_dynamic_lb", 0, 1, 1, { with: { mode: "balance-tlb" } })),
    lacpRate: down(option("fast", "lacp_rate", "fast", "slow", "slow", lacp)),
    lacpActive: down(option(false, "lacp_active", "off", "on", "on", lacp)),
    adSelect: down(option("count", "ad_select", "count", "stable", "bandwidth", lacp)),
    adUserPortKey: down(option(5, "ad_user_port_key", 5, 0, 6, lacp)),
    adActorSysPrio: option(5, "ad_actor_sys_prio", 5, 65535, 6, lacp),
    adActorSystem: option(
      "02:00:00:00:89:01",
      "ad_actor_system",
      "02:00:00:00:89:01",
      "00:00:00:00:00:00",
      "02:00:00:00:89:02",
      lacp,
    ),
  },
  replaces: { name: "s-bond2", namespace: "s-bond-ns", mode: "802.3ad", failOverMac: "active" },
  replacesWith: { failOverMac: { mode: "active-backup" } },
  invalid: [
    { args: { mode: "lacp" }, path: "mode", text: /one of "balance-rr"/ },
    { args: { members: ["a", "a"] }, path: "members", text: /twice/ },
    { args: { members: ["s-bond"] }, path: "members", text: /the bond itself/ },
    { args: { primary: "a" }, path: "primary", text: /active-backup/ },
    { args: { mode: "active-backup", primary: "a", members: ["b"] }, path: "primary", text: /one of `members`/ },
    { args: { lacpRate: "fast" }, path: "lacpRate", text: /needs `mode: 802\.3ad`/ },
    { args: { mode: "802.3ad", miimon: 0 }, path: "miimon", text: /1 or more/ },
    { args: { mode: "802.3ad", arpInterval: 100 }, path: "arpInterval", text: /needs `mode/ },
    { args: { mode: "802.3ad", arpMissedMax: 3 }, path: "arpMissedMax", text: /needs `mode/ },
    { args: { miimon: 100, arpInterval: 100, arpIpTargets: ["10.89.0.1"] }, path: "arpInterval", text: /`miimon`/ },
    { args: { arpInterval: 100 }, path: "arpInterval", text: /needs `arpIpTargets`/ },
    { args: { updelay: 100 }, path: "updelay", text: /needs `miimon`/ },
    { args: { miimon: 100, arpValidate: "all" }, path: "arpValidate", text: /not.*`miimon`/ },
    { args: { miimon: 100, updelay: 150 }, path: "updelay", text: /multiple of `miimon`/ },
    { args: { minLinks: -1 }, path: "minLinks", text: /0 to/ },
  ],
};
