import { z } from "zod";
import { type Context, kind } from "../kind";
import type { Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { linkFacts, linkFactsOf, linkReset } from "../model/link";
import { addressClaims, linkClaim, shownLink } from "../model/link-kind";
import { type LinkState, linkSections, linkState } from "../model/link-state";
import { type OvsDatabase, ovsDatabase, ovsSections } from "../model/ovs";
import {
  changeRecord,
  columnChanges,
  columnResets,
  columnValues,
  mapChanges,
  type OvsColumn,
  reservedIn,
  vsctl,
} from "../model/ovs-columns";
import {
  convergeDevice,
  deviceArgs,
  deviceNameTaken,
  deviceShape,
  macChange,
  macIn,
  mtuChange,
  mtuColumn,
  mtuPending,
  settled,
} from "../model/ovs-device";
import {
  externalIdsArgument,
  health,
  isOwners,
  markChange,
  markIn,
  notOurs,
  portClaim,
  portError,
  textMap,
} from "../model/ovs-port";
import type { OvsRow } from "../model/ovs-row";
import { get, same } from "../model/path";
import { interfaceName, macAddress, mtu } from "../model/scalars";

// Tables and defaults: ovs-vswitchd.conf.db(5) of 3.1.
const bridgeColumns: OvsColumn[] = [
  { path: "failMode", column: "fail_mode", as: "text" },
  { path: "datapathType", column: "datapath_type", as: "text", default: "system", full: true },
  { path: "protocols", column: "protocols", as: "list", default: [] },
  { path: "stp", column: "stp_enable", as: "boolean", default: false, full: true },
  { path: "rstp", column: "rstp_enable", as: "boolean", default: false, full: true },
  { path: "mcastSnooping", column: "mcast_snooping_enable", as: "boolean", default: false, full: true },
  { path: "datapathId", column: "other_config", key: "datapath-id", as: "text" },
];
const interfaceColumns = [mtuColumn("mtu")];
const hwaddr = { column: "other_config", key: "hwaddr" };

const controller = z
  .string()
  .regex(
    /^((tcp|ssl):[^\s,"']+|(ptcp|pssl):[^\s,"']*|p?unix:[^\s,"']+)$/,
    "must be tcp:, ssl:, ptcp:, pssl:, unix: or punix: with an address, as tcp:192.0.2.1:6653",
  );

const args = z
  .strictObject({
    name: interfaceName.describe(
      "The bridge's name, and that of its own port and device, 1 to 15 characters. Default: the last part of the resource's name after '/'.",
    ),
    failMode: z
      .enum(["secure", "standalone"])
      .optional()
      .describe(
        "What the bridge does without a controller (`fail_mode`): `standalone` switches like a learning switch, `secure` does only what flows say, and drops everything while there are none. A change takes away all flows, groups and meters. Default of Open vSwitch: standalone.",
      ),
    datapathType: z
      .enum(["system", "netdev"])
      .optional()
      .describe(
        "Who forwards the packets (`datapath_type`): `system`, the kernel's module, or `netdev`, ovs-vswitchd itself. A change builds the datapath anew. Default of Open vSwitch: system.",
      ),
    protocols: z
      .array(z.enum(["OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15"]))
      .optional()
      .describe(
        "OpenFlow versions that the bridge speaks (`protocols`). Without OpenFlow10 a plain `ovs-ofctl` fails and needs `-O`. Default of Open vSwitch: all.",
      ),
    controllers: z
      .array(controller)
      .refine((list) => new Set(list).size === list.length, "must not name a controller twice")
      .optional()
      .describe(
        "OpenFlow controllers, as `tcp:192.0.2.1:6653`; exactly these. The first one to come and the last one to go take away all flows. Default of Open vSwitch: none.",
      ),
    stp: z
      .boolean()
      .optional()
      .describe("Run the spanning tree protocol (`stp_enable`). Default of Open vSwitch: false."),
    rstp: z
      .boolean()
      .optional()
      .describe("Run the rapid spanning tree protocol (`rstp_enable`), not together with `stp`. Default: false."),
    mcastSnooping: z
      .boolean()
      .optional()
      .describe(
        "Forward multicast only where it is listened to (`mcast_snooping_enable`). Default of Open vSwitch: false.",
      ),
    mac: z
      .union([z.literal("kernel"), macAddress])
      .optional()
      .describe(
        "MAC address of the bridge's own port (`other_config:hwaddr`); the datapath id follows it. Default: derived from owner and name, so that a rebuilt bridge keeps it; `kernel` leaves it to Open vSwitch, which takes the lowest of the ports'.",
      ),
    mtu: mtu
      .optional()
      .describe(
        "MTU of the bridge's own port in bytes (`mtu_request`), 68 to 65535. Default of Open vSwitch: the lowest of the ports'.",
      ),
    datapathId: z
      .string()
      .regex(/^(?!0{16})[0-9a-f]{16}$/, "must be 16 hex digits in lower case, not all zeros")
      .optional()
      .describe(
        "OpenFlow datapath id, 16 hex digits (`other_config:datapath-id`). Default of Open vSwitch: from the MAC address.",
      ),
    otherConfig: textMap({
      ...Object.fromEntries(Object.entries(reservedIn(bridgeColumns, "other_config")).map(useArgument)),
      hwaddr: "use the argument `mac`",
    })
      .optional()
      .describe(
        "More settings (`other_config`), as { 'mac-aging-time': 600, 'forward-bpdu': true }. Keys that others set stay; a removed key of ours goes.",
      ),
    externalIds: externalIdsArgument("bridge"),
    ...deviceShape,
  })
  .superRefine(({ name, stp, rstp }, issues) => {
    const taken = deviceNameTaken(name, undefined);
    if (taken) issues.addIssue({ code: "custom", path: ["name"], message: taken });
    if (stp && rstp) issues.addIssue({ code: "custom", path: ["rstp"], message: "must not be true together with stp" });
  });

function useArgument([key, path]: [string, string]): [string, string] {
  return [key, `use the argument \`${path}\``];
}

type Want = z.output<typeof args>;

/** What converge and remove need of the answers. */
interface Raw {
  db: OvsDatabase;
  /** Absent: only a device of that name is there. */
  row?: OvsRow;
  iface?: OvsRow;
  link?: LinkState;
  controllers: string[];
}

export const ovsBridge = kind({
  name: "OvsBridge",
  doc: "An Open vSwitch bridge and its internal port, which is a device of the bridge's name in the host's own namespace.",
  args,
  facts: z.object({
    datapathId: z.string().optional().describe("The OpenFlow datapath id that it has."),
    ports: z.array(z.string()).describe("Its ports, also those of others, but for its own."),
    device: linkFacts.optional().describe("Its device as it is."),
  }),
  identity: ["name"],
  needs: ["ovs-vsctl", "ip"],
  mark: "externalIds",
  reset: {
    ...columnResets(bridgeColumns),
    ...columnResets(interfaceColumns),
    ...{ controllers: [], otherConfig: {}, externalIds: {}, up: linkReset.up, addresses: linkReset.addresses },
  },
  claims: (want) => [portClaim(want.name), linkClaim(undefined, want.name), ...addressClaims(want as never)],
  observe: () => [...ovsSections, ...linkSections(undefined, { ipv6: true })],
  find(want, seen) {
    const db = ovsDatabase(seen);
    const row = db.bridges.get(want.name);
    const link = linkState(seen, undefined, want.name);
    if (!row) {
      // Open vSwitch would make the row, fail to make the device, and exit with 0.
      const raw: Raw = { db, link, controllers: [] };
      return link && { args: {}, facts: { ports: [] }, marks: [undefined], raw };
    }
    const iface = db.ports.get(want.name)?.interfaces[0];
    const controllers = row
      .list("controller")
      .map((uuid) => db.rows.Controller.get(String(uuid))?.text("target") ?? "")
      .sort();
    const ports = [...db.ports.values()].filter((port) => port.bridge === want.name && port.row.name !== want.name);
    const state = iface ? health(iface, db) : { broken: `ovs-vswitchd could not set up ${want.name}` };
    const away = state.broken || state.pending || link ? undefined : "its device is not in the host's own namespace";
    return {
      args: {
        name: want.name,
        ...columnValues(bridgeColumns, row),
        ...(iface && columnValues(interfaceColumns, iface)),
        ...(link && deviceArgs(link)),
        mac: macIn(hwaddr, row) ?? link?.json.address,
        controllers,
        otherConfig: row.map("other_config"),
        externalIds: row.map("external_ids"),
      } as Partial<Want>,
      facts: {
        datapathId: row.text("datapath_id"),
        ports: ports.map((port) => port.row.name).sort(),
        device: link && linkFactsOf(link),
      },
      marks: [markIn(row)],
      pending: state.pending ?? (link && iface && mtuPending(want, link, iface)),
      broken: state.broken ?? away,
      raw: { db, row, iface, link, controllers } satisfies Raw,
    };
  },
  list: (seen) => [...ovsDatabase(seen).bridges.keys()].map((name) => ({ name })),
  converge(want, live, context) {
    if (!live) return [...write(want, { controllers: [] }, context, [["add-br", want.name]]), settled];
    const raw = live.raw as Raw;
    if (!raw.row) throw notOurs(`device ${want.name}`, "not of an Open vSwitch bridge");
    const steps = write(want, raw, context);
    // The device's own steps wait until Open vSwitch is proven to have made it. Without `up`, only drift asks.
    if (live.broken && steps.length === 0 && want.up !== undefined) throw portError(`bridge ${want.name}`, live.broken);
    return raw.link && !live.broken ? [...steps, ...convergeDevice(want, raw.link, context)] : steps;
  },
  remove(live, want, context) {
    const { db } = live.raw as Raw;
    const others = [...db.ports.values()].filter((port) => port.bridge === want.name && port.row.name !== want.name);
    const foreign = others.filter((port) => !isOwners(port.row, context)).map((port) => port.row.name);
    if (foreign.length > 0) {
      throw new HostnetError(
        "IN_USE",
        `bridge ${want.name} has ports that are not ours: ${foreign.sort().join(", ")}`,
        {
          remedy: "Delete them (`ovs-vsctl del-port`), then run the command again.",
        },
      );
    }
    return vsctl([["del-br", want.name]], [want.name, ...others.map((port) => port.row.name)]);
  },
  shown(path, want, live) {
    const { link } = live.raw as Raw;
    if (path === "mac" && want.mac === "kernel") return want.mac;
    if (path === "up" && live.broken) return undefined;
    return link && path === "addresses" ? shownLink(path, want as never, link, live.args) : get(live.args, path);
  },
});

/** All that the database holds of the bridge, in one transaction: a bridge must not stand a moment without its fail mode. */
function write(want: Want, live: Omit<Raw, "db">, context: Context<Want>, before: string[][] = []): Step[] {
  const { row, iface, link } = live;
  const was = (path: string) => context.was.map((args) => get(args, path) as never);
  const bridge = [
    ...columnChanges(bridgeColumns, want, row),
    ...macChange(hwaddr, { name: want.name, mac: want.mac }, was("mac"), row, context),
    ...mapChanges("other_config", want.otherConfig, was("otherConfig"), row),
    ...mapChanges("external_ids", want.externalIds, was("externalIds"), row),
    ...markChange(row, context),
  ];
  const commands = [
    ...before,
    ...changeRecord("Bridge", want.name, bridge),
    ...changeRecord("Interface", want.name, mtuChange(want, iface, link)),
    ...controllerCommands(want, live.controllers),
  ];
  return vsctl(commands, row && [want.name]);
}

function controllerCommands({ name, controllers }: Want, live: string[]): string[][] {
  if (controllers === undefined || same([...controllers].sort(), live)) return [];
  return controllers.length > 0 ? [["set-controller", name, ...controllers]] : [["del-controller", name]];
}
