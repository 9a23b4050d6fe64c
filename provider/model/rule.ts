import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { keyIn, namespaceExists } from "./namespaces";
import { tables } from "./route";
import { canonicalAddress } from "./scalars";
import { unsaidOf } from "./unsaid";

/** Reading the kernel's policy rules. By numbers (-N): names of tables and protocols depend on files of the host. */

export type RuleTable = number | "main" | "local" | "default";

/** What packets a rule is for. Two rules of one priority that differ in it are two. */
export interface RuleSelectors {
  from?: string;
  to?: string;
  fwmark?: number;
  fwmask?: number;
  iif?: string;
  oif?: string;
  ipProtocol?: number;
  sourcePort?: string;
  destinationPort?: string;
  tos?: number;
  uidRange?: string;
  not?: true;
  l3mdev?: true;
}

/** What becomes of them. */
export interface RuleAction {
  action: "lookup" | "blackhole" | "unreachable" | "prohibit" | "goto" | "nop";
  table?: RuleTable;
  goto?: number;
  suppressPrefixLength?: number;
  suppressIfgroup?: number;
}

export interface LiveRule {
  priority: number;
  /** RTPROT_*, one byte. */
  protocol: number;
  selectors: RuleSelectors;
  does: RuleAction;
  /** What it has besides, and no Rule can say: `nat`, `realms`. It is another rule than any of ours. */
  unsaid: string[];
}

/** An entry of `ip -N -j -d rule show`; a key without a value stands for true. */
export interface RuleJson {
  priority: number;
  not?: null;
  src: string;
  srclen?: number;
  dst?: string;
  dstlen?: number;
  tos?: string;
  fwmark?: string;
  fwmask?: string;
  iif?: string;
  oif?: string;
  uid_start?: number;
  uid_end?: number;
  ipproto?: string;
  sport?: number;
  sport_start?: number;
  sport_end?: number;
  dport?: number;
  dport_start?: number;
  dport_end?: number;
  l3mdev?: null;
  table?: string;
  action?: string;
  goto?: number | string;
  nop?: null;
  suppress_prefixlen?: number;
  suppress_ifgroup?: string;
  protocol?: string;
}

/** What is said, and what is but the state of it. */
const known = new Set(
  (
    "priority not src srclen dst dstlen tos fwmark fwmask iif oif uid_start uid_end ipproto sport sport_start sport_end " +
    "dport dport_start dport_end l3mdev table action goto nop suppress_prefixlen suppress_ifgroup protocol " +
    "iif_detached oif_detached unresolved"
  ).split(" "),
);

// FR_ACT_* of linux/fib_rules.h, by number.
const actions: Record<string, RuleAction["action"]> = { "6": "blackhole", "7": "unreachable", "8": "prohibit" };

/** All rules of one family. */
export const rulesSection = (family: 4 | 6): Section => ({
  key: `rules${family}`,
  argv: ["ip", "-N", "-j", "-d", `-${family}`, "rule", "show"],
});

/** The rules of a namespace, in the order in which the kernel goes through them; none where it is absent. Throws READ_FAILED. */
export function liveRules(seen: Seen, namespace: string | undefined, family: 4 | 6): LiveRule[] {
  if (!namespaceExists(seen, namespace)) return [];
  const key = keyIn(`rules${family}`, namespace);
  return seen.derive(key, () => seen.json<RuleJson[]>(key).map((json) => liveRule(json, family)));
}

function liveRule(json: RuleJson, family: 4 | 6): LiveRule {
  return {
    priority: json.priority,
    protocol: Number(json.protocol ?? 0),
    selectors: {
      from: prefix(json.src, json.srclen, family),
      to: prefix(json.dst, json.dstlen, family),
      ...mark(json),
      iif: json.iif,
      oif: json.oif,
      // `ipproto-6`, also where the number has a name.
      ipProtocol: json.ipproto === undefined ? undefined : Number(json.ipproto.replace("ipproto-", "")),
      sourcePort: range(json.sport, json.sport_start, json.sport_end),
      destinationPort: range(json.dport, json.dport_start, json.dport_end),
      tos: json.tos === undefined ? undefined : Number(json.tos),
      uidRange: range(undefined, json.uid_start, json.uid_end),
      not: json.not === null ? true : undefined,
      l3mdev: json.l3mdev === null ? true : undefined,
    },
    does: actionOf(json),
    unsaid: unsaidOf(json, known),
  };
}

function actionOf(json: RuleJson): RuleAction {
  if (json.goto !== undefined) return { action: "goto", goto: Number(json.goto) };
  if (json.nop === null) return { action: "nop" };
  if (json.action !== undefined) return { action: actions[json.action] ?? (json.action as RuleAction["action"]) };
  return {
    action: "lookup",
    table: json.table === undefined ? undefined : (tables[json.table] ?? Number(json.table)),
    suppressPrefixLength: json.suppress_prefixlen,
    suppressIfgroup: json.suppress_ifgroup === undefined ? undefined : Number(json.suppress_ifgroup),
  };
}

function prefix(address: string | undefined, length: number | undefined, family: 4 | 6): string | undefined {
  if (address === undefined || address === "all") return undefined;
  return `${canonicalAddress(address)}/${length ?? (family === 4 ? 32 : 128)}`;
}

/** A mark without a mask is the whole of it. */
function mark({ fwmark, fwmask }: RuleJson): Pick<RuleSelectors, "fwmark" | "fwmask"> {
  if (fwmark === undefined && fwmask === undefined) return {};
  return { fwmark: Number(fwmark ?? 0), fwmask: Number(fwmask ?? wholeMark) };
}

export const wholeMark = 0xffff_ffff;

function range(only: number | undefined, least: number | undefined, most: number | undefined): string | undefined {
  if (only !== undefined) return `${only}-${only}`;
  return least === undefined ? undefined : `${least}-${most}`;
}
