import { cidr } from "./scalars";

/** What a .network file of systemd-networkd says, parted between a NIC and the bridge that it is a port of. */
export interface Taken {
  device: string;
  bridge: string;
  /** False when IPv6 is off on the bridge's device. */
  bridgeHasIpv6: boolean;
  /** Their .network file, and what is in it and its drop-ins; undefined where there is none any more. */
  source?: string;
  theirs?: string;
}

/** How a file of ours begins: the rest of the line is their file. */
export const head = "# Made by pulumi-hostnet in place of: ";

/** systemd.network(5): what is about addresses and ways; the rest is about the device. */
const layer3 =
  /^(Network|Address|Neighbor|IPv6AddressLabel|RoutingPolicyRule|NextHop|Route|DHCP.*|IPv6(AcceptRA|SendRA|Prefix|RoutePrefix|PREF64Prefix))$/;

/** What stands on the NIC itself. */
const onCard = /^(VLAN|MACVLAN|MACVTAP|IPVLAN|IPVTAP|VXLAN|MACsec|Tunnel|Xfrm)\s*=/;

/** A section of a .network file, without comments. */
interface Part {
  name: string;
  lines: string[];
}

function partsOf(text = ""): Part[] {
  const parts: Part[] = [];
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    const [, name] = /^\[(.+)\]$/.exec(line) ?? [];
    if (name !== undefined) parts.push({ name, lines: [] });
    else if (!/^([#;]|$)/.test(line)) parts.at(-1)?.lines.push(line);
  }
  return parts;
}

/** What a .network file says, but for what it fits, as far as it is chosen. */
const excerpt = (text: string | undefined, chosen: (section: string, line: string) => boolean): string[] =>
  partsOf(text)
    .filter(({ name }) => name !== "Match")
    .map(({ name, lines }) => ({ name, lines: lines.filter((line) => chosen(name, line)) }))
    .flatMap(({ name, lines }) => (lines.length > 0 ? [`[${name}]`, ...lines] : []));

/** Each address that a .network file gives, as the kernel shows it. */
export const addressesIn = (text: string | undefined): string[] =>
  partsOf(text)
    .flatMap(({ lines }) => lines)
    .flatMap((line) => {
      const [, given = ""] = /^Address\s*=\s*(\S+)$/.exec(line) ?? [];
      const { data } = cidr.safeParse(given.includes("/") ? given : `${given}/${given.includes(":") ? 128 : 32}`);
      return data === undefined ? [] : [data];
    });

const isLayer3 = (section: string, line: string) => layer3.test(section) && !onCard.test(line);

const noLinkLocal = ["LinkLocalAddressing=no", "IPv6AcceptRA=no"];

/** KeepMaster, as networkd would ask Open vSwitch to let the NIC go, and call it failed when that refuses. */
export const cardText = ({ device, bridge, source, theirs }: Taken): string =>
  text(
    [`${head}${source}`, `# ${device} is a port of ${bridge}, which has its addresses.`],
    ["[Match]", `Name=${device}`],
    excerpt(theirs, (section, line) => !isLayer3(section, line)),
    ["[Link]", "RequiredForOnline=no"],
    ["[Network]", "KeepMaster=yes", ...noLinkLocal],
  );

/** KeepConfiguration, as the program may have given the bridge addresses and routes of its own. */
export function bridgeText({ bridge, bridgeHasIpv6, source, theirs }: Taken): string | undefined {
  if (addressesIn(theirs).length === 0) return undefined;
  return text(
    [`${head}${source}`],
    ["[Match]", `Name=${bridge}`],
    excerpt(theirs, (section, line) => isLayer3(section, line) || /^RequiredFor/.test(line)),
    ["[Network]", "KeepConfiguration=yes", ...(bridgeHasIpv6 ? [] : noLinkLocal)],
  );
}

const text = (...parts: string[][]) => `${parts.flat().join("\n")}\n`;
