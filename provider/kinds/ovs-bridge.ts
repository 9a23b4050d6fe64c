import { z } from "zod";
import { type Context, kind } from "../kind";
import type { Step } from "../model/command";
import { HostnetError, otherKind } from "../model/errors";
import { linkFactsOf } from "../model/link";
import { linkFacts, linkReset } from "../model/link-args";
import { layer3Claims, linkClaim, shownLink } from "../model/link-kind";
import { type LinkState, linkSections, linkState } from "../model/link-state";
import { type OvsDatabase, ovsDatabase, ovsSections } from "../model/ovs";
import { bridgeColumns, bridgeMtu, hwaddr, type OvsBridgeArgs, ovsBridgeArgs } from "../model/ovs-bridge-args";
import {
  changeRecord,
  columnChanges,
  columnResets,
  columnValues,
  mapChanges,
  rebuildsDevice,
  vsctl,
} from "../model/ovs-columns";
import {
  convergeDevice,
  deviceArgs,
  deviceMade,
  macChange,
  macIn,
  mtuChange,
  mtuPending,
  withDeviceNeighbors,
} from "../model/ovs-device";
import { externalIdsOf, health, isOwners, markChange, markIn, portClaim, portError } from "../model/ovs-port";
import type { OvsRow } from "../model/ovs-row";
import { get, same } from "../model/path";

type Want = OvsBridgeArgs;

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
  args: ovsBridgeArgs,
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
    ...columnResets(bridgeMtu),
    ...{ controllers: [], otherConfig: {}, externalIds: {}, up: linkReset.up, addresses: linkReset.addresses },
  },
  claims: (want) => [portClaim(want.name), linkClaim(undefined, want.name), ...layer3Claims(want as never)],
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
        ...(iface && columnValues(bridgeMtu, iface)),
        ...(link && deviceArgs(link)),
        mac: macIn(hwaddr, row) ?? link?.json.address,
        controllers,
        otherConfig: row.map("other_config"),
        externalIds: externalIdsOf(row),
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
  list: (seen, namespace) => (namespace ? [] : [...ovsDatabase(seen).bridges.keys()].map((name) => ({ name }))),
  survey: (namespace) => (namespace ? [] : ovsSections),
  *inquire(want, live, host, context) {
    const raw = live.raw as Raw;
    if (!raw.row || !raw.link) return live;
    return { ...live, raw: { ...raw, link: yield* withDeviceNeighbors(host, want, raw.link, context) } };
  },
  converge(want, live, context) {
    if (!live)
      return [...write(want, { controllers: [] }, context, [["add-br", want.name]]), ...deviceMade(want, context)];
    const raw = live.raw as Raw;
    if (!raw.row) throw otherKind(`device ${want.name}`, "not of an Open vSwitch bridge");
    const steps = write(want, raw, context);
    // The device's own steps wait until Open vSwitch is proven to have it. Without `up`, only drift asks.
    if (live.broken && steps.length === 0 && want.up !== undefined) throw portError(`bridge ${want.name}`, live.broken);
    const ready = raw.link && !live.broken && !rebuildsDevice(bridgeColumns, want, raw.row);
    return ready ? [...steps, ...convergeDevice(want, raw.link as LinkState, context)] : steps;
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
  // The devices of all its ports are made anew, in the host's own namespace and with nothing of what was set on them.
  replaces: (was, want) => (datapathOf(was) === datapathOf(want) ? [] : ["datapathType"]),
  shown(path, want, live) {
    const { link } = live.raw as Raw;
    if (path === "mac" && want.mac === "kernel") return want.mac;
    if (path === "up" && live.broken) return undefined;
    return link ? shownLink(path, want as never, link, live.args) : get(live.args, path);
  },
});

const datapathOf = ({ datapathType = "system" }: Want) => datapathType;

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
