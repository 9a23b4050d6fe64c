import { named } from "../discover/references";
import { kinds } from "../kinds";
import { full } from "../model/address";
import { linkClaim } from "../model/link-kind";
import { portClaim } from "../model/ovs-port";
import { get } from "../model/path";
import { hasPrefixLength } from "../model/scalars";
import {
  type Change,
  type Detail,
  type DrawnHost,
  hostId,
  type Layout,
  type Node,
  nodeId,
  outsideId,
  type Part,
  type Place,
  placeId,
  type Wire,
} from "./layout";
import { lineOf, linesOf, tunnelLabel, vlansOf } from "./text";

type Args = Record<string, unknown>;

/** A resource that is to be drawn, its arguments in normal form. */
export interface Drawn {
  host: string;
  kind: string;
  /** What its program calls it, or its kind and name. */
  title: string;
  args: Args;
  change?: Change | undefined;
  /** What is not as declared, for a person. */
  drift?: string[] | undefined;
  /** The arguments that differ, where only some do. */
  paths?: string[] | undefined;
}

/** A host of the picture, also one on which nothing is. */
export type DrawnOn = Pick<Drawn, "host"> & Partial<Pick<Drawn, "args" | "change" | "drift">>;

/** A thing with a name of its own that a resource is: itself, or each of two ends. */
interface End {
  args: Args;
  /** "" or "a." or "b.". */
  path: string;
  name: string;
  namespace: string | undefined;
  /** It makes a device, and is not only a port or a plug. */
  isDevice: boolean;
}

interface Reference {
  path: string;
  /** The node that it names. */
  to: string;
}

/** The picture of some resources. It knows no kind: what is a device say the claims, what is referred to the schema. */
export function layoutOf(drawn: Drawn[], on: DrawnOn[] = []): Layout {
  const hosts = new Map<string, DrawnHost>();
  const nodes = new Map<string, Node>();
  const wires: Wire[] = [];
  const outside = new Set<string>();

  for (const one of on) {
    const host = hostOf(one.host);
    host.change = one.change;
    host.details.push({ resource: one.host, kind: "Host", args: one.args ?? {}, drift: one.drift });
  }
  for (const one of drawn) if (one.kind === "Namespace") show(placeOf(one.host, String(one.args.name)), one);
  const rest = drawn.filter(({ kind }) => kind !== "Namespace");
  // First what is a device by itself: a port of Open vSwitch may be one that something else has made.
  for (const isDevice of [true, false]) for (const one of rest) for (const end of endsOf(one)) add(one, end, isDevice);
  for (const one of rest) connect(one);
  const tunnels = rest.filter(({ args }) => typeof args.remote === "string" && args.remote !== "flow");
  for (const one of tunnels) tunnel(one);
  return { hosts: [...hosts.values()], wires, outside: [...outside] };

  function hostOf(name: string): DrawnHost {
    const known = hosts.get(name);
    if (known) return known;
    const made: DrawnHost = { id: hostId(name), name, places: [], details: [] };
    hosts.set(name, made);
    placeOf(name, undefined);
    return made;
  }

  function placeOf(host: string, namespace: string | undefined): Place {
    const { places } = hostOf(host);
    const known = places.find((place) => place.namespace === namespace);
    if (known) return known;
    const id = placeId(host, namespace);
    const made: Place = { id, namespace, nodes: [], details: [], notes: { id: `${id} #`, lines: [], details: [] } };
    places.push(made);
    return made;
  }

  function nodeOf(host: string, namespace: string | undefined, name: string): Node {
    const id = nodeId(host, namespace, name);
    const node = nodes.get(id) ?? { id, name, lines: [], details: [] };
    if (!nodes.has(id)) placeOf(host, namespace).nodes.push(node);
    nodes.set(id, node);
    return node;
  }

  function add(one: Drawn, { args, name, namespace, path, isDevice }: End, devices: boolean): void {
    if (isDevice !== devices || (!isDevice && (path || nodes.has(nodeId(one.host, namespace, name))))) return;
    const node = nodeOf(one.host, namespace, name);
    node.kind ??= one.kind;
    node.lines.push(...linesOf(args).map((text) => ({ text })));
    show(node, one, isAt(one, path));
  }

  function connect(one: Drawn): void {
    const ends = endsOf(one);
    const references = referencesOf(one, ends);
    const [a, b] = ends;
    if (a && b) cable(one, a, b, references);
    if (a) for (const end of ends) plug(one, end, references);
    else attach(one, references);
  }

  /** Between two devices, or, where the ends are none, between what they are plugged into. */
  function cable(one: Drawn, a: End, b: End, references: Reference[]): void {
    const end = ({ path, name, namespace, isDevice }: End) =>
      isDevice
        ? nodeId(one.host, namespace, name)
        : references.find((reference) => reference.path.startsWith(path))?.to;
    const [from, to] = [end(a), end(b)];
    const tags = [a, b].flatMap(({ args, name }) => (vlansOf(args) ? [`${name}: ${vlansOf(args)}`] : []));
    if (from && to) wire(one, from, to, "cable", tags.join(", ") || undefined);
  }

  /** What a device refers to: a bridge that it is a port of, its members, a parent. */
  function plug(one: Drawn, { path, name, namespace, isDevice }: End, references: Reference[]): void {
    const own = nodeId(one.host, namespace, name);
    if (path && !isDevice) return;
    for (const { path: at, to } of references.filter((reference) => reference.path.startsWith(path))) {
      if (to === own) continue;
      const key = at.slice(path.length);
      if (key === "bridge") port(one, own, to);
      else if (Array.isArray(get(one.args, at.replace(/\.\d+$/, "")))) port(one, to, own);
      else wire(one, own, to, "parent");
    }
  }

  /** What is no device: it joins two, or says more of one, or of a namespace. */
  function attach(one: Drawn, references: Reference[]): void {
    const [device, bridge] = ["device", "bridge"].map((key) => references.find(({ path }) => path === key)?.to);
    if (device && bridge) {
      port(one, device, bridge);
      return;
    }
    const isOf = references.find(({ path }) => kinds[one.kind]?.identity.includes(path));
    const note = isOf
      ? (nodes.get(isOf.to) as Node)
      : placeOf(one.host, one.args.namespace as string | undefined).notes;
    const without = ["namespace", "triggers", isOf?.path ?? ""];
    const text = addressOf(one.args) ?? lineOf(one, without);
    note.lines.push({ text, change: one.change });
    show(note, one);
  }

  function port(one: Drawn, from: string, bridge: string): void {
    const node = nodes.get(bridge);
    if (node) node.isBridge = true;
    wire(one, from, bridge, "port", vlansOf(one.args));
    // The port is the device's: who asks for the device is told of both.
    const device = nodes.get(from);
    if (device && !device.details.some(({ resource }) => resource === one.title)) show(device, one, false);
  }

  function tunnel(one: Drawn): void {
    const { remote, local } = one.args as { remote: string; local?: string };
    const [own] = endsOf(one);
    if (!own) return;
    const from = nodeId(one.host, own.namespace, own.name);
    const label = tunnelLabel(one);
    const isPeer = (other: Drawn) => other.args.local === remote && other.args.remote === local && other !== one;
    const peers = local === undefined ? [] : tunnels.filter(isPeer);
    const peer = peers.find((other) => tunnelLabel(other) === label) ?? peers[0];
    const [end] = peer ? endsOf(peer) : [];
    const to = peer && end ? nodeId(peer.host, end.namespace, end.name) : carrierOf(remote, one.host);
    // Both ends declare it; it is one wire.
    const known = wires.find((each) => each.as === "tunnel" && each.from === to && each.to === from);
    if (known) {
      show(known, one);
      return;
    }
    if (to === undefined) outside.add(remote);
    wire(one, from, to ?? outsideId(remote), "tunnel", label);
  }

  /** The device of another host that has the address. */
  function carrierOf(address: string, host: string): string | undefined {
    const others = [...hosts.values()].filter(({ name }) => name !== host).flatMap(({ places }) => places);
    const has = ({ lines }: Node) => lines.some(({ text }) => text.split("/")[0] === address);
    return others.flatMap((place) => place.nodes).find(has)?.id;
  }

  function wire(one: Drawn, from: string, to: string, as: Wire["as"], label?: string): void {
    const made: Wire = { id: `wire ${wires.length + 1}`, from, to, as, label, details: [] };
    wires.push(made);
    show(made, one);
  }

  function referencesOf(one: Drawn, ends: End[]): Reference[] {
    const schema = kinds[one.kind]?.args;
    if (!schema) return [];
    return named(schema, one.args)
      .filter((each) => !each.kinds.includes("Namespace"))
      .map(({ path, value, kinds: allowed }) => ({ path, to: find(one, path, value, ends, allowed.every(isOfHost)) }));
  }

  /** What nothing declares is drawn because it is named. */
  function find(one: Drawn, path: string, name: string, ends: End[], ofHost: boolean): string {
    const end = ends.find((each) => path.startsWith(each.path)) ?? { path: "", args: one.args };
    const beside = path === "parent" ? one.args.parentNamespace : get(one.args, `${end.path}namespace`);
    return nodeOf(one.host, ofHost ? undefined : (beside as string | undefined), name).id;
  }
}

