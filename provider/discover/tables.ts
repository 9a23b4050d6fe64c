import type { Seen } from "../host/seen";
import type { Section } from "../model/command";
import { isMark } from "../model/mark";
import { inNamespace } from "../model/namespaces";
import { declaredTable, rulesetSection, tablesOf } from "../model/nft-ruleset";
import type { Left } from "./leftovers";

export const tableSections = (namespace: string | undefined): Section[] => inNamespace(namespace, rulesetSection);

/** The tables of nftables that no Firewall can be: neither ours, nor such as a program could say. Throws READ_FAILED. */
export function tablesIn(seen: Seen, namespace: string | undefined): Left[] {
  return tablesOf(seen, namespace).flatMap((one) => {
    const { why } = declaredTable(one, namespace);
    if (why === undefined || isMark(one.table.comment)) return [];
    return { name: `${one.family} ${one.name}`, namespace, type: "nftables", why: `no Firewall can be so: ${why}` };
  });
}
