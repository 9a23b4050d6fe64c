import type { Section } from "./command";
import type { OvsRow } from "./ovs-row";
import type { Point } from "./trace-graph";

/** What `ovs-appctl ofproto/trace` says of one packet, from the port by which it comes to Open vSwitch to its last flow. */
export interface FlowTrace {
  bridges: Map<string, BridgeTrace>;
  /** The datapath's actions. */
  actions: string;
}

interface BridgeTrace {
  /** The last flow that matched, as `table 0: in_port=2, priority 9`. */
  flow: string;
  /** Its last action. */
  action: string;
  /** The bridge switches by MAC address and VLAN, as without OpenFlow. */
  normal: boolean;
  /** The VLAN in which the flows have put the packet; null: in none. undefined: they left it. */
  vlan?: number | null;
}

/** A packet as it is on a tunnel or another trunk. */
export interface Frame {
  vlan?: number;
  tunnel?: { key?: number; from: string; to: string };
}

/** The question; the port is that by which the packet comes, `packet` its headers in the words of ovs-fields(7). */
export function flowTraceSection({ ovs }: Point, packet: string, frame: Frame): Section {
  const { vlan, tunnel } = frame;
  const match = [
    `in_port=${ovs?.interface.number("ofport")}`,
    packet,
    ...(vlan === undefined ? [] : [`dl_vlan=${vlan}`]),
    ...(tunnel ? [`tun_src=${tunnel.from}`, `tun_dst=${tunnel.to}`] : []),
    ...(tunnel?.key === undefined ? [] : [`tun_id=${tunnel.key}`]),
  ].join(",");
  return { key: `trace:${ovs?.bridge}:${match}`, argv: ["ovs-appctl", "ofproto/trace", ovs?.bridge ?? "", match] };
}

/** The answer as data; undefined when Open vSwitch did not understand the question. */
export function readFlowTrace(text: string): FlowTrace | undefined {
  const actions = /^Datapath actions: (.*)$/m.exec(text)?.[1];
  if (actions === undefined) return undefined;
  const bridges = new Map<string, BridgeTrace>();
  for (const part of text.split(/^bridge\("/m).slice(1)) {
    const name = part.slice(0, part.indexOf('"'));
    if (!bridges.has(name)) bridges.set(name, bridgeTrace(part.split(/^Final flow:/m)[0] ?? ""));
  }
  return { bridges, actions };
}

function bridgeTrace(text: string): BridgeTrace {
  const lines = text
    .split("\n")
    .slice(2)
    .filter((line) => line.trim() !== "");
  const flow = lines.map((line) => /^ *(\d+)\. (.+)$/.exec(line)).findLast((found) => found);
  const did = lines
    .filter((line) => /^ {4,}\S/.test(line) && !/^ *(->|>>|\d+\. )/.test(line))
    .map((line) => line.trim());
  const moved = did.map(vlanSet).findLast((vlan) => vlan !== undefined);
  return {
    flow: flow ? `table ${flow[1]}: ${flow[2]}` : "none",
    action: did.at(-1) ?? "drop",
    normal: did.includes("NORMAL"),
    vlan: moved,
  };
}

function vlanSet(action: string): number | null | undefined {
  if (/^(strip_vlan|pop_vlan)\b/.test(action)) return null;
  const set = /mod_vlan_vid:(\d+)|set_field:(\d+)(?:\/\S+)?->vlan_vid/.exec(action);
  // OpenFlow's vlan_vid has a bit for "there is a VLAN header".
  return set ? Number(set[1] ?? set[2]) & 0xfff : undefined;
}

/** How the packet leaves by a tunnel to that address; undefined when it does not. */
export function sentBy({ actions }: FlowTrace, remote: string): { key?: number; vlan?: number } | undefined {
  let vlan: number | undefined;
  let tunnel: string | undefined;
  // The VLAN may be set before the tunnel or after it: what counts is how things are at the output, a bare port number.
  for (const [action] of actions.matchAll(/set\(tunnel\(.*?\)\)\)?|\w+\([^()]*\)|\w+/g)) {
    const pushed = /^push_vlan\(vid=(\d+)/.exec(action)?.[1];
    if (pushed) vlan = Number(pushed);
    else if (action === "pop_vlan") vlan = undefined;
    else if (action.startsWith("set(tunnel(")) tunnel = action;
    else if (/^\d+$/.test(action) && tunnel && (remote === "flow" || tunnel.includes(`dst=${remote},`))) {
      const key = /tun_id=(0x[0-9a-f]+)/.exec(tunnel)?.[1];
      return { key: key === undefined ? undefined : Number(key), vlan };
    }
  }
  return undefined;
}

/** Why a bridge does not send by a port a packet that came in VLAN `came` (undefined: in none, or not known). */
export function notForwarded(
  bridge: string,
  { bridges }: FlowTrace,
  to: OvsRow,
  came: number | undefined,
): string | undefined {
  const seen = bridges.get(bridge);
  if (!seen) return undefined;
  if (!seen.normal) return `the flow \`${seen.flow}\` of ${bridge} ends in \`${seen.action}\``;
  const vlan = seen.vlan === undefined ? came : (seen.vlan ?? undefined);
  const [tag, trunks] = [to.number("tag"), to.list("trunks")];
  const are = vlan === undefined ? "they are in no VLAN" : `they are in VLAN ${vlan}`;
  if (tag !== undefined && tag !== vlan && to.text("vlan_mode") !== "native-untagged")
    return `its tag is ${tag}, and ${are}`;
  if (tag === undefined && trunks.length > 0 && !trunks.includes(vlan ?? 0))
    return `its trunks are ${trunks.join(", ")}, and ${are}`;
  return undefined;
}
