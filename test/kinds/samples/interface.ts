import type { Sample } from "../sample";

// eth2 is the lab's external NIC: virtio, down, without addresses.
const device = "ip link show dev eth2";
const set = (words: string) => `ip link set dev eth2 ${words}`;

export const nic: Sample = {
  kind: "Interface",
  before:
    "ip link add name s-if-br type bridge; ip link add name s-if type dummy; ip netns add s-if-ns; ip -n s-if-ns link add name eth2 type dummy",
  after: "ip link del dev s-if-br; ip link del dev s-if; ip netns del s-if-ns",
  args: { name: "eth2" },
  exists: device,
  updates: {
    up: { to: false, apart: true, shows: device, expect: /state DOWN/, removed: /,UP/, drift: set("up") },
    mac: {
      to: "02:00:00:00:00:99",
      shows: device,
      expect: /link\/ether 02:00:00:00:00:99/,
      removed: /link\/ether 52:54:/,
      drift: set("address 02:00:00:00:00:98"),
    },
    mtu: { to: 1400, shows: device, expect: /mtu 1400/, removed: /mtu 1500/, drift: set("mtu 1300") },
    addresses: {
      to: ["10.99.0.1/24"],
      shows: "ip -4 -br address show dev eth2 | grep -o '10.99.0.1/24' || echo none",
      expect: /10\.99\.0\.1\/24/,
      removed: /none/,
      drift: "ip address del 10.99.0.1/24 dev eth2",
    },
    addressesExact: {
      to: true,
      apart: true,
      with: { addresses: ["10.99.1.1/24"] },
      shows: "ip -4 -br address show dev eth2",
      expect: /10\.99\.1\.1\/24\s*$/,
      removed: /10\.99\.1\.1\/24/,
      drift: "ip address add 10.99.2.1/24 dev eth2",
      driftShownAt: "addresses",
    },
    bridge: {
      to: "s-if-br",
      apart: true,
      shows: device,
      expect: /master s-if-br/,
      removed: /mtu 1500 (?!.*master)/,
      drift: set("nomaster"),
    },
    ipv6: {
      to: false,
      shows: "cat /proc/sys/net/ipv6/conf/eth2/disable_ipv6",
      expect: /^1$/m,
      removed: /^0$/m,
      drift: "sysctl -qw net.ipv6.conf.eth2.disable_ipv6=0",
    },
    arp: { to: false, shows: device, expect: /NOARP/, removed: /<(?!.*NOARP)/, drift: set("arp on") },
    offloads: {
      to: { gro: false },
      shows: "ethtool -k eth2 | grep ^generic-receive-offload",
      expect: /: off/,
      removed: /: on/,
      drift: "ethtool -K eth2 gro on",
    },
    txQueueLength: { to: 500, shows: device, expect: /qlen 500/, removed: /qlen 1000/, drift: set("txqueuelen 7") },
    ringSize: {
      to: { rx: 128, tx: 64 },
      shows: "ethtool -g eth2 | tail -n +7 | grep -E '^(RX|TX):' | tr -d '[:space:]'",
      expect: /RX:128TX:64/,
      removed: /RX:256TX:256/,
      drift: "ethtool -G eth2 rx 64",
    },
    promisc: { to: true, shows: device, expect: /PROMISC/, removed: /<(?!.*PROMISC)/, drift: set("promisc off") },
    allMulticast: {
      to: true,
      shows: device,
      expect: /ALLMULTI/,
      removed: /<(?!.*ALLMULTI)/,
      drift: set("allmulticast off"),
    },
  },
  replaces: {
    name: "s-if",
    namespace: "s-if-ns",
    "selector.mac": "02:00:00:00:00:01",
    "selector.pciPath": "0000:00:03.0",
  },
  invalid: [
    { args: { selector: {} }, path: "selector", text: /`mac` or `pciPath`/ },
    { args: { selector: { pciPath: "03.0" } }, path: "selector.pciPath", text: /0000:00:03\.0/ },
    { args: { selector: { mac: "01:00:00:00:00:01" } }, path: "selector.mac", text: /unicast/ },
    { args: { ringSize: { rx: 0 } }, path: "ringSize.rx", text: /1 to/ },
    { args: { mtu: 67 }, path: "mtu", text: /68 to 65535/ },
    { args: { ipv6: false, addresses: ["fd00::1/64"] }, path: "ipv6", text: /not be false with IPv6 addresses/ },
    { args: { mtu: 1279, addresses: ["fd00::1/64"] }, path: "mtu", text: /1280 or more with IPv6/ },
  ],
};
