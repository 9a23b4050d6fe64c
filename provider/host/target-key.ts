import { createHash } from "node:crypto";
import type { Target } from "./target";

/** One key for whatever leads to the same connection: everything but what the hosts are called in the program. */
export function targetKey(...way: Target[]): string {
  return createHash("sha256")
    .update(JSON.stringify(way.map(nameless)))
    .digest("hex");
}

function nameless({ name: _, jumpHosts, ...rest }: Target): unknown[] {
  const sorted = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return [sorted, jumpHosts.map(nameless)];
}
