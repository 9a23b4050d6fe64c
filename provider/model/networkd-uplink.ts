import { basename } from "node:path";
import type { Seen } from "../host/seen";
import { addAddress, removeAddress } from "./address";
import type { Section, Step } from "./command";
import { HostnetError } from "./errors";
import { linkSections, linkState } from "./link-state";
import { devicesOnHost, managerSections, toLeaveAlone } from "./managers";
import { addressesIn, bridgeText, cardText, head, type Taken } from "./networkd-file";
import { type LiveRoute, liveRoutes, routesSection } from "./route";
import { family } from "./scalars";

/**
 * A NIC that systemd-networkd has given addresses becomes a port of a bridge: what is layer 3 in its .network file goes
 * to the bridge's device, in two files of ours that networkd takes before others. So it is right after a carrier that
 * came back, `networkctl reconfigure`, and at boot, when Open vSwitch has its bridge again and nothing else of ours is there.
 */
export interface Uplink extends Taken {
  /** Who manages the NIC, if anybody. */
  manager?: string;
  /** The addresses on the NIC that somebody gave it. */
  addresses: { address: string; dynamic: boolean }[];
  /** Of the NIC, by other devices than its address's subnet. */
  routes: LiveRoute[];
  /** Addresses of the bridge's device. */
  bridged: string[];
  /** Our files as they are. */
  card?: string;
  onBridge?: string;
  /** The file by which networkd set each of the two up. */
  cardBy?: string;
  bridgeBy?: string;
}

/** Before what anybody else has there, but after what takes the NIC from networkd as our warnings have it. */
const fileOf = (device: string) => `/etc/systemd/network/00-hostnet-uplink-${device}.network`;

/**
 * $1 and $2: NIC and bridge; $3 and $4: our files of them. Parts are told apart by a byte that no such file has.
 * Of drop-ins of one name /etc's counts.
 */
const script = `
say() { printf '\\036%s\\n' "$1"; }
used() { sed -n 's/^NETWORK_FILE=//p' "/run/systemd/netif/links/$(cat "/sys/class/net/$1/ifindex")"; }
exec 2>/dev/null
file=$(used "$1")
say cardBy; echo "$file"
say bridgeBy; used "$2"
say card; cat "$3"
say onBridge; cat "$4"
[ -e "$3" ] && file=$(sed -n 's/^${head}//p' "$3")
say source; echo "$file"
say theirs; cat "$file"
name=\${file##*/}
for folder in /etc /run /usr/local/lib /usr/lib; do
  for more in "$folder/systemd/network/$name.d"/*.conf; do [ -e "$more" ] && echo "\${more##*/} $more"; done
done | sort -s -u -k1,1 | while read -r _ more; do cat "$more"; done
say end
`.trim();

const filesSection = (device: string, bridge: string): Section => ({
  key: `uplink:${device}:${bridge}`,
  argv: ["sh", "-c", script, "sh", device, bridge, fileOf(device), fileOf(bridge)],
});

export const uplinkSections = (device: string, bridge: string): Section[] => [
  ...managerSections,
  ...linkSections(undefined, { ipv6: true }),
  routesSection(4),
  routesSection(6),
  filesSection(device, bridge),
];

/** Throws READ_FAILED. */
export function uplinkIn(seen: Seen, device: string, bridge: string): Uplink {
  const { stdout, stderr } = seen.result(filesSection(device, bridge).key);
  const parts = new Map(
    stdout
      .split("\u001e")
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf("\n")), text.slice(text.indexOf("\n") + 1)] as const),
  );
  if (!parts.has("end")) throw new HostnetError("READ_FAILED", "the files of networkd were not read", { stderr });
  const said = (part: string) => parts.get(part) || undefined;
  const line = (part: string) => said(part)?.trim() || undefined;
  const card = linkState(seen, undefined, device);
  const other = linkState(seen, undefined, bridge);
  const mine = ({ hops, protocol, table }: LiveRoute) =>
    hops.length === 1 && hops[0]?.device === device && protocol !== "kernel" && table !== "local";
  return {
    ...{ device, bridge },
    manager: devicesOnHost(seen).find(({ name }) => name === device)?.managedBy,
    addresses: (card?.addresses ?? []).filter(({ kernelMade }) => !kernelMade),
    routes: [...liveRoutes(seen, undefined, 4), ...liveRoutes(seen, undefined, 6)].filter(mine),
    bridged: (other?.addresses ?? []).map(({ address }) => address),
    // One that is not there yet has what its resource will give it.
    bridgeHasIpv6: other?.ipv6Disabled !== true,
    ...{ source: line("source"), theirs: said("theirs"), card: said("card"), onBridge: said("onBridge") },
    ...{ cardBy: line("cardBy"), bridgeBy: line("bridgeBy") },
  };
}

