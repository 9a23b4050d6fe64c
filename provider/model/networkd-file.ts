import { cidr } from "./scalars";

/** What a .network file of systemd-networkd says, parted between a NIC and the bridge that it is a port of. */
export interface Taken {
  device: string;
  bridge: string;
  /** False when IPv6 is off on the bridge's device. */
  bridgeHasIpv6: boolean;
  /** Of the port whose files these are: they are ours by it. */
  mark?: string;
  /** Their .network file, and what is in it and its drop-ins; undefined where there is none any more. */
  source?: string;
  theirs?: string;
}

/** How a file of ours begins, and by which regular expressions it is read again. */
const head = ({ device, bridge, mark, source }: Taken) => [
  `# Made by pulumi-hostnet (${mark}) in place of: ${source}`,
  `# ${device} is a port of ${bridge}, which has its addresses.`,
];
export const inHead = {
  mark: /^# Made by pulumi-hostnet \((hostnet:\S+)\)/,
  source: "^# Made by pulumi-hostnet (.*) in place of: \\(.*\\)$",
  bridge: "^# .* is a port of \\(.*\\), which has its addresses\\.$",
};

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
  const lines = text.replaceAll("\\\n", " ").split("\n");
  for (const line of lines.map((raw) => raw.trim())) {
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

/** Each address that a .network file gives, as the kernel shows it. Of [Network], an empty one takes back those before. */
export function addressesIn(text: string | undefined): string[] {
  let all: string[] = [];
  for (const { name, lines } of partsOf(text).filter((part) => /^(Network|Address)$/.test(part.name))) {
    for (const line of lines) {
      const [, given] = /^Address\s*=\s*(\S*)$/.exec(line) ?? [];
      if (given === "" && name === "Network") all = [];
      if (!given || /^(0\.0\.0\.0|::)(\/|$)/.test(given)) continue; // one of networkd's choice
      const { data } = cidr.safeParse(given.includes("/") ? given : `${given}/${given.includes(":") ? 128 : 32}`);
      if (data !== undefined) all.push(data);
    }
  }
  return all;
}

const isLayer3 = (section: string, line: string) => layer3.test(section) && !onCard.test(line);

const noLinkLocal = ["LinkLocalAddressing=no", "IPv6AcceptRA=no"];

/** KeepMaster, as networkd would take the NIC from Open vSwitch; that the kernel refuses it, networkd 252 only logs. */
export const cardText = (taken: Taken): string =>
  text(
    head(taken),
    ["[Match]", `Name=${taken.device}`],
    excerpt(taken.theirs, (section, line) => !isLayer3(section, line)),
    ["[Link]", "RequiredForOnline=no"],
    ["[Network]", "KeepMaster=yes", ...noLinkLocal],
  );

/** KeepConfiguration, as the program may have given the bridge addresses and routes of its own. */
export function bridgeText(taken: Taken): string | undefined {
  if (addressesIn(taken.theirs).length === 0) return undefined;
  return text(
    head(taken),
    ["[Match]", `Name=${taken.bridge}`],
    excerpt(taken.theirs, (section, line) => isLayer3(section, line) || /^RequiredFor/.test(line)),
    ["[Network]", "KeepConfiguration=yes", ...(taken.bridgeHasIpv6 ? [] : noLinkLocal)],
  );
}

const text = (...parts: string[][]) => `${parts.flat().join("\n")}\n`;
