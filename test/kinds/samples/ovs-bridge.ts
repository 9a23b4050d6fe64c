import type { Sample, Update } from "../sample";

const get = (column: string) => `ovs-vsctl --if-exists get Bridge s-ovsb ${column}`;

/** A column, or a key of one; nothing is printed of a key that is not there. */
const column = (to: unknown, name: string, printed: RegExp, removed: RegExp, drift?: string): Update => ({
  to,
  shows: get(name),
  expect: printed,
  removed,
  ...(drift && { drift: `ovs-vsctl set Bridge s-ovsb ${drift}` }),
});

const flag = (name: string) => column(true, name, /^true$/m, /^false$/m, `${name}=false`);

export const ovsBridge: Sample = {
  kind: "OvsBridge",
  args: { name: "s-ovsb" },
  exists: "ovs-vsctl br-exists s-ovsb",
  vanish: "ovs-vsctl del-br s-ovsb",
  updates: {
    failMode: column("secure", "fail_mode", /^secure$/m, /^\[\]$/m, "fail_mode=standalone"),
    protocols: column(
      ["OpenFlow13", "OpenFlow10"],
      "protocols",
      /^\["?OpenFlow10"?, "?OpenFlow13"?\]$/m,
      /^\[\]$/m,
      "protocols=OpenFlow10",
    ),
    controllers: {
      to: ["ptcp:16653:127.0.0.1"],
      shows: "ovs-vsctl get-controller s-ovsb",
      expect: /^ptcp:16653:127\.0\.0\.1$/m,
      removed: /^\s*$/,
      drift: "ovs-vsctl del-controller s-ovsb",
    },
    stp: flag("stp_enable"),
    rstp: flag("rstp_enable"),
    mcastSnooping: flag("mcast_snooping_enable"),
    mac: {
      to: "02:00:00:00:0a:01",
      shows: "cat /sys/class/net/s-ovsb/address",
      expect: /^02:00:00:00:0a:01$/m,
      removed: /^02:(?!00:00:00:0a:01)/m,
      drift: 'ovs-vsctl set Bridge s-ovsb other_config:hwaddr=\\"02:00:00:00:0a:02\\"',
    },
    mtu: {
      to: 1400,
      shows: "cat /sys/class/net/s-ovsb/mtu",
      expect: /^1400$/m,
      removed: /^1500$/m,
      drift: "ovs-vsctl set Interface s-ovsb mtu_request=1300",
    },
    datapathId: {
      to: "0000000000000abc",
      shows: get("datapath_id"),
      expect: /^"0000000000000abc"$/m,
      removed: /^"0000(?!000000000abc)/m,
      drift: 'ovs-vsctl set Bridge s-ovsb other_config:datapath-id=\\"0000000000000abd\\"',
    },
    otherConfig: column(
      { "mac-aging-time": 600 },
      "other_config:mac-aging-time",
      /^"600"$/m,
      /^\s*$/,
      'other_config:mac-aging-time=\\"60\\"',
    ),
    externalIds: column(
      { "bridge-id": "x y=z" },
      "external_ids:bridge-id",
      /^"x y=z"$/m,
      /^\s*$/,
      "external_ids:bridge-id=q",
    ),
    up: {
      to: false,
      shows: "ip -br link show dev s-ovsb",
      expect: /<(?!.*[<,]UP[,>])/m,
      removed: /[<,]UP[,>]/m,
      drift: "ip link set dev s-ovsb up",
    },
    addresses: {
      to: ["192.0.2.1/24"],
      shows: "ip -4 -br address show dev s-ovsb",
      expect: /192\.0\.2\.1\/24/,
      removed: /^(?!.*192\.0\.2\.1)/,
      drift: "ip address flush dev s-ovsb scope global",
    },
    addressesExact: {
      to: true,
      with: { addresses: ["192.0.2.1/24"] },
      shows: "ip -4 -br address show dev s-ovsb",
      expect: /192\.0\.2\.1\/24 *$/m,
      drift: "ip address add 192.0.2.9/24 dev s-ovsb",
      driftShownAt: "addresses",
    },
    ipv6: {
      to: true,
      shows: "cat /proc/sys/net/ipv6/conf/s-ovsb/disable_ipv6",
      expect: /^0$/m,
      removed: /^1$/m,
      drift: "sysctl -qw net.ipv6.conf.s-ovsb.disable_ipv6=1",
    },
  },
  replaces: { name: "s-ovsb2", datapathType: "netdev" },
  invalid: [
    { args: { name: "a-name-of-16-char" }, path: "name", text: /1 to 15/ },
    { args: { mtu: 67 }, path: "mtu", text: /68 to 65535.*67/ },
    { args: { stp: true, rstp: true }, path: "rstp", text: /together with stp/ },
    { args: { protocols: ["OpenFlow13", "OpenFlow13"] }, path: "protocols", text: /a version twice/ },
    { args: { otherConfig: { hwaddr: "02:00:00:00:00:01" } }, path: "otherConfig.hwaddr", text: /`mac`/ },
    { args: { ipv6: false, addresses: ["fd00::1/64"] }, path: "ipv6", text: /not be false with IPv6 addresses/ },
    { args: { controllers: ["192.0.2.1"] }, path: "controllers[0]", text: /tcp:/ },
  ],
};
