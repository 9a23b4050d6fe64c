import { z } from "zod";
import type { Path } from "../kind";
import { full } from "../model/address";
import { linkClaim } from "../model/link-kind";
import { type Flow, portNames } from "../model/openflow";
import { portClaim } from "../model/ovs-port";
import { get } from "../model/path";
import { family, hasPrefixLength, subnet } from "../model/scalars";
import { unwrap, validate } from "../validate";
import type { Thing } from "./survey";

/** What an argument of one thing names: another thing, by one of its names. */
export interface Reference {
  to: Thing;
  /** Which of its arguments is that name. */
  name: Path;
  /** The schema takes the resource itself there, and not only its name. */
  whole: boolean;
}

/** What one thing needs of others on its host. */
export interface Needs {
  /** By the path of the argument. */
  references: Map<Path, Reference>;
  /** What must be there before it, and no argument names. */
  after: Thing[];
}

/** Where the names of devices stand. */
const namePaths = ["name", "a.name", "b.name"];

/** Answers for each thing of a host what it refers to. */
export function needsOf(things: Thing[]): Map<Thing, Needs> {
  const namespaces = new Map(
    things.flatMap((thing) => (thing.kind.name === "Namespace" ? [[thing.args.name, thing]] : [])),
  );
  const devices = new Map<string, Omit<Reference, "whole">>();
  const carriers: { namespace: unknown; address: string; thing: Thing }[] = [];
  for (const thing of things) {
    const args = whole(thing);
    const claims = thing.kind.claims(args);
    for (const name of namePaths) {
      const claim = linkClaim(besides(args, name, "namespace"), String(get(args, name)));
      if (claims.includes(claim)) devices.set(claim, { to: thing, name });
    }
    for (const path of ["addresses", "a.addresses", "b.addresses", "address"]) {
      const namespace = besides(args, path, "namespace");
      for (const item of [get(args, path) ?? []].flat()) {
        const { address } = full(item as string);
        if (hasPrefixLength(address)) carriers.push({ namespace, address, thing });
      }
    }
  }
  return new Map(things.map((thing) => [thing, needs(thing)]));

  function needs(thing: Thing): Needs {
    const args = whole(thing);
    const references = new Map<Path, Reference>();
    for (const { path, kinds, value } of named(thing.kind.args, args)) {
      const found = kinds.includes("Namespace") ? namespaceOf(value) : deviceOf(args, path, value);
      if (found && found.to !== thing) {
        references.set(path, { ...found, whole: found.name === "name" && kinds.includes(found.to.kind.name) });
      }
    }
    const after = new Set<Thing>([
      ...portsOf(thing, args, references),
      ...carriersOf(thing, args),
      ...hopDevicesOf(args),
      ...flowPortsOf(args),
    ]);
    for (const { to } of references.values()) after.delete(to);
    after.delete(thing);
    return { references, after: [...after] };
  }

  function namespaceOf(name: string): Omit<Reference, "whole"> | undefined {
    const to = namespaces.get(name);
    return to && { to, name: "name" };
  }

  function deviceOf(args: unknown, path: Path, name: string): Omit<Reference, "whole"> | undefined {
    const claim = claimsAt(args, path, name).find((one) => devices.has(one));
    return claim === undefined ? undefined : devices.get(claim);
  }

  /** A port of Open vSwitch, and the members of a bond, are devices that something else makes. */
  function portsOf(thing: Thing, args: Record<string, unknown>, references: Map<Path, Reference>): Thing[] {
    const claims = thing.kind.claims(args);
    const own = linkClaim(undefined, String(args.name));
    const among = new Set(portsAmong(claims));
    const ports = [...devices].filter(([device]) => among.has(device));
    for (const [device, found] of ports) {
      if (device === own && found.to !== thing) references.set("name", { ...found, whole: false });
    }
    return ports.map(([, { to }]) => to);
  }

  /** What makes the devices by which a route with several ways goes. */
  function hopDevicesOf(args: Record<string, unknown>): Thing[] {
    const hops = (args.nexthops ?? []) as { device?: string }[];
    return hops.flatMap(({ device }) => (device === undefined ? [] : (deviceOf(args, "device", device)?.to ?? [])));
  }

  /** What makes a port of a bridge that flows name. */
  function flowPortsOf({ flows }: Record<string, unknown>): Thing[] {
    const claims = portNames((flows ?? []) as Flow[]).map((name) => portClaim(name));
    return claims.flatMap((claim) => things.filter((thing) => claimsOf(thing).includes(claim)));
  }

  /** What has the address by which a route or tunnel goes. */
  function carriersOf({ kind }: Thing, args: Record<string, unknown>): Thing[] {
    const own = [args.local, args.source].filter((item) => typeof item === "string");
    const routers = [args.via, ...((args.nexthops ?? []) as { via?: string }[]).map(({ via }) => via)];
    const above = kind.identity.includes("underlayNamespace") ? args.underlayNamespace : args.namespace;
    const place = args.underlay === "host" ? undefined : above;
    return carriers.flatMap(({ namespace, address, thing }) => {
      if (namespace !== place) return [];
      const [ip, length] = address.split("/");
      const reaches = (router: unknown) =>
        typeof router === "string" &&
        family(router) === family(address) &&
        subnet(`${router}/${length}`) === subnet(address);
      return own.includes(ip as string) || routers.some(reaches) ? [thing] : [];
    });
  }
}

