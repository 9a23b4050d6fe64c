import { z } from "zod";
import { type Found, kind } from "../kind";
import type { RuleChange, Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { inNamespace, placeWords } from "../model/namespaces";
import { tables } from "../model/route";
import {
  type LiveRule,
  liveRules,
  type RuleAction,
  type RuleSelectors,
  type RuleTable,
  rulesSection,
  wholeMark,
} from "../model/rule";
import { familyOf, type RuleArgs, ruleArgs } from "../model/rule-args";
import { hex } from "../model/scalars";

type Want = RuleArgs;

interface Raw {
  live: LiveRule;
  /** What an update that was broken off has left beside it. */
  others: LiveRule[];
  /** Another of its priority is tried before it. */
  behind: boolean;
}

const rawOf = (found: Found<unknown, unknown>) => found.raw as Raw;

export const rule = kind({
  name: "Rule",
  doc: "A rule of the kernel's policy routing: which packets look into which routing table. Rules of one priority with other selectors are other rules. It is made with a protocol number of its own (`protocol`, 240 and up), so that its deletion takes this rule and no other.",
  args: ruleArgs,
  facts: z.object({
    protocol: z.number().describe("Who made it, a number: 240 and up this library, 2 the kernel, 0 `ip rule add`."),
  }),
  identity: [
    ...["priority", "namespace", "family", "from", "to", "fwmark", "fwmask", "iif", "oif", "ipProtocol"],
    ...["sourcePort", "destinationPort", "tos", "uidRange", "not", "l3mdev"],
  ],
  needs: ["ip"],
  mark: "ledger",
  reset: { table: "main", goto: null, suppressPrefixLength: null, suppressIfgroup: null },
  claims: (want) => [
    `IPv${familyOf(want)} rule ${want.priority} ${JSON.stringify(selectorsOf(want))}${placeWords(want.namespace)}`,
  ],
  observe: (want) => inNamespace(want.namespace, rulesSection(familyOf(want))),
  find(want, seen) {
    const wanted = JSON.stringify(selectorsOf(want));
    const rules = liveRules(seen, want.namespace, familyOf(want)).filter(({ priority }) => priority === want.priority);
    const all = rules.filter(
      ({ selectors, unsaid }) => unsaid.length === 0 && JSON.stringify(normal(selectors)) === wanted,
    );
    // Somebody else's beside ours is another rule.
    const ours = all.filter(isOurs);
    const live = ours.find(({ does }) => same(does, actionOf(want))) ?? ours[0] ?? all[0];
    if (!live) return undefined;
    const { namespace, family: declared, priority } = want;
    const { from, to, fwmark, fwmask, iif, oif, ipProtocol, tos, not, l3mdev } = want;
    const { sourcePort, destinationPort, uidRange } = want;
    return {
      args: {
        ...{ namespace, family: declared, priority, from, to, fwmark, fwmask, iif, oif, ipProtocol, tos, not, l3mdev },
        ...{ sourcePort, destinationPort, uidRange },
        ...live.does,
      } as Partial<Want>,
      facts: { protocol: live.protocol },
      marks: [],
      raw: { live, others: ours.filter((one) => one !== live), behind: rules[0] !== live } satisfies Raw,
    };
  },
  survey: (namespace) => inNamespace(namespace, rulesSection(4), rulesSection(6)),
  list: (seen, namespace) =>
    ([4, 6] as const).flatMap((version) =>
      liveRules(seen, namespace, version)
        .filter(({ protocol, unsaid }) => protocol !== kernelProtocol && unsaid.length === 0)
        .map(({ priority, selectors }) => {
          const family = version === 6 && !selectors.from && !selectors.to ? ("ipv6" as const) : undefined;
          const fwmask = selectors.fwmask === wholeMark ? undefined : selectors.fwmask;
          return { namespace, family, priority, ...selectors, fwmask } as Partial<Want>;
        }),
    ),
  maker: ({ facts: { protocol } }) =>
    protocol >= ownProtocols || byHand.includes(protocol) ? undefined : (daemons[protocol] ?? `protocol ${protocol}`),
  // One by another hand differs in its protocol alone: it is made anew, and no packet goes another way.
  asOurs(found) {
    const raw = rawOf(found);
    if (raw.live.protocol === 0 && raw.behind) return found;
    return { ...found, raw: { ...raw, live: { ...raw.live, protocol: ownProtocols } } satisfies Raw };
  },
  converge(want, found) {
    const add = write("add", want, protocolOf(selectorsOf(want), actionOf(want)), actionOf(want));
    if (!found) return [add];
    const { live, others, behind } = rawOf(found);
    const left = others.map((other) => removal(want, other));
    if (isOurs(live) && same(live.does, actionOf(want))) return left;
    if (live.protocol === 0 && behind) throw indistinct(want);
    const old = removal(want, live);
    // The kernel does not tell two rules by where they go to: `File exists`.
    return live.does.action === "goto" && want.action === "goto" ? [...left, old, add] : [...left, add, old];
  },
  remove(found, want) {
    const { live, others } = rawOf(found);
    return isOurs(live) ? [live, ...others].map((one) => removal(want, one)) : [];
  },
});

const everything = new Set(["0.0.0.0/0", "::/0"]);

/** One form of what selects the same packets, without what selects nothing. */
function normal(selectors: RuleSelectors): RuleSelectors {
  const { from, to, fwmark, fwmask, iif, oif, ipProtocol, sourcePort, destinationPort, tos, uidRange } = selectors;
  const network = (text: string | undefined) => (text !== undefined && everything.has(text) ? undefined : text);
  return {
    ...{ from: network(from), to: network(to) },
    ...{ fwmark, fwmask: fwmark === undefined ? undefined : (fwmask ?? wholeMark) },
    ...{ iif, oif, ipProtocol, sourcePort, destinationPort, tos, uidRange },
    ...{ not: selectors.not || undefined, l3mdev: selectors.l3mdev || undefined },
  };
}

const selectorsOf = (want: Want): RuleSelectors => normal(want as RuleSelectors);

/** What it does, without what was declared before and no longer is. */
function actionOf({ action, l3mdev, table, goto: target, suppressPrefixLength, suppressIfgroup }: Want): RuleAction {
  if (action === "goto") return { action, goto: target };
  if (action !== "lookup") return { action };
  return {
    action,
    table: l3mdev ? undefined : ((table ?? "main") as RuleTable),
    suppressPrefixLength: suppressPrefixLength ?? undefined,
    suppressIfgroup: suppressIfgroup ?? undefined,
  };
}

const same = (a: RuleAction, b: RuleAction) =>
  (["action", "table", "goto", "suppressPrefixLength", "suppressIfgroup"] as const).every((key) => a[key] === b[key]);

const ownProtocols = 240;

// RTPROT_* of linux/rtnetlink.h: unspecified, boot, static; and who is told by another one.
const byHand = [0, 3, 4];
const kernelProtocol = 2;
const daemons: Record<number, string> = { 16: "dhcp", 18: "keepalived", 186: "bgp", 188: "ospf" };

const isOurs = ({ protocol }: LiveRule) => protocol >= ownProtocols;

/**
 * `ip rule del` takes the first rule that has what it is told, be it more than that (rule_find): without `from` also one
 * with it. A rule that has more than another has another protocol, and that is always told.
 */
function protocolOf({ fwmark, fwmask, ...selectors }: RuleSelectors, does: RuleAction): number {
  const { suppressPrefixLength, suppressIfgroup } = does;
  const told = [...Object.values(selectors), fwmark || undefined, fwmask, suppressPrefixLength, suppressIfgroup];
  return ownProtocols + told.filter((value) => value !== undefined).length;
}

const removal = (want: Want, { protocol, does }: LiveRule): Step => write("del", want, protocol, does);

function indistinct({ priority }: Want): HostnetError {
  return new HostnetError("FOREIGN", `cannot be taken over: another rule of priority ${priority} stands before it`, {
    remedy: "`ip rule del` could take that one. Delete the rule by hand, or choose another priority.",
  });
}

function write(verb: "add" | "del", want: Want, protocol: number, does: RuleAction): Step {
  const { from, to, fwmark, fwmask, iif, oif, ipProtocol, sourcePort, destinationPort, tos, uidRange, not, l3mdev } =
    selectorsOf(want);
  const word = (name: string, value: unknown) => (value === undefined ? [] : [name, String(value)]);
  const port = (text: string | undefined) => text?.replace(/^(\d+)-\1$/, "$1");
  const argv = [
    ...["ip", `-${familyOf(want)}`, "rule", verb, ...(not ? ["not"] : []), "priority", String(want.priority)],
    ...[...word("from", from), ...word("to", to), ...word("tos", tos && hex(tos))],
    ...(fwmark === undefined ? [] : ["fwmark", `${hex(fwmark)}/${hex(fwmask ?? wholeMark)}`]),
    ...[...word("iif", iif), ...word("oif", oif), ...word("uidrange", uidRange), ...word("ipproto", ipProtocol)],
    ...[...word("sport", port(sourcePort)), ...word("dport", port(destinationPort))],
    ...["protocol", String(protocol), ...(l3mdev ? ["l3mdev"] : []), ...actionWords(does)],
  ];
  return {
    argv,
    namespace: want.namespace,
    rules: want.namespace === undefined ? [change(verb, want, does)] : undefined,
  };
}

/** In the words in which the host's own rules are read. */
function change(verb: "add" | "del", want: Want, { action, table }: RuleAction): RuleChange {
  const { from, to, fwmark, iif, oif, ipProtocol, not, l3mdev } = selectorsOf(want);
  // SSH goes by TCP, and by no VRF that we know of.
  const otherwise = l3mdev === true || (ipProtocol !== undefined && ipProtocol !== 6);
  const part = (network: string | undefined) => network?.split("/") ?? [];
  const [src, srclen] = part(from);
  const [dst, dstlen] = part(to);
  return {
    ...{ family: familyOf(want), priority: want.priority, removed: verb === "del" },
    ...{ src, srclen: srclen === undefined ? undefined : Number(srclen) },
    ...{ dst, dstlen: dstlen === undefined ? undefined : Number(dstlen) },
    ...{ fwmark: fwmark?.toString(), iif, oif, not: not ? null : undefined },
    table: table === undefined ? undefined : String(tables[table] ?? table),
    nop: action === "nop" || (otherwise && !not) ? null : undefined,
  };
}

function actionWords({ action, table, goto: target, suppressPrefixLength, suppressIfgroup }: RuleAction): string[] {
  if (action === "goto") return ["goto", String(target)];
  if (action !== "lookup") return [action];
  return [
    ...(table === undefined ? [] : ["table", String(table)]),
    ...(suppressPrefixLength === undefined ? [] : ["suppress_prefixlength", String(suppressPrefixLength)]),
    ...(suppressIfgroup === undefined ? [] : ["suppress_ifgroup", String(suppressIfgroup)]),
  ];
}
