import type { Seen } from "../host/seen";
import { notInstalled, type Section } from "./command";
import { HostnetError } from "./errors";
import { keyIn } from "./namespaces";
import { type FirewallArgs, firewallArgs } from "./nft-args";
import { attributesOf, groupOf, isOpen } from "./nft-normal";
import { type Block, parseTable, type Table } from "./nft-table";

/** All tables of a namespace, as `parseTable` takes each. */
export const rulesetSection: Section = { key: "nftables", argv: ["nft", "-y", "-s", "-a", "list", "ruleset"] };

export interface RulesetTable {
  family: string;
  name: string;
  table: Table;
}

/** The tables of a namespace; none where the host has no nft. Throws READ_FAILED. */
export function tablesOf(seen: Seen, namespace: string | undefined): RulesetTable[] {
  const { exitCode, stdout, stderr } = seen.result(keyIn(rulesetSection.key, namespace));
  if (exitCode === notInstalled) return [];
  if (exitCode !== 0) {
    throw new HostnetError("READ_FAILED", "could not read the tables", { step: "nft list ruleset", exitCode, stderr });
  }
  return seen.derive(keyIn("tables", namespace), () =>
    stdout.split(/^(?=table )/m).flatMap((text) => {
      const [, family, name] = /^table (\S+) (\S+) \{/.exec(text) ?? [];
      return family && name ? [{ family, name, table: parseTable(text) }] : [];
    }),
  );
}

/** The arguments of a Firewall that is this table, or why there are none. */
export function declaredTable(
  { family, name, table }: RulesetTable,
  namespace: string | undefined,
): { args?: Partial<FirewallArgs>; why?: string } {
  const groups: Record<string, Record<string, unknown>> = {};
  for (const block of table.blocks.values()) {
    const group = groupOf(block);
    groups[group] = { ...groups[group], [block.name]: withoutUsual(block) };
  }
  const args = { namespace, name, family, ...(table.dormant && { dormant: true }), ...groups };
  const [issue] = firewallArgs.safeParse(args).error?.issues ?? [];
  return issue ? { why: `${issue.path.join(".")} ${issue.message}` } : { args: args as Partial<FirewallArgs> };
}

/** What is as it would be anyway, and what rules have added to a set, is not said. */
function withoutUsual(block: Block): Record<string, unknown> {
  const attributes = attributesOf(block);
  const usual: Record<string, unknown> = { type: "filter", priority: 0, policy: "accept" };
  const left = Object.entries(attributes).filter(([key, value]) => {
    if (key === "elements" && isOpen(attributes)) return false;
    if (Array.isArray(value) && value.length === 0) return false;
    return block.kind !== "chain" || value !== usual[key];
  });
  return Object.fromEntries(left);
}

const ofIptables = /^(filter|nat|mangle|raw|security|broute)$/;
const itsChains = ["INPUT", "FORWARD", "OUTPUT", "PREROUTING", "POSTROUTING", "BROUTING"];
const byName: Record<string, string> = { firewalld: "firewalld", libvirt_network: "libvirt", f2b: "fail2ban" };

/** Which program keeps the table, and would put back what is changed in it; undefined for an administrator's. */
export function keeperOf({ family, name, table }: RulesetTable): string | undefined {
  const chains = [...table.blocks.values()].map((block) => block.name);
  const isIptables = family !== "inet" && ofIptables.test(name) && chains.some((chain) => itsChains.includes(chain));
  return isIptables ? "iptables" : (byName[name] ?? (/^f2b-/.test(name) ? "fail2ban" : undefined));
}
