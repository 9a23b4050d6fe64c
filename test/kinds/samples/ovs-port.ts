import type { Sample, Update } from "../sample";

const bridges = [
  { kind: "OvsBridge", args: { name: "s-ovs" } },
  { kind: "OvsBridge", args: { name: "s-ovs2" } },
];

/** A column of the row of that name, or a key of one; nothing is printed of a key that is not there. */
const column =
  (table: string, row: string) =>
  (to: unknown, name: string, printed: RegExp, removed?: RegExp, drift?: string): Update => ({
    to,
    shows: `ovs-vsctl --if-exists get ${table} ${row} ${name}`,
    expect: printed,
    ...(removed && { removed }),
    ...(drift && { drift: `ovs-vsctl set ${table} ${row} ${drift}` }),
  });

const port = column("Port", "s-int");
const iface = column("Interface", "s-int");
const bond = column("Port", "s-bond");
const nothing = /^\[\]$/m;
const absent = /^\s*$/;

const htb = { type: "linux-htb", maxRate: 1_000_000, queues: [{ id: 7, minRate: 1000 }] };
const qosRow = "$(ovs-vsctl get Port s-int qos)";
const qos = (to: unknown, path: string, printed: RegExp, drift: string): Update => ({
  to,
  ...(path !== "type" && { with: { qos: htb } }),
  shows: `ovs-vsctl list QoS ${qosRow}; ovs-vsctl list Queue; tc qdisc show dev s-int`,
  expect: printed,
  drift,
});

