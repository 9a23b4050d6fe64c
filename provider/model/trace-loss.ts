import type { Seen } from "../host/seen";
import type { Question } from "./question";
import { type FlowTrace, type Frame, flowTraceSection, readFlowTrace, sentBy } from "./trace-flows";
import { bridgeOutside, counted, type Hop, type Point } from "./trace-graph";
import type { Loss } from "./trace-reasons";
import type { View } from "./trace-view";

/** How many packets are sent on purpose: more than pass by the way on a device that is not busy. */
export const sent = 50;

/** Packets of one direction, all the way. */
export interface Leg {
  /** Each with the headers that packets have there, in the words of ovs-fields(7). */
  hops: { hop: Hop; packet: string }[];
  size: number;
  resolving: boolean;
  answering: boolean;
}

/** What a host has counted once the packets were sent. */
export type After = (view: View) => Seen;

/** True when a point has counted the packets, or cannot count. */
export function passed(hop: Hop, after: After): boolean {
  const { view } = hop.point;
  const [was, is] = [counted(hop, view.seen), counted(hop, after(view))];
  return was === undefined || is === undefined || is - was >= sent / 2;
}

/** The first point of the way that has not counted them; undefined when all have. */
export function* findLoss({ hops, ...leg }: Leg, after: After): Generator<Question[], Loss | undefined, Seen[]> {
  const index = hops.findIndex(({ hop }) => !passed(hop, after));
  if (index < 0) return undefined;
  const flows = yield* follow(hops.slice(0, index));
  const [before, at, next] = [index - 1, index, index + 1].map((place) => hops[place]?.hop);
  return { ...leg, before, at: at as Hop, next, after, flows };
}

const typeOf = ({ ovs }: Point) => ovs?.interface.text("type");

/** What Open vSwitch does with the packets on each of the hosts on the way, as it says itself. */
function* follow(hops: Leg["hops"]): Generator<Question[], Loss["flows"], Seen[]> {
  let trace: FlowTrace | undefined;
  let frame: Frame = {};
  for (const { hop, packet } of hops) {
    const { point, direction } = hop;
    if (!point.ovs) continue;
    const tag = typeOf(point) === "internal" || direction === "rx" ? point.ovs.port.number("tag") : undefined;
    const enters = (direction === "tx") === (bridgeOutside(point) !== undefined);
    if (enters && typeOf(point) !== "patch") {
      const section = flowTraceSection(point, packet, frame);
      const [seen] = yield [{ host: point.view.host, sections: [section] }];
      trace = readFlowTrace((seen as Seen).result(section.key).stdout);
      frame = { vlan: tag ?? frame.vlan };
    } else if (enters) {
      frame = { vlan: tag ?? frame.vlan };
    } else {
      frame = left(point, trace, frame);
    }
  }
  return { trace, vlan: frame.vlan, key: frame.tunnel?.key };
}

/** The frame once it has left a bridge by a port. */
function left({ ovs, tunnel }: Point, trace: FlowTrace | undefined, { vlan }: Frame): Frame {
  const moved = trace?.bridges.get(ovs?.bridge ?? "")?.vlan;
  const now = moved === undefined ? vlan : (moved ?? undefined);
  if (!tunnel) return { vlan: ovs?.port.number("tag") === undefined ? now : undefined };
  const how = trace && sentBy(trace, tunnel.remote);
  const key = how?.key ?? (tunnel.outKey === "flow" ? undefined : tunnel.outKey);
  return { vlan: how ? how.vlan : now, tunnel: { key, from: tunnel.local ?? "0.0.0.0", to: tunnel.remote } };
}
