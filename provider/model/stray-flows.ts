import { defaultPriority, type LiveFlow } from "./openflow";
import type { OvsDatabase } from "./ovs";
import { learnedCookie, ownersOf, setNames } from "./ovs-cookie";
import { ovsFlowsArgs } from "./ovs-flow-args";
import type { OvsRow } from "./ovs-row";
import { hex } from "./scalars";

/**
 * Flows that are of no OvsFlows, of whatever stack. Those of one cookie that stay for good are one set, which has no mark
 * and is known by its cookie; those with a timeout are somebody's for a while, as learned ones.
 */
export interface Stray {
  /** What an OvsFlows of them is called: `cookie-0x5`. */
  name: string;
  /** Without the cookies that their `learn` actions give. */
  flows: LiveFlow[];
  /** With a timeout. */
  passing: LiveFlow[];
  /** Without one, and as the `learn` action of another flow makes them. */
  learned: LiveFlow[];
  /** What a program says of those that stay; undefined, with the reason, when it can say them in no way. */
  args?: { bridge: string; name: string; flows: object[] };
  why?: string;
}

const nameOf = (cookie: bigint) => `cookie-${hex(cookie)}`;

/** Those among all flows of a bridge, by their cookies. */
export function straysAmong(all: LiveFlow[], db: OvsDatabase, bridge: string): Stray[] {
  const row = db.bridges.get(bridge) as OvsRow;
  const ids = row.map("external_ids");
  const ours = [...ownersOf(bridge, ids).keys()].map(learnedCookie);
  const made = new Set(all.flatMap(({ actions }) => patternsOf(actions)));
  const isLearned = (flow: LiveFlow) => made.has(patternOf(flow));
  const byCookie = new Map<bigint, LiveFlow[]>();
  for (const flow of all) {
    if (ours.includes(learnedCookie(flow.cookie)) || isBridges(flow, row)) continue;
    byCookie.set(flow.cookie, [...(byCookie.get(flow.cookie) ?? []), flow]);
  }
  return [...byCookie].map(([cookie, same]) => {
    const name = nameOf(cookie);
    const lasting = same.filter((flow) => !passes(flow));
    const learned = lasting.filter(isLearned);
    const flows = lasting.filter((flow) => !isLearned(flow)).map(withoutLearnCookies);
    const stray = { name, flows, passing: same.filter(passes), learned };
    const args = { bridge, name, flows: argumentsOf(flows, db, bridge) };
    if (flows.length === 0) return stray;
    if (row.list("controller").length > 0) return { ...stray, why: "the bridge has a controller, which sets them" };
    if (setNames(ids).includes(name)) return { ...stray, why: `the bridge has a set ${name} already` };
    const flagged = flows.find(({ flags }) => flags);
    if (flagged) return { ...stray, why: `no flow of an OvsFlows has ${flagged.flags}` };
    const { error } = ovsFlowsArgs.safeParse(args);
    const [issue] = error?.issues ?? [];
    return issue ? { ...stray, why: `${issue.path.slice(2).join(".")} ${issue.message}` } : { ...stray, args };
  });
}

const passes = ({ idleTimeout, hardTimeout }: LiveFlow) => Boolean(idleTimeout || hardTimeout);

/** What those have in common that a `learn` action makes: its actions only set fields and send to ports. */
const patternOf = ({ table, priority, cookie, actions }: LiveFlow) =>
  JSON.stringify([table, priority, String(cookie), actions === "drop" ? [] : actions.split(",").map(actionWord)]);

/** `load:0x7->reg0` becomes `set_field` in some versions of OpenFlow. */
const actionWord = (action: string) => /^\w+(?=:)/.exec(action)?.[0].replace("load", "set_field") ?? action;

/** The patterns of what a flow's `learn` actions make; what has a timeout is known by that. */
function patternsOf(actions: string): string[] {
  return [...actions.matchAll(/\blearn\(([^)]*)\)/g)].map(([, inner = ""]) => {
    const words = inner.split(",");
    const number = (key: string) => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
    // learn_parse__: table 1 is what is not said.
    const [table, priority] = [Number(number("table") ?? 1), Number(number("priority") ?? defaultPriority)];
    const does = words.filter((word) => /^(load|output):/.test(word)).join(",") || "drop";
    return patternOf({ table, priority, match: "", actions: does, cookie: BigInt(number("cookie") ?? 0) });
  });
}

/** A set gives what its flows learn its own cookie, as it does to the flows. */
const withoutLearnCookies = (flow: LiveFlow): LiveFlow => ({
  ...flow,
  actions: flow.actions.replace(/,cookie=0x[\da-f]+\b/g, ""),
});

/** A bridge that is no `secure` one has a flow of its own: it is a plain switch. */
const isBridges = ({ cookie, table, priority, match, actions }: LiveFlow, row: OvsRow) =>
  row.text("fail_mode") !== "secure" &&
  cookie === 0n &&
  table === 0 &&
  priority === 0 &&
  match === "" &&
  actions === "NORMAL";

/** Flows as arguments, with the names of ports: their numbers are others when the ports are made again. */
export function argumentsOf(flows: LiveFlow[], db: OvsDatabase, bridge: string): object[] {
  const names = new Map(
    [...db.ports].flatMap(([name, port]) =>
      port.bridge === bridge && port.interfaces.length === 1 ? [[port.interfaces[0]?.number("ofport"), name]] : [],
    ),
  );
  const put = (text: string) =>
    text.replace(/\b(in_port=|output:)(\d+)\b/g, (word, what, number) => {
      const name = names.get(Number(number));
      return name === undefined ? word : `${what}"${name}"`;
    });
  return flows.map(({ table, priority, match, actions, importance }) => ({
    ...(table ? { table } : {}),
    ...(priority === defaultPriority ? {} : { priority }),
    ...(match ? { match: put(match) } : {}),
    actions: put(actions),
    ...(importance ? { importance } : {}),
  }));
}
