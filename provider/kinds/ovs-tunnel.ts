import { z } from "zod";
import type { Seen } from "../host/seen";
import { type Context, kind } from "../kind";
import { otherKind } from "../model/errors";
import { ownerOf } from "../model/mark";
import { type OvsDatabase, type OvsPortState, ovsDatabase, ovsSections } from "../model/ovs";
import {
  changeRecord,
  columnChanges,
  columnResets,
  columnValues,
  mapChanges,
  type OvsColumn,
  vsctl,
} from "../model/ovs-columns";
import { deviceNameTaken } from "../model/ovs-device";
import {
  externalIdsArgument,
  externalIdsOf,
  health,
  isOwners,
  markChange,
  markIn,
  ofportClaims,
  portClaim,
  portError,
  portType,
  vlanTag,
} from "../model/ovs-port";
import { get } from "../model/path";
import { between, family, interfaceName, ipAddress, refersTo, port as udpPort, unsigned } from "../model/scalars";
import { udpPortClaim } from "../model/tunnel";

// Keys and defaults: ovs-vswitchd.conf.db(5) of 3.1, "Tunnel Options".
const option = (path: string, key: string, as: OvsColumn["as"], byDefault?: unknown): OvsColumn => ({
  ...{ path, column: "options", key, as },
  ...(byDefault !== undefined && { default: byDefault }),
});

const interfaceColumns: OvsColumn[] = [
  option("local", "local_ip", "text"),
  option("remote", "remote_ip", "text"),
  option("key", "key", "number"),
  option("inKey", "in_key", "number"),
  option("outKey", "out_key", "number"),
  option("dstPort", "dst_port", "number"),
  option("checksum", "csum", "boolean", false),
  option("dontFragment", "df_default", "boolean", true),
  option("tos", "tos", "number"),
  option("ttl", "ttl", "number"),
  option("sequence", "seq", "boolean", false),
  option("packetMark", "egress_pkt_mark", "number"),
  option("packetType", "packet_type", "text", "legacy_l2"),
  option("extensions", "exts", "text"),
  { path: "ofportRequest", column: "ofport_request", as: "number" },
];
const portColumns: OvsColumn[] = [{ path: "tag", column: "tag", as: "number" }];

const types = ["gre", "vxlan", "geneve"] as const;

const flowOr = <S extends z.ZodType>(schema: S) => z.union([z.literal("flow"), schema]);

// OVS takes any number, and sends its lower bits (seen with 3.1): the limits are those of the protocols.
const key = flowOr(unsigned(32));
const keyBits = { gre: 32, vxlan: 24, geneve: 24 } as const;

