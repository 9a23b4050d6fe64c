import { z } from "zod";
import type { Seen } from "../host/seen";
import { type Context, kind } from "../kind";
import type { Step } from "../model/command";
import { otherKind } from "../model/errors";
import { deleteLink } from "../model/link";
import { linkReset, usualMtu } from "../model/link-args";
import { layer3Claims, linkClaim, portClaim as masterClaim, shownLink } from "../model/link-kind";
import { type LinkState, linkSections, linkState } from "../model/link-state";
import { giveBack, isHeld, moveToBridge } from "../model/networkd-move";
import { isUplink, type Uplink, uplinkIn, uplinkSections, uplinksSection } from "../model/networkd-uplink";
import { type OvsPortState, ovsDatabase, ovsSections } from "../model/ovs";
import {
  changeRecord,
  columnChanges,
  columnResets,
  mapChanges,
  rebuildsDevice,
  unwaited,
  vsctl,
} from "../model/ovs-columns";
import {
  convergeDevice,
  deviceMade,
  macChange,
  moveDevice,
  mtuChange,
  mtuPending,
  wantedMac,
  withDeviceNeighbors,
} from "../model/ovs-device";
import { isOwners, markChange, markIn, ofportClaims, portClaim, portError, portType } from "../model/ovs-port";
import { interfaceColumns, type OvsPortArgs, ovsPortArgs, portColumns } from "../model/ovs-port-args";
import {
  asked,
  internalState,
  isGone,
  isRemnant,
  liveArgs,
  macColumn,
  memberState,
  mtuColumns,
  type OvsPortRaw,
} from "../model/ovs-port-live";
import { qosCommands, qosRemains, qosRemoval, shownQueues } from "../model/ovs-qos";
import { get, same } from "../model/path";
import { udevSettled } from "../model/udev";

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
    ...{ up: linkReset.up, addresses: linkReset.addresses, addressesToBridge: false },
  },
  usual: {
    "interface.mtu": ({ raw }) => {
      const request = (raw as OvsPortRaw).port?.interfaces[0]?.number("mtu_request");
      return request === undefined ? usualMtu : undefined;
    },
  },
  claims: (want) => [
    portClaim(want.name),
    ...(want.bond?.members.map(portClaim) ?? []),
    ...(want.type === "internal"
      ? [linkClaim(want.namespace, want.name), ...layer3Claims(want as never)]
      : (want.bond?.members ?? [want.name]).map((device) => masterClaim(undefined, device))),
    ...ofportClaims(want.bridge, want.interface?.ofportRequest),
  ],
  configures: ({ type, bond, name }) => (type === "internal" ? [] : (bond?.members ?? [name])),
  dealsWith: ({ addressesToBridge }) => (addressesToBridge ? ["networkd"] : []),
  observe: (want) => [
    ...ovsSections,
    ...(want.addressesToBridge === undefined ? [] : uplinkSections(want.name, want.bridge)),
    ...linkSections(undefined, { ipv6: want.type === "internal" && want.namespace === undefined }),
    ...(want.namespace ? linkSections(want.namespace, { ipv6: true }) : []),
  ],
  find(want, seen) {
    const db = ovsDatabase(seen);
    const port = db.ports.get(want.name);
    const root = linkState(seen, undefined, want.name);
    const link = want.namespace ? linkState(seen, want.namespace, want.name) : root;
    const newborn = want.namespace ? root : undefined;
    const uplink = uplinkOf(want, seen);
    const raw: OvsPortRaw = { db, port, link, newborn, uplink };
    if (!port && uplink && isHeld(uplink)) {
      const { name, type, addressesToBridge } = want;
      const broken = `its port is gone, and ${name} has no address any more`;
      return { args: { name, type, addressesToBridge }, facts: {}, marks: [uplink.mark], broken, raw };
    }
    if (!port) {
      // Open vSwitch would make the row, fail to make the device, and exit with 0.
      const inTheWay = want.type === "internal" ? (link ?? newborn) : undefined;
      const marks = [inTheWay && isRemnant(inTheWay) ? inTheWay.json.ifalias : undefined];
      return inTheWay && { args: {}, facts: {}, marks, raw };
    }
    const [iface] = port.interfaces;
    const states =
      want.type === "internal"
        ? [internalState(want, raw)]
        : port.interfaces.map((row) => memberState(row, linkState(seen, undefined, row.name), db));
    return {
      args: liveArgs(port, raw, want),
      facts: {
        ofport: iface?.number("ofport"),
        error: port.interfaces.map((row) => row.text("error")).find(Boolean),
        ...(link && { mac: link.json.address, mtu: link.json.mtu, ifindex: link.json.ifindex }),
        ...(link && want.type === "internal" && { addresses: link.addresses.map((item) => item.address) }),
      },
      marks: [markIn(port.row)],
      broken: states.map((state) => state.broken).find(Boolean),
      pending:
        states.map((state) => state.pending).find(Boolean) ?? (link && iface && mtuPending(asked(want), link, iface)),
      raw,
    };
  },
  survey: (namespace) => (namespace ? [] : [...ovsSections, uplinksSection]),
  // An internal port is listed where its device is.
  list: (seen, namespace) =>
    [...ovsDatabase(seen).ports.values()].flatMap((port) => {
      const { name } = port.row;
      const type = portType(port);
      const own = name === port.bridge;
      const device = type === "internal" ? linkState(seen, namespace, name) : undefined;
      // In the userspace datapath it is a TAP.
      const isHere = type === "internal" ? /^(openvswitch|tun)$/.test(device?.type ?? "") : namespace === undefined;
      if (own || !isHere || !["system", "internal", "bond"].includes(type)) return [];
      const bond = type === "bond" ? { members: port.interfaces.map((row) => row.name) } : undefined;
      const addressesToBridge = (type === "system" && isUplink(seen, name)) || undefined;
      return [{ name, bridge: port.bridge, type, namespace, bond, addressesToBridge } as Partial<OvsPortArgs>];
    }),
  *inquire(want, live, host, context) {
    const raw = live.raw as OvsPortRaw;
    if (want.type !== "internal" || !raw.port || !raw.link) return live;
    return { ...live, raw: { ...raw, link: yield* withDeviceNeighbors(host, deviceOf(want), raw.link, context) } };
  },
  converge(want, live, context) {
    const raw = live?.raw as OvsPortRaw | undefined;
    if (!live || !raw || (!raw.port && raw.uplink)) {
      const uplink = raw ? raw.uplink : uplinkOf(want, context.seen);
      return [...create(want, context), ...made(want, context), ...move(want, uplink, context)];
    }
    const { port, link, newborn, uplink } = raw;
    if (!port) {
      if (link && isRemnant(link)) return [deleteLink(want.name, want.namespace)];
      throw otherKind(`device ${want.name}`, "not of Open vSwitch");
    }
    const other = port.bridge !== want.bridge || portType(port) !== want.type;
    if (other && !isOwners(port.row, context)) {
      throw otherKind(`port ${want.name}`, `a port of type ${portType(port)} of bridge ${port.bridge}`);
    }
    // Made anew in the next round: del-port and add-port in one transaction are no change at all for the datapath.
    if (other || isGone(want, raw)) return delPort(want, port.bridge);
    const steps = vsctl(changes(want, raw, context), touched(want));
    if (want.namespace && link && newborn && isRemnant(link)) {
      return [deleteLink(want.name, want.namespace), ...deviceSteps(want, undefined, newborn, context)];
    }
    if (live.broken && steps.length === 0) throw portError(`port ${want.name} of bridge ${want.bridge}`, live.broken);
    if (live.broken) return steps;
    if (want.type !== "internal") return [...steps, ...move(want, uplink, context)];
    if (rebuildsDevice(interfaceColumns, want, port.interfaces[0])) return steps;
    return [...steps, ...deviceSteps(want, link, newborn, context)];
  },
  sweep: (want, seen, context) => vsctl(qosRemains(want.name, ovsDatabase(seen), context)),
  remove(live, want, context) {
    const { db, port, uplink } = live.raw as OvsPortRaw;
    const back = uplink ? giveBack(uplink) : [];
    const qos = port ? qosRemoval(want.name, port.row, db, context) : qosRemains(want.name, db, context);
    if (!port && uplink) return [...vsctl(qos), ...back];
    // Two transactions, of which the first need not be waited for: together with del-port the row is still referenced.
    return [...vsctl(qos).map(unwaited), ...delPort(want, port?.bridge ?? want.bridge), ...back];
  },
  shown(path, want, live) {
    const { link } = live.raw as OvsPortRaw;
    if (path === "interface.mac" && want.interface?.mac === "kernel") return "kernel";
    // A port that does not work is shown as not there, so that the next `up` makes it anew.
    if (path === "bridge" && live.broken) return undefined;
    if (path === "qos.queues") return shownQueues(want.qos, live.args.qos);
    return link ? shownLink(path, want as never, link, live.args) : get(live.args, path);
  },
});

