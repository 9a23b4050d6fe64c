import type { Seen } from "../host/seen";
import { dropper } from "./trace-firewall";
import { type FlowTrace, notForwarded } from "./trace-flows";
import { bridgeInside, bridgeOutside, called, type Hop, isNic, type Point, where } from "./trace-graph";
import { sent } from "./trace-loss";
import { keyText, overhead, type Tunnel } from "./trace-tunnel";
import { bridgeVlans, type CountedLink, countedLinks, rulesetOf, type View } from "./trace-view";

/** Packets that one point has counted and the next one has not. */
export interface Loss {
  /** The last one that counted them; undefined: the first one of the way did not. */
  before?: Hop;
  at: Hop;
  /** The one after it, to which it hands them itself where it is a veth device. */
  next?: Hop;
  /** Bytes of the IP packet. */
  size: number;
  /** ARP or neighbour discovery is what gets lost. */
  resolving: boolean;
  /** They are answers, and this is who should have sent them: it may not have let the requests in. */
  answering: boolean;
  after: (view: View) => Seen;
  /** How Open vSwitch handles them, in which VLAN they came to the bridge, and with which key they left by the tunnel. */
  flows?: { trace?: FlowTrace; vlan?: number; key?: number };
}

type Reason = (loss: Loss) => string | undefined;

/** Why packets were lost there, in words; undefined when nothing that is to be seen explains it. */
export function reasonFor(loss: Loss): string | undefined {
  for (const reason of [down, portState, dark, tooLong, openVswitch, tunnel, linuxBridge, firewall, cable]) {
    const said = reason(loss);
    if (said) return said;
  }
  return undefined;
}

const pointsOf = ({ before, at, next }: Loss) => [before, at, next].flatMap((hop) => hop?.point ?? []);

/** The point, where it is the one that does not get them `it`. */
const named = ({ at }: Loss, point: Point) => (point === at.point ? "it" : called(point));

function down(loss: Loss): string | undefined {
  for (const point of pointsOf(loss)) {
    const { link, ovs } = point;
    const error = ovs?.interface.text("error");
    if (error) return `${named(loss, point)} does not work: ${error}`;
    if (link && !link.flags.includes("UP")) return `${named(loss, point)} is down`;
  }
  return undefined;
}

const isDark = ({ link }: Point) => link?.flags.includes("NO-CARRIER") === true;

/** Before `dark`: a bridge has no carrier as long as no port forwards. A port without one is disabled for that. */
function portState(loss: Loss): string | undefined {
  const { before, at } = loss;
  if (!sameBridge(loss) || at.point.ovs || !before) return undefined;
  for (const point of [before.point, at.point]) {
    const state = point.link?.linkinfo?.info_slave_data?.state;
    if (state !== undefined && state !== "forwarding" && !isDark(point))
      return `${called(point)} is ${state} (bridge port state)`;
  }
  return undefined;
}

function dark(loss: Loss): string | undefined {
  const point = pointsOf(loss).find(isDark);
  return point && `${named(loss, point)} has no carrier`;
}

function tooLong(loss: Loss): string | undefined {
  const { before, at, next, size } = loss;
  for (const hop of [at, next]) {
    const mtu = hop?.point.link?.mtu;
    if (hop && mtu !== undefined && size > mtu) {
      return `they have ${size} bytes, and ${hop === at ? "its MTU" : `the MTU of ${called(hop.point)}`} is ${mtu}`;
    }
  }
  const end = [before, at].find((hop) => hop?.direction === "tx" && hop.point.tunnel)?.point;
  const under = end && underlay(end);
  if (!end?.tunnel || !under) return undefined;
  const long = size + overhead(end.tunnel);
  if (long <= under.mtu) return undefined;
  return `with the tunnel's headers they have ${long} bytes, and the MTU of ${under.ifname} on ${end.view.host.name} is ${under.mtu}`;
}

