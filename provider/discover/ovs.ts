import type { Seen } from "../host/seen";
import type { Section } from "../model/command";
import { HostnetError } from "../model/errors";
import { type OvsPortState, ovsDatabase } from "../model/ovs";
import { portClaim, portType } from "../model/ovs-port";
import { OvsRow } from "../model/ovs-row";
import { validate } from "../validate";
import { undeclared } from "./attached";
import type { Left } from "./leftovers";
import type { Thing } from "./survey";

/** What can be set in the database, and no argument says. Names of rows: where there is no `name`, another column. */
const columns: Record<string, { name: string; more: string }> = {
  Bridge: { name: "name", more: "mirrors netflow sflow ipfix flow_tables flood_vlans auto_attach" },
  Port: { name: "name", more: "fake_bridge bond_fake_iface mac" },
  Interface: { name: "name", more: "bfd cfm_mpid lldp other_config" },
  Controller: {
    name: "target",
    more: "connection_mode local_ip local_netmask local_gateway max_backoff inactivity_probe controller_rate_limit controller_burst_limit",
  },
  Open_vSwitch: { name: "ovs_version", more: "other_config external_ids manager_options ssl" },
};

/** What its own scripts write (ovs-ctl). */
const own = ["hostname", "rundir", "system-id"];

const selects = Object.entries(columns).map(([table, { name, more }]) => ({
  op: "select",
  table,
  where: [],
  columns: [name, ...more.split(" ")],
}));

export const moreOvsSection: Section = {
  key: "ovsdb:more",
  argv: ["ovsdb-client", "--timeout=10", "transact", JSON.stringify(["Open_vSwitch", ...selects])],
};

/** Ports that no resource describes, and what of Open vSwitch's configuration none does. Throws READ_FAILED. */
export function ovsLeft(seen: Seen, things: Thing[]): Left[] {
  if (!seen.has("ovsdb")) return [];
  const claimed = new Set(things.flatMap(({ kind, args }) => kind.claims(validate(kind.args, args).value)));
  const ports = [...ovsDatabase(seen).ports.values()];
  return [
    ...ports
      .filter(({ row, bridge }) => row.name !== bridge && !claimed.has(portClaim(row.name)))
      .map((port) => ({
        name: port.row.name,
        type: "port",
        why: `no resource describes it: its type is ${portType(port)}`,
      })),
    ...ports.filter(isPlain).flatMap(({ row }) => {
      const said = [
        ...["trunks", "vlan_mode", "cvlans", "qos", "protected"].filter((column) => row.list(column).some(Boolean)),
        ...Object.keys(row.map("other_config")).map((key) => `other_config:${key}`),
      ];
      return said.length === 0 ? [] : [{ name: row.name, type: "Port of Open vSwitch", why: undeclared(said) }];
    }),
    ...rowsLeft(seen),
  ];
}

/** Ports of patches and tunnels, of which a resource says no more than a tag. */
const isPlain = (port: OvsPortState) => !["system", "internal", "bond"].includes(portType(port));

function rowsLeft(seen: Seen): Left[] {
  const answers = seen.json<({ rows?: Record<string, unknown>[]; error?: string } | null)[]>(moreOvsSection.key);
  const refused = answers.find((answer) => answer?.error)?.error;
  if (refused !== undefined) throw new HostnetError("READ_FAILED", `Open vSwitch's database says: ${refused}`);
  return Object.entries(columns).flatMap(([table, { name, more }], at) =>
    (answers[at]?.rows ?? []).flatMap((row) => {
      const said = more.split(" ").flatMap((column) => textOf(row, column));
      if (said.length === 0) return [];
      const whole = { name: "Open vSwitch", type: "settings of" };
      const part = { name: String(new OvsRow(row).one(name)), type: `${table} of Open vSwitch` };
      return [{ ...(table === "Open_vSwitch" ? whole : part), why: undeclared(said) }];
    }),
  );
}

function textOf(row: Record<string, unknown>, column: string): string[] {
  const value = row[column];
  if (!Array.isArray(value))
    return value === false || value === "" || value === undefined ? [] : [wordOf(column, value)];
  const [tag, items] = value as [string, unknown[]];
  if (tag === "map") {
    const pairs = (items as [string, unknown][]).filter(([key]) => !own.includes(key));
    return pairs.map(([key, item]) => wordOf(`${column}:${key}`, item));
  }
  return tag === "set" && items.length === 0 ? [] : [column];
}

/** Of other rows no more is said than that they are there. */
const wordOf = (column: string, value: unknown) =>
  value === true || Array.isArray(value) ? column : `${column}=${value}`;
