/**
 * Law 10 for a firewall: a chain of the host's own namespace that would plainly drop our SSH connection, or the next one,
 * is refused in preview. What stands before the first rule, or policy, that drops all must let something in that could be
 * SSH. Not seen: a rule that drops by port, address or device, what other tables drop, and what a jump leads to.
 */
interface Chain {
  type?: string | undefined;
  hook?: string | undefined;
  policy?: string | undefined;
  rules: string[];
}

/** A rule without any condition that ends the chain for every packet. */
const dropsAll = /^(counter\s+|log(\s+\w+\s+("[^"]*"|\S+))*\s+)*(drop|reject\b.*)$/;
const passes = /\b(accept|jump|goto|vmap|queue)\b/;
/** What lets in no new SSH connection: other protocols, the loopback device, flows that are there already. */
const others = /\b(udp|icmp|icmpv6|ipv6-icmp|igmp|sctp|esp|ah|arp)\b|\bi?ifname\s+"?lo"?(\s|$)/;
const established = /\bct state\s+[^}]*\bestablished\b/;
const fresh = /\bnew\b|\buntracked\b/;

/** True for a chain that lets through nothing but what a rule accepts. */
export const plainlyDrops = ({ policy, rules }: Chain) =>
  policy === "drop" || rules.some((rule) => dropsAll.test(rule));

export function sshRefusal(
  family: string,
  { type, hook, policy, rules }: Chain,
): { path: string; message: string } | undefined {
  const sees = ["inet", "ip", "ip6"].includes(family) && ["input", "output", "prerouting"].includes(hook ?? "");
  if (!sees || type === "nat") return undefined;
  const end = rules.findIndex((rule) => dropsAll.test(rule));
  if (end < 0 && policy !== "drop") return undefined;
  const before = (end < 0 ? rules : rules.slice(0, end)).filter((rule) => passes.test(rule) && !others.test(rule));
  // Our own packets are answers: on the way out it is enough that established flows go on.
  const enough =
    hook === "output" ? before.length > 0 : before.some((rule) => !established.test(rule) || fresh.test(rule));
  if (enough) return undefined;
  const way =
    hook === "output"
      ? "`ct state established,related accept`"
      : "`tcp dport 22 accept` with the port of the host's sshd";
  return {
    path: end < 0 ? "policy" : "rules",
    message: `must not drop everything in the host's own namespace: it would cut the SSH connection; put a rule before it as ${way}`,
  };
}