/** The device that has the tunnel's own address. */
function underlay({ view, namespace, tunnel }: Point): CountedLink | undefined {
  const links = [namespace, undefined].flatMap((place) => countedLinks(view.seen, place));
  return links.find(({ addr_info = [] }) => addr_info.some(({ local }) => local === tunnel?.local));
}

const sameBridge = ({ before, at }: Loss) => {
  const sides = (hop: Hop | undefined) => (hop ? [bridgeInside(hop.point), bridgeOutside(hop.point)] : []);
  return sides(before).find((bridge) => bridge !== undefined && sides(at).includes(bridge));
};

function openVswitch(loss: Loss): string | undefined {
  const { at, flows } = loss;
  if (!at.point.ovs || !flows?.trace || !sameBridge(loss)) return undefined;
  return notForwarded(at.point.ovs.bridge, flows.trace, at.point.ovs.port, flows.vlan);
}

function tunnel({ before, at, flows }: Loss): string | undefined {
  const [out, back] = [before?.point.tunnel, at.point.tunnel];
  if (!out || !back || at.direction !== "rx") return undefined;
  const key = flows?.key ?? out.outKey;
  if (back.inKey !== "flow" && key !== "flow" && key !== back.inKey) {
    return `they come with ${keyText(out.type, key)}, and it takes ${keyText(back.type, back.inKey)}`;
  }
  for (const end of [before, at].flatMap((hop) => hop?.point ?? [])) {
    const under = underlay(end);
    const { local } = end.tunnel as Tunnel;
    if (local && !under) return `no device ${where(end)} has the tunnel's address ${local}`;
    if (under && !under.flags.includes("UP")) return `${under.ifname} ${where(end)} is down`;
  }
  return `they are lost between the tunnel's ends, ${back.remote} and ${out.remote}`;
}

function linuxBridge(loss: Loss): string | undefined {
  const { before, at } = loss;
  if (!sameBridge(loss) || at.point.ovs || !before) return undefined;
  const isolated = ({ point }: Hop) => point.link?.linkinfo?.info_slave_data?.isolated === true;
  if (isolated(before) && isolated(at)) return "both are isolated ports of the bridge";
  return otherVlan(before.point, at.point);
}

function otherVlan(from: Point, to: Point): string | undefined {
  const [came, goes] = [from, to].map(({ view, namespace, name }) => bridgeVlans(view.seen, namespace, name));
  const pvid = came?.find(({ flags = [] }) => flags.includes("PVID"))?.vlan;
  if (!came || !goes || pvid === undefined) return undefined;
  const carried = goes.map(({ vlan, vlanEnd }) => (vlanEnd ? `${vlan}-${vlanEnd}` : vlan));
  const fits = goes.some(({ vlan, vlanEnd = vlan }) => vlan <= pvid && pvid <= vlanEnd);
  return fits ? undefined : `it carries the VLANs ${carried.join(", ") || "none"}, and they are in VLAN ${pvid}`;
}

/** Hooks that a packet passes before it comes to a device, by where it was before. */
function firewall(loss: Loss): string | undefined {
  const { before, at, resolving, answering, after } = loss;
  const { view, namespace } = at.point;
  const devices = pointsOf(loss).map(({ name }) => name);
  const bridged = sameBridge(loss) !== undefined;
  const ip = bridged ? ["bridge"] : resolving ? ["arp", "ip", "ip6", "inet"] : ["ip", "ip6", "inet"];
  const forwarded = before?.point.view === view && before.point.namespace === namespace;
  const own = answering ? ["input", "output", "postrouting"] : ["output", "postrouting"];
  if (before && !forwarded) return undefined;
  const stage = {
    families: [...ip, "netdev"],
    hooks: ["prerouting", "ingress", "egress", ...(before ? ["forward", "postrouting"] : own)],
    devices,
  };
  const found = dropper(rulesetOf(view.seen, namespace), rulesetOf(after(view), namespace), stage, sent);
  return found && `${found} ${where(at.point)} drops them`;
}

const cable: Reason = ({ before, at }) =>
  before && isNic(before.point) && isNic(at.point) ? "they are lost between the two" : undefined;
