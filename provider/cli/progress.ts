import { hostOf } from "../drift-report";
import { decommissioned } from "../host/reach";
import type { StateResource } from "../state";

/** What a command is at, for the person who waits for it; nothing into a pipe or a file. */
export function busy(text: string): void {
  if (process.stderr.isTTY) console.error(text);
}

/** That the hosts of a stack are read, each with how many resources. */
export function busyReading(resources: StateResource[]): void {
  const counts = new Map<string, number>();
  for (const host of resources.map(hostOf)) {
    if (!decommissioned(host)) counts.set(host.name, (counts.get(host.name) ?? 0) + 1);
  }
  for (const [host, count] of counts) busy(`${host}: reading ${count} ${count === 1 ? "resource" : "resources"} ...`);
}
