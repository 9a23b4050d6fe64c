import { z } from "zod";
import { type Context, type Found, kind } from "../kind";
import type { Step } from "../model/command";
import { deleteLink, linkReset } from "../model/link";
import { addressClaims, linkClaim, shownLink } from "../model/link-kind";
import { type LinkState, linkSections, linkState } from "../model/link-state";
import { isMark } from "../model/mark";
import { type OvsDatabase, type OvsPortState, ovsDatabase, ovsSections } from "../model/ovs";
import { changeRecord, columnChanges, columnResets, columnValues, mapChanges, vsctl } from "../model/ovs-columns";
import {
  convergeDevice,
  deviceArgs,
  macChange,
  macIn,
  moveDevice,
  mtuChange,
  mtuColumn,
  mtuPending,
  settled,
  wantedMac,
} from "../model/ovs-device";
import { health, isOwners, markChange, markIn, notOurs, portClaim, portError, portType } from "../model/ovs-port";
import { interfaceColumns, type OvsPortArgs, ovsPortArgs, portColumns } from "../model/ovs-port-args";
import { liveQos, qosCommands, qosRemoval } from "../model/ovs-qos";
import { get, same } from "../model/path";

/** What converge and remove need of the answers. */
interface Raw {
  db: OvsDatabase;
  /** Absent: only a device of that name is there. */
  port?: OvsPortState | undefined;
  /** The device where it belongs. */
  link?: LinkState | undefined;
  /** The device in the host's own namespace, where ovs-vswitchd makes it, when it belongs elsewhere. */
  newborn?: LinkState | undefined;
}

const macColumn = { column: "mac" };
const mtuColumns = [mtuColumn("interface.mtu")];

