import type { Sample } from "../sample";

export const address: Sample = {
  kind: "Address",
  needs: [
    { kind: "Namespace", args: { name: "s-ad" } },
    { kind: "VethPair", args: { a: { name: "s-ad0", namespace: "s-ad" }, b: { name: "s-ad1", namespace: "s-ad" } } },
  ],
  args: { namespace: "s-ad", device: "s-ad0", address: "10.61.0.1/24" },
  exists: "ip -n s-ad address show dev s-ad0 | grep -q 'inet 10.61.0.1/24 '",
  vanish: "ip -n s-ad address del 10.61.0.1/24 dev s-ad0",
  updates: {},
  replaces: {
    namespace: "s-ad2",
    device: "s-ad1",
    address: { address: "10.61.0.1/32", peer: "10.61.0.2", scope: "link", label: "s-ad0:x", nodad: false },
  },
  invalid: [
    { args: { address: "10.0.1.1/33" }, path: "address", text: /0 to 32.*10\.0\.1\.1\/33/ },
    { args: { address: "ff02::5/64" }, path: "address", text: /neither multicast nor all zeros/ },
    { args: { address: "0.0.0.0/8" }, path: "address", text: /neither multicast nor all zeros/ },
    { args: { address: "010.0.0.1/24" }, path: "address", text: /as 10\.0\.1\.1\/24/ },
    { args: { address: { address: "10.0.1.1" } }, path: "address.address", text: /prefix length/ },
    { args: { address: { address: "10.0.1.1/24", peer: "fd00::1" } }, path: "address.peer", text: /family/ },
    { args: { address: { address: "10.0.1.1/32", peer: "10.0.1.1" } }, path: "address.peer", text: /another address/ },
    { args: { address: { address: "fd00::1/64", scope: "link" } }, path: "address.scope", text: /IPv4/ },
    { args: { address: { address: "fd00::1/64", label: "eth0:1" } }, path: "address.label", text: /IPv4/ },
    { args: { device: "a-name-of-16-char" }, path: "device", text: /1 to 15/ },
  ],
};
