import type { Sample, Update } from "../sample";

const show = "ip -d -n s-rt route show table all 10.62.8.0/24";

/** An attribute that is a word and a value in what `ip route show` prints. The drift takes all of them off the route. */
const word = (to: unknown, text: string): Update => ({
  to,
  shows: show,
  expect: new RegExp(` ${text} ${to}( |$)`, "m"),
  removed: new RegExp(`^(?!.* ${text} ).*via 10\\.62\\.0\\.2`, "m"),
  drift: "ip -n s-rt route replace 10.62.8.0/24 via 10.62.0.2",
});

export const route: Sample = {
  kind: "Route",
  needs: [
    { kind: "Namespace", args: { name: "s-rt" } },
    {
      kind: "VethPair",
      args: {
        a: { name: "s-rt0", namespace: "s-rt", addresses: ["10.62.0.1/24", "10.62.0.9/24"] },
        b: { name: "s-rt1", namespace: "s-rt", addresses: ["10.62.1.1/24"] },
      },
    },
  ],
  args: { namespace: "s-rt", to: "10.62.8.0/24", via: "10.62.0.2" },
  exists: `${show} | grep -q .`,
  vanish: "ip -n s-rt route del 10.62.8.0/24",
  updates: {
    mtu: word(1300, "mtu"),
    advmss: word(1200, "advmss"),
    initcwnd: word(20, "initcwnd"),
    initrwnd: word(30, "initrwnd"),
    source: word("10.62.0.1", "src"),
    via: {
      to: "10.62.0.3",
      shows: show,
      expect: / via 10\.62\.0\.3 /,
      removed: / via 10\.62\.0\.2 /,
      drift: "ip -n s-rt route replace 10.62.8.0/24 via 10.62.0.4",
      apart: true,
    },
    device: {
      to: "s-rt0",
      shows: show,
      expect: / dev s-rt0 /,
      drift: "ip -n s-rt route replace 10.62.8.0/24 via 10.62.0.2 dev s-rt1 onlink",
    },
    onlink: {
      to: true,
      with: { via: "10.62.1.2", device: "s-rt1" },
      shows: show,
      expect: / via 10\.62\.1\.2 dev s-rt1 .*onlink/,
      removed: /^(?!.*onlink).*via 10\.62\.1\.2/m,
      drift: "ip -n s-rt route replace 10.62.8.0/24 via 10.62.1.2 dev s-rt1",
    },
    type: {
      to: "blackhole",
      with: { via: undefined },
      shows: show,
      expect: /^blackhole 10\.62\.8\.0\/24 /m,
      removed: /^unicast 10\.62\.8\.0\/24 via 10\.62\.0\.2 /m,
      drift: "ip -n s-rt route replace prohibit 10.62.8.0/24",
    },
    scope: {
      to: "host",
      with: { via: undefined, device: "s-rt0" },
      shows: show,
      expect: /scope host/,
      removed: /scope link/,
      drift: "ip -n s-rt route replace 10.62.8.0/24 dev s-rt0 scope link",
    },
    nexthops: {
      to: [{ via: "10.62.0.2", device: "s-rt0", weight: 2 }, { via: "10.62.1.2" }],
      with: { via: undefined },
      shows: show,
      expect: /nexthop via 10\.62\.0\.2 dev s-rt0 weight 2[\s\S]*nexthop via 10\.62\.1\.2 dev s-rt1 weight 1/,
      removed: /^unicast 10\.62\.8\.0\/24 via 10\.62\.0\.2 /m,
      drift:
        "ip -n s-rt route replace 10.62.8.0/24 nexthop via 10.62.0.2 dev s-rt0 weight 5 nexthop via 10.62.1.2 dev s-rt1",
    },
  },
  replaces: { namespace: "s-rt2", to: "10.62.9.0/24", metric: 50, table: 100 },
  invalid: [
    { args: { to: "10.9.0.1/16" }, path: "to", text: /bits behind the prefix length/ },
    { args: { to: "default", via: "fd00::1" }, path: "via", text: /::\/0/ },
    { args: { nexthops: [{ via: "10.62.0.2" }, { via: "10.62.0.3" }] }, path: "via", text: /nexthops/ },
    { args: { nexthops: [{ via: "10.62.0.2" }], via: undefined }, path: "nexthops", text: /two or more/ },
    { args: { type: "blackhole" }, path: "via", text: /must not be given for the type blackhole/ },
    { args: { via: undefined }, path: "device", text: /is required; via or nexthops/ },
    { args: { onlink: true }, path: "onlink", text: /needs via and device/ },
    { args: { to: "fd00:9::/64", via: "fd00::1", scope: "link" }, path: "scope", text: /IPv4/ },
    { args: { source: "fd00::1" }, path: "source", text: /family/ },
    { args: { mtu: 67 }, path: "mtu", text: /68 to 65520/ },
    { args: { to: "fd00:9::/64", via: "fe80::1", source: undefined }, path: "device", text: /link-local/ },
    { args: { advmss: 65496 }, path: "advmss", text: /1 to 65495/ },
    { args: { type: "local" }, path: "via", text: /must not be given for the type local/ },
    { args: { scope: "link" }, path: "scope", text: /must not be host or link with via/ },
    {
      args: { type: "local", via: undefined, device: "s-rt0", scope: "link" },
      path: "scope",
      text: /host for the type local/,
    },
    {
      args: { type: "anycast", via: undefined, device: "s-rt0", scope: "global" },
      path: "scope",
      text: /link or host for the type anycast/,
    },
    {
      args: { via: undefined, onlink: true, nexthops: [{ via: "10.62.0.2" }, { via: "10.62.0.3" }] },
      path: "onlink",
      text: /a device of each/,
    },
    { args: { type: "natt" }, path: "type", text: /unicast/ },
  ],
};
