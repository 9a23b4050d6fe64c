import { family } from "./scalars";
import type { Service } from "./service";
import type { Settings } from "./settings";

/** What the tunnel needs of a UdpVpn's arguments. */
export interface VpnWant {
  name: string;
  namespace?: string;
  underlayNamespace?: string;
  local: string;
  remote: string;
  port: number;
  remotePort?: number;
}

/** No packet is larger. */
const socat = ["socat", "-b", "65536"];

/**
 * Unconnected, or the socket would end with the first refusal while the other end is away. Of IPv4 or IPv6 by name: with
 * plain UDP-DATAGRAM socat 1.7 does not understand `range`, which drops what others send.
 */
export function udpAddress({ local, remote, port, remotePort = port }: VpnWant): string {
  const [version, open, close, bits] = family(remote) === 4 ? [4, "", "", 32] : [6, "[", "]", 128];
  const range = version === 4 ? `${remote}/${bits}` : `[${remote}]/${bits}`;
  return `UDP${version}-DATAGRAM:${open}${remote}${close}:${remotePort},bind=${open}${local}${close}:${port},range=${range}`;
}

export const tunAddress = ({ name }: VpnWant) => `TUN,tun-name=${name},tun-type=tun,iff-no-pi`;

/**
 * socat 1.7 opens both of its ends in one namespace. Where they are in two, it starts a second one in the other; between
 * them a socket that keeps packets apart and tells each of the other's end (so-type 5, SOCK_SEQPACKET).
 */
export function tunnelOf(want: VpnWant): Pick<Service, "argv" | "namespace" | "child"> {
  const { namespace, underlayNamespace } = want;
  const udp = { address: udpAddress(want), namespace: underlayNamespace };
  const tun = { address: tunAddress(want), namespace };
  if (namespace === underlayNamespace) return { argv: [...socat, udp.address, tun.address], namespace };
  // From inside a namespace `ip netns exec` does not lead to the host's own: who is there comes first.
  const [outer, inner] = namespace === undefined ? [tun, udp] : [udp, tun];
  const escaped = inner.address.replace(/[\\,:!"'()[\]{}]/g, "\\$&");
  const command = `ip netns exec ${inner.namespace} ${socat.join(" ")} - ${escaped}`;
  return {
    argv: [...socat, outer.address, `EXEC:${command},so-type=5`],
    namespace: outer.namespace,
    child: { argv: [...socat, "-", inner.address], namespace: inner.namespace },
  };
}

const numbers = /UDP[46]-DATAGRAM:(\[?[^\],]+?\]?):(\d+),bind=(\[?[^\],]+?\]?):(\d+)/;

const bare = (address: string | undefined) => address?.replace(/[[\]]/g, "");

/** All of them stand in one word. */
const end = (which: number) => (words: string[]) => numbers.exec(words.join(" ").replaceAll("\\", ""))?.[which];

const setting = (read: (words: string[]) => unknown) => ({ place: "argv", write: () => [], read });

/** The arguments as socat has them. */
export const vpnSettings: Settings<VpnWant> = {
  remote: setting((words) => bare(end(1)(words))),
  remotePort: setting((words) => Number(end(2)(words))),
  local: setting((words) => bare(end(3)(words))),
  port: setting((words) => Number(end(4)(words))),
};
