import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { HostnetError } from "./errors";
import { OvsRow } from "./ovs-row";

/** What is read of each table: no statistics, they are most of the database. */
const tables = {
  Open_vSwitch: ["cur_cfg", "next_cfg"],
  Bridge: [
    "_uuid name ports controller datapath_id datapath_type fail_mode protocols stp_enable rstp_enable",
    "mcast_snooping_enable other_config external_ids",
  ],
  Port: [
    "_uuid name interfaces tag trunks cvlans vlan_mode bond_mode bond_updelay bond_downdelay lacp protected qos",
    "other_config external_ids",
  ],
  Interface: [
    "_uuid name type error ofport ofport_request ifindex options mac mac_in_use mtu mtu_request ingress_policing_rate",
    "ingress_policing_burst external_ids",
  ],
  Controller: ["_uuid target"],
  QoS: ["_uuid type queues other_config external_ids"],
  Queue: ["_uuid dscp other_config external_ids"],
} as const;

type Table = keyof typeof tables;

const selects = Object.entries(tables).map(([table, columns]) => ({
  op: "select",
  table,
  where: [],
  columns: columns.join(" ").split(" "),
}));

/** The whole configuration in one process and one transaction: half of what `ovs-vsctl list` costs, and never torn. */
export const ovsdbSection: Section = {
  key: "ovsdb",
  argv: ["ovsdb-client", "--timeout=10", "transact", JSON.stringify(["Open_vSwitch", ...selects])],
};

/** The names of listening sockets tell whether ovs-vswitchd runs; the database answers without it too. */
export const ovsSections: Section[] = [
  ovsdbSection,
  { key: "ovs-vswitchd", argv: ["grep", "-Eo", String.raw`ovs-vswitchd\.[0-9]+\.ctl`, "/proc/net/unix"] },
];

/** A port of a bridge, with its interfaces: one, or the members of a bond. */
export interface OvsPortState {
  row: OvsRow;
  bridge: string;
  interfaces: OvsRow[];
}

export interface OvsDatabase {
  bridges: Map<string, OvsRow>;
  /** By name, which is unique on a host. A bridge's own port has the bridge's name. */
  ports: Map<string, OvsPortState>;
  /** The other tables, by uuid. */
  rows: Record<"Controller" | "QoS" | "Queue", Map<string, OvsRow>>;
  /** ovs-vswitchd has done all that ovs-vsctl has written. */
  settled: boolean;
}

const start = "On the host: `systemctl start openvswitch-switch` (Debian) or `systemctl start openvswitch`.";

/** The database as it is. Throws READ_FAILED when it, or the daemon that obeys it, is not there. */
export function ovsDatabase(seen: Seen): OvsDatabase {
  return seen.derive("ovs", () => read(seen));
}

function read(seen: Seen): OvsDatabase {
  const { exitCode, stderr } = seen.result(ovsdbSection.key);
  if (exitCode !== 0) {
    const step = "ovsdb-client transact";
    throw new HostnetError("READ_FAILED", "Open vSwitch's database does not answer", {
      ...{ step, exitCode, stderr, remedy: start },
    });
  }
  // With the daemon gone every write would wait out its timeout, and what it reports is of yesterday.
  if (seen.result("ovs-vswitchd").stdout.trim() === "") {
    throw new HostnetError("READ_FAILED", "ovs-vswitchd does not run", { remedy: start });
  }
  return indexed(seen);
}

/** What the database has answered; read once for all who ask. */
const indexed = (seen: Seen): OvsDatabase =>
  seen.derive(ovsdbSection.key, () => index(parse(seen.result(ovsdbSection.key).stdout)));

/** One interface of a port. */
export interface OvsInterface {
  bridge: string;
  device: string;
  type: string;
  /** The other end of a patch. */
  peer?: string | undefined;
}

/** What is plugged into bridges, also while ovs-vswitchd does not run; undefined when the database does not answer. */
export function ovsPorts(seen: Seen): OvsInterface[] | undefined {
  if (seen.result(ovsdbSection.key).exitCode !== 0) return undefined;
  return [...indexed(seen).ports.values()].flatMap(({ bridge, interfaces }) =>
    interfaces.map((row) => ({
      ...{ bridge, device: row.name, type: row.text("type") ?? "" },
      peer: row.map("options").peer,
    })),
  );
}

type Answer = { rows?: Record<string, unknown>[]; error?: string; details?: string } | null;

function parse(text: string): Record<Table, OvsRow[]> {
  let answers: Answer[];
  try {
    answers = JSON.parse(text) as Answer[];
  } catch (cause) {
    throw new HostnetError("READ_FAILED", "what Open vSwitch's database answers is not JSON", { cause });
  }
  const refusal = answers.find((answer) => answer?.error);
  if (refusal) {
    throw new HostnetError("READ_FAILED", `Open vSwitch's database says: ${refusal.details ?? refusal.error}`, {
      remedy: "Open vSwitch may be too old: hostnet needs 2.5 or later.",
    });
  }
  const names = Object.keys(tables) as Table[];
  return Object.fromEntries(
    names.map((table, at) => [table, (answers[at]?.rows ?? []).map((row) => new OvsRow(row))]),
  ) as never;
}

function index(all: Record<Table, OvsRow[]>): OvsDatabase {
  const byUuid = (table: Table) => new Map(all[table].map((row) => [row.uuid, row]));
  const interfaces = byUuid("Interface");
  const portRows = byUuid("Port");
  const ports = new Map<string, OvsPortState>();
  for (const bridge of all.Bridge) {
    for (const row of bridge.list("ports").flatMap((uuid) => portRows.get(String(uuid)) ?? [])) {
      const members = row.list("interfaces").flatMap((uuid) => interfaces.get(String(uuid)) ?? []);
      members.sort((a, b) => (a.name < b.name ? -1 : 1));
      ports.set(row.name, { row, bridge: bridge.name, interfaces: members });
    }
  }
  const [root] = all.Open_vSwitch;
  return {
    bridges: new Map(all.Bridge.map((row) => [row.name, row])),
    ports,
    rows: { Controller: byUuid("Controller"), QoS: byUuid("QoS"), Queue: byUuid("Queue") },
    settled: root === undefined || root.one("cur_cfg") === root.one("next_cfg"),
  };
}
