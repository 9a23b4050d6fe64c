/** A network as it is drawn: boxes in boxes, and wires. What stands in it, build.ts decides; how it looks, the writers. */
export interface Layout {
  hosts: DrawnHost[];
  wires: Wire[];
  /** Addresses that tunnels lead to and that no host of the picture has. */
  outside: string[];
}

export interface DrawnHost {
  name: string;
  /** The host's own namespace first, and then the others that hold something. */
  places: Place[];
}

export interface Place {
  host: string;
  /** undefined: the host's own. */
  namespace?: string | undefined;
  /** Its own resource has drifted. */
  change?: Change | undefined;
  nodes: Node[];
  /** What is set in it and belongs to no device: routes, rules, parameters. */
  notes: Note[];
}

/** changed: not as declared; gone: declared, and not there. */
export type Change = "changed" | "gone";

export interface Note {
  text: string;
  change?: Change | undefined;
}

export interface Node {
  id: string;
  name: string;
  kind: string;
  /** Short facts, one a line: addresses, a tag, a key. */
  lines: string[];
  change?: Change | undefined;
  /** Other devices are its ports. */
  isBridge?: boolean;
  /** All that is known of it, for who clicks on it. */
  details: Record<string, unknown>;
}

export interface Wire {
  from: string;
  to: string;
  /** cable: a pair; port: a device in a bridge; parent: a device on a device; tunnel: through the underlay. */
  as: "cable" | "port" | "parent" | "tunnel";
  label?: string | undefined;
  change?: Change | undefined;
}

export const nodeId = (host: string, namespace: string | undefined, name: string) =>
  `${host}/${namespace ?? ""}/${name}`;

export const outsideId = (address: string) => `//${address}`;
