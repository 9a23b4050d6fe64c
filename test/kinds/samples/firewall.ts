import type { Sample } from "../sample";

const list = "ip netns exec s-fw nft -s list table inet s-table";
const input = {
  hook: "input",
  rules: ["ct state related,established accept", "tcp dport {443, 80, 22} counter accept"],
};

export const firewall: Sample = {
  kind: "Firewall",
  needs: [{ kind: "Namespace", args: { name: "s-fw" } }],
  args: { namespace: "s-fw", name: "s-table", chains: { input } },
  exists: `${list} | grep -q 'tcp dport { 22, 80, 443 }'`,
  vanish: "ip netns exec s-fw nft delete table inet s-table",
  updates: {
    chains: {
      to: {
        input: {
          ...input,
          policy: "drop",
          rules: [...input.rules, 'ip saddr 10.0.0.0/8 jump from-us comment "a # b"'],
        },
        "from-us": { rules: ["meta mark set 0x10", "icmpv6 type {nd-router-advert,135} accept"] },
        nat: { type: "nat", hook: "prerouting", priority: "dstnat", rules: ["tcp dport 80 dnat ip to 10.0.0.1:8080"] },
      },
      shows: list,
      expect:
        /policy drop[\s\S]*ip saddr 10\.0\.0\.0\/8 jump from-us comment "a # b"[\s\S]*meta mark set 0x00000010[\s\S]*priority dstnat/,
      removed: /^(?!.*from-us)[\s\S]*policy accept/,
      drift:
        "ip netns exec s-fw nft add rule inet s-table from-us drop && ip netns exec s-fw nft add chain inet s-table mine",
    },
    sets: {
      to: {
        members: {
          type: "ipv4_addr",
          flags: ["interval"],
          autoMerge: true,
          elements: ["10.1.0.5/32", "10.1.0.0-10.1.0.4"],
        },
        seen: {
          typeof: "ip saddr . tcp dport",
          flags: ["dynamic", "timeout"],
          timeout: 90,
          size: 1000,
          comment: "of late",
        },
      },
      shows: list,
      expect: /elements = \{ 10\.1\.0\.0-10\.1\.0\.5 \}[\s\S]*timeout 1m30s/,
      removed: /^(?![\s\S]*set members)/,
      drift: "ip netns exec s-fw nft add element inet s-table members { 10.9.9.9 }",
    },
    maps: {
      to: { verdicts: { type: "ipv4_addr : verdict", elements: ["10.2.0.2 : drop", "10.2.0.1 : accept"] } },
      shows: list,
      // nft 1.1 has a line for each.
      expect: /elements = \{ 10\.2\.0\.1 : accept,\s+10\.2\.0\.2 : drop \}/,
      removed: /^(?![\s\S]*map verdicts)/,
      drift: "ip netns exec s-fw nft delete element inet s-table verdicts { 10.2.0.2 }",
    },
    objects: {
      to: {
        seen: { type: "counter" },
        ftp: { type: "ct helper", definition: ['type "ftp" protocol tcp', "l3proto ip"] },
      },
      shows: list,
      expect: /counter seen \{[\s\S]*ct helper ftp \{/,
      removed: /^(?![\s\S]*ct helper)/,
      drift: "ip netns exec s-fw nft add counter inet s-table other",
    },
    flowtables: {
      to: { fast: { devices: ["lo"] } },
      shows: list,
      expect: /flowtable fast \{\s*hook ingress priority filter\s*devices = \{ lo \}/,
      removed: /^(?![\s\S]*flowtable)/,
      drift: "ip netns exec s-fw nft delete flowtable inet s-table fast",
    },
    dormant: {
      to: true,
      shows: list,
      expect: /flags dormant/,
      removed: /^(?![\s\S]*dormant)/,
      drift: "ip netns exec s-fw nft 'add table inet s-table { }'",
    },
  },
  replaces: { namespace: "s-fw2", name: "other", family: "ip" },
  invalid: [
    { args: { name: "fwd" }, path: "name", text: /word of nft's language/ },
    { args: { chains: { fwd: { rules: [] } } }, path: "chains.fwd", text: /word of nft's language/ },
    {
      args: { chains: { a: { rules: ['iif "eth0" drop'] } } },
      path: "chains.a.rules[0]",
      text: /bare number.*iifname/,
    },
    { args: { chains: { a: { rules: ["drop; accept"] } } }, path: "chains.a.rules[0]", text: /';'/ },
    { args: { chains: { a: { rules: ["drop }"] } } }, path: "chains.a.rules[0]", text: /brace/ },
    { args: { chains: { a: { rules: ["drop\nflush ruleset"] } } }, path: "chains.a.rules[0]", text: /one line/ },
    { args: { chains: { a: { rules: ["drop \\"] } } }, path: "chains.a.rules[0]", text: /one statement/ },
    { args: { chains: { a: { rules: ['log prefix "a'] } } }, path: "chains.a.rules[0]", text: /even number/ },
    { args: { chains: { a: { rules: ["index 0 drop"] } } }, path: "chains.a.rules[0]", text: /place in the list/ },
    { args: { chains: { a: { policy: "drop", rules: [] } } }, path: "chains.a.policy", text: /needs a hook/ },
    { args: { chains: { a: { hook: "egress", rules: [] } } }, path: "chains.a.hook", text: /family inet/ },
    { args: { chains: { a: { hook: "ingress", rules: [] } } }, path: "chains.a.devices", text: /must be given/ },
    {
      args: {
        namespace: undefined,
        chains: { a: { hook: "input", policy: "drop", rules: ["ct state established accept"] } },
      },
      path: "chains.a.policy",
      text: /cut the SSH connection.*tcp dport 22 accept/,
    },
    { args: { sets: { s: { elements: [] } } }, path: "sets.s.type", text: /typeof/ },
    {
      args: { sets: { s: { type: "ipv4_addr", elements: ["10.0.0.1 timeout 5s"] } } },
      path: "sets.s.elements[0]",
      text: /expire/,
    },
    {
      args: { sets: { s: { type: "ipv4_addr", elements: ["10.0.0.1, 10.0.0.2"] } } },
      path: "sets.s.elements[0]",
      text: /one element/,
    },
  ],
};
