import type { Sample, Update } from "../sample";

// Nothing of it stays on the host: that arping took the address is what is to be seen.
const said = (to: unknown): Update => ({ to, shows: "echo said", expect: /^said$/m });

const ends = (a: string, b: string) => ({
  a: { name: "s-ga0", namespace: a, addresses: ["10.63.1.1/24", "10.63.1.3/32"] },
  b: { name: "s-ga1", namespace: b, addresses: ["10.63.1.1/24"] },
});

export const gratuitousArp: Sample = {
  kind: "GratuitousArp",
  needs: [
    { kind: "Namespace", args: { name: "s-ga" } },
    { kind: "VethPair", args: ends("s-ga", "s-ga") },
    { kind: "Namespace", args: { name: "s-gb" } },
    { kind: "VethPair", args: { a: { ...ends("s-gb", "").a }, b: { name: "s-gb1", namespace: "s-gb" } } },
  ],
  args: { namespace: "s-ga", device: "s-ga0", addresses: ["10.63.1.1"] },
  exists: "true",
  updates: {
    addresses: said(["10.63.1.1", "10.63.1.3"]),
    count: said(1),
    triggers: said(["a"]),
  },
  replaces: { namespace: "s-gb", device: "s-ga1" },
  invalid: [
    { args: { addresses: [] }, path: "addresses", text: /one address or more/ },
    { args: { addresses: ["10.63.1.1/24"] }, path: "addresses[0]", text: /IPv4 address/ },
    { args: { addresses: ["fd00::1"] }, path: "addresses[0]", text: /IPv4 address/ },
    { args: { count: 11 }, path: "count", text: /1 to 10/ },
  ],
};
