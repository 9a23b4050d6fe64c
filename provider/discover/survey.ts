import type { HostFacts, Machine } from "../host/types";
import type { Found, Kind } from "../kind";
import { ledgersSection, markInLedgers } from "../ledger";
import { idOf } from "../lifecycle";
import type { Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { linkSections, linksIn } from "../model/link-state";
import { type DeviceOnHost, devicesOnHost, managerSections } from "../model/managers";
import { namespacesSection, placesOf } from "../model/namespaces";
import { ovsSections } from "../model/ovs";
import { get, set } from "../model/path";
import { validate } from "../validate";
import { attachedIn, attachedSections } from "./attached";
import { daemonSections, daemonsIn } from "./daemons";
import { describe } from "./describe";
import { bridgesIn, flowsOn } from "./flows";
import { keptIn, keptSections } from "./kept";
import { type Left, leftovers, unsaidOf } from "./leftovers";
import { once } from "./once";
import { moreOvsSection, ovsLeft } from "./ovs";
import { routingIn, routingSections } from "./routing";
import { tableSections, tablesIn } from "./tables";

type Args = Record<string, unknown>;

/** One object on a host that a kind can declare. */
export interface Thing {
  kind: Kind;
  /** As state has it: machine, kind, namespace and name. */
  id: string;
  /** What `list` told of it. */
  identity: Args;
  /** What a program says of it. */
  args: Args;
  found: Found<Args, unknown>;
  /** What an `up` of that program would still change: nothing, when it can be imported. */
  steps: Step[];
  /** Values of it that no program can say. */
  unsaid: string[];
  /** Who else sets it up: networkd, docker and the like. */
  managedBy?: string;
  /** How the host has learned it by itself: it is never declared. */
  learned?: string;
  /** The mark of the stack that it belongs to. */
  mark?: string;
}

/** What a host has. */
export interface Survey {
  facts: HostFacts;
  things: Thing[];
  /** What no kind declares, and why. */
  left: Left[];
  /** What could not be read, and why. */
  unread: { what: string; why: string }[];
}

/** Reads a whole host in three round trips: what namespaces there are, what is in them, and the details of each object. */
export async function survey(machine: Machine, machineId: string, kinds: Kind[]): Promise<Survey> {
  const unread: Survey["unread"] = [];
  const usable = kinds.filter((kind) => kind.list && kind.needs.every((tool) => machine.facts.tools[tool]));
  const first = await machine.observe([
    ...[namespacesSection, ledgersSection, ...managerSections, ...daemonSections],
    ...(machine.facts.tools["ovs-vsctl"] ? [...ovsSections, moreOvsSection] : []),
  ]);
  const places = placesOf(first);
  const asked = places.flatMap((place) => [
    ...linkSections(place, { ipv6: true }),
    ...tableSections(place),
    ...attachedSections(place),
    ...keptSections(place),
    ...routingSections(place),
    ...usable.flatMap((kind) => attempt(kind.name, () => kind.survey?.(place, first)) ?? []),
  ]);
  const second = first.and(await machine.observe(asked.filter(({ key }) => !first.has(key))));
  const readable = places.filter((place) => attempt(`namespace ${place}`, () => linksIn(second, place)) !== undefined);
  const listed = usable.flatMap((kind) =>
    readable.flatMap((place) => {
      const list = attempt(kind.name, () => kind.list?.(second, place)) ?? [];
      return list.map((args) => ({ kind, args: JSON.parse(JSON.stringify(args)) as Args }));
    }),
  );
  const wanted = listed.flatMap(({ kind, args }) => {
    const identity = declarable(kind, args);
    return identity ? [{ kind, args: identity, want: validate(kind.args, identity).value as Args }] : [];
  });
  const bridges = attempt("OpenFlow", () => bridgesIn(second)) ?? [];
  const details = wanted.flatMap(({ kind, want }) => kind.observe(want));
  const seen = second.and(await machine.observe(details.filter(({ key }) => !second.has(key))));
  const devices = devicesOnHost(first);
  const things = wanted.flatMap(({ kind, args, want }) => {
    const found = attempt(`${kind.name} ${JSON.stringify(args)}`, () => kind.find(want, seen));
    return found ? [thing(kind, args, found)] : [];
  });
  const declared = once(things);
  const isManaged = (device: string) => devices.some(({ name, managedBy }) => name === device && managedBy);
  const left = [
    ...leftovers(readable, seen, declared, devices),
    ...unsaidOf(declared),
    ...readable.flatMap(
      (place) =>
        attempt(`what hangs on devices${place ? ` in ${place}` : ""}`, () => attachedIn(seen, place, isManaged)) ?? [],
    ),
    ...readable.flatMap(
      (place) =>
        attempt(`what the kernel keeps${place ? ` in ${place}` : ""}`, () => keptIn(seen, place, isManaged)) ?? [],
    ),
    ...readable.flatMap(
      (place) => attempt(`routing${place ? ` in ${place}` : ""}`, () => routingIn(seen, place, isManaged)) ?? [],
    ),
    ...readable.flatMap(
      (place) => attempt(`nftables${place ? ` in ${place}` : ""}`, () => tablesIn(second, place)) ?? [],
    ),
    ...(attempt("Open vSwitch", () => ovsLeft(seen, declared)) ?? []),
    ...bridges.flatMap((bridge) => attempt(`OpenFlow ${bridge}`, () => flowsOn(seen, bridge)) ?? []),
    ...readable.flatMap((place) => daemonsIn(seen, place, declared)),
  ];
  return { facts: machine.facts, things: declared, left, unread };

  function thing(kind: Kind, identity: Args, found: Found<Args, unknown>): Thing {
    const { args, steps, unsaid } = describe(kind, identity, found);
    const want = validate(kind.args, args).value as Args;
    const id = idOf(kind, { machineId }, want);
    const mark = found.marks.find((text) => text?.startsWith("hostnet:")) ?? markInLedgers(first, id);
    const [managedBy, learned] = [manager(kind, want, devices), kind.maker?.(found)];
    return { kind, id, identity, args, found, steps, unsaid, managedBy, learned, mark };
  }

  function attempt<T>(what: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof HostnetError)) throw error;
      const why = error.details.stderr?.trim().split("\n")[0] || error.summary;
      const other = unread.find((one) => one.why === why);
      if (!other) unread.push({ what, why });
      else if (!other.what.split(", ").includes(what)) other.what += `, ${what}`;
      return undefined;
    }
  }
}

/** Without what the kernel shows though no program can say it: an option that is none in this mode, a range of nothing. */
function declarable(kind: Kind, args: Args): Args | undefined {
  const failed = validate(kind.args, args).failures.map(({ path }) => path);
  const said = failed.filter((path) => get(args, path) !== undefined);
  if (failed.length === 0) return args;
  if (said.length === 0) return undefined;
  return declarable(
    kind,
    said.reduce((left, path) => JSON.parse(JSON.stringify(set(left, path, undefined))) as Args, args),
  );
}

/** A device belongs to who manages it, and so does what is added to it in a ledger's way: an address, a route. */
function manager(kind: Kind, args: Args, devices: DeviceOnHost[]): string | undefined {
  const claims = kind.claims(args);
  const added = kind.mark === "ledger" && args.namespace === undefined ? [args.device] : [];
  return devices.find(({ name }) => claims.includes(`device ${name}`) || added.includes(name))?.managedBy;
}
