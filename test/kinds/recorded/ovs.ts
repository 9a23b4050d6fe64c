import { readFileSync } from "node:fs";
import { join } from "node:path";
import { drift } from "../../../provider/drift";
import { Seen } from "../../../provider/host/seen";
import type { Context, Kind } from "../../../provider/kind";
import { type Result, type Section, type Step, show } from "../../../provider/model/command";
import { get, same, set } from "../../../provider/model/path";
import { validate } from "../../../provider/validate";

type Row = Record<string, unknown>;

/** What a host answered: OVS 3.1 (userspace datapath) with br-int, br-tun and a port of each kind on them. */
export interface Recording {
  /** One answer a table, in the order in which ovs.ts asks. */
  ovsdb: { rows: Row[] }[];
  links: Row[];
  "links@kns": Row[];
  ipv6: string[];
  "ipv6@kns": string[];
  netns: Row[];
  vswitchd?: string;
}

const text = readFileSync(join(__dirname, "ovs.recorded"), "utf8");
const tables = ["Open_vSwitch", "Bridge", "Port", "Interface", "Controller", "QoS", "Queue"];

/** The recorded answers, changed before they are read. */
export function recorded(change: (recording: Recording) => void = () => {}): Seen {
  const recording = JSON.parse(text) as Recording;
  change(recording);
  const { vswitchd = "ovs-vswitchd.4711.ctl\n", ...answers } = recording;
  const lines = (value: unknown) => (value as string[]).map((line) => `${line}\n`).join("");
  const entries: [string, { section: Section; result: Result }][] = Object.entries({
    ...answers,
    "ovs-vswitchd": vswitchd,
  }).map(([key, value]) => {
    const stdout = typeof value === "string" ? value : key.startsWith("ipv6") ? lines(value) : JSON.stringify(value);
    return [key, { section: { key, argv: [key] }, result: { exitCode: 0, stdout, stderr: "" } }];
  });
  return new Seen(new Map(entries));
}

/** The row of that name, to be changed. */
export function rowOf(recording: Recording, table: string, name: string): Row {
  const found = recording.ovsdb[tables.indexOf(table)]?.rows.find((row) => row.name === name);
  if (!found) throw new Error(`no ${table} ${name} in the recording`);
  return found;
}

/** Takes a port, or with its table a bridge, out of the recording. */
export function without(recording: Recording, table: string, name: string): void {
  const answer = recording.ovsdb[tables.indexOf(table)];
  if (answer) answer.rows = answer.rows.filter((row) => row.name !== name);
}

/** A host on which Open vSwitch has nothing yet. */
export const empty = (recording: Recording) => {
  for (const answer of recording.ovsdb.slice(1)) answer.rows = [];
  recording.links = recording.links.filter(({ linkinfo }) => (linkinfo as Row | undefined)?.info_kind !== "tun");
  recording["links@kns"] = [];
};

const owner = "00ff";

/** How a kind behaves on a recording, as text. */
export function trial(kind: Kind, seen: Seen) {
  const parse = (args: unknown) => {
    const checked = validate(kind.args, args);
    if (checked.failures.length > 0)
      throw new Error(checked.failures.map((one) => `${one.path}: ${one.reason}`).join());
    return checked.value as Record<string, unknown>;
  };
  const context = (was: unknown[] = []): Context<unknown> => ({
    ...{ mark: `hostnet:${owner}:aaaa`, owner, was: was.map(parse) as never[], seen },
  });
  const words = (steps: Step[]) => steps.map(show);
  /** What was declared and no longer is goes back, as lifecycle.ts does it. */
  const target = (args: unknown, was: unknown[]) =>
    Object.entries(kind.reset).reduce(
      (want, [path, value]) =>
        get(want, path) === undefined && was.some((before) => get(before, path) !== undefined)
          ? set(want, path, value)
          : want,
      parse(args),
    );
  return {
    seen,
    find: (args: unknown) => kind.find(parse(args), seen),
    converge(args: unknown, was: unknown[] = []) {
      const want = target(args, was);
      return words(kind.converge(want, kind.find(want, seen), context(was)));
    },
    /** As `converge`, after the kind has asked what it has to know beside the first look; and how often it asked. */
    inquired(args: unknown) {
      const want = parse(args);
      const found = kind.find(want, seen);
      if (!found || !kind.inquire) throw new Error("it does not inquire");
      const asks = kind.inquire(want, found, { name: "n1", machineId: "m1" }, context());
      let [turn, asked] = [asks.next(), 0];
      for (; !turn.done; asked++) turn = asks.next(turn.value.map(() => seen));
      return { steps: words(kind.converge(want, turn.value, context())), asked };
    },
    remove(args: unknown) {
      const want = parse(args);
      const found = kind.find(want, seen);
      return found && words(kind.remove(found, want, context()));
    },
    sweep: (args: unknown) => words(kind.sweep?.(parse(args), seen, context()) ?? []),
    drift(args: unknown) {
      const want = parse(args);
      const found = kind.find(want, seen);
      const shown = found && drift(kind, want, found, context());
      return Object.fromEntries(
        Object.keys(want).flatMap((key) => (same(want[key], shown?.[key]) ? [] : [[key, shown?.[key]]])),
      );
    },
    refusal(args: unknown) {
      return validate(kind.args, args).failures.map(({ path, reason }) => `${path}: ${reason}`);
    },
    claims: (args: unknown) => kind.claims(parse(args)),
    list: () => kind.list?.(seen),
  };
}