/** An internal port: every argument but those of a bond. */
export const ovsPort: Sample = {
  kind: "OvsPort",
  needs: [...bridges, { kind: "Namespace", args: { name: "s-ovsns" } }],
  args: { bridge: "s-ovs", name: "s-int", type: "internal" },
  exists: "ovs-vsctl port-to-br s-int",
  vanish: "ovs-vsctl del-port s-int",
  updates: {
    tag: port(7, "tag", /^7$/m, nothing, "tag=8"),
    trunks: port([3, 1], "trunks", /^\[1, 3\]$/m, nothing, "trunks=1"),
    cvlans: port([9], "cvlans", /^\[9\]$/m, nothing, "cvlans=8"),
    vlanMode: port("native-tagged", "vlan_mode", /^native-tagged$/m, nothing, "vlan_mode=trunk"),
    protected: port(true, "protected", /^true$/m, /^false$/m, "protected=false"),
    transient: port(true, "other_config:transient", /^"true"$/m, absent, "other_config:transient=false"),
    otherConfig: port(
      { "stp-path-cost": 100 },
      "other_config:stp-path-cost",
      /^"100"$/m,
      absent,
      'other_config:stp-path-cost=\\"5\\"',
    ),
    externalIds: port({ a: "b c" }, "external_ids:a", /^"b c"$/m, absent, "external_ids:a=x"),
    "qos.type": {
      ...qos("linux-htb", "type", /qdisc htb/, "ovs-vsctl clear Port s-int qos"),
      removed: /^(?![\s\S]*(qdisc htb|_uuid))/,
    },
    "qos.maxRate": qos(
      2_000_000,
      "maxRate",
      /max-rate="2000000"/,
      `ovs-vsctl set QoS ${qosRow} other_config:max-rate=5000`,
    ),
    "qos.queues": qos(
      [{ id: 3, maxRate: 5000, burst: 1600, priority: 5, dscp: 10 }],
      "queues",
      /dscp +: 10/,
      "ovs-vsctl set Queue $(ovs-vsctl --bare --columns=_uuid list Queue) dscp=11",
    ),
    "qos.otherConfig": qos({ x: "y" }, "otherConfig", /x=y/, `ovs-vsctl set QoS ${qosRow} other_config:x=z`),
    "interface.externalIds": iface(
      { "iface-id": "u" },
      "external_ids:iface-id",
      /^u$/m,
      absent,
      "external_ids:iface-id=v",
    ),
    "interface.options": iface({ x: "y" }, "options:x", /^y$/m, absent, "options:x=z"),
    "interface.ofportRequest": iface(77, "ofport ofport_request", /^77\n77$/m, /^\d+\n\[\]$/m, "ofport_request=78"),
    "interface.mac": iface(
      "02:00:00:00:0a:05",
      "mac_in_use",
      /^"02:00:00:00:0a:05"$/m,
      /^"02:(?!00:00:00:0a:05)/m,
      'mac=\\"02:00:00:00:0a:06\\"',
    ),
    "interface.mtu": {
      to: 1400,
      shows: "cat /sys/class/net/s-int/mtu",
      expect: /^1400$/m,
      removed: /^1500$/m,
      drift: "ovs-vsctl set Interface s-int mtu_request=1300",
    },
    "interface.ingressPolicing.rate": iface(
      1000,
      "ingress_policing_rate",
      /^1000$/m,
      /^0$/m,
      "ingress_policing_rate=5",
    ),
    "interface.ingressPolicing.burst": {
      ...iface(100, "ingress_policing_burst", /^100$/m, /^0$/m, "ingress_policing_burst=5"),
      with: { interface: { ingressPolicing: { rate: 1000 } } },
    },
    up: {
      to: false,
      shows: "ip -br link show dev s-int",
      expect: /<(?!.*[<,]UP[,>])/m,
      removed: /[<,]UP[,>]/m,
      drift: "ip link set dev s-int up",
    },
    addresses: {
      to: ["192.0.2.1/24"],
      shows: "ip -4 -br address show dev s-int",
      expect: /192\.0\.2\.1\/24/,
      removed: /^(?!.*192\.0\.2\.1)/,
      drift: "ip address flush dev s-int scope global",
    },
    addressesExact: {
      to: true,
      with: { addresses: ["192.0.2.1/24"] },
      shows: "ip -4 -br address show dev s-int",
      expect: /192\.0\.2\.1\/24 *$/m,
      drift: "ip address add 192.0.2.9/24 dev s-int",
      driftShownAt: "addresses",
    },
    ipv6: {
      to: true,
      shows: "cat /proc/sys/net/ipv6/conf/s-int/disable_ipv6",
      expect: /^0$/m,
      removed: /^1$/m,
      drift: "sysctl -qw net.ipv6.conf.s-int.disable_ipv6=1",
    },
  },
  replaces: { name: "s-int2", bridge: "s-ovs2", namespace: "s-ovsns", type: "system" },
  invalid: [
    { args: { name: "a-name-of-16-char" }, path: "name", text: /1 to 15/ },
    { args: { tag: 4096 }, path: "tag", text: /0 to 4095.*4096/ },
    { args: { trunks: [2, 2] }, path: "trunks", text: /a VLAN twice/ },
    { args: { tag: 1, trunks: [2] }, path: "trunks", text: /native-tagged/ },
    { args: { type: "system", up: true }, path: "up", text: /type system/ },
    { args: { type: "bond" }, path: "bond", text: /type bond/ },
    { args: { type: "internal", ipv6: false, addresses: ["fd00::1/64"] }, path: "ipv6", text: /not be false/ },
    { args: { type: "internal", ipv6: true, interface: { mtu: 1000 } }, path: "interface.mtu", text: /1280 or more/ },
    { args: { otherConfig: { transient: true } }, path: "otherConfig.transient", text: /`transient`/ },
  ],
};

const veths = ["s-va", "s-vb", "s-vc"];

/** A key of the bond's other_config; ovs-vsctl prints it in quotes where it is no word. */
const other = (to: unknown, key: string, drift: unknown): Update =>
  bond(to, `other_config:${key}`, new RegExp(`^"?${to}"?$`, "m"), absent, `other_config:${key}=\\"${drift}\\"`);