/** Where a device may be that an argument names: the first that there is. */
function claimsAt(args: unknown, path: Path, name: string): string[] {
  const beside = path === "parent" ? get(args, "parentNamespace") : besides(args, path, "namespace");
  return [linkClaim(beside as string | undefined, name), linkClaim(undefined, name)];
}

/** Devices that are to be ports, and that something else makes. */
const portsAmong = (claims: string[]) =>
  claims.flatMap((claim) => /^bridge of (.*)$/.exec(claim)?.[1] ?? []).filter((device) => !claims.includes(device));

/** What stands on each of some devices, by the devices' claims. */
export function standingOn(devices: Set<string>, things: Thing[]): Map<string, Thing[]> {
  const standing = new Map<string, Thing[]>();
  for (const thing of things) {
    const args = whole(thing);
    const fields = named(thing.kind.args, args).filter(({ kinds }) => !kinds.includes("Namespace"));
    const ways = fields.map(({ path, value }) => claimsAt(args, path, value).find((claim) => devices.has(claim)));
    for (const device of new Set([...ways, ...portsAmong(claimsOf(thing))])) {
      if (device !== undefined && devices.has(device)) standing.set(device, [...(standing.get(device) ?? []), thing]);
    }
  }
  return standing;
}

const claimsOf = (thing: Thing) => thing.kind.claims(whole(thing));

const whole = ({ kind, args }: Thing) => validate(kind.args, args).value as Record<string, unknown>;

function besides(args: unknown, path: Path, key: string): string | undefined {
  const above = path.split(".").slice(0, -1);
  return get(args, [...above, key].join(".")) as string | undefined;
}

/** The arguments that may be given as a resource. */
export function named(schema: z.ZodType, value: unknown, path = ""): { path: Path; kinds: string[]; value: string }[] {
  const inner = unwrap(schema);
  const kinds = (schema.meta()?.refersTo ?? inner.meta()?.refersTo) as string[] | undefined;
  if (kinds) return typeof value === "string" ? [{ path, kinds, value }] : [];
  const below = (key: string | number, field: z.ZodType, item: unknown) =>
    named(field, item, path ? `${path}.${key}` : String(key));
  if (Array.isArray(value) && inner instanceof z.ZodArray)
    return value.flatMap((item, index) => below(index, inner.element as z.ZodType, item));
  if (!(inner instanceof z.ZodObject) || value === null || typeof value !== "object") return [];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, field]) =>
    below(key, field, (value as Record<string, unknown>)[key]),
  );
}

/** Each thing after all that it needs; else by place and kind, so that what belongs together stands together. */
export function inOrder(things: Thing[], needs: Map<Thing, Needs>): Thing[] {
  const done = new Set<Thing>();
  const visiting = new Set<Thing>();
  const sorted = [...things].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const visit = (thing: Thing) => {
    if (done.has(thing) || visiting.has(thing)) return;
    visiting.add(thing);
    const { references, after } = needs.get(thing) as Needs;
    for (const other of [...[...references.values()].map(({ to }) => to), ...after]) {
      if (things.includes(other)) visit(other);
    }
    done.add(thing);
  };
  sorted.forEach(visit);
  return [...done];
}

const rank = ["Namespace", "Sysctl", "Interface"];

/** Namespaces first, then devices, then what is added to them. */
const sortKey = ({ kind, id }: Thing) => {
  const at = rank.indexOf(kind.name);
  return `${at < 0 ? (kind.mark === "ledger" ? 9 : 5) : at} ${kind.name} ${id}`;
};
