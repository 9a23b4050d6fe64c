import { z } from "zod";
import type { Context } from "../kind";
import type { OvsDatabase } from "./ovs";
import { isOwners, markKey, textMap } from "./ovs-port";
import type { OvsRow } from "./ovs-row";
import { same } from "./path";
import { between } from "./scalars";

/** Of which port a QoS or Queue row is. Such rows stay when their port goes: nothing else finds them again. */
const portKey = "hostnet-port";

const bits = (doc: string) =>
  between(1, Number.MAX_SAFE_INTEGER).optional().describe(`${doc}, in bit/s. Default of Open vSwitch: no limit.`);

const queue = z.strictObject({
  id: between(0, 61439).describe(
    "The queue's number, as in OpenFlow's set_queue, up to 61439; 0 is the default queue.",
  ),
  minRate: between(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("Bandwidth that it is sure to get (`min-rate`), in bit/s. Default of Open vSwitch: the least possible."),
  maxRate: bits("Bandwidth that it never exceeds (`max-rate`)"),
  burst: between(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe("What it may send at once after idling (`burst`, linux-htb only), in bits. Default: as little as works."),
  priority: between(0, 2 ** 32 - 1)
    .optional()
    .describe("Queues with a smaller number are served first (`priority`, linux-htb only). Default: 0."),
  dscp: between(0, 63).optional().describe("DSCP that packets leave with (`dscp`), 0 to 63. Default: as they came."),
});

export const qosArgument = z
  .strictObject({
    type: z
      .enum([
        ...([
          "linux-htb",
          "linux-hfsc",
          "linux-sfq",
          "linux-codel",
          "linux-fq_codel",
          "linux-netem",
          "linux-noop",
        ] as const),
        ...(["egress-policer", "trtcm-policer"] as const),
      ])
      .describe(
        "The queueing discipline of what leaves by the port (`QoS.type`); `linux-noop` keeps Open vSwitch's hands off it. The policers are DPDK's.",
      ),
    maxRate: bits("Bandwidth of all queues together (`max-rate`, linux-htb and linux-hfsc)"),
    queues: z
      .array(queue)
      .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, "must not have two queues of one id")
      .optional()
      .describe("The queues; without a queue 0 Open vSwitch makes one with defaults."),
    otherConfig: textMap({ "max-rate": "use the argument `qos.maxRate`" })
      .optional()
      .describe(
        "More settings of the type (`QoS.other_config`), as { latency: 20000 } of linux-netem, in microseconds.",
      ),
  })
  .describe("Quality of service of what leaves by the port (`qos`). Default: none.");

export type Qos = z.output<typeof qosArgument>;
type Queue = z.output<typeof queue>;

/** The keys of Queue.other_config. */
const queueKeys = { minRate: "min-rate", maxRate: "max-rate", burst: "burst", priority: "priority" } as const;
const queueEntries = Object.entries(queueKeys) as [keyof typeof queueKeys, string][];

/** The QoS of a port in the words of the arguments, but for settings of other types than numbers. */
export function liveQos(port: OvsRow, { rows }: OvsDatabase): Qos | undefined {
  const row = rows.QoS.get(String(port.one("qos")));
  if (!row) return undefined;
  const { "max-rate": maxRate, ...otherConfig } = row.map("other_config");
  const queues = Object.entries(row.map("queues")).flatMap(([id, uuid]) => {
    const found = rows.Queue.get(uuid);
    return found ? [liveQueue(Number(id), found)] : [];
  });
  return normal({
    type: String(row.one("type")) as Qos["type"],
    maxRate: maxRate === undefined ? undefined : Number(maxRate),
    queues,
    otherConfig,
  });
}

function liveQueue(id: number, row: OvsRow): Queue {
  const config = row.map("other_config");
  const numbers = queueEntries.flatMap(([argument, key]) =>
    config[key] === undefined ? [] : [[argument, Number(config[key])]],
  );
  return { id, ...Object.fromEntries(numbers), dscp: row.number("dscp") };
}

/** One form for what is declared and what is read. */
function normal({ type, maxRate, queues = [], otherConfig = {} }: Qos): Qos {
  const plain = queues.map((item) =>
    Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)),
  );
  return {
    type,
    ...(maxRate !== undefined && { maxRate }),
    ...(queues.length > 0 && { queues: (plain as Queue[]).sort((a, b) => a.id - b.id) }),
    ...(Object.keys(otherConfig).length > 0 && { otherConfig }),
  };
}

/**
 * The commands that give a port its quality of service, always in new rows: the port changes over to them in one
 * transaction, and ovs-vswitchd alters the discipline in place where the type stays. null: none any more. A port that is
 * taken over brings the rows that are its alone, and as they are declared.
 */
