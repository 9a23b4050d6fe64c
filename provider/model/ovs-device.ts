import type { z } from "zod";
import type { Seen } from "../host/seen";
import type { Context } from "../kind";
import { declarable } from "./address";
import type { Step } from "./command";
import { afterCreation, convergeLink, keepingNeighbors, markLink } from "./link";
import { type LinkArgs, linkShape, nameTaken, usualMtu } from "./link-args";
import { hasIpv6ByDefault, type LinkState } from "./link-state";
import { derivedMac } from "./mark";
import type { OvsChange, OvsColumn } from "./ovs-columns";
import { word } from "./ovs-columns";
import type { OvsRow } from "./ovs-row";
import type { KnownHost, Question } from "./question";

/** What an internal port's device takes of what every link takes: its MAC and MTU are Open vSwitch's. */
export const deviceShape = {
  up: linkShape.up,
  addresses: linkShape.addresses,
  addressesExact: linkShape.addressesExact,
  ipv6: linkShape.ipv6,
};

type Shape = typeof deviceShape;
type DeviceArgs = { [P in keyof Shape]?: z.output<Shape[P]> | undefined } & {
  name: string;
  namespace?: string | undefined;
};

/** What the device's MAC and MTU have to be; undefined: nobody's business. */
export interface DeviceAddressing {
  mac?: string | undefined;
  mtu?: number | null | undefined;
}

export const layer2 = { layer2: true };

/** The device of an internal port, made by ovs-vswitchd in the host's own namespace. */
export function convergeDevice(
  want: DeviceArgs,
  link: LinkState,
  context: Context<unknown>,
  addressing: DeviceAddressing = {},
): Step[] {
  return convergeLink(linkArgs(want, addressing), link, context, layer2);
}

/** The device that ovs-vswitchd was just told to make: it is there when `ovs-vsctl` ends. */
export const deviceMade = (want: DeviceArgs, context: Context<unknown>): Step[] =>
  afterCreation(linkArgs(want, {}), context, layer2, true);

function linkArgs(want: DeviceArgs, { mac, mtu }: DeviceAddressing): LinkArgs {
  const { name, namespace, up, addresses, addressesExact, ipv6 } = want;
  return {
    ...{ name, namespace, addresses, addressesExact, ipv6, up: up ?? true },
    // ovs-vswitchd undoes what `ip` sets within a second; but in another namespace it does not reach the device.
    mac: (namespace && mac) || "kernel",
    mtu: namespace ? (mtu === null ? usualMtu : mtu) : undefined,
  };
}

/** Brings the device to its namespace: down, without addresses, and with the sysctls of that namespace it arrives. */
export function moveDevice(
  want: DeviceArgs & { namespace: string },
  link: LinkState,
  context: Context<unknown>,
  addressing: DeviceAddressing,
): Step[] {
  const moved: LinkState = {
    ...link,
    json: { ...link.json, flags: link.json.flags.filter((flag) => flag !== "UP"), ifalias: context.mark },
    addresses: [],
    ipv6Disabled: !hasIpv6ByDefault(context.seen, want.namespace),
  };
  return [
    markLink(want.name, undefined, context),
    { argv: ["ip", "link", "set", "dev", want.name, "netns", want.namespace] },
    ...convergeDevice(want, moved, context, addressing),
  ];
}

/** The device's MTU in the database; its value, but not its changes: see mtuChange. */
export const mtuColumn = (path: string): OvsColumn => ({ path, column: "mtu_request", as: "number" });

/**
 * To take the request back leaves the device as it is (iface_set_netdev_mtu in vswitchd/bridge.c): so the usual MTU is
 * asked for first, and the request taken back in the next round. null: declared no more.
 */
export function mtuChange(
  want: { mtu?: number | null | undefined; namespace?: string | undefined },
  row: OvsRow | undefined,
  link: LinkState | undefined,
): OvsChange[] {
  const request = row?.number("mtu_request");
  const column = "mtu_request";
  // In another namespace ovs-vswitchd does not reach the device: what it has there stays.
  const there = request ?? (want.namespace ? link?.json.mtu : undefined);
  if (typeof want.mtu === "number") return want.mtu === there ? [] : [{ column, value: String(want.mtu) }];
  if (want.mtu === undefined || request === undefined) return [];
  const reset = link && !want.namespace && link.json.mtu !== usualMtu && request !== usualMtu;
  return [{ column, value: reset ? String(usualMtu) : undefined }];
}

/** A column or key in which Open vSwitch keeps a MAC address. */
interface MacPlace {
  column: string;
  key?: string;
}

/**
 * `kernel` takes away what we wrote before; a MAC that somebody else wrote stays. `onDevice`: where nothing is written the
 * device keeps what `ip` has set, and its like need not be written.
 */
export function macChange(
  place: MacPlace,
  device: { name: string; namespace?: string | undefined; mac?: string | undefined },
  was: (string | undefined)[],
  row: OvsRow | undefined,
  context: Context<unknown>,
  onDevice?: string,
): OvsChange[] {
  const { mac, name, namespace } = device;
  const derived = derivedMac(context.owner, namespace, name);
  const live = row && macIn(place, row);
  if (mac === "kernel") return live && [derived, ...was].includes(live) ? [place] : [];
  const wanted = mac ?? derived;
  return (live ?? onDevice) === wanted ? [] : [{ ...place, value: word(wanted) }];
}

/** The device, with the neighbours that another MAC address costs it, by whichever of the two it gets that. */
export function* withDeviceNeighbors(
  host: KnownHost,
  device: { name: string; namespace?: string; mac?: string },
  link: LinkState,
  context: Context<unknown>,
): Generator<Question[], LinkState, Seen[]> {
  const mac = wantedMac(device, context);
  return mac === undefined || mac === link.json.address ? link : yield* keepingNeighbors(host, device.namespace, link);
}

export const macIn = ({ column, key }: MacPlace, row: OvsRow) => (key ? row.map(column)[key] : row.text(column));

export const wantedMac = (device: { name: string; namespace?: string; mac?: string }, context: Context<unknown>) =>
  device.mac === "kernel" ? undefined : (device.mac ?? derivedMac(context.owner, device.namespace, device.name));

/** The device in the words of the arguments. */
export const deviceArgs = ({ json, addresses, ipv6Disabled }: LinkState) => ({
  up: json.flags.includes("UP"),
  addresses: declarable(addresses, json.ifname),
  ipv6: ipv6Disabled === undefined ? undefined : !ipv6Disabled,
});

/** ovs-vswitchd sets the MTU again when somebody else has set it; that takes it up to some seconds. */
export function mtuPending(want: { mtu?: number | undefined }, { json }: LinkState, iface: OvsRow): string | undefined {
  const asked = want.mtu !== undefined && iface.number("mtu_request") === want.mtu && json.mtu !== want.mtu;
  return asked ? `ovs-vswitchd to set the MTU of ${json.ifname} to ${want.mtu}: it is ${json.mtu}` : undefined;
}

/** Names that ovs-vswitchd gives to devices of its own (dpif.c, dpif-netlink-rtnl.c). */
const datapathDevices =
  /^(ovs-(system|netdev|dummy)|(gre|vxlan|genev|erspan|ip6gre|ip6erspan|bareudp|lisp|stt|gtpu)_sys.*)$/;

export const isDatapathDevice = (name: string) => datapathDevices.test(name);

/** What is wrong with having a device of that name made; undefined when nothing is. */
export function deviceNameTaken(name: string, namespace: string | undefined): string | undefined {
  if (isDatapathDevice(name)) return "must not be a name that Open vSwitch gives to devices of its own";
  return nameTaken(name, namespace);
}
