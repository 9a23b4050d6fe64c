import { z } from "zod";
import { tables } from "./route";
import { between, deviceRef, family, namespaceRef, prefix, unsigned } from "./scalars";

// Options of `ip rule help`, but for `nat`, which Linux has no more, and `realms`.

/** IPPROTO_* that people name; the host's /etc/protocols is not asked. */
const protocols = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, ah: 51, icmpv6: 58, sctp: 132 } as const;

/** `80` or `1000-2000`; the normal form is a range. */
function ranged(most: number, least: number, what: string) {
  const text = `must be a number from ${least} to ${most}, or two of them as '${least}-${most}', the smaller one first`;
  const fits = (value: number) => value >= least && value <= most;
  return z
    .union([z.int(), z.string()])
    .transform((value) => {
      const [first, last = first, ...rest] = String(value).split("-");
      return rest.length === 0 && /^\d+$/.test(`${first}${last}`) ? `${Number(first)}-${Number(last)}` : String(value);
    })
    .refine((value) => {
      const [first = -1, last = -1] = value.split("-").map(Number);
      return fits(first) && fits(last) && first <= last;
    }, text)
    .optional()
    .describe(`${what} Default: all. A change replaces the rule.`);
}

const network = (doc: string, word: string) =>
  prefix
    .optional()
    .describe(`${doc} (\`${word}\`), a network or an address. Default: all. A change replaces the rule.`);

const device = (doc: string, word: string) =>
  deviceRef.optional().describe(`${doc} (\`${word}\`). Default: any. A change replaces the rule.`);

export const ruleArgs = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe("The network namespace. Default: the host's own. A change replaces the rule."),
    family: z
      .enum(["ipv4", "ipv6"])
      .optional()
      .describe(
        "Which packets it is for. Default: as `from` and `to` are; ipv4 without them. A change replaces the rule.",
      ),
    priority: unsigned(32).describe(
      "Rules are tried from the lowest number up (`priority`). The kernel's own are 0 (table local), 32766 (main) and 32767 (default). A change replaces the rule.",
    ),
    from: network("Source addresses of the packets", "from"),
    to: network("Destination addresses of the packets", "to"),
    fwmark: unsigned(32)
      .optional()
      .describe("Firewall mark of the packets (`fwmark`). Default: any. A change replaces the rule."),
    fwmask: unsigned(32)
      .min(1, "must be a whole number from 1 to 4294967295")
      .optional()
      .describe("Bits of `fwmark` that are compared. Default: all of them. A change replaces the rule."),
    iif: device("Device by which the packets came; `lo` for those that the host itself sends", "iif"),
    oif: device("Device to which the sending socket is bound", "oif"),
    ipProtocol: z
      .union([z.enum(Object.keys(protocols) as [keyof typeof protocols]), between(1, 255)])
      .transform((value) => (typeof value === "number" ? value : protocols[value]))
      .optional()
      .describe(
        "IP protocol of the packets (`ipproto`): icmp, tcp, udp, gre, esp, ah, icmpv6, sctp or 1 to 255. Default: all. A change replaces the rule.",
      ),
    sourcePort: ranged(65534, 1, "Source port of the packets, or a range as '1000-2000' (`sport`)."),
    destinationPort: ranged(65534, 1, "Destination port of the packets, or a range as '1000-2000' (`dport`)."),
    tos: between(4, 252)
      .refine((tos) => tos % 4 === 0, "must be a multiple of 4: the last two bits are for congestion")
      .optional()
      .describe(
        "Type of service, over IPv6 traffic class, of the packets (`tos`), in steps of 4: 4 to 28, over IPv6 to 252. Default: any. A change replaces the rule.",
      ),
    uidRange: ranged(0xffff_fffe, 0, "User whose sockets send the packets, or a range as '1000-1999' (`uidrange`)."),
    not: z
      .boolean()
      .optional()
      .describe("For all packets but those that the rest says (`not`). Default: false. A change replaces the rule."),
    l3mdev: z
      .boolean()
      .optional()
      .describe(
        "For packets of a VRF, which look up that one's table (`l3mdev`). Default: false. A change replaces the rule.",
      ),
    action: z
      .enum(["lookup", "blackhole", "unreachable", "prohibit", "goto", "nop"])
      .default("lookup")
      .describe(
        "What becomes of the packets: lookup searches `table` and goes on where that has no route; blackhole drops them in silence; unreachable and prohibit drop them with an ICMP error; goto goes on at the rule with priority `goto`; nop does nothing. Default: lookup.",
      ),
    table: z
      .union([z.enum(["main", "local", "default"]), between(1, 0xffff_ffff)])
      .transform((value) => tables[value] ?? value)
      .optional()
      .describe("The routing table that `lookup` searches: main, local, default or a number. Default: main."),
    goto: unsigned(32)
      .optional()
      .describe("Priority of the rule at which `action: goto` goes on; above the rule's own."),
    suppressPrefixLength: between(0, 128)
      .optional()
      .describe(
        "Take no route that has a prefix of this length or a shorter one (`suppress_prefixlength`), up to 128: 0 passes over default routes. Default: none.",
      ),
    suppressIfgroup: between(0, 0x7fff_ffff)
      .optional()
      .describe("Take no route by a device of this group (`suppress_ifgroup`). Default: none."),
  })
  .superRefine((want, issues) => {
    for (const [path, message] of broken(want)) issues.addIssue({ code: "custom", path: [path], message });
  });

export type RuleArgs = z.output<typeof ruleArgs>;

export const familyOf = (want: { family?: string; from?: string; to?: string }): 4 | 6 => {
  if (want.family !== undefined) return want.family === "ipv6" ? 6 : 4;
  return family(want.from ?? want.to ?? "0.0.0.0/0");
};

/** Rules over several arguments, the kernel's own. */
function broken(want: RuleArgs): [path: string, message: string][] {
  const { action, l3mdev, table, tos } = want;
  const only = (path: keyof RuleArgs, which: string, allowed: boolean): [string, string | false] => [
    path,
    want[path] !== undefined && !allowed && `needs ${which}`,
  ];
  const foreign = (path: "from" | "to"): [string, string | false] => [
    path,
    want[path] !== undefined && family(want[path]) !== familyOf(want) && `must be IPv${familyOf(want)}, as the rule is`,
  ];
  const found: [string, string | false][] = [
    ...(["from", "to"] as const).map(foreign),
    only("fwmask", "`fwmark`", want.fwmark !== undefined),
    only("table", "`action: lookup`", action === "lookup"),
    only("suppressPrefixLength", "`action: lookup`", action === "lookup"),
    only("suppressIfgroup", "`action: lookup`", action === "lookup"),
    ["table", l3mdev === true && table !== undefined && "must not be given with `l3mdev`: the VRF has it"],
    ["action", l3mdev === true && action !== "lookup" && "must be lookup with `l3mdev`"],
    only("goto", "`action: goto`", action === "goto"),
    ["goto", action === "goto" && want.goto === undefined && "`action: goto` needs one"],
    ["goto", want.goto !== undefined && want.goto <= want.priority && "must be above the rule's own priority"],
    ["tos", tos !== undefined && familyOf(want) === 4 && tos > 28 && "must be 4 to 28 for IPv4"],
  ];
  return found.filter((item): item is [string, string] => typeof item[1] === "string");
}