const args = z
  .strictObject({
    bridge: refersTo(interfaceName, "OvsBridge").describe("The Open vSwitch bridge. A change replaces the tunnel."),
    name: interfaceName.describe(
      "The port's name, 1 to 15 characters. Default: the last part of the resource's name after '/'.",
    ),
    type: z
      .enum(types)
      .describe(
        "How packets are wrapped; GRE between IPv6 addresses is Open vSwitch's type ip6gre. A change replaces the tunnel.",
      ),
    local: flowOr(ipAddress)
      .optional()
      .describe(
        "The address of this host that packets come to and leave from (`local_ip`); `flow`: as flows say, with remote `flow` only. Default: any.",
      ),
    remote: flowOr(ipAddress).describe("The other end's address (`remote_ip`); `flow`: as flows say."),
    key: key
      .optional()
      .describe(
        "Key of all packets (`key`): a number of 32 bits with gre, of 24 with vxlan and geneve; `flow`: as flows say. Default: none, which is 0.",
      ),
    inKey: key.optional().describe("Key that packets must come with (`in_key`), where the two directions differ."),
    outKey: key.optional().describe("Key that packets leave with (`out_key`), where the two directions differ."),
    dstPort: udpPort
      .optional()
      .describe("UDP port of vxlan and geneve (`dst_port`), 1 to 65535. Default of Open vSwitch: 4789, and 6081."),
    checksum: z
      .boolean()
      .optional()
      .describe("Send checksums of the outer packet (`csum`). Default of Open vSwitch: false."),
    dontFragment: z
      .boolean()
      .optional()
      .describe("Forbid routers to cut the outer packet up (`df_default`). Default of Open vSwitch: true."),
    tos: z
      .union([
        z.literal("inherit"),
        between(0, 252).refine((tos) => tos % 4 === 0, "must be a multiple of 4: the lower two bits are ECN's"),
      ])
      .optional()
      .describe(
        "Type of service of the outer packet (`tos`), 0 to 252 in steps of 4; `inherit`: the inner one's. Default of Open vSwitch: 0.",
      ),
    ttl: z
      .union([z.literal("inherit"), between(1, 255)])
      .optional()
      .describe(
        "Hops of the outer packet (`ttl`), 1 to 255; `inherit`: the inner one's. Default of Open vSwitch: the kernel's, 64.",
      ),
    sequence: z.boolean().optional().describe("Number the packets (`seq`, gre only). Default of Open vSwitch: false."),
    packetMark: unsigned(32)
      .optional()
      .describe("The fwmark of outer packets (`egress_pkt_mark`), for routing rules. Default: none."),
    packetType: z
      .enum(["legacy_l2", "legacy_l3", "ptap"])
      .optional()
      .describe(
        "What travels (`packet_type`, gre and vxlan): Ethernet frames, IP packets shown as frames, or both as flows see it; legacy_l3 needs the extension gpe. Default of Open vSwitch: legacy_l2.",
      ),
    extensions: z
      .enum(["gbp", "gpe"])
      .optional()
      .describe(
        "VXLAN extension (`exts`): group policy or generic protocol; the same for all tunnels of one UDP port. Default: none.",
      ),
    tag: vlanTag
      .optional()
      .describe(
        "VLAN of the bridge that the tunnel carries, untagged (`tag`), 0 to 4095. Default: none, so it carries all VLANs.",
      ),
    ofportRequest: between(1, 65279)
      .optional()
      .describe("The OpenFlow port number to ask for (`ofport_request`), 1 to 65279. Default: the next free one."),
    externalIds: externalIdsArgument("port"),
  })
  .superRefine((want, issues) => {
    const refuse = (path: string, message: string) => issues.addIssue({ code: "custom", path: [path], message });
    const { type, local, remote } = want;
    const taken = deviceNameTaken(want.name, undefined);
    if (taken) refuse("name", taken);
    if (want.name === want.bridge) refuse("name", "must not be the bridge's own name");
    if (local === "flow" && remote !== "flow") refuse("local", "must be an address unless remote is flow");
    if (local && local !== "flow" && remote !== "flow" && family(local) !== family(remote))
      refuse("local", "must be of the same IP version as remote");
    if (want.key !== undefined && (want.inKey ?? want.outKey) !== undefined)
      refuse("key", "must not be given together with inKey or outKey");
    for (const path of ["key", "inKey", "outKey"] as const) {
      const value = want[path];
      if (typeof value === "number" && value >= 2 ** keyBits[type])
        refuse(path, `must be less than 2^${keyBits[type]} with type ${type}`);
    }
    const only = (path: keyof typeof want, ...types: string[]) => {
      if (want[path] !== undefined && !types.includes(type)) refuse(path, `must not be given with type ${type}`);
    };
    only("dstPort", "vxlan", "geneve");
    only("sequence", "gre");
    only("packetType", "gre", "vxlan");
    only("extensions", "vxlan");
  });

type Want = z.output<typeof args>;

/** Open vSwitch's word: GRE over IPv6 is a type of its own. */
const ovsType = ({ type, local, remote }: Want) =>
  type === "gre" && [local, remote].some((address) => address && address !== "flow" && family(address) === 6)
    ? "ip6gre"
    : type;

interface Raw {
  db: OvsDatabase;
  port: OvsPortState;
}

export const ovsTunnel = kind({
  name: "OvsTunnel",
  doc: "A tunnel as a port of an Open vSwitch bridge, as on Neutron's br-tun.",
  args,
  facts: z.object({
    ofport: z.number().optional().describe("The OpenFlow port number that it has."),
    error: z.string().optional().describe("What Open vSwitch says is wrong with it."),
  }),
  identity: ["name", "bridge", "type"],
  needs: ["ovs-vsctl"],
  mark: "externalIds",
  reset: { ...columnResets(interfaceColumns), ...columnResets(portColumns), externalIds: {} },
  claims: (want) => [
    portClaim(want.name),
    tunnelClaim(want),
    ...socketClaims(want),
    ...ofportClaims(want.bridge, want.ofportRequest),
  ],
  observe: () => ovsSections,
  find(want, seen) {
    const db = ovsDatabase(seen);
    const port = db.ports.get(want.name);
    const iface = port?.interfaces[0];
    if (!port || !iface) return undefined;
    const state = health(iface, db);
    const twin = state.broken || state.pending ? undefined : twinOf(port, seen);
    return {
      args: {
        ...{ name: want.name, bridge: port.bridge, ...tunnelArgs(port) },
        ...columnValues(portColumns, port.row),
        externalIds: externalIdsOf(port.row),
      } as Partial<Want>,
      facts: { ofport: iface.number("ofport"), error: iface.text("error") },
      marks: [markIn(port.row)],
      ...(twin ? { broken: `${twin} has its type, addresses and key, and one of them is dead (File exists)` } : state),
      raw: { db, port } satisfies Raw,
    };
  },
  survey: (namespace) => (namespace ? [] : ovsSections),
  list: (seen, namespace) =>
    [...(namespace ? [] : ovsDatabase(seen).ports.values())].flatMap((port) => {
      const { type, remote } = tunnelArgs(port);
      return types.includes(type as Want["type"])
        ? [{ name: port.row.name, bridge: port.bridge, type, remote } as Partial<Want>]
        : [];
    }),
  converge(want, live, context) {
    if (!live) return vsctl([["add-port", want.bridge, want.name], ...changes(want, undefined, context)]);
    const { port } = live.raw as Raw;
    if (port.bridge !== want.bridge || live.args.type !== want.type) {
      if (!isOwners(port.row, context)) {
        throw otherKind(`port ${want.name}`, `a port of type ${portType(port)} of bridge ${port.bridge}`);
      }
      return vsctl([["del-port", port.bridge, want.name]]);
    }
    // Made anew in the next round: as long as the port is there, ovs-vswitchd holds its extension against the other one.
    const other = want.extensions !== undefined && (want.extensions ?? undefined) !== live.args.extensions;
    if (other) return vsctl([["del-port", port.bridge, want.name]]);
    const commands = changes(want, port, context);
    if (live.broken && commands.length === 0)
      throw portError(`tunnel ${want.name} of bridge ${want.bridge}`, live.broken);
    return vsctl(commands);
  },
  remove: (live, want) => vsctl([["del-port", (live.raw as Raw).port.bridge, want.name]]),
  // A tunnel that does not work is shown as not there, so that the next `up` makes it anew.
  shown: (path, _want, live) => (path === "bridge" && live.broken ? undefined : get(live.args, path)),
});