/** Its objects are in no namespace but the host's own. */
const isOfHost = (kind: string) => kinds[kind]?.identity.includes("namespace") === false;

/** Whether it is this end of two that has drifted. */
const isAt = ({ paths }: Drawn, end: string) =>
  !end || !paths || paths.some((path) => path.startsWith(end) || !/^[ab]\./.test(path));

const worst: (Change | undefined)[] = ["gone", "changed", "undeclared", "unread"];

function show(part: Part, one: Drawn, colour = true): void {
  const { title, kind, args, change, drift } = one;
  part.details.push({ resource: title, kind, args, ...(drift?.length && { drift }) } satisfies Detail);
  if (colour) part.change = worst.find((each) => each === change || each === part.change);
}

/** The address that a resource gives its device. */
function addressOf({ address: given, peer }: Args): string | undefined {
  const { address } = full((given ?? "") as string);
  return hasPrefixLength(address) ? address + (peer === undefined ? "" : ` peer ${peer}`) : undefined;
}

/** The devices and ports that a resource is. */
function endsOf({ kind, args }: Drawn): End[] {
  const spec = kinds[kind];
  if (!spec) return [];
  const claims = spec.claims(args);
  const end = (own: Args, path: string): End => {
    const [name, namespace] = [String(own.name), own.namespace as string | undefined];
    return { args: own, path, name, namespace, isDevice: claims.includes(linkClaim(namespace, name)) };
  };
  const { a, b } = args as { a?: Args; b?: Args };
  if (a && b) return [end(a, "a."), end(b, "b.")];
  const own = end(args, "");
  // Only the host knows a device's name that was chosen otherwise: it stands here all the same.
  own.isDevice ||= spec.namedByHost?.(args) === true;
  return args.name !== undefined && (own.isDevice || claims.includes(portClaim(own.name))) ? [own] : [];
}
