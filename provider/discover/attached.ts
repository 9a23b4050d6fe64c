import type { Seen } from "../host/seen";
import { notInstalled, type Section } from "../model/command";
import { fdbSection, isMade, isSayable } from "../model/fdb";
import { type LinkJson, linksIn } from "../model/link-state";
import { inNamespace, keyIn } from "../model/namespaces";
import type { Left } from "./leftovers";

type Entry = Record<string, unknown>;

/** What hangs on devices, is set by hand, and no resource declares: it is gone when the device is made anew. */
interface Table {
  section: Section;
  /** How it is called, for a person. */
  type: string;
  device(entry: Entry): unknown;
  /** Somebody has made it: neither learned nor the kernel's own. */
  isMade(entry: Entry, link: LinkJson): boolean;
  text(entry: Entry): string;
}

const tables: Table[] = [
  {
    section: fdbSection,
    type: "forwarding entry",
    device: ({ ifname }) => ifname,
    isMade: (entry, link) => isMade(entry as never, link) && !isSayable(entry as never),
    text: ({ mac, dst }) => (dst === undefined ? `${mac}` : `${mac} dst ${dst}`),
  },
  {
    section: { key: "neighbours:permanent", argv: ["ip", "-j", "neighbour", "show", "nud", "permanent"] },
    type: "permanent neighbour",
    device: ({ dev }) => dev,
    isMade: () => true,
    text: ({ dst, lladdr }) => `${dst} lladdr ${lladdr}`,
  },
  {
    section: { key: "qdiscs", argv: ["tc", "-j", "qdisc", "show"] },
    type: "queueing discipline",
    device: ({ dev }) => dev,
    // The kernel's own have no number; on a port of Open vSwitch they are its quality of service.
    isMade: ({ handle }, { linkinfo }) => handle !== "0:" && linkinfo?.info_slave_kind !== "openvswitch",
    text: ({ kind, handle }) => `${kind} ${handle}`,
  },
];

export const attachedSections = (namespace: string | undefined): Section[] =>
  inNamespace(namespace, ...tables.map(({ section }) => section));

/** One line for each device and table. `isManaged`: by somebody who sees to what hangs on it. Throws READ_FAILED. */
export function attachedIn(seen: Seen, namespace: string | undefined, isManaged: (device: string) => boolean): Left[] {
  const links = new Map(linksIn(seen, namespace).map((link) => [link.ifname, link]));
  return tables.flatMap(({ section, type, device, isMade, text }) => {
    const key = keyIn(section.key, namespace);
    if (seen.result(key).exitCode === notInstalled) return [];
    const made = seen.json<Entry[]>(key).filter((entry) => {
      const link = links.get(String(device(entry)));
      return link !== undefined && isMade(entry, link);
    });
    const devices = [...new Set(made.map((entry) => String(device(entry))))];
    return devices.flatMap((name) => {
      if (namespace === undefined && isManaged(name)) return [];
      // One entry may be there in several VLANs.
      const texts = [...new Set(made.filter((entry) => device(entry) === name).map(text))];
      const more = texts.length > most ? `, and ${texts.length - most} more` : "";
      return [{ name, namespace, type, why: `no resource declares ${texts.slice(0, most).join(", ")}${more}` }];
    });
  });
}

/** How many are said. */
const most = 3;
