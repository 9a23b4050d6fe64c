import { z } from "zod";
import type { Seen } from "../host/seen";
import { type Context, kind, ownersOf } from "../kind";
import type { Step } from "../model/command";
import { HostnetError } from "../model/errors";
import {
  bundle,
  type Flow,
  findUnsayable,
  flowsOf,
  flowsSection,
  isUnsayable,
  keyOf,
  lineOf,
  parsedSection,
  placeholders,
  replacePorts,
} from "../model/openflow";
import { ovsDatabase, ovsSections } from "../model/ovs";
import { changeRecord, unwaited, vsctl, word } from "../model/ovs-columns";
import { cookieOf, learnedCookie, setKey, setMask, setNames } from "../model/ovs-cookie";
import { type OvsFlowsArgs, ovsFlowsArgs, placeKey } from "../model/ovs-flow-args";
import { type FlowSet, flowSetOf, normalOf, ofMark, strayOf } from "../model/ovs-flow-set";
import { get, same } from "../model/path";
import { hex } from "../model/scalars";
import { argumentsOf, straysAmong } from "../model/stray-flows";

type Want = OvsFlowsArgs;

export const ovsFlows = kind({
  name: "OvsFlows",
  doc: "A set of OpenFlow flows of an Open vSwitch bridge, exact under a cookie of its own: a flow with that cookie that is not declared goes. Several sets share a bridge. Flows that are in no set are one by their cookie: with the name `cookie-0x5` and `adopt: true` those of cookie 5 are taken over where they are, and their counters go on. Open vSwitch loses flows when it is restarted, and when the bridge's fail mode changes: that shows as drift, and `pulumi up --refresh` puts them back. The set's mark is an external id of the bridge.",
  args: ovsFlowsArgs,
  facts: z.object({
    cookie: z.string().describe("The cookie of its flows, as `ovs-ofctl dump-flows BRIDGE cookie=COOKIE/-1` takes it."),
    flows: z.number().describe("How many flows of it are on the bridge."),
    learned: z.number().describe("How many flows its `learn` actions have added, which carry the next higher cookie."),
  }),
  identity: ["name", "bridge"],
  needs: ["ovs-vsctl", "ovs-ofctl"],
  mark: "cookie",
  reset: {},
  claims: (want) => [
    `flows ${want.name} of bridge ${want.bridge}`,
    ...want.flows.map((flow) => `flow ${placeKey(flow)} of bridge ${want.bridge}`),
  ],
  observe(want) {
    return [...ovsSections, flowsSection(want.bridge), parsedSection(want.bridge, want.name, numbered(want))];
  },
  find(want, seen) {
    const row = bridgeOf(want, seen);
    if (!row) return undefined;
    const mark = row.map("external_ids")[setKey(want.name)];
    const stray = mark === undefined ? strayOf(want.bridge, want.name, seen) : [];
    if (mark === undefined && stray.length === 0) return undefined;
    const raw = flowSetOf(want, seen, mark, stray);
    return {
      args: { bridge: want.bridge, name: want.name },
      facts: { cookie: hex(raw.cookie), flows: raw.own.length, learned: raw.learned.length },
      marks: [mark],
      raw,
    };
  },
  survey: (namespace, first) =>
    namespace === undefined ? [...ovsDatabase(first).bridges.keys()].map(flowsSection) : [],
  list(seen, namespace) {
    if (namespace !== undefined) return [];
    const db = ovsDatabase(seen);
    return [...db.bridges].flatMap(([bridge, row]) => {
      if (seen.result(flowsSection(bridge).key).exitCode !== 0) return [];
      const ids = row.map("external_ids");
      const all = flowsOf(seen, bridge);
      const marked = setNames(ids).map((name) => {
        const { own } = ofMark(all, bridge, name, ids[setKey(name)] ?? "");
        return { bridge, name, flows: argumentsOf(own, db, bridge) };
      });
      return [...marked, ...straysAmong(all, db, bridge).flatMap(({ args }) => args ?? [])] as Want[];
    });
  },
  asOurs: (found) => ({ ...found, raw: { ...(found.raw as FlowSet), taken: true } }),
  converge(want, live, context) {
    const seen = context.seen as Seen;
    if (!live && !bridgeOf(want, seen)) throw noBridge(want);
    const raw = live ? (live.raw as FlowSet) : flowSetOf(want, seen, context.mark);
    if (isUnsayable(raw.complaint)) return findUnsayable(numbered(want));
    refuse(want, raw, ownersOf(context));
    const lines = changes(want, raw, context);
    const flows = lines.length > 0 ? [{ ...bundle(want.bridge, lines), touches: [want.bridge] }] : [];
    if (!live) return [...writeMark(want, context.mark), ...flows];
    // Last: cut off before it, a set that is taken over is still known by its old cookie.
    return [...flows, ...(raw.mark === context.mark ? [] : writeMark(want, context.mark))];
  },
  // Somebody has taken the mark away: the flows are known by their cookie, which nobody else gives.
  sweep(want, seen, { owner }) {
    if (!bridgeOf(want, seen) || seen.result(flowsSection(want.bridge).key).exitCode !== 0) return [];
    const cookie = cookieOf(owner, want.bridge, want.name);
    const left = flowsOf(seen, want.bridge).some((flow) => learnedCookie(flow.cookie) === learnedCookie(cookie));
    return left ? [takenAway(want, cookie)] : [];
  },
  remove(live, want) {
    const { cookie, own, learned, mark } = live.raw as FlowSet;
    // Flows of the cookie by which it was imported: somebody else's, since.
    if (mark === undefined) return [];
    const unmark = vsctl([["remove", "Bridge", want.bridge, "external_ids", word(setKey(want.name))]]).map(unwaited);
    return [...(own.length + learned.length > 0 ? [takenAway(want, cookie)] : []), ...unmark];
  },
  shown: (path, want, live) => (path === "flows" ? shownFlows(want, live.raw as FlowSet) : get(live.args, path)),
});