export function qosCommands(
  name: string,
  want: Qos | null | undefined,
  port: OvsRow | undefined,
  db: OvsDatabase | undefined,
  context: Context<unknown>,
): string[][] {
  const current = db?.rows.QoS.get(String(port?.one("qos")));
  const ours = current !== undefined && isOwners(current, context);
  const live = port && db && liveQos(port, db);
  if (want && port && db && current && !isOwners(port, context) && same(normal(want), live)) {
    const rows = takenAlong(port, current, db);
    if (rows) return rows.map(({ table, uuid }) => ["set", table, uuid, ...idsOf(name, context)]);
  }
  // A row that somebody else made is left as it is, and replaced by one of ours when one is declared.
  const keep = want ? ours && same(normal(want), live) : want === undefined || !ours;
  const old = db ? rowsOf(name, db, context, keep ? current : undefined) : [];
  if (keep) return destroy(old);
  return [...(want ? create(name, want, context) : [["clear", "Port", name, "qos"]]), ...destroy(old)];
}

/** The commands that take away what the port would leave behind. */
export function qosRemoval(name: string, port: OvsRow, db: OvsDatabase, context: Context<unknown>): string[][] {
  const old = rowsOf(name, db, context, undefined);
  const used = old.some(({ uuid }) => uuid === port.one("qos"));
  return [...(used ? [["clear", "Port", name, "qos"]] : []), ...destroy(old)];
}

/** The commands that take away what a port has left behind that is gone: only ours name it. */
export const qosRemains = (name: string, db: OvsDatabase, context: Context<unknown>): string[][] =>
  db.ports.has(name) ? [] : destroy(rowsOf(name, db, context, undefined));

/** The live queues in the order of the declared ones. */
export function shownQueues(want: Qos | undefined, live: Qos | undefined): Queue[] | undefined {
  const at = ({ id }: Queue) => want?.queues?.findIndex((queue) => queue.id === id) ?? -1;
  const place = (queue: Queue) => (at(queue) < 0 ? Number.POSITIVE_INFINITY : at(queue));
  return live?.queues && [...live.queues].sort((a, b) => place(a) - place(b) || a.id - b.id);
}

/** The rows of a port's quality of service; undefined where one of them, marked or used elsewhere, is not the port's alone. */
function takenAlong(port: OvsRow, qos: OvsRow, { ports, rows }: OvsDatabase) {
  const queues = [...new Set(Object.values(qos.map("queues")))].flatMap((uuid) => rows.Queue.get(uuid) ?? []);
  const users = [...ports.values()].filter(({ row }) => row.one("qos") === qos.uuid && row.uuid !== port.uuid);
  const others = [...rows.QoS.values()].filter(({ uuid }) => uuid !== qos.uuid);
  const shared = queues.some(({ uuid }) => others.some((other) => Object.values(other.map("queues")).includes(uuid)));
  const marked = [qos, ...queues].some((row) => row.map("external_ids")[markKey] !== undefined);
  if (users.length > 0 || shared || marked) return undefined;
  return [{ table: "QoS", uuid: qos.uuid }, ...queues.map(({ uuid }) => ({ table: "Queue", uuid }))];
}

const text = (value: string | number) => JSON.stringify(String(value));

/** Whose a row is, and of which port. */
const idsOf = (name: string, { mark }: Context<unknown>) => [
  `external_ids:${markKey}=${text(mark)}`,
  `external_ids:${portKey}=${text(name)}`,
];

function create(
  name: string,
  { type, maxRate, queues = [], otherConfig = {} }: Qos,
  context: Context<unknown>,
): string[][] {
  const symbol = (id?: number) => `@qos-${name}${id === undefined ? "" : `-${id}`}`;
  const ids = idsOf(name, context);
  const config = { ...(maxRate !== undefined && { "max-rate": maxRate }), ...otherConfig };
  return [
    ["set", "Port", name, `qos=${symbol()}`],
    [
      ...[`--id=${symbol()}`, "create", "QoS", `type=${text(type)}`, ...ids],
      ...Object.entries(config).map(([key, value]) => `other_config:${text(key)}=${text(value)}`),
      ...queues.map(({ id }) => `queues:${id}=${symbol(id)}`),
    ],
    ...queues.map((item) => [
      ...[`--id=${symbol(item.id)}`, "create", "Queue", ...ids],
      ...(item.dscp === undefined ? [] : [`dscp=${item.dscp}`]),
      ...queueEntries.flatMap(([argument, key]) =>
        item[argument] === undefined ? [] : [`other_config:${key}=${text(item[argument])}`],
      ),
    ]),
  ];
}

/** Rows of ours that were made for the port, but for those in use. */
function rowsOf(name: string, { rows }: OvsDatabase, context: Context<unknown>, used: OvsRow | undefined) {
  const inUse = new Set(used ? [used.uuid, ...Object.values(used.map("queues"))] : []);
  const made = (row: OvsRow) =>
    isOwners(row, context) && row.map("external_ids")[portKey] === name && !inUse.has(row.uuid);
  return (["QoS", "Queue"] as const).flatMap((table) =>
    [...rows[table].values()].filter(made).map((row) => ({ table, uuid: row.uuid })),
  );
}

// Never the same row twice in a transaction: ovs-vsctl 3.1 aborts on that (assertion in ovsdb_idl_txn_delete).
const destroy = (old: { table: string; uuid: string }[]) =>
  old.map(({ table, uuid }) => ["--if-exists", "destroy", table, uuid]);
