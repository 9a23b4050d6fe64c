import type { Sample } from "../sample";

const shows = "ip netns exec s-sc sysctl -n net.ipv4.ip_default_ttl";

export const sysctl: Sample = {
  kind: "Sysctl",
  needs: [{ kind: "Namespace", args: { name: "s-sc" } }],
  args: { namespace: "s-sc", key: "net.ipv4.ip_default_ttl", value: 70 },
  exists: `${shows} | grep -qx 70`,
  updates: {
    value: {
      to: 80,
      shows,
      expect: /^80$/m,
      drift: "ip netns exec s-sc sysctl -qw net.ipv4.ip_default_ttl=90",
    },
  },
  replaces: { key: "net.ipv4.ip_forward", namespace: "s-sc2" },
  invalid: [
    { args: { key: "kernel.hostname" }, path: "key", text: /below net/ },
    { args: { key: "net.ipv4/../../../etc/passwd" }, path: "key", text: /must/ },
    { args: { value: "a\nb" }, path: "value", text: /printable/ },
  ],
};
