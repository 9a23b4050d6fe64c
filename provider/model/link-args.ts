import { z } from "zod";
import { addressList } from "./address";
import { fallbackDevices } from "./link-state";
import { offloads } from "./offloads";
import { hangsOnOthers } from "./reset";
import { between, interfaceName, macAddress, mtu, namespaceRef, refersTo } from "./scalars";

/** What every link takes. */
export const linkShape = {
  name: interfaceName.describe(
    "The device's name, 1 to 15 characters. Default: the last part of the resource's name after '/'.",
  ),
  namespace: namespaceRef
    .optional()
    .describe("The network namespace in which the device is. Default: the host's own. A change replaces the device."),
  mac: z
    .union([z.literal("kernel"), macAddress])
    .optional()
    .describe(
      "MAC address, unicast. Default: derived from owner, namespace and name, so that a rebuilt device keeps it; `kernel` leaves it to the kernel. A member of a bond has the bond's: its own it has again, or is given, when it has left.",
    ),
  mtu: mtu.optional().describe("Largest packet in bytes, 68 to 65535. Default: the kernel's, mostly 1500."),
  up: z.boolean().default(true).describe("Administratively up. Default: true."),
  addresses: addressList
    .optional()
    .describe(
      "IP addresses with prefix length; the first of a subnet is its primary. Addresses that others added stay, unless `addressesExact`.",
    ),
  addressesExact: z
    .boolean()
    .optional()
    .describe(
      "Take away every address that is not declared, but for those of the kernel, DHCP and router advertisements. Default: false.",
    ),
  bridge: refersTo(interfaceName, "LinuxBridge")
    .optional()
    .describe("The Linux bridge that the device is a port of (`master`). Joining Open vSwitch is an OvsPort."),
  ipv6: z
    .boolean()
    .optional()
    .describe(
      "IPv6 on the device (the inverse of `disable_ipv6`). Default: off on bridges, their ports and TAPs as long as they have no addresses; on with IPv6 addresses; else the kernel's.",
    ),
  arp: z.boolean().optional().describe("Answer ARP. Kernel default: true."),
  offloads: offloads
    .optional()
    .describe(
      "Offload features to switch on or off, by ethtool's short words: rx tx sg tso gso gro lro rxvlan txvlan.",
    ),
  // What `ip` takes (get_integer).
  txQueueLength: between(0, 0x7fff_ffff)
    .optional()
    .describe(
      "Length of the transmit queue in packets (`txqueuelen`); Linux changes it to 32767 at most. Kernel default: 1000.",
    ),
};

/** An end of a pair: the pair's own name is none of theirs. */
export const linkObject = z.strictObject({
  ...linkShape,
  name: interfaceName.describe("The device's name, 1 to 15 characters."),
});
export type LinkArgs = z.output<typeof linkObject>;

/** What `live` tells of a link. */
export const linkFacts = z.object({
  ifindex: z.number().describe("The kernel's number of the device; another one after each rebuild."),
  mac: z.string().optional().describe("The MAC address that it has."),
  mtu: z.number().describe("The MTU that it has, in bytes."),
  operstate: z.string().describe("UP, DOWN, LOWERLAYERDOWN or UNKNOWN, as the kernel has it."),
  addresses: z.array(z.string()).describe("All its addresses, also those that others added."),
});
export type LinkFacts = z.output<typeof linkFacts>;

/** How the device's kind differs from the ordinary in what all links take. */
export interface LinkTraits {
  /** A layer-2 device by its kind (a bridge, a TAP): IPv6 is off on it while it has no addresses. */
  layer2?: boolean;
  /** The MAC stays as it is unless declared (a NIC), or there is none (layer 3). */
  keepsMac?: boolean;
  /** It is made without ARP (IFF_NOARP). */
  noArp?: boolean;
  /** Its ports change its MTU until it is set to another one than it has; the one that it is made with does not count. */
  mtuOfPorts?: boolean;
  /** The device is not ours: the alias is left alone, the ledger has the mark. */
  unmarked?: boolean;
}

export const usualMtu = 1500;

/** Where the arguments of every link go back to. */
export const linkReset: Record<string, unknown> = {
  mtu: usualMtu,
  up: true,
  addresses: [],
  bridge: "",
  ipv6: hangsOnOthers,
  arp: true,
  // Nothing is declared, and so what was goes back.
  offloads: {},
  txQueueLength: 1000,
};

/** Names in the host's own namespace that other programs take for theirs (systemd's .network files, docker, libvirt). */
const claimedByOthers = /^(ve-.*|vb-.*|vt-.*|host0|docker\d.*|virbr.*|veth\d+)$/;

/** What is wrong with making a device of that name; undefined when nothing is. */
export function nameTaken(name: string, namespace: string | undefined): string | undefined {
  if (fallbackDevices.has(name)) return `must not be ${name}: the kernel makes a device of that name by itself`;
  if (namespace === undefined && claimedByOthers.test(name)) {
    return "must not be ve-*, vb-*, vt-*, host0, docker*, virbr* or veth<n> in the host's own namespace: systemd-networkd, docker and libvirt take such devices for theirs";
  }
  return undefined;
}
