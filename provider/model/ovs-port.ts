import { z } from "zod";
import type { Context, Found } from "../kind";
import { type ErrorCode, HostnetError } from "./errors";
import { ownership } from "./mark";
import type { OvsDatabase, OvsPortState } from "./ovs";
import { isMarkKey, type OvsChange, withoutKeys, word } from "./ovs-columns";
import type { OvsRow } from "./ovs-row";
import { between } from "./scalars";

/** Under this key of `external_ids` stands the mark of what is ours. */
export const markKey = "hostnet-mark";

export const markIn = (row: OvsRow): string | undefined => row.map("external_ids")[markKey];

/** Writes the mark where another one, or none, stands. Whether that is allowed has been decided before. */
export const markChange = (row: OvsRow | undefined, context: Context<unknown>): OvsChange[] =>
  row && markIn(row) === context.mark ? [] : [{ column: "external_ids", key: markKey, value: word(context.mark) }];

export const isOwners = (row: OvsRow, context: Context<unknown>) =>
  ["this", "sibling"].includes(ownership(markIn(row), context.mark));

const mapText = z
  .union([z.string().regex(/^[^\p{Cc}]*$/u, "must be printable text"), z.int(), z.boolean()])
  .transform(String);

/** A map of texts, as `other_config`; a number or boolean is taken as text. */
export const textMap = (reserved: Parameters<typeof withoutKeys>[1]) =>
  withoutKeys(
    z.record(z.string().regex(/^[\x21-\x7e]{1,255}$/, "must be 1 to 255 printable characters"), mapText),
    reserved,
  );

/** What others find in `external_ids`. */
export const externalIdsOf = (row: OvsRow): Record<string, string> =>
  Object.fromEntries(Object.entries(row.map("external_ids")).filter(([key]) => !isMarkKey(key)));

export const externalIdsArgument = (of: string) =>
  textMap((key) => (isMarkKey(key) ? "hostnet keeps its own marks there" : undefined))
    .optional()
    .describe(
      `Identifiers for other programs on the ${of} (\`external_ids\`). Keys that others set stay; a removed key of ours goes.`,
    );

/** Open vSwitch takes VLAN 0, which stands for untagged packets, and 4095, which no packet can have: a dead port. */
export const vlanTag = between(0, 4095);

/** What all ports of a host share: the names of ports and bridges are one name space, and so are those of devices. */
export const portClaim = (name: string) => `Open vSwitch port ${name}`;

/** A second port that asks for the number gets another one, and nobody says so. */
export const ofportClaims = (bridge: string, number: number | undefined) =>
  number === undefined ? [] : [`OpenFlow port ${number} of bridge ${bridge}`];

/** What became of an interface. Exit codes of ovs-vsctl tell nothing: before 3.6 a failure is 0, too. */
export function health(row: OvsRow, { settled }: OvsDatabase): Pick<Found<unknown, unknown>, "pending" | "broken"> {
  const error = row.text("error");
  if (error === undefined && (row.number("ofport") ?? -1) > 0) return {};
  if (!settled) return { pending: `ovs-vswitchd to set up ${row.name}` };
  // Without its kernel module a bridge gets no error, and no port number either (seen with OVS 3.1).
  return { broken: error ?? `ovs-vswitchd could not set up ${row.name}` };
}

const causes: [RegExp, ErrorCode, string][] = [
  [
    /No such device/,
    "NOT_CONVERGED",
    "The device is not there. Declare it (VethPair, Tap, …) and pass its resource's `name`, so that it is made before its port.",
  ],
  [
    /resource busy/,
    "IN_USE",
    "Something else holds the device: it is a port of a Linux bridge or bond, carries macvlans, or is in another datapath.",
  ],
  [
    /File exists/,
    "CONFLICT",
    "Another tunnel of this host has the same type, addresses and key (`ovs-vsctl show`), or another device this name.",
  ],
  [/No usable peer/, "NOT_CONVERGED", "Both ends must be there, on bridges with the same `datapathType`."],
  [
    /not supported|could not set up/,
    "MISSING_FEATURE",
    "Load the kernel's module (`modprobe openvswitch`, and vport-gre, vport-vxlan or vport-geneve for tunnels); ovs-vswitchd.log says more.",
  ],
];

/** The error for what Open vSwitch says about a port or bridge. */
export function portError(what: string, reason: string): HostnetError {
  const [, code, remedy] = causes.find(([pattern]) => pattern.test(reason)) ?? [];
  return new HostnetError(code ?? "NOT_CONVERGED", `${what}: ${reason}`, {
    remedy: remedy ?? "ovs-vswitchd.log on the host says more.",
  });
}

/** The word of a port's type, as arguments have it. */
export function portType({ row, interfaces }: OvsPortState): string {
  const [first] = interfaces;
  if (!first || interfaces.length > 1 || first.name !== row.name) return "bond";
  return first.text("type") ?? "system";
}
