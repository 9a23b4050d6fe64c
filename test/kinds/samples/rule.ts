import type { Sample, Update } from "../sample";

const place = { kind: "Namespace", args: { name: "s-rule" } };
const show = "ip -d -n s-rule rule show priority 500";

const update = (
  to: unknown,
  expect: RegExp,
  removed: RegExp | undefined,
  drift: string,
  more: object = {},
): Update => ({
  to,
  shows: show,
  expect,
  removed,
  // What is changed is another rule to the kernel: the old one goes, and one by another hand is there.
  drift: `ip -n s-rule rule del priority 500 && ip -n s-rule rule add priority 500 from 10.85.0.0/24 ${drift}`,
  ...more,
});

/** Of all that are tried together. */
const other = "table 101 suppress_prefixlength 1 suppress_ifgroup 8";

export const rule: Sample = {
  kind: "Rule",
  needs: [place],
  args: { namespace: "s-rule", priority: 500, from: "10.85.0.0/24" },
  exists: `${show} | grep -q 'from 10.85.0.0/24'`,
  vanish: "ip -n s-rule rule del priority 500",
  updates: {
    table: update(100, /lookup 100 .*proto 24\d/, /lookup main .*proto 24\d/, other),
    suppressPrefixLength: update(0, /suppress_prefixlength 0/, /lookup main (?!.*suppress_prefixlength)/, other),
    suppressIfgroup: update(7, /suppress_ifgroup 7/, /lookup main (?!.*suppress_ifgroup)/, other),
    action: update("prohibit", /from 10\.85\.0\.0\/24 prohibit/, /lookup main/, "blackhole"),
    goto: update(1000, /goto 1000/, /lookup main/, "goto 1001", { with: { action: "goto" } }),
  },
  replaces: {
    namespace: "s-rule2",
    family: "ipv4",
    priority: 501,
    from: "10.85.1.0/24",
    to: "10.86.0.0/16",
    fwmark: 5,
    fwmask: 255,
    iif: "lo",
    oif: "lo",
    ipProtocol: "tcp",
    sourcePort: 80,
    destinationPort: "1000-2000",
    tos: 8,
    uidRange: "1000-1999",
    not: true,
    l3mdev: true,
  },
  replacesWith: { fwmask: { fwmark: 5 } },
  invalid: [
    { args: { priority: undefined }, path: "priority", text: /required/ },
    { args: { priority: -1 }, path: "priority", text: /0 to 4294967295/ },
    { args: { from: "10.85.0.1/24" }, path: "from", text: /bits behind the prefix length/ },
    { args: { to: "fd00::/64" }, path: "to", text: /must be IPv4, as the rule is/ },
    { args: { family: "ipv6" }, path: "from", text: /must be IPv6, as the rule is/ },
    { args: { fwmask: 255 }, path: "fwmask", text: /needs `fwmark`/ },
    { args: { tos: 32 }, path: "tos", text: /4 to 28 for IPv4/ },
    { args: { tos: 5 }, path: "tos", text: /multiple of 4/ },
    { args: { destinationPort: 65535 }, path: "destinationPort", text: /1 to 65534/ },
    { args: { sourcePort: "9-5" }, path: "sourcePort", text: /smaller one first/ },
    { args: { ipProtocol: "quic" }, path: "ipProtocol", text: /icmp/ },
    { args: { action: "goto" }, path: "goto", text: /is required; `action: goto` needs one$/ },
    { args: { action: "goto", goto: 500 }, path: "goto", text: /above the rule's own/ },
    { args: { goto: 600 }, path: "goto", text: /needs `action: goto`/ },
    { args: { action: "nop", table: 5 }, path: "table", text: /needs `action: lookup`/ },
    { args: { l3mdev: true, table: 5 }, path: "table", text: /the VRF has it/ },
  ],
};

/** With every selector, over IPv6. */
export const rule6: Sample = {
  kind: "Rule",
  needs: [place],
  args: {
    namespace: "s-rule",
    priority: 600,
    from: "fd85::/64",
    to: "fd86::1",
    fwmark: 5,
    fwmask: 255,
    iif: "lo",
    oif: "lo",
    ipProtocol: "udp",
    sourcePort: 5000,
    destinationPort: "1000-2000",
    tos: 184,
    uidRange: "1000-1999",
    not: true,
  },
  exists: "ip -6 -n s-rule rule show priority 600 | grep -q '^600:'",
  vanish: "ip -6 -n s-rule rule del priority 600",
  updates: {
    table: {
      to: 100,
      shows: "ip -6 -N -d -n s-rule rule show priority 600",
      expect:
        /not from fd85::\/64 to fd86::1 tos 0xb8 fwmark 0x5\/0xff iif lo oif lo uidrange 1000-1999 ipproto ipproto-17 sport 5000 dport 1000-2000 lookup 100 /,
      removed: /lookup 254 proto 252/,
      drift:
        "ip -6 -n s-rule rule del priority 600; ip -6 -n s-rule rule add not priority 600 from fd85::/64 to fd86::1 tos 0xb8 fwmark 0x5/0xff iif lo oif lo uidrange 1000-1999 ipproto udp sport 5000 dport 1000-2000 protocol 252 table 101",
    },
  },
  replaces: {},
  invalid: [],
};
