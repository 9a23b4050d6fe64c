import { otherNamespaces, placesOf } from "./namespaces";
import type { OvsRow } from "./ovs-row";
import { family } from "./scalars";
import { type Tunnel, tunnelOf } from "./trace-tunnel";
import { type CountedLink, countedLinks, ovsOf, portCounts, type View } from "./trace-view";

/**
 * All that counts packets on the hosts of a trace, and how it hangs together on layer 2. A point has two sides: outside
 * is the cable, the veth peer, the other end of the tunnel; inside is the stack of its namespace, or the bridge whose
 * port it is. A bridge's own device and an OVS internal port have the bridge on their outside. So at every point a packet
 * goes out (tx) or comes in (rx), as the point counts it.
 */
export interface Point {
  view: View;
  namespace?: string;
  name: string;
  /** The kernel's device; patch ports and tunnels of Open vSwitch have none. */
  link?: CountedLink;
  /** What Open vSwitch knows of it as a port. */
  ovs?: { bridge: string; port: OvsRow; interface: OvsRow };
  tunnel?: Tunnel;
}

/** A packet at a point, on its way out or in. */
export interface Hop {
  point: Point;
  direction: "tx" | "rx";
}

const kindOf = ({ link }: Point) => link?.linkinfo?.info_kind;

const isInternal = ({ ovs }: Point) => ovs?.interface.text("type") === "internal";

const hub = (view: View, bridge: string, namespace?: string) => `${view.host.machineId}/${namespace ?? ""}/${bridge}`;
const ovsHub = (view: View, bridge: string) => hub(view, bridge, "Open vSwitch");

/** The bridge on the inside of a point. */
export function bridgeInside({ view, namespace, link, ovs }: Point): string | undefined {
  if (ovs && ovs.interface.text("type") !== "internal") return ovsHub(view, ovs.bridge);
  const ofBridge = link?.master !== undefined && link.linkinfo?.info_slave_kind === "bridge";
  return ofBridge ? hub(view, link.master as string, namespace) : undefined;
}

/** The bridge on the outside of a point: it is the bridge's own device. */
export function bridgeOutside(point: Point): string | undefined {
  const { view, namespace, name, ovs } = point;
  if (ovs && isInternal(point)) return ovsHub(view, ovs.bridge);
  return kindOf(point) === "bridge" ? hub(view, name, namespace) : undefined;
}

const addressesOf = ({ link }: Point) => (link?.addr_info ?? []).flatMap(({ local }) => local ?? []);

/** The first address of a device that is of the family of another one. */
export const addressLike = (point: Point, other: string) =>
  addressesOf(point).find((address) => family(address) === family(other));

export class Graph {
  readonly points: Point[];
  private readonly byIndex = new Map<string, Point>();

  constructor(readonly views: View[]) {
    this.points = views.flatMap(pointsOf);
    for (const point of this.points) {
      if (point.link) this.byIndex.set(placeKey(point.view, point.namespace, point.link.ifindex), point);
    }
  }

  /** A device by its name. */
  device(view: View, namespace: string | undefined, name: string): Point | undefined {
    return this.points.find(
      (point) => point.link && point.view === view && point.namespace === namespace && point.name === name,
    );
  }

  /** True when a device of one of the hosts has the address. */
  knows(address: string): boolean {
    return this.points.some((point) => this.has(point, address));
  }

  has = (point: Point, address: string) => addressesOf(point).includes(address);

  /** The shortest way of a packet that leaves by a device to one that has the address; undefined when there is none. */
  way(from: Point, address: string): Hop[] | undefined {
    const found = this.spread(from).find(
      ({ hop }) => hop.direction === "rx" && !bridgeInside(hop.point) && addressesOf(hop.point).includes(address),
    );
    return found && wayTo(found);
  }

  /** To the other end of a device without neighbours, as a GRE tunnel of layer 3: who is there takes all that comes. */
  end(from: Point): Hop[] | undefined {
    const [end] = from.link?.flags.includes("POINTOPOINT") ? this.facing(from) : [];
    return (
      end && [
        { point: from, direction: "tx" },
        { point: end, direction: "rx" },
      ]
    );
  }

