import type { Machine } from "./host/types";
import type { Kind } from "./kind";
import { HostnetError } from "./model/errors";

/** Debian's packages of programs that are called otherwise. */
const packages: Record<string, string> = {
  ip: "iproute2",
  bridge: "iproute2",
  sysctl: "procps",
  ps: "procps",
  dnsmasq: "dnsmasq-base",
  lldpcli: "lldpd",
  ping: "iputils-ping",
  arping: "iputils-arping",
  "ovs-vsctl": "openvswitch-switch",
  "ovs-ofctl": "openvswitch-switch",
  nft: "nftables",
};

/** Throws MISSING_TOOL when the host lacks a program that the kind needs. */
export function requireTools(kind: Kind, machine: Machine): void {
  const missing = kind.needs.filter((tool) => machine.facts.tools[tool] === undefined);
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((tool) => packages[tool] ?? tool))].join(" ");
  throw new HostnetError("MISSING_TOOL", `the host has no ${missing.join(" and no ")}`, {
    remedy: `On Debian: apt install ${names}`,
  });
}