/** True when there is nothing to move, or all of it has been moved. */
export const isMoved = (uplink: Uplink): boolean => !refusal(uplink) && todo(uplink) === undefined;

export interface Move {
  /** Before the NIC becomes a port: of a reboot half way it is right whether or not that has happened. */
  before: Step[];
  /** Right after it, so that nobody misses the addresses for long. */
  after: Step[];
}

/** What moves the addresses to the bridge. Throws IN_USE where another would give them to the NIC again. */
export function moveToBridge(uplink: Uplink): Move {
  const refused = refusal(uplink);
  if (refused) throw refused;
  const work = todo(uplink);
  if (!work) return { before: [], after: [] };
  const { device, bridge, routes } = uplink;
  const { files, missing, leaving } = work;
  return {
    before: files.filter(({ text, has }) => text !== has).map(write),
    after: [
      { argv: ["sh", "-c", taken, "sh", device, bridge, ...files.map(({ path }) => path)] },
      ...missing.map((address) => put(address, bridge)),
      ...(addressesIn(uplink.theirs).length > 0 ? gatewaysLast(routes).map((route) => reroute(route, bridge)) : []),
      ...leaving.map((address) => removeAddress({ address }, device)),
      ...announce(missing, bridge),
      ...reload(
        uplink,
        files.filter(({ text }) => text !== undefined),
      ),
    ],
  };
}

/** Gives the NIC what it had, once it has left the bridge. */
export function giveBack(uplink: Uplink): Step[] {
  const { device, bridge, card, onBridge, bridged, source } = uplink;
  if (card === undefined && onBridge === undefined) return [];
  const back = addressesIn(onBridge).filter((address) => bridged.includes(address));
  return [
    { argv: ["rm", "-f", fileOf(device), fileOf(bridge)] },
    ...back.map((address) => removeAddress({ address }, bridge)),
    ...back.map((address) => put(address, device)),
    ...announce(back, device),
    ...reload(uplink, source === undefined ? [] : [{ device, path: source }]),
  ];
}

interface File {
  device: string;
  path: string;
  text: string | undefined;
  has: string | undefined;
  by: string | undefined;
}

interface Work {
  files: File[];
  /** Addresses that the bridge has to get, and that the NIC has to lose. */
  missing: string[];
  leaving: string[];
}

/** Undefined when nothing is to be done, as where networkd has nothing to do with the NIC. */
function todo(uplink: Uplink): Work | undefined {
  const { device, bridge, manager, source, card, onBridge, cardBy, bridgeBy } = uplink;
  if (card === undefined && onBridge === undefined && (manager !== "networkd" || source === undefined))
    return undefined;
  // Their file is gone: what it said is now only in ours.
  if (card !== undefined && uplink.theirs === undefined) return undefined;
  const files: File[] = [
    { device, path: fileOf(device), text: cardText(uplink), has: card, by: cardBy },
    { device: bridge, path: fileOf(bridge), text: bridgeText(uplink), has: onBridge, by: bridgeBy },
  ];
  const given = addressesIn(uplink.theirs);
  const leaving = uplink.addresses.map(({ address }) => address).filter((address) => given.includes(address));
  const missing = given.filter((address) => !uplink.bridged.includes(address));
  const isStale = files.some(({ path, text, has, by }) => text !== has || (text !== undefined && by !== path));
  return isStale || leaving.length + missing.length > 0 ? { files, missing, leaving } : undefined;
}

/** Who would undo it, and what to write where, so that it can be done. */
function refusal(uplink: Uplink): HostnetError | undefined {
  const { device, bridge, manager, addresses, card, source = "", bridgeHasIpv6 } = uplink;
  const refuse = (why: string, remedy: string) =>
    new HostnetError("IN_USE", `${device} cannot give its addresses to ${bridge}: ${why}`, { remedy });
  if (card !== undefined || manager === undefined) return undefined;
  if (manager !== "networkd") {
    if (addresses.length === 0) return undefined;
    const has = addresses.map(({ address }) => address).join(", ");
    const why = `it has ${has} from ${manager}, which would give it them again`;
    return refuse(
      why,
      `${capital(toLeaveAlone(device, manager))}; and give them to ${bridge}: \`addresses: ${list(addresses)}\`.`,
    );
  }
  const dynamic = addresses.find((one) => one.dynamic);
  if (dynamic) {
    return refuse(
      `it has ${dynamic.address} by DHCP or router advertisement, and ${bridge} would get another`,
      `In a file that fits only ${device}, as /etc/systemd/network/10-${device}.network, say DHCP=no, IPv6AcceptRA=no, Address= and Gateway=; then 'networkctl reload'.`,
    );
  }
  const given = addressesIn(uplink.theirs);
  const foreign = addresses.find(({ address }) => !given.includes(address));
  if (foreign) {
    return refuse(
      `it has ${foreign.address}, which ${source} does not say, so that it would be gone after a reboot`,
      `Write Address=${foreign.address} into a file that fits only ${device}, as /etc/systemd/network/10-${device}.network, or take it off: 'ip address del ${foreign.address} dev ${device}'.`,
    );
  }
  const ipv6 = given.find((address) => family(address) === 6);
  if (ipv6 && !bridgeHasIpv6) {
    return refuse(
      `it has ${ipv6}, and IPv6 is off on ${bridge}`,
      `Give it to ${bridge} too: \`addresses: ["${ipv6}"]\`.`,
    );
  }
  if (source && basename(source) < basename(fileOf(device))) {
    return refuse(`${source} comes before the file that would be written`, `Rename it, as to 10-${device}.network.`);
  }
  return undefined;
}

