import type { Seen } from "../host/seen";
import type { Section } from "../model/command";
import { inNamespace, namespaceExists } from "../model/namespaces";
import { isOther, liveRoute, type RouteJson, routesJson, routesSection } from "../model/route";
import { liveRules, rulesSection } from "../model/rule";
import { undeclared } from "./attached";
import type { Left } from "./leftovers";

const families = [4, 6] as const;

export const routingSections = (namespace: string | undefined): Section[] =>
  inNamespace(namespace, ...families.flatMap((family) => [routesSection(family), rulesSection(family)]));

/** The rules and routes of which something can be said by no Rule or Route, or nothing at all. Throws READ_FAILED. */
export function routingIn(seen: Seen, namespace: string | undefined, isManaged: (device: string) => boolean): Left[] {
  if (!namespaceExists(seen, namespace)) return [];
  return families.flatMap((family) => [
    ...liveRules(seen, namespace, family)
      .filter(({ unsaid }) => unsaid.length > 0)
      .map(({ priority, selectors: { from }, unsaid }) => ({
        ...{ name: `${priority}${from === undefined ? "" : ` ${from}`}`, namespace, type: "rule" },
        why: undeclared(unsaid),
      })),
    ...routesJson(seen, namespace, family)
      .map((json) => ({ ...liveRoute(json, family), json }))
      .filter(({ protocol, hops }) => byHand.includes(protocol) && !hops.some(({ device }) => isOf(device)))
      .flatMap(({ to, table, metric, unsaid, json }) => {
        if (unsaid.length === 0 && !isOther(json)) return [];
        const name = [to, ...(table === "main" ? [] : [table]), ...(metric === 0 ? [] : [metric])].join(" ");
        return [{ name, namespace, type: "route", why: isOther(json) ? otherRoute(json) : undeclared(unsaid) }];
      }),
  ]);

  function isOf(device: string | undefined): boolean {
    return namespace === undefined && device !== undefined && isManaged(device);
  }
}

const byHand = ["boot", "static"];

const otherRoute = ({ tos, from, encap, nexthops = [] }: RouteJson) => {
  const into = encap ?? nexthops.find((hop) => hop.encap !== undefined)?.encap;
  const what = into === undefined ? (from === undefined ? `tos ${tos}` : `from ${from}`) : `encap ${into}`;
  return `no Route is one with ${what}`;
};
