import type { Sample, Update } from "../sample";

// One command for all of them: it is run once.
const shows = "ip -d link show dev s-br";
const value = (word: string, printed: string | number) => new RegExp(`\\s${word} ${printed}(\\s|$)`, "m");
const set = (word: string, value: string | number) => `ip link set dev s-br type bridge ${word} ${value}`;

/** An option of `ip link … type bridge` with a value other than its default, as `ip -d` prints it; `other` is for drift. */
function option(
  to: unknown,
  word: string,
  printed: string | number,
  byDefault: string | number,
  other: string | number = byDefault,
): Update {
  return {
    to,
    shows,
    expect: value(word, printed),
    removed: value(word, byDefault),
    drift: set(word, other),
  };
}

const on = (word: string) => option(true, word, 1, 0);

const device = "ip link show dev s-br";
const addresses = "ip -4 -br address show dev s-br";

export const linuxBridge: Sample = {
  kind: "LinuxBridge",
  args: { name: "s-br" },
  exists: "ip -d link show dev s-br | grep -qw bridge",
  vanish: "ip link del dev s-br",
  updates: {
    mac: {
      to: "02:00:00:00:00:77",
      shows: device,
      expect: /link\/ether 02:00:00:00:00:77/,
      removed: /link\/ether 02:(?!00:00:00:00:77)/,
      drift: "ip link set dev s-br address 02:00:00:00:00:78",
    },
    mtu: { to: 1400, shows: device, expect: /mtu 1400/, removed: /mtu 1500/, drift: "ip link set dev s-br mtu 1300" },
    up: {
      to: false,
      apart: true,
      shows: device,
      expect: /<BROADCAST,MULTICAST>/,
      removed: /,UP/,
      drift: "ip link set dev s-br up",
    },
    addresses: {
      to: ["10.77.0.1/24", { address: "fd77::1/64", nodad: true }],
      shows: "ip -br address show dev s-br | grep -Eo '10.77.0.1/24|fd77::1/64' || echo none",
      expect: /10\.77\.0\.1\/24\nfd77::1\/64/,
      removed: /^none$/m,
      drift: "ip address del 10.77.0.1/24 dev s-br",
    },
    addressesExact: {
      to: true,
      apart: true,
      with: { addresses: ["10.77.1.1/24"] },
      shows: addresses,
      expect: /UP|UNKNOWN|DOWN\s+10\.77\.1\.1\/24\s*$/,
      removed: /10\.77\.1\.1\/24/,
      drift: "ip address add 10.77.2.1/24 dev s-br",
      driftShownAt: "addresses",
    },
    ipv6: {
      to: true,
      shows: "cat /proc/sys/net/ipv6/conf/s-br/disable_ipv6",
      expect: /^0$/m,
      removed: /^1$/m,
      drift: "sysctl -qw net.ipv6.conf.s-br.disable_ipv6=1",
    },
    arp: { to: false, shows: device, expect: /NOARP/, removed: /<(?!.*NOARP)/, drift: "ip link set dev s-br arp on" },
    offloads: {
      to: { tx: false },
      shows: "ethtool -k s-br | grep ^tx-checksumming",
      expect: /: off/,
      removed: /: on/,
      drift: "ethtool -K s-br tx on",
    },
    txQueueLength: {
      to: 500,
      shows: device,
      expect: /qlen 500/,
      removed: /qlen 1000/,
      drift: "ip link set dev s-br txqueuelen 7",
    },
    stp: on("stp_state"),
    priority: option(4096, "priority", 4096, 32768, 8192),
    forwardDelay: option(4, "forward_delay", 400, 1500, 900),
    helloTime: option(1, "hello_time", 100, 200, 300),
    maxAge: option(10, "max_age", 1000, 2000, 1500),
    ageingTime: option(0, "ageing_time", 0, 30000, 100),
    groupAddress: option("01:80:c2:00:00:0e", "group_address", "01:80:c2:00:00:0e", "01:80:c2:00:00:00"),
    groupForwardMask: option(0x4000, "group_fwd_mask", "0x4000", "0", 8),
    noLinklocalLearn: on("no_linklocal_learn"),
    vlanFiltering: on("vlan_filtering"),
    vlanProtocol: option("802.1ad", "vlan_protocol", "802.1ad", "802.1Q"),
    defaultPvid: option(0, "vlan_default_pvid", 0, 1, 9),
    vlanStats: on("vlan_stats_enabled"),
    vlanStatsPerPort: on("vlan_stats_per_port"),
    mcastSnooping: option(false, "mcast_snooping", 0, 1),
    mcastVlanSnooping: { ...on("mcast_vlan_snooping"), with: { vlanFiltering: true } },
    mcastRouter: option(2, "mcast_router", 2, 1, 0),
    mcastQueryUseIfaddr: on("mcast_query_use_ifaddr"),
    mcastQuerier: on("mcast_querier"),
    mcastHashMax: option(512, "mcast_hash_max", 512, 4096, 1024),
    mcastLastMemberCount: option(3, "mcast_last_member_count", 3, 2, 4),
    mcastStartupQueryCount: option(3, "mcast_startup_query_count", 3, 2, 4),
    mcastLastMemberInterval: option(2, "mcast_last_member_interval", 200, 100, 300),
    mcastMembershipInterval: option(100, "mcast_membership_interval", 10000, 26000, 9000),
    mcastQuerierInterval: option(100, "mcast_querier_interval", 10000, 25500, 9000),
    mcastQueryInterval: option(60, "mcast_query_interval", 6000, 12500, 9000),
    mcastQueryResponseInterval: option(5, "mcast_query_response_interval", 500, 1000, 900),
    // 31.25 s are no whole number of ticks: it reads back as 3124.
    mcastStartupQueryInterval: option(20, "mcast_startup_query_interval", 2000, 3124, 900),
    mcastStats: on("mcast_stats_enabled"),
    igmpVersion: option(3, "mcast_igmp_version", 3, 2),
    mldVersion: option(2, "mcast_mld_version", 2, 1),
    nfCallIptables: on("nf_call_iptables"),
    nfCallIp6tables: on("nf_call_ip6tables"),
    nfCallArptables: on("nf_call_arptables"),
  },
  replaces: { name: "s-br2", namespace: "s-br-ns" },
  needs: [{ kind: "Namespace", args: { name: "s-br-ns" } }],
  invalid: [
    { args: { name: "a-name-of-16-char" }, path: "name", text: /1 to 15/ },
    { args: { mtu: 67 }, path: "mtu", text: /68 to 65535.*67/ },
    { args: { forwardDelay: 31 }, path: "forwardDelay", text: /0 to 30/ },
    { args: { stp: true, forwardDelay: 1 }, path: "forwardDelay", text: /2 to 30/ },
    { args: { groupForwardMask: 7 }, path: "groupForwardMask", text: /bits 0 to 2/ },
    { args: { addresses: ["10.0.1.1/24", "10.0.1.1/24"] }, path: "addresses", text: /an address twice/ },
    { args: { addresses: ["fd00::1/64", "fd00::1/48"] }, path: "addresses", text: /an address twice.*one prefix/ },
    { args: { mcastVlanSnooping: true }, path: "mcastVlanSnooping", text: /needs `vlanFiltering`/ },
    { args: { bridge: "br9" }, path: "bridge", text: /port of a bridge/ },
    { args: { mcastQueryInterval: 0.5 }, path: "mcastQueryInterval", text: /1 to 86400/ },
  ],
};
