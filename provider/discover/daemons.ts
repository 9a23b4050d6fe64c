import type { Seen } from "../host/seen";
import { netnsInode } from "../model/processes";
import { othersRunning, serviceSections } from "../model/service-live";
import type { Left } from "./leftovers";

/** Programs that a resource can run too. */
const daemons: Record<string, string> = {
  dnsmasq: "its settings are not made into a program; stop it, and a DhcpServer on its device serves in its place",
  lldpd: "its settings are not made into a program; an Lldp speaks for the same devices, beside it or in its place",
};

export const daemonSections = serviceSections;

/** The servers of somebody else's that run in a namespace, by the program's name and the process' number. */
export function daemonsIn(seen: Seen, namespace: string | undefined): Left[] {
  const inode = netnsInode(seen, namespace);
  if (inode === undefined) return [];
  return Object.entries(daemons).flatMap(([program, why]) =>
    othersRunning(seen, program)
      .filter(({ netns }) => netns === inode)
      .map(({ pid }) => ({ name: `${program}[${pid}]`, namespace, type: "process", why })),
  );
}
