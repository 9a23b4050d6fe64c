import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { inNamespace, namespacesSection, placesOf } from "./namespaces";
import { broadcasts, burst, lengthOf, type Probe } from "./probe";
import type { KnownHost, Question } from "./question";
import { family } from "./scalars";
import { addressLike, called, Graph, type Hop, isDummy, isNic, type Point } from "./trace-graph";
import { type After, findLoss, type Leg, passed, sent } from "./trace-loss";
import { type Loss, reasonFor } from "./trace-reasons";
import { countSections, type View, viewSections } from "./trace-view";
import { type Segment, segmentOf, type Walk, walk } from "./trace-walk";

type Ask<T> = Generator<Question[], T, Seen[]>;

/**
 * Where the packets of a probe end that its own host cannot explain: looks at all devices, bridges, tunnels and firewalls
 * of the hosts (the first is the probe's), sends packets, and looks at what has counted them. One clause for a person;
 * undefined when all of them have.
 */
export function* endOf(probe: Probe, hosts: KnownHost[]): Ask<string | undefined> {
  const graph = new Graph(yield* look(hosts));
  const [view] = graph.views as [View];
  const { namespace, device, source, to } = probe;
  if (probe.protocol === "arp") {
    const from = graph.device(view, namespace, device ?? "");
    return from && (yield* onLink(graph, segmentOf(graph, from, to)));
  }
  const request = yield* walk(graph, { view, namespace, device, source }, to);
  const unresolved = request.segments.find((segment) => segment.unresolved);
  return unresolved ? yield* onLink(graph, unresolved) : yield* endToEnd(graph, probe, request);
}

function* look(hosts: KnownHost[]): Ask<View[]> {
  const names = yield hosts.map((host) => ({ host, sections: [namespacesSection] }));
  const rest = yield hosts.map((host, index) => ({ host, sections: viewSections(placesOf(names[index] as Seen)) }));
  return hosts.map((host, index) => ({ host, seen: (names[index] as Seen).and(rest[index] as Seen) }));
}

/** Sends the packets, and looks again. */
function* send({ views }: Graph, from: View, packets: Section, namespace: string | undefined): Ask<After> {
  yield [{ host: from.host, sections: inNamespace(namespace, packets) }];
  const seen = yield views.map(({ host, seen: was }) => ({ host, sections: countSections(placesOf(was)) }));
  return (view) => seen[views.indexOf(view)] as Seen;
}

/** A next hop does not tell its MAC address: broadcasts go the way of the question, and then that of the answer. */
function* onLink(graph: Graph, { from, to, way }: Segment): Ask<string> {
  const what = family(to) === 4 ? "ARP" : "neighbour discovery";
  const out = yield* send(graph, from.view, broadcasts(from.name, family(to), sent), from.namespace);
  if (!way) return beyond(graph, from, to, out);
  const lost = yield* findLoss(resolving(way, from, to, false), out);
  if (lost) return `${what} for ${to} is ${described(lost)}`;
  const target = (way.at(-1) as Hop).point;
  const arrives = `${what} for ${to} arrives at ${called(target)}`;
  const own = addressLike(from, to);
  const back = own === undefined ? undefined : graph.way(target, own);
  if (own === undefined || !back) return `${arrives}, and no way leads back`;
  const leg = resolving(back, target, own, true);
  const returned = yield* send(graph, target.view, broadcasts(target.name, family(to), sent), target.namespace);
  const unanswered = yield* findLoss(leg, returned);
  if (unanswered) return `${arrives}, and the answer is ${described(unanswered)}`;
  return `${arrives}, and is not answered${because({ ...leg, at: back[0] as Hop, after: returned })}`;
}

/** The kernels know the way of the question: packets as the probe sends them go all of it, and then that of the answer. */
function* endToEnd(graph: Graph, probe: Probe, request: Walk): Ask<string | undefined> {
  const { to } = probe;
  const known = { ...probe, source: request.source };
  const after = yield* send(graph, graph.views[0] as View, burst(probe, sent), probe.namespace);
  const lost = yield* findLoss(leg(known, request, false), after);
  if (lost) return `they are ${described(lost)}`;
  if (request.trouble) return request.trouble;
  const open = request.segments.find(({ way }) => !way);
  if (open) return beyond(graph, open.from, open.to, after);
  const { arrived, source } = request;
  if (!arrived || !source) return undefined;
  const arrives = `they arrive at ${called(arrived)}`;
  const answer = yield* walk(graph, { view: arrived.view, namespace: arrived.namespace, source: to }, source);
  if (answer.segments.length === 0 && answer.trouble) return `${arrives}, and the answer has no way: ${answer.trouble}`;
  const unresolved = answer.segments.find((segment) => segment.unresolved);
  if (unresolved) return `${arrives}, and for the answer ${yield* onLink(graph, unresolved)}`;
  const unanswered = yield* findLoss(leg(known, answer, true), after);
  if (unanswered) return `${arrives}, and the answer is ${described(unanswered)}`;
  return answer.trouble && `${arrives}, and the answer gets no further: ${answer.trouble}`;
}

