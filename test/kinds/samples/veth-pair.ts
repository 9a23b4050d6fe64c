import type { Sample, Update } from "../sample";

/** What every link takes, tried on one end; the other end's is the same code. */

const link = "ip -d -n s-vp link show dev s-vp0";
const set = (words: string) => `ip -n s-vp link set dev s-vp0 ${words}`;
const addresses = "ip -n s-vp -br address show dev s-vp0";
const feature = "ip netns exec s-vp ethtool -k s-vp0 | grep tcp-segmentation-offload:";
const ipv6 = "ip netns exec s-vp sysctl -n net.ipv6.conf.s-vp0.disable_ipv6";

const updates: Record<string, Update> = {
  mac: {
    to: "02:00:00:00:64:01",
    shows: link,
    expect: /link\/ether 02:00:00:00:64:01 /,
    removed: /link\/ether 02:(?!00:00:00:64:01)/,
    drift: set("address 02:00:00:00:64:99"),
  },
  mtu: { to: 1400, shows: link, expect: / mtu 1400 /, removed: / mtu 1500 /, drift: set("mtu 1300") },
  up: {
    to: false,
    apart: true,
    shows: link,
    expect: /s-vp0\S* <(?!.*[<,]UP[,>])/,
    removed: /s-vp0\S* <.*[<,]UP[,>]/,
    drift: set("up"),
  },
  addresses: {
    to: ["10.64.0.1/24", { address: "fd64::1/64", nodad: true }],
    shows: addresses,
    expect: /10\.64\.0\.1\/24.*fd64::1\/64/,
    removed: /^(?!.*10\.64\.0\.1\/24)/,
    drift: "ip -n s-vp address del 10.64.0.1/24 dev s-vp0",
  },
  addressesExact: {
    to: true,
    apart: true,
    with: { "a.addresses": ["10.64.1.1/24"] },
    shows: "ip -n s-vp -4 -br address show dev s-vp0",
    expect: /10\.64\.1\.1\/24 *$/m,
    drift: "ip -n s-vp address add 10.64.2.1/24 dev s-vp0",
    driftShownAt: "a.addresses",
  },
  bridge: {
    to: "s-vpb",
    shows: link,
    expect: / master s-vpb /,
    removed: /^(?!.* master )/,
    drift: set("nomaster"),
  },
  ipv6: {
    to: false,
    apart: true,
    shows: ipv6,
    expect: /^1$/m,
    removed: /^0$/m,
    drift: "ip netns exec s-vp sysctl -qw net.ipv6.conf.s-vp0.disable_ipv6=0",
  },
  arp: { to: false, shows: link, expect: /[<,]NOARP[,>]/, removed: /^(?!.*NOARP)/, drift: set("arp on") },
  offloads: {
    to: { tso: false },
    shows: feature,
    expect: /: off/,
    removed: /: on/,
    drift: "ip netns exec s-vp ethtool -K s-vp0 tso on",
  },
  txQueueLength: { to: 500, shows: link, expect: / qlen 500/, removed: / qlen 1000/, drift: set("txqueuelen 700") },
};

export const vethPair: Sample = {
  kind: "VethPair",
  needs: [
    { kind: "Namespace", args: { name: "s-vp" } },
    { kind: "LinuxBridge", args: { name: "s-vpb", namespace: "s-vp" } },
  ],
  args: { a: { name: "s-vp0", namespace: "s-vp" }, b: { name: "s-vp1" } },
  exists: "ip -n s-vp link show dev s-vp0 && ip link show dev s-vp1",
  vanish: "ip link del s-vp1",
  updates: Object.fromEntries(Object.entries(updates).map(([key, update]) => [`a.${key}`, update])),
  replaces: { "a.name": "s-vp2", "a.namespace": "s-vq", "b.name": "s-vp3", "b.namespace": "s-vq" },
  invalid: [
    { args: { b: { name: "s-vp0", namespace: "s-vp" } }, path: "b.name", text: /must differ/ },
    { args: { a: { name: "a-name-of-16-char" } }, path: "a.name", text: /1 to 15/ },
    { args: { "a.bridge": "s-vp0" }, path: "a.bridge", text: /the device itself/ },
    { args: { b: { name: "veth0" } }, path: "b.name", text: /veth<n>/ },
    { args: { "a.mac": "01:00:00:00:00:01" }, path: "a.mac", text: /unicast/ },
    { args: { "a.addresses": ["10.0.1.1/33"] }, path: "a.addresses[0]", text: /0 to 32/ },
    {
      args: { "a.ipv6": false, "a.addresses": ["fd00::1/64"] },
      path: "a.ipv6",
      text: /not be false with IPv6 addresses/,
    },
    { args: { "a.mtu": 1279, "a.addresses": ["fd00::1/64"] }, path: "a.mtu", text: /1280 or more with IPv6/ },
  ],
};
