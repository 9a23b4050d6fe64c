import type { Sample, Update } from "../sample";

/** What a neighbour that takes in what it did not ask for (arp_accept) has heard; arping sends within the second. */
const heard = (to: unknown, address: string): Update => ({
  to,
  shows: `for try in $(seq 200); do ip -n s-gc neigh show ${address} | grep lladdr && break; sleep 0.1; done`,
  expect: new RegExp(`^${address.replaceAll(".", "[.]")} dev s-gc0 lladdr `, "m"),
});

const ends = (device: string, namespace: string, peer: string) => ({
  a: { name: device, namespace, addresses: ["10.63.1.1/24", "10.63.1.3/32"] },
  b: { name: peer, namespace: "s-gc", addresses: peer === "s-gc0" ? ["10.63.1.2/24"] : [] },
});

export const gratuitousArp: Sample = {
  kind: "GratuitousArp",
  needs: [
    { kind: "Namespace", args: { name: "s-ga" } },
    { kind: "Namespace", args: { name: "s-gb" } },
    { kind: "Namespace", args: { name: "s-gc", sysctls: { "net.ipv4.conf.default.arp_accept": 1 } } },
    { kind: "VethPair", args: ends("s-ga0", "s-ga", "s-gc0") },
    { kind: "VethPair", args: ends("s-ga1", "s-ga", "s-gc1") },
    { kind: "VethPair", args: ends("s-ga0", "s-gb", "s-gc2") },
  ],
  args: { namespace: "s-ga", device: "s-ga0", addresses: ["10.63.1.1"] },
  exists: "true",
  updates: {
    addresses: heard(["10.63.1.1", "10.63.1.3"], "10.63.1.3"),
    count: heard(1, "10.63.1.1"),
    triggers: heard(["a"], "10.63.1.1"),
  },
  replaces: { namespace: "s-gb", device: "s-ga1" },
  invalid: [
    { args: { addresses: [] }, path: "addresses", text: /one address or more/ },
    { args: { addresses: ["10.63.1.1/24"] }, path: "addresses[0]", text: /IPv4 address/ },
    { args: { addresses: ["fd00::1"] }, path: "addresses[0]", text: /IPv4 address/ },
    { args: { count: 11 }, path: "count", text: /1 to 10/ },
  ],
};
