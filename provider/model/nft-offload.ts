import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { HostnetError } from "./errors";
import { keyIn } from "./namespaces";
import type { FirewallArgs } from "./nft-args";
import { blockKey, quoted, type Table } from "./nft-table";

const flag = "flags offload";

const offloading = ({ flowtables = {} }: FirewallArgs) => Object.entries(flowtables).filter(([, one]) => one.offload);

/** Without the flag: the devices of a namespace of its own, in which the normal form is asked for, cannot offload. */
export const withoutOffload = (want: FirewallArgs): FirewallArgs => ({
  ...want,
  flowtables:
    want.flowtables &&
    Object.fromEntries(Object.entries(want.flowtables).map(([name, one]) => [name, { ...one, offload: false }])),
});

/** The normal form with the flag again. */
export function withOffload(want: FirewallArgs, normal: Table): Table {
  for (const [name] of offloading(want)) {
    const block = normal.blocks.get(blockKey("flowtable", name));
    block?.definition.push(flag);
    block?.definition.sort();
  }
  return normal;
}

/** Whether each device can: the kernel says it of one only when it is asked, and of several not which. */
export const offloadSections = (want: FirewallArgs): Section[] =>
  [...new Set(offloading(want).flatMap(([, { devices }]) => devices))].map(sectionOf);

const sectionOf = (device: string): Section => ({
  key: `nft-offload:${device}`,
  argv: ["nft", "-c", "-f", "-"],
  stdin: [
    "add table inet hostnet-offload",
    `add flowtable inet hostnet-offload one { hook ingress priority 0; devices = { ${quoted(device)} }; ${flag}; }`,
    "",
  ].join("\n"),
});

/** Throws MISSING_FEATURE for a flowtable that the host has not, of a device that cannot take it over. */
export function refuseOffload(want: FirewallArgs, seen: Seen, live?: Table): void {
  for (const [name, { devices }] of offloading(want)) {
    if (live?.blocks.get(blockKey("flowtable", name))?.definition.includes(flag)) continue;
    const unable = devices.filter((device) =>
      /Operation not supported/.test(seen.result(keyIn(sectionOf(device).key, want.namespace)).stderr),
    );
    if (unable.length === 0) continue;
    throw new HostnetError(
      "MISSING_FEATURE",
      `flowtables.${name}.devices: ${unable.join(", ")} cannot take over flows (offload)`,
      {
        remedy: "Leave `offload` out, or give network cards whose driver can; `ethtool -k DEVICE` shows hw-tc-offload.",
      },
    );
  }
}