export const ovsPort = kind({
  name: "OvsPort",
  doc: "A port of an Open vSwitch bridge: a device that is there (system), a device that Open vSwitch makes (internal), or several devices as one (bond).",
  args: ovsPortArgs,
  facts: z.object({
    ofport: z.number().optional().describe("The OpenFlow port number that it has; of a bond, its first member's."),
    error: z.string().optional().describe("What Open vSwitch says is wrong with it."),
    mac: z.string().optional().describe("The MAC address of its device."),
    mtu: z.number().optional().describe("The MTU of its device, in bytes."),
    ifindex: z.number().optional().describe("The kernel's number of its device."),
    addresses: z.array(z.string()).optional().describe("All addresses of its device, also those that others added."),
  }),
  identity: ["name", "bridge", "namespace", "type"],
  needs: ["ovs-vsctl", "ip"],
  mark: "externalIds",
  reset: {
    ...columnResets(portColumns),
    ...columnResets(interfaceColumns),
    ...columnResets(mtuColumns),
    ...{ qos: null, otherConfig: {}, externalIds: {}, "interface.externalIds": {}, "interface.options": {} },
    ...{ up: linkReset.up, addresses: linkReset.addresses },
  },
  claims: (want) => [
    portClaim(want.name),
    ...(want.bond?.members.map(portClaim) ?? []),
    ...(want.type === "internal" ? [linkClaim(want.namespace, want.name), ...addressClaims(want as never)] : []),
  ],
  observe: (want) => [
    ...ovsSections,
    ...linkSections(undefined, { ipv6: want.type === "internal" }),
    ...(want.namespace ? linkSections(want.namespace, { ipv6: true }) : []),
  ],
  find(want, seen) {
    const db = ovsDatabase(seen);
    const port = db.ports.get(want.name);
    const root = linkState(seen, undefined, want.name);
    const link = want.namespace ? linkState(seen, want.namespace, want.name) : root;
    const newborn = want.namespace ? root : undefined;
    const raw: Raw = { db, port, link, newborn };
    if (!port) {
      // Open vSwitch would make the row, fail to make the device, and exit with 0.
      const inTheWay = want.type === "internal" ? (link ?? newborn) : undefined;
      const marks = [inTheWay && isRemnant(inTheWay) ? inTheWay.json.ifalias : undefined];
      return inTheWay && { args: {}, facts: {}, marks, raw };
    }
    const [iface] = port.interfaces;
    const atWork = root !== undefined && /No such device/.test(iface?.text("error") ?? "");
    return {
      args: liveArgs(port, raw, want),
      facts: {
        ofport: iface?.number("ofport"),
        error: port.interfaces.map((row) => row.text("error")).find(Boolean),
        ...(link && { mac: link.json.address, mtu: link.json.mtu, ifindex: link.json.ifindex }),
        ...(link && want.type === "internal" && { addresses: link.addresses.map((item) => item.address) }),
      },
      marks: [markIn(port.row)],
      // ovs-vswitchd takes a device in by itself, a moment after that appears.
      ...(atWork ? { pending: `ovs-vswitchd to take ${want.name} in` } : stateOf(want, raw)),
      raw,
    };
  },
  list: (seen) =>
    [...ovsDatabase(seen).ports.values()].flatMap((port) => {
      const type = portType(port);
      const own = port.row.name === port.bridge;
      return own || !["system", "internal", "bond"].includes(type)
        ? []
        : [{ name: port.row.name, bridge: port.bridge, type } as Partial<OvsPortArgs>];
    }),
  converge(want, live, context) {
    if (!live) return [...create(want, context), ...(want.type === "internal" ? [settled] : [])];
    const { port, link, newborn } = live.raw as Raw;
    if (!port) {
      if (link && isRemnant(link)) return [deleteLink(want.name, want.namespace)];
      throw notOurs(`device ${want.name}`, "not of Open vSwitch");
    }
    const other = port.bridge !== want.bridge || portType(port) !== want.type;
    if (other && !isOwners(port.row, context)) {
      throw notOurs(`port ${want.name}`, `a port of type ${portType(port)} of bridge ${port.bridge}`);
    }
    // Made anew in the next round: del-port and add-port in one transaction are no change at all for the datapath.
    if (other || isDead(want, live.raw as Raw)) return delPort(want, port.bridge);
    const steps = vsctl(changes(want, live.raw as Raw, context), touched(want));
    if (live.broken && steps.length === 0) throw portError(`port ${want.name} of bridge ${want.bridge}`, live.broken);
    if (live.broken || want.type !== "internal") return steps;
    return [...steps, ...deviceSteps(want, link, newborn, context)];
  },
  remove(live, want, context) {
    const { db, port } = live.raw as Raw;
    return vsctl(
      [["del-port", port?.bridge ?? want.bridge, want.name], ...qosRemoval(want.name, db, context)],
      touched(want),
    );
  },
  shown(path, want, live) {
    const { link } = live.raw as Raw;
    if (path === "interface.mac" && want.interface?.mac === "kernel") return "kernel";
    // A port that does not work is shown as not there, so that the next `up` makes it anew.
    if (path === "bridge" && live.broken) return undefined;
    if (path === "addresses") return link && shownLink(path, want as never, link, live.args);
    return get(live.args, path);
  },
});

type Want = OvsPortArgs;

function liveArgs({ row, bridge, interfaces }: OvsPortState, { db, link }: Raw, want: Want): Partial<Want> {
  const [iface] = interfaces;
  const single = iface && {
    ...(columnValues([...interfaceColumns, ...mtuColumns], iface) as { interface?: object }).interface,
    externalIds: iface.map("external_ids"),
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
    externalIds: row.map("external_ids"),
    qos: liveQos(row, db),
    ...(link && type === "internal" && deviceArgs(link)),
  } as Partial<Want>;
}

/** Whether Open vSwitch has it running, and its device is where it belongs. */
function stateOf(want: Want, raw: Raw): Pick<Found<unknown>, "pending" | "broken"> {
  const { db, port, link, newborn } = raw;
  const states = port?.interfaces.map((row) => health(row, db)) ?? [];
  const pending = states.map((state) => state.pending).find(Boolean);
  const broken = states.map((state) => state.broken).find(Boolean);
  const [iface] = port?.interfaces ?? [];
  if (pending || broken || !iface) return { pending, broken };
  if (want.type === "internal" && !link) {
    const where = newborn ? "in the host's own namespace" : "gone, or in a namespace that is gone";
    // Not broken where it is about to be moved: after its creation, and after a restart of the host.
    return newborn ? {} : { broken: `its device is ${where}` };
  }
  const asked = { mtu: want.namespace ? undefined : want.interface?.mtu };
  return { pending: link && mtuPending(asked, link, iface) };
}

