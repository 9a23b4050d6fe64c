import type { Seen } from "../host/seen";
import { flowsOf } from "../model/openflow";
import { ovsDatabase } from "../model/ovs";
import { straysAmong } from "../model/stray-flows";
import { undeclared } from "./attached";
import type { Left } from "./leftovers";

/** The bridges of Open vSwitch; none where it was not asked for. Throws READ_FAILED. */
export const bridgesIn = (seen: Seen): string[] => (seen.has("ovsdb") ? [...ovsDatabase(seen).bridges.keys()] : []);

/** The flows of a bridge that are of no OvsFlows and can be of none, by cookie. Throws READ_FAILED. */
export function flowsOn(seen: Seen, bridge: string): Left[] {
  const strays = straysAmong(flowsOf(seen, bridge), ovsDatabase(seen), bridge);
  const used = new Set(
    strays.flatMap(({ args, flows }) => (args ? flows.flatMap(({ actions }) => usedBy(actions)) : [])),
  );
  const unmade =
    used.size === 0 ? [] : [{ name: bridge, type: "OpenFlow", why: `${undeclared([...used])}, which flows use` }];
  const told = strays.flatMap(({ name, flows, passing, learned, why }) => {
    const reasons = [
      ...(why === undefined ? [] : [`${count(flows)}: ${why}`]),
      ...(passing.length === 0 ? [] : [`${count(passing)} with a timeout, as learned ones have`]),
      ...(learned.length === 0 ? [] : [`${count(learned)} as a learn action of another makes them`]),
    ];
    return reasons.length === 0 ? [] : [{ name: `${bridge} ${name}`, type: "OpenFlow", why: reasons.join("; ") }];
  });
  return [...told, ...unmade];
}

/** Groups and meters must be there before a flow that uses them. */
const usedBy = (actions: string) =>
  [...actions.matchAll(/\b(group|meter):(\d+)/g)].map(([, what, number]) => `${what} ${number}`);

const count = ({ length }: unknown[]) => `${length} ${length === 1 ? "flow" : "flows"}`;
