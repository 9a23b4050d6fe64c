import type { Sample, Update } from "../sample";

const shows = "ip -d link show dev s-vx";
const set = (words: string) => `ip link set dev s-vx type vxlan ${words}`;
const over6 = { local: "fd87::1", remote: "fd87::2" };

const option = (to: unknown, expect: RegExp, removed: RegExp, drift: string, more: object = {}): Update => ({
  to,
  shows,
  expect,
  removed,
  drift: set(drift),
  ...more,
});

/** What it is made with: the update is made on another object than the sample's. */
const flags = {
  ...{ proxy: true, rsc: true, l2miss: true, l3miss: true, udpChecksum: false, udp6ZeroChecksumTx: true },
  ...{ udp6ZeroChecksumRx: true, remoteChecksumTx: true, remoteChecksumRx: true, gbp: true },
  ...{ port: 4796, sourcePortRange: "40000-50000", maxAddresses: 99 },
};

export const vxlan: Sample = {
  kind: "Vxlan",
  needs: [
    { kind: "Namespace", args: { name: "s-vx-ns" } },
    { kind: "Dummy", args: { name: "s-vx-up", mtu: 1480, addresses: ["10.87.0.1/24"] } },
  ],
  // OVS has 4789 on the same machine, for its own VXLAN tunnels.
  args: { name: "s-vx", vni: 87, port: 4795, device: "s-vx-up", local: "10.87.0.1", remote: "10.87.0.2" },
  exists: `${shows} | grep -q 'vxlan id 87 '`,
  vanish: "ip link del dev s-vx",
  updates: {
    local: option("10.87.0.3", / local 10\.87\.0\.3 /, / local 10\.87\.0\.1 /, "local 10.87.0.9"),
    remote: option("10.87.0.4", / remote 10\.87\.0\.4 /, / remote 10\.87\.0\.2 /, "remote 10.87.0.9"),
    ttl: option(9, / ttl 9 /, / ttl auto /, "ttl 8"),
    tos: option(32, / tos 0x20 /, /vxlan (?!.* tos )/, "tos 8"),
    dontFragment: option(true, / df set /, /vxlan (?!.* df (set|inherit))/, "df inherit"),
    learning: option(false, / nolearning /, /vxlan (?!.*nolearning)/, "learning"),
    ageing: option(60, / ageing 60 /, / ageing 300 /, "ageing 70"),
    mtu: { to: 1400, shows, expect: /mtu 1400/, removed: /mtu 1430/, drift: "ip link set dev s-vx mtu 1300" },
    flowLabel: option(0x12345, / flowlabel 0x12345 /, /vxlan (?!.*flowlabel 0x1)/, "flowlabel 5", { with: over6 }),
    // Made in another namespace than the underlay, with all that the kernel takes only then.
    txQueueLength: {
      to: 77,
      with: { namespace: "s-vx-ns", underlay: "host", ...flags },
      shows: "ip -n s-vx-ns -d link show dev s-vx",
      // In the order and spelling of iproute2 6.1 and of 6.15.
      expect:
        /qlen 77[\s\S]*vxlan id 87 (?=.* gbp )(?=.* maxaddr 99 )(?=.* proxy rsc l2miss l3miss ).*srcport 40000 50000 dstport 4796 .* noudp_?csum udp\S+tx udp\S+rx remcsum_?tx remcsum_?rx /,
      removed: /qlen 1000[\s\S]*vxlan id 87 /,
      drift: "ip -n s-vx-ns link set dev s-vx txqueuelen 78",
    },
  },
  replaces: {
    name: "s-vx2",
    group: "239.8.7.1",
    namespace: "s-vx-ns",
    vni: 88,
    underlay: "host",
    device: "lo",
    ...flags,
    external: true,
    vniFilter: true,
    gpe: true,
  },
  replacesWith: {
    group: { remote: undefined },
    underlay: { namespace: "s-vx-ns" },
    vniFilter: { vni: undefined, external: true },
    gpe: { vni: undefined, external: true },
  },
  // With `external` packets say their number.
  replacesTogether: { external: { vni: undefined } },
  invalid: [
    { args: { vni: undefined }, path: "vni", text: /is required; all but `external` need one$/ },
    { args: { bridge: "s-vx-up" }, path: "bridge", text: /what the device is on/ },
    { args: { device: "s-vx" }, path: "device", text: /the device itself/ },
    { args: { vni: 16777216 }, path: "vni", text: /0 to 16777215/ },
    { args: { ageing: 0 }, path: "ageing", text: /1 to 4294967295/ },
    { args: { external: true }, path: "vni", text: /must not be given with `external`/ },
    { args: { remote: "239.1.1.1" }, path: "remote", text: /must be unicast/ },
    { args: { remote: undefined, group: "10.87.0.2" }, path: "group", text: /must be multicast/ },
    { args: { remote: undefined, group: "239.8.7.1", device: undefined }, path: "group", text: /needs `device`/ },
    { args: { group: "239.8.7.1", remote: "10.87.0.2" }, path: "group", text: /with `remote`/ },
    { args: { local: "10.87.0.1", remote: "fd87::2" }, path: "remote", text: /same family/ },
    { args: { flowLabel: 5 }, path: "flowLabel", text: /IPv6 only/ },
    { args: { tos: 3 }, path: "tos", text: /even/ },
    { args: { sourcePortRange: "50000-40000" }, path: "sourcePortRange", text: /smaller one first/ },
    { args: { vniFilter: true }, path: "vniFilter", text: /needs `external`/ },
    { args: { gpe: true }, path: "gpe", text: /needs `external`/ },
    { args: { vni: undefined, external: true, gpe: true, bridge: "b" }, path: "bridge", text: /no Ethernet frames/ },
    { args: { underlay: "host" }, path: "underlay", text: /without `namespace`/ },
  ],
};
