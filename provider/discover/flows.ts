import type { Seen } from "../host/seen";
import type { Section } from "../model/command";
import { HostnetError } from "../model/errors";
import { flowsSection, type LiveFlow, parseFlows } from "../model/openflow";
import { ovsDatabase } from "../model/ovs";
import { learnedCookie, setCookies } from "../model/ovs-cookie";
import type { OvsRow } from "../model/ovs-row";
import type { Left } from "./leftovers";

/** The bridges of Open vSwitch; none where it was not asked for. Throws READ_FAILED. */
export const bridgesIn = (seen: Seen): string[] => (seen.has("ovsdb") ? [...ovsDatabase(seen).bridges.keys()] : []);

export const flowSections = (bridges: string[]): Section[] => bridges.map(flowsSection);

/** The bridge, when it has flows that no OvsFlows of whatever stack describes. Throws READ_FAILED. */
export function flowsOn(seen: Seen, bridge: string): Left[] {
  const { exitCode, stdout, stderr } = seen.result(flowsSection(bridge).key);
  if (exitCode !== 0) {
    const step = `ovs-ofctl dump-flows ${bridge}`;
    throw new HostnetError("READ_FAILED", "could not read the flows", { step, exitCode, stderr });
  }
  const row = ovsDatabase(seen).bridges.get(bridge) as OvsRow;
  const ours = setCookies(bridge, row.map("external_ids")).map(learnedCookie);
  const others = parseFlows(stdout).filter((flow) => !ours.includes(learnedCookie(flow.cookie)) && !isOwn(flow, row));
  if (others.length === 0) return [];
  return [{ name: bridge, type: "OpenFlow", why: `${count(others)}; ${advice(row)}` }];
}

/** A bridge that is no `secure` one has a flow of its own: it is a plain switch. */
const isOwn = ({ cookie, table, priority, match, actions }: LiveFlow, row: OvsRow) =>
  row.text("fail_mode") !== "secure" &&
  cookie === 0n &&
  table === 0 &&
  priority === 0 &&
  match === "" &&
  actions === "NORMAL";

function count(flows: LiveFlow[]): string {
  const forAWhile = flows.filter(({ idleTimeout, hardTimeout }) => idleTimeout || hardTimeout).length;
  const learned = forAWhile > 0 ? `, ${forAWhile} of them for a while, as learned ones` : "";
  return `${flows.length} ${flows.length === 1 ? "flow" : "flows"} of no OvsFlows${learned}`;
}

const advice = (row: OvsRow) =>
  row.list("controller").length > 0
    ? "the bridge has a controller, which sets them"
    : "to declare them, delete them by `ovs-ofctl --strict del-flows` and let an OvsFlows add them";
