import type { Seen } from "../host/seen";
import { ownerOf } from "./mark";
import {
  type Flow,
  flowsOf,
  flowsSection,
  keyOf,
  type LiveFlow,
  parsedSection,
  parseFlows,
  placeholders,
  portNames,
} from "./openflow";
import { type OvsDatabase, ovsDatabase } from "./ovs";
import { cookieOf, learnedCookie, ownersOf } from "./ovs-cookie";
import type { OvsFlowsArgs } from "./ovs-flow-args";
import { hex } from "./scalars";
import { straysAmong } from "./stray-flows";

/** What converge needs of the answers. */
export interface FlowSet {
  mark: string | undefined;
  /** What its flows have. */
  cookie: bigint;
  /** As if its flows had our cookie: they are given it without a change of what they do, or of their counters. */
  taken?: boolean;
  /** Flows of the set itself, in normal form, without those that it learned. */
  own: LiveFlow[];
  learned: LiveFlow[];
  /** Flows of others by their place. */
  others: Map<string, LiveFlow>;
  /** Whose set has a cookie, of all sets that have a mark on the bridge. */
  owners: Map<bigint, string>;
  /** Declared text to normal form, of matches and of actions. */
  normal: { match: Map<string, string>; actions: Map<string, string> };
  /** What ovs-ofctl says is wrong with what is declared. */
  complaint?: string;
  /** A match of which it leaves fields out, with exit status 0: those that nothing in it makes applicable. */
  lost?: { said: string; kept: string } | undefined;
  /** The OpenFlow versions that the bridge is told to speak; none: all. */
  protocols: string[];
  /** Numbers of the ports that are named; undefined for one that the bridge has not. */
  ports: Map<string, string | undefined>;
}

/** The flows of a set without a mark, known by their cookie; none when the bridge does not tell them. */
export function strayOf(bridge: string, name: string, seen: Seen): LiveFlow[] {
  if (seen.result(flowsSection(bridge).key).exitCode !== 0) return [];
  const strays = straysAmong(flowsOf(seen, bridge), ovsDatabase(seen), bridge);
  return strays.find((stray) => stray.name === name)?.flows ?? [];
}

/** The flows of a bridge as those of the set with this mark and those of others. */
export function ofMark(all: LiveFlow[], bridge: string, name: string, mark: string) {
  const cookie = cookieOf(ownerOf(mark), bridge, name);
  return {
    cookie,
    own: all.filter((flow) => flow.cookie === cookie).map((flow) => withoutLearnCookie(flow, cookie)),
    learned: all.filter((flow) => flow.cookie === learnedCookie(cookie)),
    others: all.filter((flow) => flow.cookie !== cookie && flow.cookie !== learnedCookie(cookie)),
  };
}

/** The same for a set without a mark. What its `learn` actions have added nobody can tell. */
function ofStray(all: LiveFlow[], own: LiveFlow[]) {
  const places = own.map(keyOf);
  const others = all.filter((flow) => !places.includes(keyOf(flow)));
  return { cookie: own[0]?.cookie ?? 0n, own, learned: [], others };
}

/** What converge needs. Throws READ_FAILED. */
export function flowSetOf(want: OvsFlowsArgs, seen: Seen, mark: string | undefined, stray: LiveFlow[] = []): FlowSet {
  const all = flowsOf(seen, want.bridge);
  const { others, ...set } = mark === undefined ? ofStray(all, stray) : ofMark(all, want.bridge, want.name, mark);
  const parsed = seen.result(parsedSection(want.bridge, want.name, []).key);
  const db = ovsDatabase(seen);
  const ports = new Map(portNames(want.flows).map((name) => [name, portNumber(db, want.bridge, name)]));
  const bridge = db.bridges.get(want.bridge);
  return {
    ...{ mark, ...set },
    others: new Map(others.map((flow) => [keyOf(flow), flow])),
    owners: ownersOf(want.bridge, bridge?.map("external_ids") ?? {}),
    protocols: bridge?.list("protocols").map(String) ?? [],
    normal: normalForms(want.flows, parseFlows(parsed.stdout), ports),
    complaint: parsed.exitCode === 0 ? undecoded(parsed.stdout) : parsed.stderr,
    lost: lostOf(parsed.stderr),
    ports,
  };
}

/** A flow that is taken, with exit status 0, and cannot be decoded again; as ovs-ofctl says what it does not take. */
function undecoded(stdout: string): string | undefined {
  const lines = stdout.split("\n").filter((line) => line.startsWith("OFPT_FLOW_MOD"));
  const found = lines.findIndex((line) => line.includes("***decode error"));
  return found < 0 ? undefined : `-:${found + 1}: ${lines[found]?.split("***")[1]}`;
}

function lostOf(stderr: string): FlowSet["lost"] {
  const [, said, kept] = /normalization changed ofp_match.*\n.*\bpre: (.*)\n.*\bpost: (.*)/.exec(stderr) ?? [];
  return said === undefined || kept === undefined ? undefined : { said, kept };
}

/** The number that a port has; the bridge's own port is called LOCAL in flows. */
function portNumber(db: OvsDatabase, bridge: string, name: string): string | undefined {
  const port = db.ports.get(name);
  const number = port?.bridge === bridge ? port.interfaces[0]?.number("ofport") : undefined;
  if (number === undefined || number < 1) return undefined;
  return number === 65534 ? "LOCAL" : String(number);
}

function normalForms(declared: Flow[], parsed: Flow[], ports: Map<string, string | undefined>): FlowSet["normal"] {
  const numbers = new Map([...placeholders(declared)].map(([name, number]) => [number, ports.get(name) ?? number]));
  const real = (text: string) =>
    text
      .replace(/\b\d+\b/g, (number) => numbers.get(number) ?? number)
      // As a bridge shows what goes out by its own port.
      .replace(/\boutput:LOCAL\b/g, "LOCAL");
  const pairs = (key: "match" | "actions") =>
    new Map(declared.flatMap((flow, at) => (parsed[at] ? [[flow[key], real(parsed[at][key])] as const] : [])));
  return { match: pairs("match"), actions: pairs("actions") };
}

/** A flow as the bridge would show it; what is in that form already stays. */
export const normalOf = (flow: Flow, { normal }: FlowSet): Flow => ({
  ...flow,
  match: normal.match.get(flow.match) ?? flow.match,
  actions: normal.actions.get(flow.actions) ?? flow.actions,
});

const withoutLearnCookie = (flow: LiveFlow, cookie: bigint): LiveFlow => ({
  ...flow,
  actions: flow.actions.replaceAll(`cookie=${hex(learnedCookie(cookie))},`, ""),
});
