import type { Sample, Update } from "../sample";

// Nothing of a check stays on the host: that it passes is what is to be seen.
const passes = (to: unknown, others?: Record<string, unknown>): Update => ({
  to,
  with: others,
  shows: "echo passed",
  expect: /^passed$/m,
});

export const connectivityCheck: Sample = {
  kind: "ConnectivityCheck",
  needs: [
    { kind: "Namespace", args: { name: "s-cc" } },
    { kind: "Namespace", args: { name: "s-cd" } },
    {
      kind: "VethPair",
      args: {
        a: { name: "s-cc0", namespace: "s-cc", addresses: ["10.63.0.1/24"] },
        b: { name: "s-cd0", namespace: "s-cd", addresses: ["10.63.0.2/24"] },
      },
    },
  ],
  args: { namespace: "s-cc", to: "10.63.0.2" },
  exists: "true",
  updates: {
    source: passes("10.63.0.1"),
    device: passes("s-cc0"),
    size: passes(1500),
    dontFragment: passes(true),
    count: passes(1),
    timeout: passes(5),
    hosts: passes([]),
    triggers: passes(["a"]),
    protocol: passes("arp", { device: "s-cc0" }),
    port: passes(9, { protocol: "tcp", expect: "unreachable", timeout: 1 }),
    expect: passes("unreachable", { protocol: "udp", port: 9, timeout: 1 }),
  },
  replaces: { namespace: "s-cd", to: "10.63.0.1" },
  invalid: [
    { args: { to: "10.63.0.2/24" }, path: "to", text: /IPv4 or IPv6 address/ },
    { args: { protocol: "tcp" }, path: "port", text: /is required; tcp needs one/ },
    { args: { port: 22 }, path: "port", text: /must not be given for icmp/ },
    { args: { protocol: "arp" }, path: "device", text: /arp needs one/ },
    { args: { to: "fe80::1" }, path: "to", text: /link-local/ },
    { args: { size: 27 }, path: "size", text: /28 to 65535/ },
    { args: { source: "fd00::1" }, path: "source", text: /family/ },
  ],
};
