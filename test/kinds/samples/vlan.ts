import type { Sample, Update } from "../sample";

const shows = "ip -d link show dev s-vlan";
const set = (words: string) => `ip link set dev s-vlan type vlan ${words}`;
const flag = (word: string): Update => ({
  to: true,
  shows,
  expect: new RegExp(`id 85 <.*${word.toUpperCase()}.*>`),
  removed: new RegExp(`vlan protocol 802\\.1Q id 85 (?!.*${word.toUpperCase()})`),
  drift: set(`${word} off`),
});
const map = (word: string, to: Record<string, number>, printed: string, drift: string): Update => ({
  to,
  shows,
  expect: new RegExp(`${word} { ${printed} }`),
  removed: new RegExp(`vlan protocol (?!.*${word})`),
  drift: set(`${word} ${drift}`),
});

export const vlan: Sample = {
  kind: "Vlan",
  needs: [
    { kind: "Namespace", args: { name: "s-vlan-ns" } },
    { kind: "Dummy", args: { name: "s-vlan-up", mac: "02:00:00:00:85:01", mtu: 1480 } },
  ],
  args: { name: "s-vlan", parent: "s-vlan-up", vlanId: 85 },
  exists: `${shows} | grep -q 'vlan protocol 802.1Q id 85 '`,
  vanish: "ip link del dev s-vlan",
  updates: {
    mac: {
      to: "02:00:00:00:85:02",
      shows,
      expect: /link\/ether 02:00:00:00:85:02/,
      removed: /link\/ether 02:00:00:00:85:01/,
      drift: "ip link set dev s-vlan address 02:00:00:00:85:03",
    },
    mtu: { to: 1400, shows, expect: /mtu 1400/, removed: /mtu 1480/, drift: "ip link set dev s-vlan mtu 1300" },
    reorderHeader: {
      to: false,
      shows,
      expect: /id 85 (?!.*REORDER_HDR)/,
      removed: /REORDER_HDR/,
      drift: set("reorder_hdr on"),
    },
    gvrp: flag("gvrp"),
    mvrp: flag("mvrp"),
    looseBinding: flag("loose_binding"),
    bridgeBinding: flag("bridge_binding"),
    ingressQosMap: map("ingress-qos-map", { 1: 5, 7: 4294967295, 2: 0 }, "1:5 7:-?\\d+", "1:0 2:2 3:3"),
    egressQosMap: map("egress-qos-map", { 5: 1, 4294967295: 7 }, "5:1 -?\\d+:7", "5:0 6:6"),
    // Made in another namespace than the parent's, and with another tag.
    txQueueLength: {
      to: 77,
      with: { namespace: "s-vlan-ns", protocol: "802.1ad", vlanId: 86 },
      shows: "ip -n s-vlan-ns -d link show dev s-vlan",
      expect: /qlen 77[\s\S]*vlan protocol 802\.1ad id 86/,
      removed: /qlen 1000[\s\S]*vlan protocol 802\.1ad id 86/,
      drift: "ip -n s-vlan-ns link set dev s-vlan txqueuelen 78",
    },
  },
  replaces: {
    name: "s-vlan2",
    namespace: "s-vlan-ns",
    parent: "s-vlan-up2",
    parentNamespace: "s-vlan-ns",
    protocol: "802.1ad",
    vlanId: 86,
  },
  replacesWith: { parentNamespace: { namespace: "s-vlan-ns" } },
  invalid: [
    { args: { vlanId: 0 }, path: "vlanId", text: /1 to 4094/ },
    { args: { vlanId: 4095 }, path: "vlanId", text: /1 to 4094/ },
    { args: { parent: "s-vlan" }, path: "parent", text: /the device itself/ },
    { args: { bridge: "s-vlan-up" }, path: "bridge", text: /what the device is on/ },
    { args: { parent: undefined }, path: "parent", text: /required/ },
    { args: { parentNamespace: "s-vlan-ns" }, path: "parentNamespace", text: /needs `namespace`/ },
    { args: { protocol: "802.1X" }, path: "protocol", text: /one of "802.1Q"/ },
    { args: { protocol: "802.1ad", gvrp: true }, path: "gvrp", text: /802\.1Q/ },
    { args: { egressQosMap: { 1: 8 } }, path: "egressQosMap.1", text: /0 to 7/ },
    { args: { ingressQosMap: { 8: 1 } }, path: "ingressQosMap.8", text: /0 to 7/ },
  ],
};
