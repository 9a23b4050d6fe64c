import { named } from "../discover/references";
import { kinds } from "../kinds";
import { full } from "../model/address";
import { get } from "../model/path";
import { type Change, type Layout, type Node, nodeId, outsideId, type Place, type Wire } from "./layout";

type Args = Record<string, unknown>;

/** A resource that is to be drawn. */
export interface Drawn {
  host: string;
  kind: string;
  /** What its program calls it, or its kind and name. */
  title: string;
  args: Args;
  change?: Change | undefined;
  /** What is not as declared, for a person. */
  drift?: string[];
}

/** The picture of some resources. It knows no kind: ends are `a` and `b`, what is referred to says the schema. */
export function layoutOf(drawn: Drawn[], hostNames: string[] = []): Layout {
  const places = new Map<string, Place>();
  const nodes = new Map<string, Node>();
  const wires: Wire[] = [];
  for (const host of new Set([...hostNames, ...drawn.map(({ host }) => host)])) place(host, undefined);
  for (const one of drawn) if (one.kind === "Namespace") place(one.host, String(one.args.name)).change = one.change;
  const rest = drawn.filter(({ kind }) => kind !== "Namespace");
  // First what is a device by itself: a port of Open vSwitch may be one that something else has made.
  for (const one of rest) for (const part of partsOf(one)) if (part.isDevice) add(part);
  for (const one of rest) for (const part of partsOf(one)) if (!nodes.has(part.id) && part.name) add(part);
  for (const one of rest) connect(one);
  for (const { to, as } of wires) if (as === "port") (nodes.get(to) as Node).isBridge = true;
  const tunnels = rest.filter(({ args }) => typeof args.remote === "string" && args.remote !== "flow");
  const outside = new Set<string>();
  for (const one of tunnels) tunnel(one);
  const hosts = [...new Set([...places.values()].map(({ host }) => host))];
  return {
    hosts: hosts.map((name) => ({ name, places: [...places.values()].filter(({ host }) => host === name) })),
    wires,
    outside: [...outside],
  };

  function place(host: string, namespace: string | undefined): Place {
    const key = `${host}/${namespace ?? ""}`;
    const known = places.get(key) ?? { host, namespace, nodes: [], notes: [] };
    places.set(key, known);
    return known;
  }

  function add(part: Part): void {
    const node: Node = {
      ...{ id: part.id, name: part.name, kind: part.of.kind, lines: linesOf(part.args), change: part.of.change },
      details: { resource: part.of.title, kind: part.of.kind, ...part.of.args, drift: part.of.drift },
    };
    nodes.set(part.id, node);
    place(part.of.host, part.namespace).nodes.push(node);
  }

  function connect(one: Drawn): void {
    const parts = partsOf(one);
    const [a, b] = parts;
    if (a && b) {
      // What has no place of its own is a cable between what it is plugged into.
      const end = (part: Part) => (nodes.has(part.id) ? part.id : bridgeId(one, part));
      const tags = parts.flatMap(({ args }) => (args.tag === undefined ? [] : [`${args.name}: tag ${args.tag}`]));
      wires.push({ from: end(a), to: end(b), as: "cable", label: tags.join(", ") || undefined, change: one.change });
    }
    const references = named((kinds[one.kind] as { args: Parameters<typeof named>[0] }).args, one.args)
      .filter(({ kinds: allowed }) => !allowed.includes("Namespace"))
      .map((each) => ({ ...each, to: find(one, each.path, each.value) }));
    if (parts.length === 0) attach(one, references);
    else wireUp(one, parts, references);
  }

  /** What its devices refer to. */
  function wireUp(one: Drawn, parts: Part[], references: { path: string; to?: string | undefined }[]): void {
    for (const { path, to } of references) {
      const part = parts.find(({ path: own }) => path.startsWith(own)) as Part;
      if (!to || !nodes.has(part.id) || to === part.id) continue;
      const as = path.endsWith("bridge") ? "port" : "parent";
      const label = as === "port" && part.of.args.tag !== undefined ? `tag ${part.of.args.tag}` : undefined;
      wires.push({ from: part.id, to, as, label, change: one.change });
    }
  }

  /** What is no device itself: it joins two, or says more of one, or of a namespace. */
  function attach(one: Drawn, references: { path: string; to?: string | undefined }[]): void {
    const found = references.flatMap(({ to }) => (to ? [to] : []));
    const [device, other] = found;
    const text = describe(one);
    if (device && other && one.args.bridge !== undefined) {
      wires.push({ from: device, to: other, as: "port", label: vlansOf(one.args), change: one.change });
    } else if (device && one.args.address !== undefined) {
      const node = nodes.get(device) as Node;
      node.lines.push(full(one.args.address as string).address);
      node.change ??= one.change;
    } else {
      place(one.host, one.args.namespace as string | undefined).notes.push({ text, change: one.change });
    }
  }

  function find(one: Drawn, path: string, name: string): string | undefined {
    const beside = path.split(".").slice(0, -1).concat("namespace").join(".");
    const own = path === "parent" ? one.args.parentNamespace : get(one.args, beside);
    const ids = [own as string | undefined, undefined].map((namespace) => nodeId(one.host, namespace, name));
    return ids.find((id) => nodes.has(id));
  }

  function bridgeId(one: Drawn, part: Part): string {
    return nodeId(one.host, undefined, String(part.args.bridge));
  }

  function tunnel(one: Drawn): void {
    const { remote, local } = one.args;
    const [own] = partsOf(one);
    const isPeer = (other: Drawn) => other !== one && other.args.local === remote && other.args.remote === local;
    const peer = local === undefined ? undefined : tunnels.find(isPeer);
    const to = peer ? partsOf(peer)[0]?.id : undefined;
    if (!own || (to && wires.some(({ from, to: end, as }) => as === "tunnel" && from === to && end === own.id))) return;
    const keys = [one.args.key, one.args.id].flatMap((key) => (key === undefined ? [] : [`key ${key}`]));
    const carrier = to ?? carrierOf(remote as string, one.host);
    if (!carrier) outside.add(remote as string);
    const label = [one.args.type ?? one.kind, ...keys].join(", ");
    wires.push({ from: own.id, to: carrier ?? outsideId(remote as string), as: "tunnel", label, change: one.change });
  }

  /** The device of another host that has the address. */
  function carrierOf(address: string, host: string): string | undefined {
    const others = [...places.values()].filter((each) => each.host !== host).flatMap((each) => each.nodes);
    return others.find(({ lines }) => lines.some((line) => line.split("/")[0] === address))?.id;
  }
}

