/** A network as it is drawn: boxes in boxes, and wires. What stands in it, build.ts decides; how it looks, the writers. */
export interface Layout {
  hosts: DrawnHost[];
  wires: Wire[];
  /** Addresses that tunnels lead to and that no host of the picture has. */
  outside: string[];
}

/**
 * How a thing differs from what is declared. changed: it is otherwise; gone: it is not there; undeclared: it is there, and
 * no program says so; unread: nobody knows.
 */
export type Change = "changed" | "gone" | "undeclared" | "unread";

/** All that is known of one resource, for who clicks on it. */
export interface Detail {
  /** What its program calls it, or its kind and name. */
  resource: string;
  kind: string;
  args: Record<string, unknown>;
  /** What is not as declared, a line each. */
  drift?: string[];
}

/** What can be looked at and can have drifted. */
export interface Part {
  id: string;
  change?: Change | undefined;
  details: Detail[];
}

export interface DrawnHost extends Part {
  name: string;
  /** The host's own namespace first, and then the others that hold something. */
  places: Place[];
}

export interface Place extends Part {
  /** undefined: the host's own. */
  namespace?: string | undefined;
  nodes: Node[];
  /** What is set in it and belongs to no device: routes, rules, parameters. */
  notes: Note;
}

/** Lines of text under one another. */
export interface Note extends Part {
  lines: Line[];
}

export interface Line {
  text: string;
  change?: Change | undefined;
}

/** A device, or a port that is none. */
export interface Node extends Note {
  name: string;
  /** undefined: others name it, and nothing declares it. */
  kind?: string | undefined;
  /** Other devices are its ports. */
  isBridge?: boolean;
}

export interface Wire extends Part {
  from: string;
  to: string;
  /** cable: a pair; port: a device in a bridge; parent: a device on a device; tunnel: through the underlay. */
  as: "cable" | "port" | "parent" | "tunnel";
  label?: string | undefined;
}

export const hostId = (host: string) => `host ${host}`;

export const placeId = (host: string, namespace: string | undefined) => `namespace ${host}/${namespace ?? ""}`;

export const nodeId = (host: string, namespace: string | undefined, name: string) =>
  `${host}/${namespace ?? ""}/${name}`;

export const outsideId = (address: string) => `outside ${address}`;

/** Everything of a picture that has details. */
export function partsOf({ hosts, wires }: Layout): Part[] {
  const places = hosts.flatMap((host) => host.places);
  return [...hosts, ...places, ...places.flatMap(({ nodes, notes }) => [...nodes, notes]), ...wires];
}
