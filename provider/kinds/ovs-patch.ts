import { z } from "zod";
import { type Context, kind } from "../kind";
import { otherKind } from "../model/errors";
import { type OvsDatabase, type OvsPortState, ovsDatabase, ovsSections } from "../model/ovs";
import { changeRecord, columnChanges, columnResets, columnValues, type OvsColumn, vsctl } from "../model/ovs-columns";
import { health, isOwners, markChange, markIn, portClaim, portError, portType, vlanTag } from "../model/ovs-port";
import { get } from "../model/path";
import { interfaceName, refersTo } from "../model/scalars";

const ends = ["a", "b"] as const;
type End = (typeof ends)[number];

const columns: OvsColumn[] = [{ path: "tag", column: "tag", as: "number" }];

// A patch port is no device of the kernel, so its name may be longer (ovs-vswitchd.conf.db(5), Interface.name).
const patchName = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/,
    "must be 1 to 64 letters, digits, '_', '.' or '-', beginning with a letter, digit or '_'",
  );

const end = z.strictObject({
  bridge: refersTo(interfaceName, "OvsBridge").describe("The Open vSwitch bridge. A change replaces the cable."),
  name: patchName.describe("The port's name, 1 to 64 characters. A change replaces the cable."),
  tag: vlanTag
    .optional()
    .describe("VLAN of an access port (`tag`), 0 to 4095. Default: none, so it carries all VLANs."),
});

const args = z
  .strictObject({
    a: end.describe("The port at one bridge."),
    b: end.describe("The port at the other bridge."),
  })
  .superRefine(({ a, b }, issues) => {
    if (a.name === b.name) issues.addIssue({ code: "custom", path: ["b", "name"], message: "must differ from a.name" });
    for (const [path, { name, bridge }] of Object.entries({ a, b })) {
      if (name !== bridge) continue;
      issues.addIssue({ code: "custom", path: [path, "name"], message: "must not be the bridge's own name" });
    }
  });

type Want = z.output<typeof args>;

interface Raw {
  db: OvsDatabase;
  ports: { [E in End]?: OvsPortState | undefined };
}

const endFacts = z.object({
  ofport: z.number().optional().describe("The OpenFlow port number that it has."),
  error: z.string().optional().describe("What Open vSwitch says is wrong with it."),
});