/** One of the devices that a resource is: the resource itself, or one of two ends. */
interface Part {
  of: Drawn;
  /** "" or "a." or "b.". */
  path: string;
  id: string;
  name: string;
  namespace: string | undefined;
  args: Args;
  /** It makes a device, and is not only a port of one. */
  isDevice: boolean;
}

function partsOf(one: Drawn): Part[] {
  const part = (args: Args, path: string, isDevice: boolean): Part => {
    const namespace = args.namespace as string | undefined;
    const name = isDevice || path === "" ? String(args.name) : "";
    return { of: one, path, id: nodeId(one.host, namespace, String(args.name)), name, namespace, args, isDevice };
  };
  const { a, b, name } = one.args as { a?: Args; b?: Args; name?: string };
  // Ends that can be in a namespace are devices; those of a patch cable are nothing but plugs.
  const ends = kinds[one.kind]?.identity.includes("a.namespace") === true;
  if (a && b) return [part(a, "a.", ends), part(b, "b.", ends)];
  return name === undefined ? [] : [part(one.args, "", one.args.type !== "system")];
}

/** What is worth a line: where it is reached, how it is told from others. */
function linesOf(args: Args): string[] {
  const addresses = ((args.addresses ?? []) as string[]).map((item) => full(item).address);
  const facts = ["mode", "mtu", "vlanMode", "trunks"].flatMap((key) => {
    const value = args[key];
    return value === undefined ? [] : [`${key} ${Array.isArray(value) ? value.join(",") : value}`];
  });
  return [...addresses, ...facts];
}

const vlansOf = ({ vlans }: Args) =>
  vlans === undefined ? undefined : `vlans ${(vlans as { id: unknown }[]).map(({ id }) => id).join(",")}`;

/** A route, a rule, a parameter as one line. */
function describe({ kind, args }: Drawn): string {
  const { namespace: _, ...own } = args;
  const words = Object.entries(own).map(([key, value]) => {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    return ["to", "key", "name"].includes(key) ? text : `${key} ${text}`;
  });
  return [kind, ...words].join(" ").slice(0, 120);
}
