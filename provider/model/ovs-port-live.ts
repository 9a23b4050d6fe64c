import type { Found } from "../kind";
import type { LinkState } from "./link-state";
import { isMark } from "./mark";
import { isMoved } from "./networkd-move";
import type { Uplink } from "./networkd-uplink";
import type { OvsDatabase, OvsPortState } from "./ovs";
import { columnValues } from "./ovs-columns";
import { deviceArgs, macIn, mtuColumn } from "./ovs-device";
import { externalIdsOf, health, portType } from "./ovs-port";
import { interfaceColumns, type OvsPortArgs, portColumns } from "./ovs-port-args";
import { liveQos } from "./ovs-qos";
import type { OvsRow } from "./ovs-row";

type Want = OvsPortArgs;

/** What converge and remove need of the answers. */
export interface OvsPortRaw {
  db: OvsDatabase;
  /** Absent: only a device of that name is there. */
  port?: OvsPortState | undefined;
  /** The device where it belongs. */
  link?: LinkState | undefined;
  /** The device in the host's own namespace, where ovs-vswitchd makes it, when it belongs elsewhere. */
  newborn?: LinkState | undefined;
  /** Whose addresses the bridge has to have; where that was asked. */
  uplink?: Uplink | undefined;
}

export const macColumn = { column: "mac" };
export const mtuColumns = [mtuColumn("interface.mtu")];

export function liveArgs(
  { row, bridge, interfaces }: OvsPortState,
  { db, link, uplink }: OvsPortRaw,
  want: Want,
): Partial<Want> {
  const [iface] = interfaces;
  const single = iface && {
    ...(columnValues([...interfaceColumns, ...mtuColumns], iface) as { interface?: object }).interface,
    externalIds: externalIdsOf(iface),
    options: iface.map("options"),
    mac: macIn(macColumn, iface) ?? link?.json.address,
    // In another namespace ovs-vswitchd does not reach the device: there the column says only what should be.
    ...(want.namespace && link && { mac: link.json.address, mtu: link.json.mtu }),
  };
  const bond = {
    ...(columnValues(portColumns, row) as { bond?: object }).bond,
    members: interfaces.map((m) => m.name),
  };
  const type = portType({ row, bridge, interfaces });
  return {
    ...columnValues(portColumns, row),
    ...{ name: row.name, bridge, type, namespace: link ? want.namespace : undefined },
    bond: type === "bond" ? bond : undefined,
    interface: type === "bond" ? undefined : single,
    otherConfig: row.map("other_config"),
    externalIds: externalIdsOf(row),
    qos: liveQos(row, db),
    addressesToBridge: uplink && isMoved(uplink),
    ...(link && type === "internal" && deviceArgs(link)),
  } as Partial<Want>;
}

type State = Pick<Found<unknown>, "pending" | "broken">;

/** The MTU that ovs-vswitchd has to set by itself. */
export const asked = (want: Want) => ({ mtu: want.namespace ? undefined : want.interface?.mtu });

/** A device of somebody else's in the bridge. ovs-vswitchd may show it as well long after it is gone (userspace datapath). */
export function memberState(row: OvsRow, link: LinkState | undefined, db: OvsDatabase): State {
  const state = health(row, db);
  if (!link) return { broken: state.broken ?? `could not open network device ${row.name} (No such device)` };
  // It takes a device in by itself, a moment after that appears.
  const late = row.number("ifindex") !== link.json.ifindex && (!state.broken || /No such device/.test(state.broken));
  return late ? { pending: `ovs-vswitchd to take ${row.name} in` } : state;
}

export function internalState(want: Want, { db, port, link, newborn }: OvsPortRaw): State {
  const [iface] = port?.interfaces ?? [];
  const state = iface ? health(iface, db) : {};
  if (state.pending || state.broken) return state;
  if (link && newborn && isRemnant(link)) return { broken: `the device of port ${want.name} is dead` };
  // In the host's own namespace it is right after its creation, and after a restart of the host: it is moved then.
  return link || newborn ? {} : { broken: `the device of port ${want.name} is gone` };
}

/** The row is there and nothing wrong with it, but the device is not: it went with its namespace. */
export function isGone({ type }: Want, { db, port, link, newborn }: OvsPortRaw): boolean {
  const [iface] = port?.interfaces ?? [];
  return type === "internal" && iface !== undefined && !health(iface, db).broken && !link && !newborn;
}

/**
 * A device that a former ovs-vswitchd had open (userspace datapath): the present one has made another in the host's own
 * namespace. Or one whose port has been deleted. That it is ours, its alias says.
 */
export const isRemnant = (link: LinkState) => link.type === "tun" && isMark(link.json.ifalias);
