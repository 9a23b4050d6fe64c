import type { Sample } from "../sample";

export const namespace: Sample = {
  kind: "Namespace",
  args: { name: "s-ns" },
  exists: "ip netns list | grep -q '^s-ns\\b' && ip -n s-ns link show dev lo | grep -q '[<,]UP[,>]'",
  vanish: "ip netns del s-ns",
  updates: {
    loopback: {
      to: false,
      shows: "ip -n s-ns link show dev lo",
      expect: /<LOOPBACK>/,
      removed: /[<,]UP[,>]/,
      drift: "ip -n s-ns link set dev lo up",
    },
    sysctls: {
      to: { "net.ipv4.ip_forward": 1, "net/ipv4/conf/lo/rp_filter": 2 },
      shows: "ip netns exec s-ns sysctl net.ipv4.ip_forward net.ipv4.conf.lo.rp_filter",
      expect: /ip_forward = 1[\s\S]*rp_filter = 2/,
      drift: "ip netns exec s-ns sysctl -qw net.ipv4.ip_forward=0",
    },
  },
  replaces: { name: "s-ns2" },
  invalid: [
    { args: { name: "12" }, path: "name", text: /digits only/ },
    { args: { name: "a/b" }, path: "name", text: /1 to 64 letters/ },
    { args: { sysctls: { "kernel.hostname": "x" } }, path: "sysctls.kernel.hostname", text: /below net/ },
  ],
};