/** The flows with a number for each port's name. */
function numbered({ flows }: Want): Flow[] {
  const numbers = placeholders(flows);
  return flows.map((flow) => replacePorts(flow, (name) => numbers.get(name) ?? ""));
}

/** All flows of a set, and what they have learned. */
const takenAway = ({ bridge }: Want, cookie: bigint): Step => ({
  ...bundle(bridge, [`delete cookie=${hex(cookie)}/${setMask}`]),
  touches: [bridge],
});

const bridgeOf = (want: Want, seen: Seen) => ovsDatabase(seen).bridges.get(want.bridge);

const noBridge = ({ bridge }: Want) =>
  new HostnetError("INVALID", `there is no bridge ${bridge}`, {
    remedy: "Declare it (OvsBridge), and give `bridge` as that resource, so that it is there first.",
  });

/** ovs-vswitchd has nothing to do for it. */
const writeMark = (want: Want, mark: string): Step[] =>
  vsctl(
    changeRecord("Bridge", want.bridge, [{ column: "external_ids", key: setKey(want.name), value: word(mark) }]),
  ).map(unwaited);

/**
 * Throws INVALID, NOT_CONVERGED or FOREIGN for what must not, or cannot, be written. A flow of another set of ours is
 * taken over where it is: Pulumi makes a set under a new name before it deletes the old one, and flows change hands
 * between two sets in any order. To add it gives it our cookie, and the other set takes away by its own cookie only. Two
 * sets of a program that both declare it are refused in preview, by their claims.
 */
function refuse(want: Want, raw: FlowSet, owners: [string, ...string[]]): void {
  const cookie = cookieOf(owners[0], want.bridge, want.name);
  const [, line, text] = /-:(\d+): (.*)/.exec(raw.complaint ?? "") ?? [];
  if (raw.complaint !== undefined) {
    const where = line === undefined ? "flows" : `flows[${Number(line) - 1}]`;
    throw new HostnetError("INVALID", `${where}: ovs-ofctl says: ${text ?? raw.complaint.trim()}`, {
      remedy: "See ovs-fields(7) and ovs-actions(7); the name of a port stands in double quotes.",
    });
  }
  if (raw.lost) {
    throw new HostnetError(
      "INVALID",
      `flows: Open vSwitch would leave fields out of the match "${raw.lost.said}", and take "${raw.lost.kept}" for it`,
      {
        remedy:
          "A field needs its protocol, as in `ip,nw_src=10.0.0.1` or `tcp,tp_dst=80`: see the prerequisites in ovs-fields(7).",
      },
    );
  }
  const eviction = want.flows.findIndex(({ importance }) => importance > 0);
  if (eviction >= 0 && raw.protocols.length > 0 && !raw.protocols.includes("OpenFlow14")) {
    throw new HostnetError("INVALID", `flows[${eviction}].importance: bridge ${want.bridge} speaks no OpenFlow 1.4`, {
      remedy: "Add OpenFlow14 to the bridge's `protocols`, or leave `importance` out.",
    });
  }
  const missingPorts = [...raw.ports].flatMap(([name, number]) => (number === undefined ? [name] : []));
  if (missingPorts.length > 0) {
    throw new HostnetError("NOT_CONVERGED", `bridge ${want.bridge} has no port ${missingPorts.join(", ")}`, {
      remedy: "Declare it (OvsPort, OvsPatch, OvsTunnel) and let the flows depend on it (`dependsOn`).",
    });
  }
  const places = new Map<string, number>();
  for (const [index, flow] of want.flows.entries()) {
    const place = keyOf(normalOf(flow, raw));
    const first = places.get(place);
    if (first !== undefined) {
      throw new HostnetError("INVALID", `flows[${index}]: is the same as flows[${first}] to Open vSwitch: ${place}`);
    }
    places.set(place, index);
    const other = raw.others.get(place);
    if (!other || other.cookie === cookie || owners.includes(raw.owners.get(other.cookie) ?? "")) continue;
    throw new HostnetError(
      "FOREIGN",
      `flows[${index}]: bridge ${want.bridge} has a flow ${place} of another, ${lineOf(other)}`,
      {
        remedy: `Take it away with \`ovs-ofctl --strict del-flows ${want.bridge} '${place}'\`, or take over all flows of its cookie by \`hostnet import\`. A bridge with the fail mode standalone has one of its own, priority 0 in table 0: declare \`failMode: "secure"\`.`,
      },
    );
  }
}

