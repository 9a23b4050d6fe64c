import type { Sample, Update } from "../sample";

const bridgeFdb = "bridge -n s-fd fdb show";
const made =
  "ip netns add s-fd; ip -n s-fd link add name s-fdbr type bridge vlan_filtering 1; ip -n s-fd link set dev s-fdbr up; " +
  "for p in s-fd0 s-fd1; do ip -n s-fd link add name $p type dummy; ip -n s-fd link set dev $p master s-fdbr up; " +
  "bridge -n s-fd vlan add dev $p vid 7; bridge -n s-fd vlan add dev $p vid 8; done; " +
  // In another namespace, for a change of it.
  "ip netns add s-fd2; ip -n s-fd2 link add name s-fdbr type bridge vlan_filtering 1; " +
  "ip -n s-fd2 link add name s-fd0 type dummy; ip -n s-fd2 link set dev s-fd0 master s-fdbr; bridge -n s-fd2 vlan add dev s-fd0 vid 7";

/** A static address behind a bridge's port. */
export const fdbEntry: Sample = {
  kind: "FdbEntry",
  before: made,
  after: "ip netns del s-fd; ip netns del s-fd2",
  answers: {
    netns: [{ name: "s-fd" }],
    "links@s-fd": ["s-fdbr", "s-fd0"].map((ifname) => ({
      ...{ ifname, flags: ["UP"], addr_info: [] },
      ...(ifname === "s-fd0"
        ? { master: "s-fdbr", linkinfo: { info_slave_kind: "bridge" } }
        : { linkinfo: { info_kind: "bridge", info_data: { vlan_filtering: 1 } } }),
    })),
    "portvlans@s-fd": [{ ifname: "s-fd0", vlans: [{ vlan: 7 }] }],
  },
  args: { namespace: "s-fd", device: "s-fd0", mac: "02:00:00:00:61:01", vlan: 7 },
  exists: `${bridgeFdb} brport s-fd0 | grep -q '^02:00:00:00:61:01 .*vlan 7 .*static'`,
  vanish: "bridge -n s-fd fdb del 02:00:00:00:61:01 dev s-fd0 master vlan 7",
  updates: {
    sticky: {
      to: true,
      shows: `${bridgeFdb} brport s-fd0 | grep 61:01`,
      expect: / sticky .*static/,
      removed: /^(?!.*sticky).*static/m,
      drift: "bridge -n s-fd fdb replace 02:00:00:00:61:01 dev s-fd0 master static vlan 7",
    },
  },
  replaces: {
    namespace: "s-fd2",
    device: "s-fd1",
    mac: "02:00:00:00:61:02",
    vlan: 8,
    remote: "10.88.0.2",
  },
  replacesTogether: { remote: { vlan: undefined } },
  invalid: [
    { args: { mac: "01:00:5e:00:00:01" }, path: "mac", text: /must be unicast/ },
    { args: { mac: "00:00:00:00:00:00" }, path: "remote", text: /must be given for 00:00:00:00:00:00/ },
    { args: { vlan: 4095 }, path: "vlan", text: /1 to 4094/ },
    { args: { port: 4789 }, path: "port", text: /needs `remote`/ },
    { args: { vni: 5 }, path: "vni", text: /needs `remote`/ },
    { args: { remote: "10.88.0.2" }, path: "vlan", text: /must not be given with `remote`/ },
    { args: { remote: "10.88.0.2", vlan: undefined, sticky: true }, path: "sticky", text: /bridge's port/ },
    { args: { remote: "239.1.1.1", vlan: undefined }, path: "remote", text: /must be unicast/ },
  ],
};

const tunnelFdb = "bridge -n s-fdt fdb show dev s-fdvx";
const everybody = "00:00:00:00:00:00";
const end = `${everybody} dev s-fdvx dst 10.88.0.2`;

const at = (word: string, to: number, drift: string): Update => ({
  to,
  shows: `${tunnelFdb} | grep 10.88.0.2`,
  expect: new RegExp(` ${word} ${to} `),
  removed: new RegExp(`^(?!.* ${word} )`, "m"),
  // To the kernel it is another entry.
  drift: `bridge -n s-fdt fdb del ${end} port 4800 vni 99 && bridge -n s-fdt fdb append ${end} ${drift}`,
});

/** One end of a VXLAN between several hosts. */
export const fdbEntryOfTunnel: Sample = {
  kind: "FdbEntry",
  before:
    "ip netns add s-fdt; ip -n s-fdt link add name s-fdvx type vxlan id 88 dstport 4797 local 10.88.0.1; " +
    "ip -n s-fdt link set dev s-fdvx up; bridge -n s-fdt fdb append 00:00:00:00:00:00 dev s-fdvx dst 10.88.0.9",
  after: "ip netns del s-fdt",
  args: { namespace: "s-fdt", device: "s-fdvx", mac: everybody, remote: "10.88.0.2" },
  exists: `${tunnelFdb} | grep -q '^${everybody} dst 10.88.0.2 '`,
  vanish: `bridge -n s-fdt fdb del ${end}`,
  updates: {
    port: at("port", 4800, "port 4801 vni 98"),
    vni: at("vni", 99, "port 4801 vni 98"),
  },
  replaces: {},
  invalid: [],
};