  /** Everywhere that a packet may get to, the nearest first, each with the way there. */
  reach(from: Point): Hop[][] {
    return this.spread(from).map(wayTo);
  }

  private spread(from: Point): Reached[] {
    const reached: Reached[] = [{ hop: { point: from, direction: "tx" } }];
    const known = new Set<Point>([from]);
    // The list grows while it is walked.
    for (const last of reached) {
      for (const hop of this.next(last.hop)) {
        if (known.has(hop.point)) continue;
        known.add(hop.point);
        reached.push({ hop, last });
      }
    }
    return reached;
  }

  /** Where a packet may be next on layer 2; none at the stack of a namespace, at an end without a peer. */
  next({ point, direction }: Hop): Hop[] {
    if (direction === "rx") {
      const inside = bridgeInside(point);
      return inside
        ? this.through(inside, point)
        : this.upper(point).map((upper) => ({ point: upper, direction: "rx" }));
    }
    const outside = bridgeOutside(point);
    if (outside) return this.through(outside, point);
    const lower = this.lower(point);
    return [
      ...lower.map((one): Hop => ({ point: one, direction: "tx" })),
      ...this.facing(point).map((one): Hop => ({ point: one, direction: "rx" })),
    ];
  }

  /** Out of a bridge: by its ports, or into the stack by its own device. */
  private through(bridge: string, from: Point): Hop[] {
    return this.points.flatMap((point): Hop[] => {
      if (point === from) return [];
      if (bridgeInside(point) === bridge) return [{ point, direction: "tx" }];
      return bridgeOutside(point) === bridge ? [{ point, direction: "rx" }] : [];
    });
  }

  /** Macvlan, VLAN and bond devices on a device. */
  private upper(point: Point): Point[] {
    return this.points.filter((other) => other !== point && this.lower(other).includes(point));
  }

  private lower(point: Point): Point[] {
    const { view, namespace, link } = point;
    if (kindOf(point) === "bond") {
      const members = this.points.filter(
        (one) => one.view === view && one.namespace === namespace && one.link?.master === point.name,
      );
      const active = members.filter((one) => one.link?.linkinfo?.info_slave_data?.state === "ACTIVE");
      return active.length > 0 ? active : members;
    }
    if (!["macvlan", "macvtap", "ipvlan", "vlan"].includes(kindOf(point) ?? "")) return [];
    if (link?.link) return [this.device(view, namespace, link.link)].flatMap((one) => one ?? []);
    return this.elsewhere(point, ({ link: other }) => other?.ifindex === link?.link_index);
  }

  /** What is at the other end of a cable. */
  private facing(point: Point): Point[] {
    const { view, namespace, link, ovs } = point;
    if (point.tunnel) return this.tunnelEnds(point, point.tunnel);
    const patch = ovs?.interface.text("type") === "patch" ? ovs.interface.map("options").peer : undefined;
    if (patch) return this.points.filter((one) => one.view === view && one.ovs && one.name === patch);
    if (kindOf(point) === "veth") {
      if (link?.link) return [this.device(view, namespace, link.link)].flatMap((one) => one ?? []);
      return this.elsewhere(
        point,
        (other) =>
          kindOf(other) === "veth" &&
          other.link?.ifindex === link?.link_index &&
          other.link?.link_index === link?.ifindex,
      );
    }
    return isNic(point) ? this.points.filter((one) => one.view !== view && isNic(one)) : [];
  }

  private elsewhere({ view, namespace, link }: Point, is: (other: Point) => boolean): Point[] {
    return otherNamespaces(view.seen, namespace, link?.link_netnsid).flatMap((place) => {
      const other = this.byIndex.get(placeKey(view, place, link?.link_index ?? 0));
      return other && is(other) ? [other] : [];
    });
  }