export const ovsPatch = kind({
  name: "OvsPatch",
  doc: "The virtual cable between two Open vSwitch bridges: a patch port at each.",
  args,
  facts: z.object({ a: endFacts.optional().describe("Port a as it is."), b: endFacts.optional().describe("Port b.") }),
  identity: ["a.bridge", "a.name", "b.bridge", "b.name"],
  needs: ["ovs-vsctl"],
  mark: "externalIds",
  reset: Object.fromEntries(
    ends.flatMap((side) => Object.entries(columnResets(columns)).map(([path, value]) => [`${side}.${path}`, value])),
  ),
  claims: (want) => ends.map((side) => portClaim(want[side].name)),
  observe: () => ovsSections,
  find(want, seen) {
    const db = ovsDatabase(seen);
    const ports = { a: db.ports.get(want.a.name), b: db.ports.get(want.b.name) };
    const present = ends.flatMap((side) => ports[side] ?? []);
    if (present.length === 0) return undefined;
    const half = present.length === 1 ? `only port ${present[0]?.row.name} is there` : undefined;
    // `error` may be set though the port has a number: "No usable peer" (seen with OVS 3.1).
    const states = present.flatMap((port) => port.interfaces.map((row) => health(row, db)));
    return {
      args: {
        // An end that is plugged elsewhere is not there.
        a: ports.a && peerOf(ports.a) === want.b.name ? liveEnd(ports.a) : undefined,
        b: ports.b && peerOf(ports.b) === want.a.name ? liveEnd(ports.b) : undefined,
      } as Partial<Want>,
      facts: { a: ports.a && factsOf(ports.a), b: ports.b && factsOf(ports.b) },
      marks: present.map((port) => markIn(port.row)),
      pending: states.map((state) => state.pending).find(Boolean),
      broken: half ?? apart(db, present) ?? states.map((state) => state.broken).find(Boolean),
      raw: { db, ports } satisfies Raw,
    };
  },
  survey: (namespace) => (namespace ? [] : ovsSections),
  list: (seen, namespace) =>
    [...(namespace ? [] : ovsDatabase(seen).ports.values())].flatMap((port) => {
      const peer = ovsDatabase(seen).ports.get(peerOf(port) ?? "");
      const first = peer && peerOf(peer) === port.row.name && port.row.name < peer.row.name;
      return first ? [{ a: liveEnd(port), b: liveEnd(peer) } as Want] : [];
    }),
  converge(want, live, context) {
    const ports = live ? (live.raw as Raw).ports : {};
    const misplaced = ends.flatMap((side) => wrongPort(want, side, ports[side], context));
    // Ours, but at another bridge: taken away now, made in the next round.
    if (misplaced.length > 0) return vsctl(misplaced);
    const commands = ends.flatMap((side) => endCommands(want, side, ports[side], context));
    if (live?.broken && commands.length === 0) throw portError(`patch ${want.a.name} - ${want.b.name}`, live.broken);
    return vsctl(commands);
  },
  remove(live) {
    const { ports } = live.raw as Raw;
    const present = ends.flatMap((side) => ports[side] ?? []);
    return vsctl(present.map((port) => ["del-port", port.bridge, port.row.name]));
  },
  // A cable that does not work is shown as not there, so that the next `up` makes it anew.
  shown: (path, _want, live) => (path === "a.bridge" && live.broken ? undefined : get(live.args, path)),
});

/**
 * A cable between two datapaths carries nothing. ovs-vswitchd says so in `error`, but forgets it again at the next change
 * of anything in its database (seen with OVS 3.1).
 */
function apart(db: OvsDatabase, ports: OvsPortState[]): string | undefined {
  const types = ports.map(({ bridge }) => db.bridges.get(bridge)?.text("datapath_type") ?? "system");
  if (new Set(types).size < 2) return undefined;
  return `No usable peer: ${ports.map(({ bridge }, at) => `${bridge} is in datapath ${types[at]}`).join(", ")}`;
}

const peerOf = ({ interfaces: [iface] }: OvsPortState) => iface?.map("options").peer;

const liveEnd = ({ row, bridge }: OvsPortState) => ({ bridge, name: row.name, ...columnValues(columns, row) });

const factsOf = ({ interfaces: [iface] }: OvsPortState) => ({
  ofport: iface?.number("ofport"),
  error: iface?.text("error"),
});

/** What takes away a port of that name at another bridge or of another type. Throws FOREIGN when it is not ours. */
function wrongPort(want: Want, side: End, port: OvsPortState | undefined, context: Context<Want>): string[][] {
  if (!port || (port.bridge === want[side].bridge && portType(port) === "patch")) return [];
  if (!isOwners(port.row, context)) {
    throw otherKind(`port ${port.row.name}`, `a port of type ${portType(port)} of bridge ${port.bridge}`);
  }
  return [["del-port", port.bridge, port.row.name]];
}

function endCommands(want: Want, side: End, port: OvsPortState | undefined, context: Context<Want>): string[][] {
  const { name, bridge } = want[side];
  const peer = want[side === "a" ? "b" : "a"].name;
  const changes = [...columnChanges(columns, get(want, side), port?.row), ...markChange(port?.row, context)];
  const plug = ["set", "Interface", name, "type=patch", `options:peer=${JSON.stringify(peer)}`];
  return [
    ...(port ? [] : [["add-port", bridge, name]]),
    ...changeRecord("Port", name, changes),
    ...(port && peerOf(port) === peer ? [] : [plug]),
  ];
}