/** The address is on none of the hosts, or nothing leads to it: the farthest that packets come. */
function beyond(graph: Graph, from: Point, to: string, after: After): string {
  const ways = graph.reach(from).filter((way) => way.every((hop) => passed(hop, after)));
  const farthest = ways.toSorted((a, b) => b.length - a.length).flatMap((way) => way.at(-1) ?? []);
  const leaves = (hop: Hop) =>
    hop.direction === "tx" && (isNic(hop.point) || hop.point.tunnel) && graph.next(hop).length === 0;
  const last = farthest.find(leaves) ?? farthest[0];
  const names = graph.views.map(({ host }) => host.name).join(" and ");
  const unknown = graph.knows(to)
    ? `nothing leads to ${to} on ${names}`
    : `no device on ${names} has the address ${to}`;
  if (!last) return `${unknown}; they are not sent by ${called(from)}`;
  if (leaves(last)) {
    const { point } = last;
    const end = point.tunnel ? ` to ${point.tunnel.remote}` : "";
    return `they leave by ${called(point)}${end}; ${unknown}: name the machine that is there in \`hosts\``;
  }
  const broken = graph.points.flatMap((point) => {
    const error = point.ovs?.interface.text("error");
    return error ? [`${called(point)} does not work: ${error}`] : [];
  });
  const drops = isDummy(last.point) ? ", a dummy: it drops them" : "";
  return [`${unknown}; they are last seen at ${called(last.point)}${drops}`, ...broken.slice(0, 2)].join("; ");
}

function described(loss: Loss): string {
  const { before, at } = loss;
  const where = before
    ? `last seen at ${called(before.point)}, not at ${called(at.point)}`
    : `not sent by ${called(at.point)}`;
  return `${where}${because(loss)}`;
}

function because(loss: Loss): string {
  const reason = reasonFor(loss);
  return reason ? `: ${reason}` : "";
}

/** What a broadcast goes by in Open vSwitch: its flows may tell ARP from others. */
function resolving(way: Hop[], from: Point, to: string, answering: boolean): Leg {
  const own = addressLike(from, to);
  const source = `dl_src=${from.link?.address}`;
  const packet =
    family(to) === 4
      ? `arp,${source},dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_spa=${own ?? "0.0.0.0"},arp_tpa=${to}`
      : `icmp6,${source},dl_dst=33:33:00:00:00:01,icmp_type=135`;
  return { hops: way.map((hop) => ({ hop, packet })), size: 0, resolving: true, answering };
}

function leg(probe: Probe, { segments }: Walk, answering: boolean): Leg {
  const hops = segments.flatMap(({ from, way = [] }) => {
    const packet = headers(probe, from, way.at(-1)?.point, answering);
    return way.map((hop) => ({ hop, packet }));
  });
  return { hops, size: lengthOf(probe), resolving: false, answering };
}

function headers(
  { protocol, to, port, source }: Probe,
  from: Point,
  next: Point | undefined,
  answering: boolean,
): string {
  const six = family(to) === 6;
  const address = six ? "ipv6" : "nw";
  const ends = answering ? ["src", "dst"] : ["dst", "src"];
  const type = {
    icmp: six ? (answering ? 129 : 128) : answering ? 0 : 8,
    tcp: undefined,
    udp: undefined,
    arp: undefined,
  }[protocol];
  return [
    `${protocol}${six ? "6" : ""}`,
    `dl_src=${from.link?.address}`,
    ...(next?.link?.address ? [`dl_dst=${next.link.address}`] : []),
    `${address}_${ends[0]}=${to}`,
    ...(source ? [`${address}_${ends[1]}=${source}`] : []),
    "nw_ttl=64",
    ...(type === undefined ? [] : [`icmp_type=${type}`]),
    ...(port === undefined ? [] : [`tp_${ends[0]}=${port}`]),
  ].join(",");
}
