import type { Sample, Update } from "../sample";

const device = (name: string) => `ip -d link show dev ${name}`;

/** What every link takes: the rest of a TAP is said when it is made. */
const common = (name: string, mtu: number, queue: number): Record<string, Update> => ({
  mtu: {
    to: mtu,
    shows: device(name),
    expect: new RegExp(`mtu ${mtu}`),
    removed: /mtu 1500/,
    drift: `ip link set dev ${name} mtu 1300`,
  },
  txQueueLength: {
    to: 77,
    shows: device(name),
    expect: /qlen 77/,
    removed: new RegExp(`qlen ${queue}`),
    drift: `ip link set dev ${name} txqueuelen 78`,
  },
});

/** Made with all that it is made with: the update is made on another object than the sample's. */
const made = { owner: "nobody", group: 12345, multiQueue: true, vnetHeader: true, packetInformation: true };

export const tap: Sample = {
  kind: "Tap",
  needs: [
    { kind: "Namespace", args: { name: "s-tap-ns" } },
    { kind: "LinuxBridge", args: { name: "s-tap-br" } },
  ],
  args: { name: "s-tap" },
  exists: `${device("s-tap")} | grep -q 'tun type tap'`,
  vanish: "ip link del dev s-tap",
  updates: {
    ...common("s-tap", 1400, 1000),
    ipv6: {
      to: true,
      shows: "cat /proc/sys/net/ipv6/conf/s-tap/disable_ipv6",
      expect: /^0$/m,
      removed: /^1$/m,
      drift: "sysctl -qw net.ipv6.conf.s-tap.disable_ipv6=1",
    },
    bridge: {
      to: "s-tap-br",
      with: made,
      shows: device("s-tap"),
      expect: /master s-tap-br [\s\S]*type tap pi on vnet_hdr on multi_queue .*user nobody group 12345/,
      removed: /^(?![\s\S]*master)[\s\S]*type tap/,
      drift: "ip link set dev s-tap nomaster",
    },
  },
  replaces: { name: "s-tap2", namespace: "s-tap-ns", mode: "tun", ...made },
  invalid: [
    { args: { mode: "veth" }, path: "mode", text: /one of "tap"/ },
    { args: { mode: "tun", bridge: "s-tap-br" }, path: "bridge", text: /no Ethernet frames/ },
    { args: { mode: "tun", mac: "02:00:00:00:00:01" }, path: "mac", text: /mode: tun/ },
    { args: { mode: "tun", arp: false }, path: "arp", text: /mode: tun/ },
    { args: { owner: "no body" }, path: "owner", text: /account on the host/ },
    { args: { group: -1 }, path: "group", text: /0 to/ },
    { args: { ipv6: false, addresses: ["fd00::1/64"] }, path: "ipv6", text: /not be false with IPv6 addresses/ },
    { args: { mtu: 1279, addresses: [{ address: "fd00::1/64" }] }, path: "mtu", text: /1280 or more with IPv6/ },
    { args: { bridge: "s-tap" }, path: "bridge", text: /the device itself/ },
    { args: { mtu: 1279, ipv6: true }, path: "mtu", text: /1280 or more with `ipv6: true`/ },
  ],
};

export const tun: Sample = {
  kind: "Tap",
  needs: [{ kind: "Namespace", args: { name: "s-tap-ns" } }],
  args: { name: "s-tun", mode: "tun" },
  exists: `${device("s-tun")} | grep -q 'tun type tun'`,
  vanish: "ip link del dev s-tun",
  updates: {
    ...common("s-tun", 9000, 500),
    addresses: {
      to: ["10.83.0.1/24"],
      with: { owner: 12345 },
      shows: `ip -br address show dev s-tun; ${device("s-tun")}`,
      expect: /10\.83\.0\.1\/24[\s\S]*type tun pi off vnet_hdr off persist on user 12345/,
      removed: /^(?![\s\S]*10\.83)[\s\S]*type tun/,
      drift: "ip address del 10.83.0.1/24 dev s-tun",
    },
  },
  replaces: { namespace: "s-tap-ns" },
  invalid: [],
};
