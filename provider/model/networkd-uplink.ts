import type { Seen } from "../host/seen";
import type { LiveAddress } from "./address";
import type { Section } from "./command";
import { HostnetError } from "./errors";
import { linkSections, linkState } from "./link-state";
import { devicesOnHost, managerSections } from "./managers";
import { inHead, type Taken } from "./networkd-file";
import { type LiveRoute, liveRoutes, routesSection } from "./route";

/**
 * A NIC that systemd-networkd has given addresses becomes a port of a bridge: what is layer 3 in its .network file goes
 * to the bridge's device, in two files of ours that networkd takes before others. So it is right after a carrier that
 * came back, `networkctl reconfigure`, and at boot, when Open vSwitch has its bridge again and nothing else of ours is there.
 */
export interface Uplink extends Taken {
  /** Who manages the NIC, if anybody. */
  manager?: string;
  /** The addresses on the NIC that somebody gave it. */
  addresses: LiveAddress[];
  /** Those of the NIC that the kernel did not make, and that the bridge can have. */
  routes: LiveRoute[];
  /** Addresses of the bridge's device. */
  bridged: LiveAddress[];
  /** Our files as they are. */
  card?: string;
  onBridge?: string;
  /** The file by which networkd set each of the two up. */
  cardBy?: string;
  bridgeBy?: string;
}

/** Before what anybody else has there, but after what takes the NIC from networkd as our warnings have it. */
const prefix = "/etc/systemd/network/00-hostnet-uplink-";

/** For `list`: the NICs of which there is a file of ours. */
export const uplinksSection: Section = { key: "uplinks", argv: ["sh", "-c", `ls ${prefix}*; exit 0`] };

export const isUplink = (seen: Seen, device: string): boolean =>
  seen.result(uplinksSection.key).stdout.split("\n").includes(fileOf(device));

export const fileOf = (device: string) => `${prefix}${device}.network`;

/**
 * $1 and $2: NIC and bridge; a bridge that the state no longer knows is named in our file. Parts are told apart by a byte
 * that no such file has. Of drop-ins of one name /etc's counts; the last line of a file may have no end.
 */
const script = `
say() { printf '\\036%s\\n' "$1"; }
used() { sed -n 's/^NETWORK_FILE=//p' "/run/systemd/netif/links/$(cat "/sys/class/net/$1/ifindex")"; }
exec 2>/dev/null
card=${prefix}$1.network
bridge=\${2:-$(sed -n 's/${inHead.bridge}/\\1/p' "$card")}
file=$(used "$1")
say bridge; echo "$bridge"
say cardBy; echo "$file"
say bridgeBy; used "$bridge"
say card; cat "$card"
say onBridge; cat "${prefix}$bridge.network"
[ -e "$card" ] && file=$(sed -n 's/${inHead.source}/\\1/p' "$card")
say source; echo "$file"
say theirs; cat "$file" && echo
name=\${file##*/}
for folder in /etc /run /usr/local/lib /usr/lib; do
  for more in "$folder/systemd/network/$name.d"/*.conf; do [ -e "$more" ] && echo "\${more##*/} $more"; done
done | sort -s -u -k1,1 | while read -r _ more; do cat "$more" && echo; done
say end
`.trim();

const filesSection = (device: string, bridge = ""): Section => ({
  key: `uplink:${device}:${bridge}`,
  argv: ["sh", "-c", script, "sh", device, bridge],
});

export const uplinkSections = (device: string, bridge?: string): Section[] => [
  ...managerSections,
  ...linkSections(undefined, { ipv6: true }),
  routesSection(4),
  routesSection(6),
  filesSection(device, bridge),
];

/** Throws READ_FAILED. */
export function uplinkIn(seen: Seen, device: string, wanted?: string): Uplink {
  const { stdout, stderr } = seen.result(filesSection(device, wanted).key);
  const parts = new Map(
    stdout
      .split("\u001e")
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf("\n")), text.slice(text.indexOf("\n") + 1)] as const),
  );
  if (!parts.has("end")) throw new HostnetError("READ_FAILED", "the files of networkd were not read", { stderr });
  const said = (part: string) => parts.get(part) || undefined;
  const line = (part: string) => said(part)?.trim() || undefined;
  const bridge = line("bridge") ?? "";
  const card = linkState(seen, undefined, device);
  const other = linkState(seen, undefined, bridge);
  // One that is not there yet has what its resource will give it.
  const bridgeHasIpv6 = other?.ipv6Disabled !== true;
  const routes = [...liveRoutes(seen, undefined, 4), ...(bridgeHasIpv6 ? liveRoutes(seen, undefined, 6) : [])];
  const isMine = ({ hops, protocol, table }: LiveRoute) =>
    hops.length === 1 && hops[0]?.device === device && protocol !== "kernel" && table !== "local";
  return {
    ...{ device, bridge, bridgeHasIpv6, mark: inHead.mark.exec(said("card") ?? said("onBridge") ?? "")?.[1] },
    manager: devicesOnHost(seen).find(({ name }) => name === device)?.managedBy,
    addresses: (card?.addresses ?? []).filter(({ kernelMade }) => !kernelMade),
    routes: routes.filter(isMine),
    bridged: other?.addresses ?? [],
    ...{ source: line("source"), theirs: line("theirs"), card: said("card"), onBridge: said("onBridge") },
    ...{ cardBy: line("cardBy"), bridgeBy: line("bridgeBy") },
  };
}
