import { isIP } from "node:net";
import type { Step } from "./command";
import type { FirewallArgs } from "./nft-args";
import type { Difference } from "./nft-delta";
import { get } from "./path";

/**
 * What ends the flows that a rule or element let in that is no more. One process that reads all deletions: unlike
 * `conntrack -D` itself it does not exit with 1 when there is no such flow (conntrack-tools 1.4.7).
 */
export function endedFlows(want: FirewallArgs, was: Partial<FirewallArgs>[], { changed, removed }: Difference): Step[] {
  const known = [want, ...was];
  const of = <T>(path: string) =>
    known.map((args) => get(args, `${path}.endFlows`) as T | undefined).find((flows) => flows !== undefined);
  const lines = new Set<string>();
  for (const path of changed) {
    const flows = of<{ zones: number[]; addresses?: string[] }>(path);
    for (const zone of flows?.zones ?? []) for (const line of deletions(zone, flows?.addresses)) lines.add(line);
  }
  for (const [path, elements] of removed) {
    const addresses = elements.filter((element) => isIP(element) !== 0);
    const zones = addresses.length > 0 ? (of<{ zones: number[] }>(path)?.zones ?? []) : [];
    for (const zone of zones) for (const line of deletions(zone, addresses)) lines.add(line);
  }
  if (lines.size === 0) return [];
  return [
    {
      argv: ["conntrack", "-R", "-"],
      stdin: [...lines].map((line) => `${line}\n`).join(""),
      namespace: want.namespace,
    },
  ];
}

/** A flow is of an address that began it, or that it was begun to. */
function deletions(zone: number, addresses: string[] | undefined): string[] {
  if (!addresses) return ["ipv4", "ipv6"].map((family) => `-D -f ${family} -w ${zone}`);
  const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");
  return addresses.flatMap((address) =>
    ["-s", "-d"].map((end) => `-D -f ${family(address)} -w ${zone} ${end} ${address}`),
  );
}