/** A bond of devices that are not ours. */
export const ovsBond: Sample = {
  kind: "OvsPort",
  needs: bridges.slice(0, 1),
  before: veths.map((name) => `ip link add ${name} type veth peer name ${name}p`).join("; "),
  after: veths.map((name) => `ip link del ${name}`).join("; "),
  args: { bridge: "s-ovs", name: "s-bond", type: "bond", bond: { members: ["s-va", "s-vb"] } },
  exists: "ovs-vsctl port-to-br s-bond",
  vanish: "ovs-vsctl del-port s-bond",
  updates: {
    "bond.members": {
      to: ["s-vc", "s-vb"],
      shows: "ovs-vsctl list-ifaces s-ovs",
      expect: /^s-vb\ns-vc$/m,
      drift: "ovs-vsctl del-bond-iface s-bond s-vc -- add-bond-iface s-bond s-va",
    },
    "bond.mode": bond("balance-slb", "bond_mode", /^balance-slb$/m, nothing, "bond_mode=active-backup"),
    "bond.lacp": bond("active", "lacp", /^active$/m, nothing, "lacp=passive"),
    "bond.lacpTime": other("fast", "lacp-time", "slow"),
    "bond.lacpFallback": other(true, "lacp-fallback-ab", false),
    "bond.lacpSystemId": other("02:00:00:00:00:0b", "lacp-system-id", "02:00:00:00:00:0c"),
    "bond.lacpSystemPriority": other(5, "lacp-system-priority", 6),
    "bond.upDelay": bond(50, "bond_updelay", /^50$/m, /^0$/m, "bond_updelay=1"),
    "bond.downDelay": bond(60, "bond_downdelay", /^60$/m, /^0$/m, "bond_downdelay=1"),
    "bond.primary": other("s-vb", "bond-primary", "s-va"),
    "bond.detectMode": other("miimon", "bond-detect-mode", "carrier"),
    "bond.miimonInterval": other(100, "bond-miimon-interval", 50),
    "bond.rebalanceInterval": other(20_000, "bond-rebalance-interval", 10_000),
    "bond.hashBasis": other(9, "bond-hash-basis", 8),
    "bond.allMembersActive": other(true, "all-members-active", false),
  },
  replaces: { name: "s-bond2" },
  invalid: [{ args: { bond: { members: ["s-va"] } }, path: "bond.members", text: /at least two/ }],
};

const network = "/etc/systemd/network/20-s-upl.network";

/** The port of a device that systemd-networkd has given an address. */
export const ovsUplink: Sample = {
  kind: "OvsPort",
  needs: [{ kind: "OvsBridge", args: { name: "s-ovsup" } }],
  before: `ip link add name s-upl0 type dummy && ip link add name s-upl1 type dummy && printf '[Match]\\nName=s-upl0\\n[Network]\\nLinkLocalAddressing=no\\nAddress=10.64.0.1/24\\n' >${network} && networkctl reload && for try in $(seq 300); do networkctl list --no-legend s-upl0 | grep -qw configured && exit; sleep 0.1; done; exit 1`,
  after: `rm -f ${network}; networkctl reload; ip link del s-upl0; ip link del s-upl1`,
  args: { bridge: "s-ovsup", name: "s-upl0" },
  exists: "ovs-vsctl port-to-br s-upl0",
  vanish: "ovs-vsctl del-port s-upl0",
  answers: { "uplink:s-upl0:s-ovsup": "\u001ebridge\ns-ovsup\n\u001eend\n" },
  updates: {
    addressesToBridge: {
      to: true,
      shows: "ip -4 -br address show to 10.64.0.1",
      expect: /^s-ovsup .*10\.64\.0\.1\/24 *$/m,
      removed: /^s-upl0 .*10\.64\.0\.1\/24 *$/m,
      drift: "ip address del 10.64.0.1/24 dev s-ovsup",
    },
  },
  replaces: { name: "s-upl1" },
  invalid: [
    { args: { type: "internal", addressesToBridge: true }, path: "addressesToBridge", text: /with type internal/ },
  ],
};
