import { tunAddress, udpAddress, type VpnWant } from "./socat";
import { type UdpVpnArgs, udpVpnArgs } from "./udp-vpn-args";

/** What a command line of socat says, in the words of a UdpVpn. */
export interface TunnelLine {
  /** All that it says, but for what the device shows; undefined where a UdpVpn cannot say just that. */
  args?: UdpVpnArgs;
  /** Why not. */
  why?: string;
}

/** An end of socat, and where it is opened. */
interface End {
  address: string;
  namespace: string | undefined;
}

const isTun = (address: string) => /^TUN\b/i.test(address);

/** The text behind the program's name, and where it runs. Undefined for one that opens no TUN or TAP device. */
export function tunnelIn(text: string, namespace: string | undefined): TunnelLine | undefined {
  const words = text.split(" ");
  if (!words.some(isTun)) return undefined;
  const ends = endsIn(text, namespace);
  const tun = ends.find(({ address }) => isTun(address));
  const udp = ends.find((end) => end !== tun);
  if (tun && udp && ends.length === 2) return compared(tun, udp);
  return { why: `no UdpVpn can say ${words.find((word) => word.startsWith("-")) ?? text}` };
}

/** A larger buffer than socat's own, of 8192 bytes, makes no difference: it may be told to each of two. */
const buffer = "(?:-b (?:819[2-9]|8[2-9]\\d\\d|9\\d{3}|\\d{5,}) )?";
const plain = new RegExp(`^${buffer}(.*)$`);
const nested = new RegExp(`^(?:(\\S+) )?EXEC:ip netns exec (\\S+) socat ${buffer}- (\\S+),so-type=5(?: (\\S+))?$`, "i");

/** Two words, or one and a second socat in another namespace, as `tunnelOf` has them; else whatever words there are. */
function endsIn(text: string, namespace: string | undefined): End[] {
  const [, rest = ""] = plain.exec(text) ?? [];
  const [all, before, other, escaped = "", behind] = nested.exec(rest) ?? [];
  if (all === undefined) return rest.split(" ").map((address) => ({ address, namespace }));
  const outer = [before, behind].flatMap((address) => (address === undefined ? [] : [{ address, namespace }]));
  return [...outer, { address: escaped.replace(/\\(.)/g, "$1"), namespace: other }];
}

/** The arguments of which a UdpVpn makes just these two, or the first difference. */
function compared(tun: End, udp: End): Pick<TunnelLine, "args" | "why"> {
  const [type = "", ...udpOptions] = udp.address.replace(/^[^:]*/, (word) => word.toUpperCase()).split(",");
  const [, remote, remotePort] = /^UDP[46]-DATAGRAM:(.+):(\d+)$/.exec(type) ?? [];
  if (remote === undefined) return { why: `no UdpVpn can say ${udp.address}` };
  const [local, port] = (valueIn(udpOptions, "bind") ?? "").split(/:(?=\d+$)/);
  const [, ...tunOptions] = tun.address.split(",");
  const said = {
    ...{ name: valueIn(tunOptions, "tun-name"), namespace: tun.namespace, underlayNamespace: udp.namespace },
    ...{ local: bare(local), remote: bare(remote), port: Number(port) },
    remotePort: port === remotePort ? undefined : Number(remotePort),
  };
  const { data, error } = udpVpnArgs.safeParse(said);
  const want = data ?? (said as VpnWant);
  // What it gives the device is seen on that.
  const ofDevice = tunOptions.filter((option) => !["up", "iff-up"].includes(option));
  const theirs = [type, ...udpOptions, ...ofDevice, ...(valueIn(tunOptions, "tun-type") ? [] : ["tun-type=tun"])];
  const ours = [...udpAddress(want).split(","), ...tunAddress(want).split(",").slice(1)];
  const more = theirs.find((option, at) => !ours.includes(option) || theirs.indexOf(option) < at);
  if (more !== undefined) return { why: `no UdpVpn can say ${more}` };
  const less = ours.find((option) => !theirs.includes(option));
  if (less !== undefined) return { why: `it goes without ${less}, which a UdpVpn would say` };
  const [issue] = error?.issues ?? [];
  return data ? { args: data } : { why: `no UdpVpn can be so: ${issue?.path.join(".")} ${issue?.message}` };
}

const valueIn = (options: string[], key: string) =>
  options.find((option) => option.startsWith(`${key}=`))?.slice(key.length + 1);

const bare = (address: string | undefined) => address?.replace(/[[\]]/g, "");
