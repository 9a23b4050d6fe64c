import { placeWords } from "./namespaces";
import type { Probe, ProbeAnswer } from "./probe";
import { family } from "./scalars";

type From = Pick<Probe, "namespace" | "protocol" | "to" | "device" | "source">;

/** What the host itself finds wrong with the path: one clause for a person; undefined when packets leave it. */
export function ownTrouble(probe: From, answer: ProbeAnswer): string | undefined {
  return (
    deviceTrouble(probe.device, probe, answer) ??
    sourceTrouble(probe, answer) ??
    tooLong(answer) ??
    routeTrouble(probe, answer) ??
    deviceTrouble(outDevice(probe, answer), probe, answer) ??
    refusal(answer)
  );
}

/** Where a path ends, as far as the host that sends the packets can tell. */
export function whereItEnds(probe: From, answer: ProbeAnswer): string {
  return (
    ownTrouble(probe, answer) ??
    neighbourTrouble(probe, answer) ??
    toldByRouter(answer) ??
    firstComplaint(answer) ??
    silence(probe, answer)
  );
}

const routeOf = ({ route }: ProbeAnswer) => (typeof route === "object" ? route : undefined);

const outDevice = (probe: From, answer: ProbeAnswer) => routeOf(answer)?.dev ?? probe.device;

function deviceTrouble(device: string | undefined, probe: From, { links }: ProbeAnswer): string | undefined {
  if (device === undefined || links.length === 0) return undefined;
  const link = links.find(({ ifname }) => ifname === device);
  if (!link) return `there is no device ${device}${placeWords(probe.namespace)}`;
  if (!link.flags.includes("UP")) return `${device} is down${placeWords(probe.namespace)}`;
  // Loopback and bridges without the flag are no different from others here.
  if (link.flags.includes("NO-CARRIER")) return `${device} has no carrier: its cable, peer or ports are down`;
  return undefined;
}

function sourceTrouble(probe: From, { links }: ProbeAnswer): string | undefined {
  if (probe.source === undefined || links.length === 0) return undefined;
  const there = links.some(({ addr_info = [] }) => addr_info.some(({ local }) => local === probe.source));
  return there ? undefined : `no device${placeWords(probe.namespace)} has the source address ${probe.source}`;
}

function tooLong(answer: ProbeAnswer): string | undefined {
  const own = /message too long, mtu[=:] ?(\d+)/i.exec(answer.said)?.[1];
  if (own) return `message too long: MTU ${own} on ${routeOf(answer)?.dev ?? "the way"}`;
  const told = /^From (\S+) .*(?:Frag needed and DF set \(mtu = |Packet too big: mtu=)(\d+)/m.exec(answer.said);
  return told ? `message too long: ${told[1]} lets ${told[2]} bytes through` : undefined;
}

/** What the kernel answers to `ip route get` where it has no way. */
const refusals: [RegExp, string][] = [
  [/Network is unreachable/, "no route to"],
  [/No route to host/, "a route of type unreachable stands for"],
  [/Permission denied|Operation not permitted/, "a route or rule of type prohibit stands for"],
  [/Invalid argument/, "a route of type blackhole stands for"],
];

function routeTrouble(probe: From, { route }: ProbeAnswer): string | undefined {
  if (typeof route !== "string" || route === "") return undefined;
  const known = refusals.find(([pattern]) => pattern.test(route))?.[1];
  return known ? `${known} ${probe.to}${placeWords(probe.namespace)}` : `the kernel has no way: ${route.trim()}`;
}

function neighbourTrouble(probe: From, answer: ProbeAnswer): string | undefined {
  const device = outDevice(probe, answer);
  const hop = routeOf(answer)?.gateway ?? probe.to;
  // arping goes past the kernel's table of neighbours.
  if (probe.protocol === "arp") return `${probe.to} does not answer ARP on ${device}`;
  const entry = answer.neighbours.find(({ dst, dev }) => dst === hop && dev === device);
  const state = entry?.state?.find((word) => word === "FAILED" || word === "INCOMPLETE");
  if (!state) return undefined;
  const asked = family(hop) === 4 ? "ARP" : "neighbour discovery";
  const what = hop === probe.to ? hop : `the router ${hop}`;
  return `${what} does not answer ${asked} on ${device} (neighbour ${state})`;
}

function toldByRouter({ said }: ProbeAnswer): string | undefined {
  const told = /^From (\S+?):? icmp_seq=\d+ (.+)$/m.exec(said);
  return told ? `${told[1]} says: ${told[2]}` : undefined;
}

/** Somebody is there, and says no. */
const refusal = ({ said }: ProbeAnswer) => (/^Connection refused$/m.test(said) ? "Connection refused" : undefined);

/** A program that could not even send says why: a missing right, a program that drops. */
function firstComplaint({ said }: ProbeAnswer): string | undefined {
  const line = said.split("\n").find((text) => /not permitted|denied|unreachable|ping: |arping: |No route/i.test(text));
  return line?.replace(/^\S*ping: /, "");
}

function silence(probe: From, answer: ProbeAnswer): string {
  const route = routeOf(answer);
  const seen = answer.got === "partly" ? "answers come for some only" : "no answer";
  if (!route?.dev || route.type === "local") return seen;
  const state = answer.neighbours.find(
    ({ dst, dev }) => dst === (route.gateway ?? probe.to) && dev === route.dev,
  )?.state;
  const by = route.gateway ? ` to the router ${route.gateway}` : "";
  return `${seen}; packets leave by ${route.dev}${by}${state ? ` (neighbour ${state.join(" ")})` : ""}, and are lost beyond`;
}
