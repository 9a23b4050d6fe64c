import { type LiveAddress, removeAddress, replaceAddress, giveBack as restore } from "./address";
import type { Step } from "./command";
import { addressesIn, bridgeText, cardText } from "./networkd-file";
import { refusal } from "./networkd-refusal";
import { fileOf, type Uplink } from "./networkd-uplink";
import { gatewaysLast, type LiveRoute, replaceRoute } from "./route";
import { family } from "./scalars";

/** A NIC's addresses on their way to the bridge that it is a port of, and back (networkd-uplink.ts). */

/** Files of ours are there: so it has moved, or is on its way. */
export const isHeld = ({ card, onBridge }: Uplink): boolean => card !== undefined || onBridge !== undefined;

/** True when there is nothing to move, or all of it has been moved. */
export const isMoved = (uplink: Uplink): boolean => !refusal(uplink) && todo(uplink) === undefined;

/**
 * What moves the addresses to the bridge, once the NIC is its port: from then on they are of no use where they are. Files
 * first: whatever is cut off after that, they say what is to be given back. Throws IN_USE where another would give the
 * addresses to the NIC again.
 */
export function moveToBridge(uplink: Uplink, mark: string): Step[] {
  const refused = refusal(uplink);
  if (refused) throw refused;
  const ours = remarked(uplink, mark);
  const marking =
    uplink.mark === mark
      ? []
      : filesOf(ours)
          .filter(({ has }) => has)
          .map(({ path, has }) => write(path, has));
  const work = todo(ours);
  if (!work) return marking;
  const { device, bridge, addresses, routes } = uplink;
  const { files, given, missing } = work;
  const isGiven = ({ address }: LiveAddress) => given.includes(address);
  const peerOf = (address: string) => addresses.find((item) => item.address === address)?.peer;
  return [
    { argv: ["sh", "-c", taken, "sh", device, bridge] },
    ...marking,
    ...files.filter(({ text, has }) => text !== has).map(({ path, text }) => write(path, text)),
    ...missing.map((address) => put({ address, peer: peerOf(address) }, bridge)),
    ...(given.length > 0 ? gatewaysLast(routes).map((route) => replaceRoute(rerouted(route, bridge))) : []),
    ...takeOff(addresses.filter(isGiven), addresses, device),
    ...announce(missing, bridge),
    ...reload(
      uplink,
      files.filter(({ text }) => text !== undefined),
    ),
  ];
}

/** Gives the NIC what it had, once it has left the bridge; routes and the rest are networkd's. */
export function giveBack(uplink: Uplink): Step[] {
  const { device, bridge, onBridge, bridged, source } = uplink;
  if (!isHeld(uplink)) return [];
  const given = addressesIn(onBridge);
  const back = bridged.filter(({ address }) => given.includes(address));
  return [
    ...takeOff(back, bridged, bridge),
    ...back.map((item) => put(item, device)),
    ...announce(
      back.map(({ address }) => address),
      device,
    ),
    { argv: ["rm", "-f", fileOf(device), fileOf(bridge)] },
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
  /** The addresses that their file gives, and those of them that the bridge has to get. */
  given: string[];
  missing: string[];
}

const filesOf = (uplink: Uplink): File[] => {
  const { device, bridge, card, onBridge, cardBy, bridgeBy } = uplink;
  return [
    { device, path: fileOf(device), text: cardText(uplink), has: card, by: cardBy },
    { device: bridge, path: fileOf(bridge), text: bridgeText(uplink), has: onBridge, by: bridgeBy },
  ];
};

/** As it is once our files bear the mark; networkd need not read them again for that. */
function remarked(uplink: Uplink, mark: string): Uplink {
  const { mark: was = mark, card, onBridge } = uplink;
  return { ...uplink, mark, card: card?.replace(was, mark), onBridge: onBridge?.replace(was, mark) };
}

/** Undefined when nothing is to be done, as where networkd has nothing to do with the NIC. */
function todo(uplink: Uplink): Work | undefined {
  const { manager, source, card, bridged } = uplink;
  if (!isHeld(uplink) && (manager !== "networkd" || source === undefined)) return undefined;
  // Their file is gone: what it said is now only in ours.
  if (card !== undefined && uplink.theirs === undefined) return undefined;
  const files = filesOf(uplink);
  const given = addressesIn(uplink.theirs);
  const missing = given.filter((address) => !bridged.some((item) => item.address === address));
  const isBack = uplink.addresses.some(({ address }) => given.includes(address));
  const isStale = files.some(({ path, text, has, by }) => text !== has || (text !== undefined && by !== path));
  return isStale || isBack || missing.length > 0 ? { files, given, missing } : undefined;
}

function write(path: string, text: string | undefined): Step {
  if (text === undefined) return { argv: ["rm", "-f", path] };
  return { argv: ["install", "-D", "-m", "644", "/dev/stdin", path], stdin: text };
}

/** $1 and $2: NIC and bridge. A row that Open vSwitch goes on trying would take the NIC in with its addresses, some day. */
const taken = `
case $(ovs-vsctl --timeout=30 get Interface "$1" ofport) in [1-9]*) exit ;; esac
echo "Open vSwitch did not take $1 in: $(ovs-vsctl --timeout=30 get Interface "$1" error)" >&2
ovs-vsctl --timeout=30 --if-exists del-port "$2" "$1"
exit 1
`.trim();

/** As networkd does it, so that it finds its own: with the broadcast address that `ip` leaves out. */
function put({ address, peer }: Pick<LiveAddress, "address" | "peer">, device: string): Step {
  const { argv } = replaceAddress({ address, peer }, device);
  const hasBroadcast = family(address) === 4 && !peer && Number(address.split("/")[1]) < 31;
  return {
    argv: [...argv, ...(hasBroadcast ? ["broadcast", "+"] : [])],
  };
}

/** A primary address takes the secondary ones of its subnet with it: those go before it, and what stays is given back. */
const takeOff = (leaving: LiveAddress[], all: LiveAddress[], device: string): Step[] => [
  ...[...leaving].sort((a, b) => Number(b.secondary) - Number(a.secondary)).map((item) => removeAddress(item, device)),
  ...restore(leaving, all, device),
];

/** `replace` finds the route by destination, table and metric, whatever its device is. */
const rerouted = (route: LiveRoute, device: string): LiveRoute => ({
  ...route,
  hops: route.hops.map((hop) => ({ ...hop, device })),
});

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
