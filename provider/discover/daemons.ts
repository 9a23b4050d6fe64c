import type { Seen } from "../host/seen";
import { dhcpOthersSections, otherServers } from "../model/dhcp-others";
import { processTitle } from "../model/handover";
import { netnsInode, type Process } from "../model/processes";
import { othersRunning } from "../model/service-live";
import { otherTunnels } from "../model/vpn-others";
import type { Left } from "./leftovers";
import type { Thing } from "./survey";

/** A process of somebody else's, and why no resource is to be made of it. */
interface Other {
  process: Process;
  why?: string;
}

/** Programs that a resource can run too. */
const daemons: Record<string, (seen: Seen, namespace: string | undefined) => Other[]> = {
  dnsmasq: otherServers,
  socat: (seen, namespace) => otherTunnels(seen).filter(({ place }) => place === namespace),
  lldpd: (seen, namespace) =>
    othersRunning(seen, "lldpd")
      .filter(({ netns }) => netns === netnsInode(seen, namespace))
      .map((process) => ({ process, why: titled })),
};

const titled =
  "its switches (-c, -e, -M and the like) cannot be seen: it has put a title in the place of its command line";

export const daemonSections = dhcpOthersSections;

/** The servers of somebody else's that run in a namespace, and that nothing found stands for. */
export function daemonsIn(seen: Seen, namespace: string | undefined, things: Thing[]): Left[] {
  if (netnsInode(seen, namespace) === undefined) return [];
  const taken = things.map(({ found }) => found.restarts);
  return Object.entries(daemons).flatMap(([program, others]) =>
    others(seen, namespace).flatMap(({ process, why = "no resource is made of it" }) => {
      const name = processTitle(program, process);
      return taken.includes(name) ? [] : [{ name, namespace, type: "process", why }];
    }),
  );
}
