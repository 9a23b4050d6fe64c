import { managementPath, managementSections, refuseIfCut } from "./host/management";
import type { Seen } from "./host/seen";
import type { Machine } from "./host/types";
import {
  nextHopSections,
  refuseIfLost,
  refuseIfMisdirected,
  refuseIfRerouted,
  refuseIfRuledOut,
  refuseIfSilenced,
  wayBackSections,
  withoutIpv6,
} from "./host/way-back";
import type { Step } from "./model/command";

/**
 * Law 10: steps that would cut our own connection are refused. `known` is what was read already, `isThere` tells whether a
 * device of the host was there before. Throws MANAGEMENT_PATH, READ_FAILED.
 */
export async function guard(
  steps: Step[],
  machine: Machine,
  known: Seen | undefined,
  isThere: (device: string) => boolean,
): Promise<void> {
  const touched = steps.flatMap((step) => step.touches ?? []).filter(isThere);
  const routes = steps.flatMap((step) => step.routes ?? []);
  const rules = steps.flatMap((step) => step.rules ?? []);
  const silenced = withoutIpv6(steps).filter(isThere);
  const neighbors = steps.flatMap((step) => step.neighbors ?? []);
  const { facts } = machine;
  refuseIfLost(
    facts,
    steps.flatMap((step) => step.loses ?? []),
  );
  const sections = [
    ...(touched.length + silenced.length > 0 ? managementSections(facts) : []),
    ...(routes.length + rules.length > 0 ? wayBackSections(facts) : []),
    ...(neighbors.length > 0 ? nextHopSections(facts) : []),
  ];
  if (sections.length === 0) return;
  const seen = known && sections.every(({ key }) => known.has(key)) ? known : await machine.observe(sections);
  const path = () => seen.derive("management path", () => managementPath(facts, seen));
  if (touched.length > 0) refuseIfCut(path(), touched);
  if (silenced.length > 0) refuseIfSilenced(facts, path(), silenced);
  if (routes.length > 0) refuseIfRerouted(facts, seen, routes);
  if (rules.length > 0) refuseIfRuledOut(facts, seen, rules);
  if (neighbors.length > 0) refuseIfMisdirected(facts, seen, neighbors);
}
