import type { Seen } from "../host/seen";
import { type LiveAddress, restoreAddress } from "./address";
import type { Section, Step } from "./command";
import { type LinkJson, linkSections, linkState, linksIn } from "./link-state";
import { inNamespace, namespaceIdsSection, namespacesSection, otherNamespaces, placesOf } from "./namespaces";
import { type NeighborEntry, neighborSections, neighborsOf, replaceNeighbor } from "./neighbor";
import type { KnownHost, Question } from "./question";
import { gatewaysLast, type LiveRoute, liveRoutes, replaceRoute, routesSection } from "./route";
import { family } from "./scalars";

/**
 * A device that goes down loses its IPv6 addresses, all routes that lead through it, and its neighbours, whosever they are
 * (addrconf_ifdown, fib_disable_ip, neigh_ifdown); so do the VLANs on it, which go down and come up with it
 * (vlan_device_event), wherever they are.
 */
export interface Loss extends Place {
  wasUp: boolean;
  addresses: LiveAddress[];
  routes: LiveRoute[];
  neighbors: NeighborEntry[];
}

interface Place {
  namespace: string | undefined;
  device: string;
}

/** What there is to lose when a device goes down. */
export function* lossesOf(at: Place, host: KnownHost): Generator<Question[], Loss[], Seen[]> {
  const [names] = yield [{ host, sections: [namespacesSection] }];
  const sections = placesOf(names as Seen).flatMap(sectionsOf);
  const [seen] = yield [{ host, sections: [namespacesSection, ...sections] }];
  return goingDown(seen as Seen, at).map((one) => lossOf(seen as Seen, one));
}

const sectionsOf = (place: string | undefined): Section[] => [
  ...linkSections(place),
  ...inNamespace(place, namespaceIdsSection, routesSection(4), routesSection(6)),
  ...neighborSections(place),
];

/** The device and the VLANs on it. */
function goingDown(seen: Seen, at: Place): Place[] {
  const index = linkState(seen, at.namespace, at.device)?.json.ifindex;
  const isOnIt = (link: LinkJson, namespace: string | undefined) =>
    link.link === undefined || link.link === null
      ? link.link_index === index && otherNamespaces(seen, namespace, link.link_netnsid).includes(at.namespace)
      : link.link === at.device && namespace === at.namespace;
  const onIt = placesOf(seen).flatMap((namespace) =>
    linksIn(seen, namespace)
      .filter((link) => followsParent(link) && isOnIt(link, namespace))
      .map(({ ifname }): Place => ({ namespace, device: ifname })),
  );
  return [at, ...onIt.flatMap((one) => goingDown(seen, one))];
}

const followsParent = ({ linkinfo }: LinkJson) =>
  linkinfo?.info_kind === "vlan" && !(linkinfo.info_data?.flags as string[] | undefined)?.includes("LOOSE_BINDING");

function lossOf(seen: Seen, { namespace, device }: Place): Loss {
  const link = linkState(seen, namespace, device);
  const routes = ([4, 6] as const).flatMap((version) => liveRoutes(seen, namespace, version));
  return {
    ...{ namespace, device },
    wasUp: link?.json.flags.includes("UP") ?? false,
    // What routers tell they tell again when the device is up.
    addresses: (link?.addresses ?? []).filter(({ address, dynamic }) => family(address) === 6 && !dynamic),
    routes: routes.filter(
      ({ hops, protocol }) =>
        hops.some((hop) => hop.device === device) && !["kernel", "ra", "redirect"].includes(protocol),
    ),
    neighbors: neighborsOf(seen, namespace, device),
  };
}

/** Gives it back, when the device is up again. */
export const restore = (losses: Loss[]): Step[] => [
  ...losses
    .filter(({ wasUp }) => !wasUp)
    .map(({ namespace, device }): Step => ({ argv: ["ip", "link", "set", "dev", device, "down"], namespace })),
  ...losses.flatMap(({ namespace, device, addresses }) =>
    // The kernel lists the newest first.
    addresses.toReversed().map((item) => restoreAddress(item, device, namespace)),
  ),
  ...losses.flatMap(({ namespace, routes }) => gatewaysLast(routes).map((route) => replaceRoute(route, namespace))),
  ...losses.flatMap(({ namespace, neighbors }) => neighbors.map((entry) => replaceNeighbor(entry, namespace))),
];
