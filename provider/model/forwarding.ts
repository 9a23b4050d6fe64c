import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { keyIn } from "./namespaces";

/**
 * The kernel parameters that make a router. Of all others nothing on a host tells whether somebody has set them: a new
 * namespace takes many of its values from the host's own.
 */
const keys = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"];

export const forwardingSection: Section = { key: "forwarding", argv: ["sysctl", "-e", ...keys] };

/** Those that are on; undefined where none is. */
export function forwardingOf(seen: Seen, namespace?: string): Record<string, string> | undefined {
  const { stdout } = seen.result(keyIn("forwarding", namespace));
  const on = keys.filter((key) => stdout.includes(`${key} = 1`));
  return on.length > 0 ? Object.fromEntries(on.map((key) => [key, "1"])) : undefined;
}