/** The lines of the bundle: the difference and nothing else, so that the counters of what stays go on. */
function changes(want: Want, raw: FlowSet, context: Context<Want>): string[] {
  const cookie = cookieOf(context.owner, want.bridge, want.name);
  const isOurs = raw.taken || raw.cookie === cookie;
  const live = new Map(raw.own.map((flow) => [keyOf(flow), flow]));
  const wanted = want.flows.map((flow) => ({ flow, normal: normalOf(flow, raw) }));
  const places = new Set(wanted.map(({ normal }) => keyOf(normal)));

  const surplus = raw.own.filter((flow) => !places.has(keyOf(flow)));
  const put = wanted.flatMap(({ flow, normal }) => {
    const there = live.get(keyOf(normal));
    if (isOurs && there && same(contentOf(there), contentOf(normal))) return [];
    const numbered = replacePorts(flow, (name) => raw.ports.get(name) ?? "");
    const line = `cookie=${hex(cookie)},${lineOf(withLearnCookie(numbered, cookie))}`;
    // To modify keeps the counters, but cannot change a timeout or the cookie. Nor does to add set them back, but for
    // the time since when the flow is there.
    const kept = isOurs && there && same({ ...contentOf(there), actions: "" }, { ...contentOf(normal), actions: "" });
    return kept ? [`modify_strict ${line}`] : [`add ${line}`];
  });
  const stays = new Set(wanted.map(({ normal }) => JSON.stringify([keyOf(normal), contentOf(normal)])));
  // What a learn action that is no more has added would go on to send packets where they are not to go; what one of
  // another owner's has, would be nobody's.
  const forget = raw.own.some(
    (flow) => learns(flow) && (!isOurs || !stays.has(JSON.stringify([keyOf(flow), contentOf(flow)]))),
  );
  // So would what a flow that is taken over from another set has.
  const taken = wanted.flatMap(({ normal }) => raw.others.get(keyOf(normal)) ?? []).filter(learns);
  const cookies = new Set([...raw.others.values()].map((flow) => flow.cookie));
  const theirs = [...new Set(taken.map((flow) => learnedCookie(flow.cookie)))].filter((one) => cookies.has(one));
  return [
    ...(forget && raw.learned.length > 0 ? [`delete cookie=${hex(learnedCookie(raw.cookie))}/-1`] : []),
    ...theirs.map((one) => `delete cookie=${hex(one)}/-1`),
    ...surplus.map((flow) => `delete_strict cookie=${hex(raw.cookie)}/-1,${keyOf(flow)}`),
    ...put,
  ];
}

const learns = ({ actions }: Flow) => actions.includes("learn(");

const withLearnCookie = (flow: Flow, cookie: bigint): Flow => ({
  ...flow,
  actions: flow.actions.replace(/\blearn\(/g, `learn(cookie=${hex(learnedCookie(cookie))},`),
});

const contentOf = ({ actions, idleTimeout = 0, hardTimeout = 0, importance = 0 }: Flow) => ({
  ...{ actions, idleTimeout, hardTimeout, importance },
});

/** What is on the bridge, in the declared spelling where it is what was declared. */
function shownFlows(want: Want, raw: FlowSet): Want["flows"] {
  const live = new Map(raw.own.map((flow) => [keyOf(flow), flow]));
  const declared = want.flows.flatMap((flow) => {
    const there = live.get(keyOf(normalOf(flow, raw)));
    if (!there) return [];
    live.delete(keyOf(there));
    const { actions, ...others } = contentOf(there);
    return [{ ...flow, ...others, actions: actions === normalOf(flow, raw).actions ? flow.actions : actions }];
  });
  const surplus = [...live.values()].map(({ cookie, flags, ...flow }) => ({ ...flow, ...contentOf(flow) }));
  return [...declared, ...surplus];
}
