import type { Section } from "../model/command";
import { HostnetError } from "../model/errors";
import { ovsdbSection, ovsPorts } from "../model/ovs";
import type { Seen } from "./seen";
import type { HostFacts } from "./types";

/**
 * Law 10, never saw off the branch: which devices of the host's own namespace carry our SSH connection. The route back
 * to the client names the first; from there the way goes down to what it stands on (a VLAN's parent, a bond's members),
 * across (a veth's peer) and up (the bridge that this is a port of), until it leaves the machine.
 * Not seen: what a tunnel that carries us is itself carried by, and what firewalls and routing rules do.
 */

const keys = { links: "management:links", route: "management:route" };

interface Link {
  ifname: string;
  /** The peer of a veth, the parent of others; only where it is in the same namespace. */
  link?: string | null;
  link_netnsid?: number;
  master?: string;
  linkinfo?: { info_kind?: string };
  addr_info?: { local?: string }[];
}

/** What has to be read to know the path; nothing where no SSH connection carries us. */
export function managementSections({ sshConnection, tools }: HostFacts): Section[] {
  if (!sshConnection) return [];
  return [
    { key: keys.links, argv: ["ip", "-j", "-d", "address", "show"] },
    { key: keys.route, argv: ["ip", "-j", "route", "get", ...wayBack(sshConnection)] },
    ...(tools["ovs-vsctl"] ? [ovsdbSection] : []),
  ];
}

/** The words of `ip route get` for our packets: from our own address, as a rule may send them another way than others. */
export function wayBack({ clientAddress, serverAddress }: NonNullable<HostFacts["sshConnection"]>): string[] {
  const [client = "", zone] = clientAddress.split("%");
  return [client, ...(zone ? ["oif", zone] : ["from", serverAddress])];
}

/** The devices that carry our connection, the nearest to the address first; [] where none does. Throws READ_FAILED. */
export function managementPath({ sshConnection }: HostFacts, seen: Seen): string[] {
  if (!sshConnection) return [];
  const links = seen.json<Link[]>(keys.links);
  const start = firstDevices(seen, links, sshConnection.serverAddress);
  if (start === "none") return [];
  if (start.length === 0) {
    const { stderr } = seen.result(keys.route);
    throw new HostnetError("READ_FAILED", "it cannot be told which device carries our SSH connection", { stderr });
  }
  return walk(start, links, bridges(seen, links));
}

/** Throws MANAGEMENT_PATH when a step would touch a device of the path. */
export function refuseIfCut(path: string[], touches: string[]): void {
  const cut = [...new Set(touches)].filter((device) => path.includes(device));
  if (cut.length === 0) return;
  const way = path.length > 1 ? ` (it goes by ${path.join(", ")})` : "";
  throw new HostnetError(
    "MANAGEMENT_PATH",
    `the change touches ${cut.join(", ")}, which our SSH connection needs${way}`,
    {
      remedy: "Reach the host by another device and address first, or make this change on its console.",
    },
  );
}

/** Where our packets leave, and where the address is at which we came in; "none" when we never leave the machine. */
function firstDevices(seen: Seen, links: Link[], serverAddress: string): string[] | "none" {
  const { exitCode } = seen.result(keys.route);
  const [route] = exitCode === 0 ? seen.json<{ dev?: string; type?: string }[]>(keys.route) : [];
  if (route?.type === "local" || route?.dev === "lo") return "none";
  const [address] = serverAddress.split("%");
  const holder = links.find(({ addr_info = [] }) => addr_info.some(({ local }) => local === address))?.ifname;
  return [...new Set([route?.dev, holder])].filter((device) => device !== undefined);
}

/** Which other devices a device of a switch needs: all that lead out of the machine. */
type Switches = (device: string) => string[];

function walk(start: string[], links: Link[], ovs: Switches): string[] {
  const byName = new Map(links.map((link) => [link.ifname, link]));
  const path = new Set<string>();
  const visit = (device: string) => {
    if (path.has(device)) return;
    path.add(device);
    const link = byName.get(device);
    if (!link) return;
    if (link.link && link.link_netnsid === undefined) visit(link.link);
    const kind = link.linkinfo?.info_kind;
    const members = links.filter(({ master }) => master === device);
    if (kind === "bridge") for (const { ifname } of uplinks(members)) visit(ifname);
    if (kind === "bond" || kind === "team") for (const { ifname } of members) visit(ifname);
    for (const other of ovs(device)) visit(other);
    // OVS's datapath device is the master of all ports of all its bridges: no part of the way.
    if (link.master && byName.get(link.master)?.linkinfo?.info_kind !== "openvswitch") visit(link.master);
  };
  for (const device of start) visit(device);
  return [...path];
}

/** Of a switch's ports those that lead out. Where there are none, it may be any. */
function uplinks(ports: Link[]): Link[] {
  const out = ports.filter(leadsOut);
  return out.length > 0 ? out : ports;
}

/** NICs and what stands on them lead out of the machine; these kinds lead to guests. */
const leadsOut = ({ linkinfo }: Link) => !["veth", "tun", "dummy", "openvswitch"].includes(linkinfo?.info_kind ?? "");

/** Bridges of Open vSwitch. When the database does not answer, each of their ports may be on the way. */
function bridges(seen: Seen, links: Link[]): Switches {
  const byName = new Map(links.map((link) => [link.ifname, link]));
  const isPort = (name: string) => {
    const link = byName.get(name);
    const master = byName.get(link?.master ?? "");
    return link?.linkinfo?.info_kind === "openvswitch" || master?.linkinfo?.info_kind === "openvswitch";
  };
  const ports = seen.has(ovsdbSection.key) ? ovsPorts(seen) : [];
  if (!ports) return (device) => (isPort(device) ? links.map(({ ifname }) => ifname).filter(isPort) : []);

  const leadOut = (bridge: string, visited: string[]): string[] => {
    if (visited.includes(bridge)) return [];
    const here = ports.filter((port) => port.bridge === bridge);
    const system = here.filter(({ type }) => type === "" || type === "system" || type === "dpdk");
    const devices = system.map(({ device }) => byName.get(device) ?? { ifname: device });
    const out = devices.filter(leadsOut);
    // Only a bridge that has no way out of its own needs those that it is patched to.
    const patched = ports.filter(({ device }) => out.length === 0 && here.some(({ peer }) => peer === device));
    const beyond = patched.flatMap((port) => leadOut(port.bridge, [...visited, bridge]));
    const members = out.length > 0 || beyond.length > 0 ? out : devices;
    return [bridge, ...members.map(({ ifname }) => ifname), ...beyond];
  };
  return (device) => {
    const bridge = ports.find((port) => port.device === device)?.bridge;
    return bridge === undefined ? [] : leadOut(bridge, []);
  };
}
