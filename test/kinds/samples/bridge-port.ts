import type { Sample, Update } from "../sample";

// One command for all of them: it is run once.
const shows = "ip -d link show dev s-pt";
const value = (word: string, printed: string | number) => new RegExp(` ${word} ${printed} `);

/** An option of `ip link … type bridge_slave`. */
const option = (
  to: unknown,
  word: string,
  printed: string | number,
  byDefault: string | number,
  other: string | number = byDefault,
): Update => ({
  to,
  shows,
  expect: value(word, printed),
  removed: value(word, byDefault),
  drift: `ip link set dev s-pt type bridge_slave ${word} ${other}`,
});

const on = (word: string) => option(true, word, "on", "off");
const off = (word: string) => option(false, word, "off", "on");

const vlans = "bridge vlan show dev s-pt";

export const bridgePort: Sample = {
  kind: "BridgePort",
  before:
    "ip link add name s-pt type dummy; ip link add name s-pt2 type dummy; ip link add name s-pt-o type dummy; " +
    "ip link add name s-ptbr type bridge vlan_filtering 1; ip link add name s-ptbr2 type bridge; ip link set dev s-pt-o master s-ptbr; " +
    "ip netns add s-pt-ns; ip -n s-pt-ns link add name s-pt type dummy; ip -n s-pt-ns link add name s-ptbr type bridge",
  after: "for d in s-pt s-pt2 s-pt-o s-ptbr s-ptbr2; do ip link del dev $d; done; ip netns del s-pt-ns",
  args: { device: "s-pt", bridge: "s-ptbr" },
  exists: "ip link show dev s-pt | grep -q 'master s-ptbr '",
  updates: {
    bridge: {
      to: "s-ptbr2",
      apart: true,
      shows: "ip link show dev s-pt",
      expect: /master s-ptbr2 /,
      drift: "ip link set dev s-pt nomaster",
    },
    ipv6: {
      to: true,
      shows: "cat /proc/sys/net/ipv6/conf/s-pt/disable_ipv6",
      expect: /^0$/m,
      removed: /^1$/m,
      drift: "sysctl -qw net.ipv6.conf.s-pt.disable_ipv6=1",
    },
    // Its default comes from the device's speed: taken out, it stays as it is.
    cost: { to: 7, shows, expect: value("cost", 7), drift: "ip link set dev s-pt type bridge_slave cost 8" },
    priority: option(5, "priority", 5, 32, 6),
    guard: on("guard"),
    hairpin: on("hairpin"),
    rootBlock: on("root_block"),
    fastLeave: on("fastleave"),
    learning: off("learning"),
    flood: off("flood"),
    mcastFlood: off("mcast_flood"),
    bcastFlood: off("bcast_flood"),
    mcastToUnicast: on("mcast_to_unicast"),
    mcastRouter: { ...option(2, "mcast_router", 2, 1, 0) },
    proxyArp: on("proxy_arp"),
    proxyArpWifi: on("proxy_arp_wifi"),
    neighSuppress: on("neigh_suppress"),
    groupForwardMask: option(0x4000, "group_fwd_mask", "0x4000", "0", 8),
    vlanTunnel: on("vlan_tunnel"),
    isolated: on("isolated"),
    locked: { ...on("locked"), with: { learning: false } },
    backupPort: {
      to: "s-pt-o",
      shows,
      expect: value("backup_port", "s-pt-o"),
      removed: /^(?![\s\S]* backup_port )/,
      drift: "ip link set dev s-pt type bridge_slave nobackup_port",
    },
    vlans: {
      to: [{ id: 10, pvid: true, untagged: true }, { id: "20-22" }, { id: 30, untagged: true }],
      shows: vlans,
      expect: /10 PVID Egress Untagged\s+20\s+21\s+22\s+30 Egress Untagged\s*$/,
      removed: /^s-pt\s+1 PVID Egress Untagged\s*$/m,
      drift: "bridge vlan del vid 21 dev s-pt; bridge vlan add vid 5 dev s-pt",
    },
  },
  replaces: { device: "s-pt2", namespace: "s-pt-ns" },
  invalid: [
    { args: { bridge: "s-pt" }, path: "bridge", text: /the device itself/ },
    { args: { cost: 0 }, path: "cost", text: /1 to 65535/ },
    { args: { priority: 64 }, path: "priority", text: /0 to 63/ },
    { args: { groupForwardMask: 3 }, path: "groupForwardMask", text: /must not have bit 1/ },
    { args: { vlans: [{ id: 4095 }] }, path: "vlans[0].id", text: /1 to 4094/ },
    { args: { vlans: [{ id: "20-10" }] }, path: "vlans[0].id", text: /smaller one first/ },
    { args: { vlans: [{ id: "10-20", pvid: true }] }, path: "vlans[0].pvid", text: /a port has one/ },
    { args: { vlans: [{ id: "10-20" }, { id: 15 }] }, path: "vlans", text: /15 is there twice/ },
    {
      args: {
        vlans: [
          { id: 1, pvid: true },
          { id: 2, pvid: true },
        ],
      },
      path: "vlans",
      text: /at most/,
    },
  ],
};