/**
 * The row is there and says nothing of it, but the device is not, or it is a dead one: the namespace went with it, or
 * ovs-vswitchd was restarted and made another in the host's own namespace (userspace datapath).
 */
function isDead({ type }: Want, { port, link, newborn }: Raw): boolean {
  const [iface] = port?.interfaces ?? [];
  if (type !== "internal" || iface?.text("error") !== undefined) return false;
  return (link === undefined) === (newborn === undefined) && (iface?.number("ofport") ?? -1) > 0;
}

/** A device that ovs-vswitchd made and forgot. That it is ours has been decided by its alias. */
const isRemnant = (link: LinkState) => link.type === "tun" && isMark(link.json.ifalias);

function deviceSteps(
  want: Want,
  link: LinkState | undefined,
  newborn: LinkState | undefined,
  context: Context<Want>,
): Step[] {
  const { namespace } = want;
  const mac = wantedMac({ name: want.name, namespace, mac: want.interface?.mac }, context);
  const addressing = { mac, mtu: want.interface?.mtu };
  if (link) return convergeDevice(want, link, context, addressing);
  return newborn && namespace ? moveDevice({ ...want, namespace }, newborn, context, addressing) : [];
}

function create(want: Want, context: Context<Want>): Step[] {
  const { name, bridge, bond } = want;
  const add = bond ? ["add-bond", bridge, name, ...bond.members] : ["add-port", bridge, name];
  const type = want.type === "internal" ? [["set", "Interface", name, "type=internal"]] : [];
  return vsctl([add, ...type, ...changes(want, undefined, context)], touched(want));
}

function changes(want: Want, raw: Raw | undefined, context: Context<Want>): string[][] {
  const { name, namespace } = want;
  const { db, port: live, link } = raw ?? {};
  const row = live?.row;
  const iface = live?.interfaces[0];
  const was = (path: string) => context.was.map((args) => get(args, path) as never);
  const port = [
    ...columnChanges(portColumns, want, row),
    ...mapChanges("other_config", want.otherConfig, was("otherConfig"), row),
    ...mapChanges("external_ids", want.externalIds, was("externalIds"), row),
    ...markChange(row, context),
  ];
  const device = { name, namespace, mac: want.interface?.mac };
  const single = [
    ...columnChanges(interfaceColumns, want, iface),
    ...mtuChange({ mtu: want.interface?.mtu, namespace }, iface, link),
    ...(want.type === "internal" ? macChange(macColumn, device, was("interface.mac"), iface, context) : []),
    ...mapChanges("options", want.interface?.options, was("interface.options"), iface),
    ...mapChanges("external_ids", want.interface?.externalIds, was("interface.externalIds"), iface),
  ];
  return [
    ...(live && want.bond ? memberCommands(name, want.bond.members, live) : []),
    ...changeRecord("Port", name, port),
    ...(want.type === "bond" ? [] : changeRecord("Interface", name, single)),
    ...qosCommands(name, want.qos, row, db, context),
  ];
}

/** A bond never has fewer than two members in between: first the new ones. */
function memberCommands(name: string, members: string[], { interfaces }: OvsPortState): string[][] {
  const live = interfaces.map((row) => row.name);
  if (same([...members].sort(), live)) return [];
  return [
    ...members.filter((item) => !live.includes(item)).map((item) => ["add-bond-iface", name, item]),
    ...live.filter((item) => !members.includes(item)).map((item) => ["del-bond-iface", name, item]),
  ];
}

const delPort = (want: Want, bridge: string) => vsctl([["del-port", bridge, want.name]], touched(want));

/** Devices whose traffic stops or changes its way. */
const touched = ({ type, name, namespace, bond }: Want) => {
  if (type === "internal") return namespace ? [] : [name];
  return bond?.members ?? [name];
};