  /** The tunnels that lead back; one whose key fits goes before those whose key does not, for the packets arrive there. */
  private tunnelEnds(point: Point, tunnel: Tunnel): Point[] {
    const ends = (one: Point, { type, remote }: Tunnel) =>
      this.points.filter(
        (other) =>
          other !== one &&
          other.tunnel?.type === type &&
          this.takes(other, remote) &&
          this.takes(one, other.tunnel.remote),
      );
    const back = ends(point, tunnel);
    const fits = (one: Tunnel, other: Tunnel) =>
      [one.outKey, other.inKey].includes("flow") || one.outKey === other.inKey;
    const fitting = back.filter((other) => other.tunnel && fits(tunnel, other.tunnel));
    if (fitting.length > 0) return fitting;
    // A tunnel that a third one fits is that one's.
    return back.filter(
      (other) =>
        !ends(other, other.tunnel as Tunnel).some(
          (third) => third.tunnel && fits(third.tunnel, other.tunnel as Tunnel),
        ),
    );
  }

  /** True when the packets of a tunnel come to that address. */
  private takes({ view, namespace }: Point, address: string): boolean {
    if (address === "flow") return true;
    const place = namespace === undefined ? [undefined] : [namespace, undefined];
    return this.points.some(
      (one) => one.view === view && place.includes(one.namespace) && addressesOf(one).includes(address),
    );
  }
}

interface Reached {
  hop: Hop;
  last?: Reached;
}

function wayTo(reached: Reached): Hop[] {
  return [...(reached.last ? wayTo(reached.last) : []), reached.hop];
}

const placeKey = (view: View, namespace: string | undefined, index: number) =>
  `${view.host.machineId}/${namespace ?? ""}/${index}`;

/** A device that leads nowhere. */
export const isDummy = (point: Point) => kindOf(point) === "dummy";

/** A card of the machine: no kind of device that software makes. */
export const isNic = (point: Point) =>
  point.link?.link_type === "ether" && kindOf(point) === undefined && !point.tunnel && !isInternal(point);

function pointsOf(view: View): Point[] {
  const ovs = ovsOf(view.seen);
  const ports = [...(ovs?.ports.values() ?? [])].flatMap(({ row, bridge, interfaces }) =>
    interfaces.map((one): [string, NonNullable<Point["ovs"]>] => [one.name, { bridge, port: row, interface: one }]),
  );
  const left = new Map(ports);
  const devices = placesOf(view.seen).flatMap((namespace) =>
    countedLinks(view.seen, namespace).map((link): Point => {
      const name = link.ifname;
      const port = left.get(name);
      // An internal port may have been moved to a namespace.
      const is =
        port && (link.linkinfo?.info_kind === "openvswitch" || link.linkinfo?.info_slave_kind === "openvswitch");
      if (is) left.delete(name);
      return { view, namespace, name, link, ovs: is ? port : undefined, tunnel: tunnelOf(link) };
    }),
  );
  const others = [...left].map(
    ([name, port]): Point => ({ view, name, ovs: port, tunnel: tunnelOf(undefined, port.interface) }),
  );
  return [...devices, ...others];
}

/** Packets that a point has counted, by a view or by a later look at the same host. */
export function counted({ point, direction }: Hop, seen: View["seen"]): number | undefined {
  const { namespace, name, link, ovs } = point;
  if (link) {
    return countedLinks(seen, namespace).find(({ ifname }) => ifname === name)?.stats64?.[direction].packets;
  }
  return ovs && portCounts(seen, ovs.bridge, ovs.interface.number("ofport") ?? -1)?.[direction];
}

/** The place of a point, in words. */
export const where = ({ view, namespace }: Pick<Point, "view" | "namespace">) =>
  namespace === undefined ? `on ${view.host.name}` : `in namespace ${namespace} on ${view.host.name}`;

/** What a person calls a point. */
export function called(point: Point): string {
  const { name, ovs } = point;
  return ovs && !isInternal(point) ? `port ${name} of ${ovs.bridge} ${where(point)}` : `${name} ${where(point)}`;
}