function changes(want: Want, port: OvsPortState | undefined, context: Context<Want>): string[][] {
  const iface = port?.interfaces[0];
  const was = context.was.map((args) => args.externalIds);
  const type = port && portType(port) === ovsType(want) ? [] : [{ column: "type", value: ovsType(want) }];
  return [
    ...changeRecord("Port", want.name, [
      ...columnChanges(portColumns, want, port?.row),
      ...mapChanges("external_ids", want.externalIds, was, port?.row),
      ...markChange(port?.row, context),
    ]),
    ...changeRecord("Interface", want.name, [...type, ...columnChanges(interfaceColumns, want, iface)]),
  ];
}

const listensOn = ({ type, dstPort }: Pick<Want, "type" | "dstPort">) =>
  dstPort ?? { gre: undefined, vxlan: 4789, geneve: 6081 }[type];

/** One device of the kernel's serves all tunnels of a type and port: beside another's socket ovs-vswitchd tries for ever. */
function socketClaims(want: Want): string[] {
  const udp = listensOn(want);
  return udp ? ([4, 6] as const).map((over) => udpPortClaim(`${want.type} tunnels of Open vSwitch`, udp, over)) : [];
}

/** Open vSwitch tells tunnels apart by these, whichever bridge they are on (tnl_match in ofproto/tunnel.c). */
function tunnelClaim({ type, local, remote, key: both, inKey, dstPort, packetType = "legacy_l2" }: Place): string {
  const udp = listensOn({ type, dstPort });
  return `${type} tunnel from ${local ?? "any"} to ${remote} with key ${inKey ?? both ?? 0}${udp ? ` at UDP port ${udp}` : ""} for ${packetType}`;
}

type Place = Pick<Want, "type" | "local" | "remote" | "key" | "inKey" | "dstPort" | "packetType">;

/** What a port is in the words of the arguments, if it is a tunnel. */
const tunnelArgs = (port: OvsPortState) =>
  ({
    type: portType(port).replace("ip6gre", "gre"),
    ...(port.interfaces[0] && columnValues(interfaceColumns, port.interfaces[0])),
  }) as Place;

/**
 * A tunnel of somebody else's in the same place. One that was changed into it gets no error, and is dead until the other
 * is gone; which of them is, the database does not say. Two of ours are refused in preview, and may change places.
 */
function twinOf(port: OvsPortState, seen: Seen): string | undefined {
  const owner = ({ row }: OvsPortState) => ownerOf(markIn(row) ?? "");
  const there = livePlaces(seen).get(tunnelClaim(tunnelArgs(port))) ?? [];
  return there.find((other) => owner(other) !== owner(port))?.row.name;
}

/** The ports that Open vSwitch has made, by their place. */
const livePlaces = (seen: Seen) =>
  seen.derive("places of tunnels", () => {
    const places = new Map<string, OvsPortState[]>();
    for (const port of ovsDatabase(seen).ports.values()) {
      if ((port.interfaces[0]?.number("ofport") ?? -1) < 1) continue;
      const place = tunnelClaim(tunnelArgs(port));
      const others = places.get(place);
      if (others) others.push(port);
      else places.set(place, [port]);
    }
    return places;
  });
