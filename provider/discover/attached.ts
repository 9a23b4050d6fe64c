import type { Seen } from "../host/seen";
import { type AddressInfo, liveAddress } from "../model/address";
import { notInstalled, type Section } from "../model/command";
import { type FdbJson, fdbSection, isMade, unsaidIn } from "../model/fdb";
import { type LinkJson, linksIn, linksSection } from "../model/link-state";
import { inNamespace, keyIn } from "../model/namespaces";
import { isMade as isMadeNeighbor, isProxy, isSayable, type NeighborJson, neighborSections } from "../model/neighbor";
import { same } from "../model/path";
import { type PortVlan, portVlansOf, type VlanJson, vlansSection } from "../model/port-vlans";
import type { Left } from "./leftovers";

type Entry = Record<string, unknown>;

/** What hangs on devices, is set by hand, and no resource declares: it is gone when the device is made anew. */
interface Table {
  section: Section;
  /** How it is called, for a person. */
  type: string;
  device(entry: Entry): unknown;
  /** What of an entry somebody has made: neither learned nor the kernel's own. */
  made(entry: Entry, link: LinkJson): string[];
}

const tables: Table[] = [
  {
    section: fdbSection,
    type: "forwarding entry",
    device: ({ ifname }) => ifname,
    made(entry, link) {
      const one = entry as unknown as FdbJson;
      const unsaid = unsaidIn(one);
      return isMade(one, link) && unsaid.length > 0 ? [`${one.mac} dst ${one.dst} ${unsaid.join(" ")}`] : [];
    },
  },
  ...neighborSections(undefined).map(
    (section): Table => ({
      section,
      type: "neighbour",
      device: ({ dev }) => dev,
      made(entry, link) {
        const one = entry as unknown as NeighborJson;
        return isMadeNeighbor(one) && !isSayable(one, link)
          ? [[one.dst, ...(isProxy(one) ? ["proxy"] : ["lladdr", one.lladdr])].join(" ")]
          : [];
      },
    }),
  ),
  {
    section: { key: "qdiscs", argv: ["tc", "-j", "qdisc", "show"] },
    type: "queueing discipline",
    device: ({ dev }) => dev,
    // The kernel's own have no number; on a port of Open vSwitch they are its quality of service.
    made: ({ kind, handle }, { linkinfo }) =>
      handle === "0:" || [linkinfo?.info_kind, linkinfo?.info_slave_kind].includes("openvswitch")
        ? []
        : [`${kind} ${handle}`],
  },
  {
    section: linksSection,
    type: "setting",
    device: ({ ifname }) => ifname,
    made: (_entry, { flags, group = "default", master, linkinfo, altnames = [], xdp }) => [
      ...(master === undefined || masters.includes(linkinfo?.info_slave_kind) ? [] : [`master ${master}`]),
      // A network card's are an Interface's.
      ...(linkinfo?.info_kind === undefined
        ? []
        : switches.flatMap(([flag, word]) => (flags.includes(flag) ? word : []))),
      ...(group === "default" ? [] : [`group ${group}`]),
      // udev gives network cards some.
      ...(linkinfo?.info_kind === undefined ? [] : altnames.map((name) => `altname ${name}`)),
      ...(xdp === undefined ? [] : ["its XDP program"]),
    ],
  },
  {
    section: linksSection,
    type: "address",
    device: ({ ifname }) => ifname,
    made: (_entry, { ifname, addr_info = [] }) =>
      addr_info.filter((info) => isByHand(info, ifname)).flatMap((info) => ofAddress(info)),
  },
  {
    section: vlansSection,
    type: "bridge",
    device: ({ ifname }) => ifname,
    made: ({ vlans }, { linkinfo }) => {
      if (linkinfo?.info_kind !== "bridge") return [];
      const pvid = Number(linkinfo.info_data?.vlan_default_pvid ?? 1);
      const own = portVlansOf(vlans as VlanJson[]);
      const usual: PortVlan[] = pvid === 0 ? [] : [{ id: pvid, pvid: true, untagged: true }];
      return same(own, usual) ? [] : [`its own VLANs: ${own.map(vlanText).join(", ") || "none"}`];
    },
  },
];

// What `ip link` shows of IFF_* is what somebody has set, not what ports of bridges have.
const switches = [
  ["PROMISC", "promisc"],
  ["ALLMULTI", "allmulticast"],
] as const;

/** What a device's own resource, a BridgePort, an OvsPort or a Bond says to be its master. */
const masters: unknown[] = ["bridge", "bond", "openvswitch"];

const vlanText = ({ id, pvid, untagged }: PortVlan) =>
  [id, ...(pvid ? ["pvid"] : []), ...(untagged ? ["untagged"] : [])].join(" ");

function isByHand(info: AddressInfo, device: string): boolean {
  if (info.local === undefined || (device === "lo" && info.scope === "host")) return false;
  const { kernelMade, dynamic, daemon } = liveAddress(info);
  return !kernelMade && !dynamic && daemon === undefined;
}

/** What `ip address add` was told of an address, and no argument says. */
function ofAddress({ local, broadcast, metric, ...info }: AddressInfo): string[] {
  const { noprefixroute, mngtmpaddr, home, autojoin, deprecated } = info;
  const flags = Object.entries({ noprefixroute, mngtmpaddr, home, autojoin, deprecated }).filter(([, is]) => is);
  const words = [
    ...(broadcast === undefined ? [] : [`brd ${broadcast}`]),
    ...(metric === undefined ? [] : [`metric ${metric}`]),
    ...flags.map(([word]) => word),
  ];
  return words.map((word) => `${word} of ${local}`);
}

export const attachedSections = (namespace: string | undefined): Section[] =>
  inNamespace(namespace, ...tables.map(({ section }) => section));

/** One line for each device and table. `isManaged`: by somebody who sees to what hangs on it. Throws READ_FAILED. */
export function attachedIn(seen: Seen, namespace: string | undefined, isManaged: (device: string) => boolean): Left[] {
  const links = new Map(linksIn(seen, namespace).map((link) => [link.ifname, link]));
  return tables.flatMap(({ section, type, device, made }) => {
    const key = keyIn(section.key, namespace);
    if (seen.result(key).exitCode === notInstalled) return [];
    // One entry may be there in several VLANs.
    const texts = new Map<string, Set<string>>();
    for (const entry of seen.json<Entry[]>(key)) {
      const name = String(device(entry));
      const link = links.get(name);
      if (!link || (namespace === undefined && isManaged(name))) continue;
      const told = texts.get(name) ?? new Set();
      for (const text of made(entry, link)) texts.set(name, told.add(text));
    }
    return [...texts].map(([name, told]) => ({ name, namespace, type, why: undeclared([...told]) }));
  });
}

/** How many are said. */
const most = 3;

export const listed = (texts: string[]) =>
  texts.slice(0, most).join(", ") + (texts.length > most ? `, and ${texts.length - most} more` : "");

export const undeclared = (texts: string[]) => `no resource declares ${listed(texts)}`;
