import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { inNamespace, keyIn } from "./namespaces";
import type { Question } from "./question";
import { family } from "./scalars";
import { type Graph, type Hop, type Point, where } from "./trace-graph";
import { neighbourState, type View } from "./trace-view";

/** The way of a packet from a device to the next one that has the address, or to the other end of a link without neighbours. */
export interface Segment {
  from: Point;
  /** The next hop's address. */
  to: string;
  /** The way there; undefined when none of the hosts has the address, or nothing leads there. */
  way?: Hop[];
  /** The kernel does not know the next hop's MAC address. */
  unresolved: boolean;
}

export interface Walk {
  segments: Segment[];
  /** Where the packet is delivered; undefined when the walk ends before. */
  arrived?: Point;
  /** Why routing ends it. */
  trouble?: string;
  /** The source address that the kernel takes. */
  source?: string;
}

/** From where a packet sets out. */
export interface Start {
  view: View;
  namespace?: string;
  device?: string;
  source?: string;
}

const mostHops = 16;

/** Asks the kernel of each namespace on the way, as it would ask itself, where packets to that address go next. */
export function* walk(graph: Graph, start: Start, to: string): Generator<Question[], Walk, Seen[]> {
  const segments: Segment[] = [];
  let { view, namespace, source } = start;
  let by: Point | undefined;
  while (segments.length < mostHops) {
    const words = by ? ["from", source ?? "", "iif", by.name] : leaving(start);
    const { route, forwards } = yield* lookUp(view, namespace, to, words);
    const here = where({ view, namespace });
    if (typeof route === "string") {
      const off = by && !forwards ? `nothing is forwarded ${here} (sysctl ip_forward or forwarding is 0)` : undefined;
      return { segments, source, trouble: off ?? `there is no route to ${to} ${here} (${route})` };
    }
    source ??= route.prefsrc;
    if (route.type === "local") return { segments, source, arrived: by };
    const from = graph.device(view, namespace, route.dev ?? "");
    if (!from) return { segments, source, trouble: `the route to ${to} ${here} leads nowhere` };
    const segment = segmentOf(graph, from, route.gateway ?? to);
    segments.push(segment);
    by = segment.way?.at(-1)?.point;
    if (!by || graph.has(by, to)) return { segments, source, arrived: by };
    ({ view, namespace } = by);
  }
  return { segments, source, trouble: `routes lead in a circle: ${mostHops} hops, and ${to} is not reached` };
}

const leaving = ({ source, device }: Start) => [
  ...(source ? ["from", source] : []),
  ...(device ? ["oif", device] : []),
];

export function segmentOf(graph: Graph, from: Point, to: string): Segment {
  const state = neighbourState(from.view.seen, from.namespace, from.name, to) ?? [];
  const unresolved = state.includes("FAILED") || state.includes("INCOMPLETE");
  return { from, to, way: graph.way(from, to) ?? graph.end(from), unresolved };
}

interface Route {
  dev?: string;
  gateway?: string;
  prefsrc?: string;
  type?: string;
}

function* lookUp(
  { host }: View,
  namespace: string | undefined,
  to: string,
  words: string[],
): Generator<Question[], { route: Route | string; forwards: boolean }, Seen[]> {
  const get: Section = { key: `route get ${to} ${words.join(" ")}`, argv: ["ip", "-j", "route", "get", to, ...words] };
  const name = family(to) === 4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
  const forwarding: Section = { key: `sysctl ${name}`, argv: ["sysctl", "-n", name] };
  const [seen] = yield [{ host, sections: inNamespace(namespace, get, forwarding) }];
  const { stdout, stderr } = (seen as Seen).result(keyIn(get.key, namespace));
  const forwards = (seen as Seen).result(keyIn(forwarding.key, namespace)).stdout.trim() !== "0";
  const said = stderr.replace("RTNETLINK answers: ", "").trim();
  return { route: stdout.startsWith("[{") ? (JSON.parse(stdout)[0] as Route) : said, forwards };
}