const capital = (text: string) => text.replace(/^./, (letter) => letter.toUpperCase());

const list = (addresses: Uplink["addresses"]) => JSON.stringify(addresses.map(({ address }) => address));

function write({ path, text }: File): Step {
  if (text === undefined) return { argv: ["rm", "-f", path] };
  return { argv: ["install", "-D", "-m", "644", "/dev/stdin", path], stdin: text };
}

/** $1 and $2: NIC and bridge, the latter a TAP in the userspace datapath; then our files. */
const taken = `
[ -e "/sys/class/net/$1/master" ] || [ -e "/sys/class/net/$2/tun_flags" ] && exit
echo "Open vSwitch did not take $1 in" >&2
shift 2
rm -f "$@"
exit 1
`.trim();

/** As networkd does it, so that it finds its own: with the broadcast address that `ip` leaves out. */
function put(address: string, device: string): Step {
  const { argv } = addAddress({ address }, device);
  const broadcast = family(address) === 4 && Number(address.split("/")[1]) < 31 ? ["broadcast", "+"] : [];
  return { argv: [...argv.map((word) => (word === "add" ? "replace" : word)), ...broadcast] };
}

const gatewaysLast = (routes: LiveRoute[]) =>
  [...routes].sort((a, b) => Number(a.hops[0]?.via !== undefined) - Number(b.hops[0]?.via !== undefined));

/** In one go: `replace` finds the route by destination, table and metric, whatever its device is. */
function reroute(
  { to, type, table, metric, protocol, scope, source, metrics, hops: [hop] }: LiveRoute,
  device: string,
): Step {
  const { via, onlink } = hop ?? {};
  const version = to === "default" ? 4 : family(to);
  return {
    argv: [
      ...["ip", "route", "replace", type, to, "table", String(table), "metric", String(metric), "proto", protocol],
      ...(version === 4 ? ["scope", scope] : []),
      ...(source ? ["src", source] : []),
      ...Object.entries(metrics).flatMap(([word, value]) => [word, String(value)]),
      ...(via ? ["via", ...(family(via) === version ? [] : ["inet6"]), via] : []),
      ...["dev", device, ...(onlink ? ["onlink"] : [])],
    ],
    routes: [{ to, table, metric, hops: [{ via, device }] }],
  };
}

/** Neighbours know the other device's MAC address. Without arping they learn the new one when their entry expires. */
const announcement = `
command -v arping >/dev/null || exit 0
for address; do arping -q -U -c 1 -I "$0" "$address" & done
wait
exit 0
`.trim();

function announce(addresses: string[], device: string): Step[] {
  const hosts = addresses.filter((address) => family(address) === 4).map((address) => address.split("/")[0] ?? "");
  return hosts.length > 0 ? [{ argv: ["sh", "-c", announcement, device, ...hosts] }] : [];
}

/**
 * Pairs of a device and the file by which networkd has to have set it up: it answers before it has begun. A file that waits for a
 * router advertisement is not done for long: 5 seconds are enough for addresses.
 */
const settled = `
while [ $# -gt 1 ]; do
  for try in $(seq 50); do
    state=$(cat "/run/systemd/netif/links/$(cat "/sys/class/net/$1/ifindex")" 2>/dev/null)
    case "$state" in *"ADMIN_STATE=configured"*"NETWORK_FILE=$2"*) break ;; esac
    sleep 0.1
  done
  shift 2
done
`.trim();

function reload({ device, bridge }: Uplink, expected: Pick<File, "device" | "path">[]): Step[] {
  return [
    { argv: ["networkctl", "reload"], touches: [device, bridge] },
    { argv: ["sh", "-c", settled, "sh", ...expected.flatMap((one) => [one.device, one.path])] },
  ];
}
