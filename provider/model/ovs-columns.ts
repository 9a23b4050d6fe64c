import type { z } from "zod";
import type { Step } from "./command";
import type { OvsRow } from "./ovs-row";
import { get, same, set } from "./path";

/** One argument that is kept in a column of the database, or under a key of a column that is a map. */
export interface OvsColumn {
  /** The argument's dotted path. */
  path: string;
  column: string;
  /** The key, where the column is a map of texts. */
  key?: string;
  as: "text" | "number" | "boolean" | "list";
  /** What an empty column or missing key stands for, and where a removed argument goes back to. */
  default?: unknown;
  /** The column is never empty: going back to the default is to write it. */
  full?: true;
  /** With a change of it Open vSwitch makes an internal port's device anew: all that `ip` had set on the old one is lost. */
  rebuilds?: true;
}

/** One change of a record; without a value the key is removed, or the column emptied. */
export interface OvsChange {
  column: string;
  key?: string;
  value?: string;
}

/** What a removed argument becomes where there is no default to name: nothing. */
const nothing = null;

export const columnResets = (columns: OvsColumn[]): Record<string, unknown> =>
  Object.fromEntries(columns.map((column) => [column.path, column.default ?? nothing]));

/** The live values, at their arguments' paths. */
export function columnValues(columns: OvsColumn[], row: OvsRow): Record<string, unknown> {
  return columns.reduce<Record<string, unknown>>((args, column) => {
    const value = liveValue(column, row);
    return value === undefined ? args : set(args, column.path, value);
  }, {});
}

function liveValue({ column, key, as, default: byDefault }: OvsColumn, row: OvsRow): unknown {
  if (as === "list") return row.list(column);
  const value = key === undefined ? row.one(column) : row.map(column)[key];
  if (value === undefined || value === "") return byDefault;
  if (as === "boolean") return String(value) === "true";
  return as === "number" && /^\d+$/.test(String(value)) ? Number(value) : value;
}

/** What must be written so that the row (none: a new one) has the declared values. */
export function columnChanges(columns: OvsColumn[], want: unknown, row: OvsRow | undefined): OvsChange[] {
  return columns.flatMap((column) => {
    const wanted = normal(get(want, column.path));
    if (wanted === undefined) return [];
    const live = row ? liveValue(column, row) : column.default;
    if (same(wanted ?? undefined, live)) return [];
    const { column: name, key } = column;
    const away = wanted === nothing || (same(wanted, column.default) && !column.full);
    return [{ column: name, key, value: away ? undefined : encode(wanted) }];
  });
}

/** True when the changes make the device anew: what is to be done to it waits until that is seen. */
export const rebuildsDevice = (columns: OvsColumn[], want: unknown, row: OvsRow | undefined): boolean =>
  columnChanges(
    columns.filter(({ rebuilds }) => rebuilds),
    want,
    row,
  ).length > 0;

/** The order of a set is not kept. */
const normal = (value: unknown) =>
  Array.isArray(value) ? [...value].sort((a, b) => (typeof a === "number" ? a - b : a < b ? -1 : 1)) : value;

const encode = (value: unknown): string =>
  Array.isArray(value) ? value.map(encode).join(",") : typeof value === "string" ? word(value) : String(value);

/** Of the keys of `external_ids`, those of marks: of this resource, and on a bridge of sets of flows, whosever they are. */
export const isMarkKey = (key: string) => key.startsWith("hostnet-");

/**
 * A map of which only what is declared is ours: declared keys are there, keys that were declared before and no longer
 * are go, those of others stay.
 */
export function mapChanges(
  column: string,
  want: Record<string, string> | undefined,
  was: (Record<string, string> | undefined)[],
  row: OvsRow | undefined,
): OvsChange[] {
  if (want === undefined) return [];
  const live = row?.map(column) ?? {};
  const before = new Set(was.flatMap((map) => Object.keys(map ?? {})));
  const gone = Object.keys(live).filter((key) => before.has(key) && want[key] === undefined && !isMarkKey(key));
  const differing = Object.entries(want).filter(([key, value]) => live[key] !== value);
  return [
    ...gone.map((key) => ({ column, key })),
    ...differing.map(([key, value]) => ({ column, key, value: word(value) })),
  ];
}

/** ovs-vsctl takes a word of these as it is; everything else it reads as a JSON string (ovsdb_atom_from_string). */
export const word = (text: string) => (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text) ? text : JSON.stringify(text));

/** The commands of ovs-vsctl for the changes of one record. */
export function changeRecord(table: string, record: string, changes: OvsChange[]): string[][] {
  const where = ({ column, key }: OvsChange) => (key === undefined ? column : `${column}:${word(key)}`);
  const writes = changes.flatMap((change) => (change.value === undefined ? [] : [`${where(change)}=${change.value}`]));
  const away = changes.filter(({ value }) => value === undefined);
  const cleared = away.flatMap(({ column, key }) => (key === undefined ? [column] : []));
  const keys = new Map<string, string[]>();
  for (const { column, key } of away) {
    if (key !== undefined) keys.set(column, [...(keys.get(column) ?? []), word(key)]);
  }
  return [
    ...[...keys].map(([column, names]) => ["remove", table, record, column, ...names]),
    ...(cleared.length > 0 ? [["clear", table, record, ...cleared]] : []),
    ...(writes.length > 0 ? [["set", table, record, ...writes]] : []),
  ];
}

/**
 * The commands as one transaction, which returns when ovs-vswitchd has obeyed. Steps of several resources are joined.
 * `touches`: devices that carry other traffic and would be cut off.
 */
export function vsctl(commands: string[][], touches?: string[]): Step[] {
  if (commands.length === 0) return [];
  return [{ argv: ["ovs-vsctl", "--timeout=30", ...commands.flatMap((command) => ["--", ...command])], touches }];
}

/** The same, returning at once. Its transaction is never joined with one that is waited for. */
export const unwaited = (step: Step): Step => ({ ...step, argv: step.argv.toSpliced(1, 0, "--no-wait") });

/** Of keys of a map argument that must not be there, why: mostly the argument that stands for it. */
export type ReservedKeys = Record<string, string>;

export const reservedIn = (columns: OvsColumn[], column: string): ReservedKeys =>
  Object.fromEntries(columns.flatMap((item) => (item.column === column && item.key ? [[item.key, item.path]] : [])));

/** A map argument whose reserved keys are refused. */
export function withoutKeys<S extends z.ZodType<Record<string, string> | undefined>>(
  schema: S,
  reserved: ReservedKeys | ((key: string) => string | undefined),
) {
  const whyNot = typeof reserved === "function" ? reserved : (key: string) => reserved[key];
  return schema.superRefine((value, issues) => {
    for (const key of Object.keys(value ?? {})) {
      const why = whyNot(key);
      if (why === undefined) continue;
      issues.addIssue({
        code: "custom",
        path: [key],
        message: `must not have the key ${key}: ${why}`,
        input: value,
      });
    }
  });
}
