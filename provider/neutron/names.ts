import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import { canonicalAddress } from "../model/scalars";

/**
 * The names that Neutron gives to devices: a prefix of three or four letters and eleven characters of the port's id, so
 * that they fit into the kernel's fifteen. Neutron's ids are UUIDs. Here a port is called by its own name where that
 * fits, and by the first eleven characters of a UUID made of it where it does not: a function of the name alone, so that
 * no other port changes it.
 */
const fitting = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,10}$/;

export const portId = (name: string): string => (fitting.test(name) ? name : uuidOf(name).slice(0, 11));

/** Always the same UUID for the same text (RFC 9562, version 8: the bits are ours). */
export function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

/** The devices of an instance's port, as os-vif calls them. */
export const instanceDevices = (id: string) => ({
  /** What the guest opens, or is plugged into. */
  tap: `tap${id}`,
  /** The Linux bridge with the firewall. */
  qbr: `qbr${id}`,
  /** The cable between the two bridges. */
  qvb: `qvb${id}`,
  qvo: `qvo${id}`,
});

/** The two ends of a port in a qdhcp or qrouter namespace, as Neutron calls them with `ovs_use_veth`. */
export const serviceDevices = (prefix: "ns" | "qr" | "qg", id: string) => ({
  inside: `${prefix}-${id}`,
  outside: `tap${id}`,
});

export const dhcpNamespace = (network: string) => `qdhcp-${network}`;
export const routerNamespace = (router: string) => `qrouter-${router}`;

/** The patch ports between br-int and the bridge of a physical network. */
export const physicalPatch = (bridge: string) => ({ int: `int-${bridge}`, phy: `phy-${bridge}` });

/** The port of a tunnel: Neutron writes the other end's IPv4 address in hex, and hashes an IPv6 one. */
export function tunnelPort(type: string, remote: string): string {
  const hex = isIPv4(remote)
    ? Buffer.from(remote.split(".").map(Number)).toString("hex")
    : createHash("sha256").update(canonicalAddress(remote)).digest("hex").slice(0, 8);
  return `${type}-${hex}`;
}

/** The MAC address of a guest's port: the cloud's first three octets, and three that come from the port's id. */
export function guestMac(prefix: string, id: string): string {
  const digest = createHash("sha256").update(id).digest("hex");
  return `${prefix}:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`;
}

/** The TAP's own MAC must not be the guest's: a bridge keeps what is for its ports' own. libvirt takes fe, too. */
export const tapMac = (mac: string) => `fe${mac.slice(2)}`;