type Want = OvsPortArgs;

const deviceOf = ({ name, namespace, interface: iface }: Want) => ({ name, namespace, mac: iface?.mac });

const uplinkOf = ({ name, bridge, addressesToBridge }: Want, seen: Seen | undefined): Uplink | undefined =>
  seen && addressesToBridge !== undefined ? uplinkIn(seen, name, bridge) : undefined;

function move({ addressesToBridge }: Want, uplink: Uplink | undefined, { mark }: Context<Want>): Step[] {
  if (!uplink) return [];
  return addressesToBridge ? moveToBridge(uplink, mark) : giveBack(uplink);
}

function deviceSteps(
  want: Want,
  link: LinkState | undefined,
  newborn: LinkState | undefined,
  context: Context<Want>,
): Step[] {
  const { namespace } = want;
  const addressing = { mac: wantedMac(deviceOf(want), context), mtu: want.interface?.mtu };
  if (link) return convergeDevice(want, link, context, addressing);
  return newborn && namespace ? moveDevice({ ...want, namespace }, newborn, context, addressing) : [];
}

/** In another namespace the device is looked at before it is brought there. */
function made(want: Want, context: Context<Want>): Step[] {
  if (want.type !== "internal") return [];
  return want.namespace ? [udevSettled] : deviceMade(want, context);
}

function create(want: Want, context: Context<Want>): Step[] {
  const { name, bridge, bond } = want;
  const add = bond ? ["add-bond", bridge, name, ...bond.members] : ["add-port", bridge, name];
  const type = want.type === "internal" ? [["set", "Interface", name, "type=internal"]] : [];
  return vsctl([add, ...type, ...changes(want, undefined, context)], touched(want));
}

function changes(want: Want, raw: OvsPortRaw | undefined, context: Context<Want>): string[][] {
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
  const device = deviceOf(want);
  const single = [
    ...columnChanges(interfaceColumns, want, iface),
    ...mtuChange({ mtu: want.interface?.mtu, namespace }, iface, link),
    ...(want.type === "internal"
      ? macChange(macColumn, device, was("interface.mac"), iface, context, link?.json.address)
      : []),
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
  if (type === "internal") return namespace ? undefined : [name];
  return bond?.members ?? [name];
};
