import type * as pulumi from "@pulumi/pulumi";
import { dhcpHostName } from "../model/dhcp-args";
import { family } from "../model/scalars";
import { BridgePort, Firewall, LinuxBridge, type Namespace, OvsPort, Route, Tap, VethPair } from "../resources";
import type { InstancePort, InstancePortArgs } from "./instance-args";
import type { InstancePlan, PortPlanArgs } from "./instance-schema";
import { guestMac, instanceDevices, portId, tapMac, uuidOf } from "./names";
import type { Node } from "./node";
import { type AddressPair, type PortPlan, portChains, portSets } from "./port-firewall";
import { refuse } from "./register";
import type { Subnet } from "./subnet";

/** A port of an instance, and where it is. */
export interface PortOf {
  parent: pulumi.ComponentResource;
  path: string;
  title: string;
  node: Node;
  instance: string;
  namespace: Namespace | undefined;
  guest: InstancePlan["guest"];
  index: number;
  plan: PortPlanArgs;
  given: InstancePortArgs;
}

/**
 * Makes a port: the firewall before anything is plugged, so that nothing ever passes without it.
 * @throws RunError when something of it is another's.
 */
export function instancePort(port: PortOf): InstancePort {
  const { node, plan, given, title, index } = port;
  const { network, securityGroups: groups } = given;
  const at = `ports[${index}]`;
  const { register, macPrefix } = node.cloud;
  const id = plan.id ?? portId(index === 0 ? port.instance : `${port.instance}-${network.name}`);
  register.take(`port ${id}`, title, `${at}.id`);
  const mac = plan.mac ?? guestMac(macPrefix, id);
  register.take(`MAC address ${mac} of network ${network.name}`, title, `${at}.mac`);

  const subnets = (plan.addresses ?? []).map((address, nth) => {
    const subnet = network.subnets.find((one) => one.has(address));
    const path = `${at}.addresses[${nth}]`;
    if (!subnet)
      refuse(
        title,
        `${path}: ${address} is in no subnet that network ${network.name} has by now: ${known(network.subnets)}`,
      );
    subnet.take(address, title, path);
    // DHCP gives a port one address of a subnet: the first.
    const isFirst = plan.addresses?.findIndex((one) => subnet.has(one)) === nth;
    const hostname = dhcpHostName.safeParse(port.instance).success ? port.instance : undefined;
    if (family(address) === 4 && isFirst) subnet.reserve({ mac, address, hostname });
    return subnet;
  });
  const dynamic = network.subnets.find((one) => one.hasRange);
  if (!plan.addresses && !dynamic && plan.portSecurity)
    refuse(title, `${at}.addresses: are required: no subnet of network ${network.name} has a DHCP range by now`);

  const allowed = plan.allowedAddressPairs.map((pair) => ({ address: pair.address, mac: pair.mac ?? mac }));
  const pairs: AddressPair[] = [...(plan.addresses ?? []).map((address) => ({ address, mac })), ...allowed];
  for (const [nth, group] of (groups ?? []).entries()) {
    group.mustBeOf(node.cloud, title, `${at}.securityGroups[${nth}]`);
    group.join({ own: plan.addresses ?? [], allowed: allowed.map(({ address }) => address) }, title);
  }

  const zone = network.vlanOn(node, title);
  const rules = groups ? groups.flatMap((group) => group.rules) : [{ direction: "egress" } as const];
  const firewall = portFirewall(
    port,
    { devices: instanceDevices(id), zone, security: plan.portSecurity, mac, pairs, rules },
    plan.addresses ? undefined : dynamic,
  );
  plug(port, { id, mac, vlan: zone, subnets, firewall });
  return { id, mac, addresses: plan.addresses ?? [], devices: instanceDevices(id) };
}

const known = (subnets: Subnet[]) => subnets.map((subnet) => subnet.cidr).join(", ") || "none";

/** `dynamic`: the subnet that gives the port its address. */
function portFirewall({ parent, path, node }: PortOf, plan: PortPlan, dynamic: Subnet | undefined): Firewall {
  const remote = [...new Set(plan.rules.flatMap((rule) => rule.remoteGroup ?? []))];
  // What comes late is waited for only where there is any to be known: all else is known now.
  const sets =
    remote.length === 0 && !dynamic
      ? portSets(plan, new Map())
      : Promise.all([membersOf(node, remote), dynamic?.free()]).then((late) => portSets(plan, ...late));
  const name = `neutron-${plan.devices.tap}`;
  return new Firewall(
    `${path}/${name}`,
    { host: node.host, name, family: "bridge", chains: portChains(plan), sets },
    { parent },
  );
}

async function membersOf(node: Node, groups: string[]): Promise<Map<string, readonly string[]>> {
  const all = groups.map(async (name) => [name, (await node.cloud.groups.get(name)?.members()) ?? []] as const);
  return new Map(await Promise.all(all));
}

interface Plug {
  id: string;
  mac: string;
  vlan: number;
  subnets: Subnet[];
  firewall: Firewall;
}

function plug(port: PortOf, { id, mac, vlan, subnets, firewall }: Plug): void {
  const { parent, path, node, given } = port;
  const { mtu } = given.network;
  const { qbr, qvb, qvo } = instanceDevices(id);
  const opts = { parent, dependsOn: firewall };
  // The bridge and the cable do not wait for the firewall: what is plugged into them does.
  // No learning: a hub of two ports needs none, and a guest that moves is never sent to where it was (os-vif does so, too).
  // Packets leave qbr with the VLAN's tag: br_netfilter lets tagged ones pass, and so nobody's FORWARD chain (Docker's
  // has the policy drop) is asked.
  const bridge = new LinuxBridge(
    `${path}/${qbr}`,
    {
      ...{ host: node.host, mtu, stp: false, forwardDelay: 0, ageingTime: 0, mcastSnooping: false },
      ...{ vlanFiltering: true, defaultPvid: vlan },
    },
    { parent },
  );
  const cable = new VethPair(
    `${path}/${qvb}`,
    { host: node.host, a: { name: qvb, mtu, ipv6: false }, b: { name: qvo, mtu, ipv6: false } },
    { parent },
  );
  new BridgePort(`${path}/${qvb}-port`, { bridge, device: cable.a.name, vlans: [{ id: vlan }] }, opts);
  const externalIds = {
    ...{ "iface-id": uuidOf(`${path}/${id}`), "iface-status": "active" },
    ...{ "attached-mac": mac, "vm-id": uuidOf(path) },
  };
  new OvsPort(
    `${path}/${qvo}`,
    {
      ...{ bridge: node.brInt, name: cable.b.name, interface: { externalIds } },
      ...{ tag: vlan, vlanMode: "native-tagged", trunks: [vlan] },
    },
    opts,
  );
  plugGuest(port, bridge, { id, mac, mtu, subnets, firewall });
}

function plugGuest(
  port: PortOf,
  bridge: LinuxBridge,
  { id, mac, mtu, subnets, firewall }: Omit<Plug, "vlan"> & { mtu: number },
): void {
  const { guest, parent, path, node, namespace, index, plan } = port;
  const { tap: name } = instanceDevices(id);
  const opts = { parent, dependsOn: firewall };
  if (guest.type === "tap") {
    const { type: _, ...options } = guest;
    new Tap(`${path}/${name}`, { host: node.host, bridge, mtu, mac: tapMac(mac), ...options }, opts);
  }
  if (guest.type !== "namespace" || !namespace) return;
  const eth = `eth${index}`;
  const fixed = guest.addressing === "static" ? (plan.addresses ?? []) : [];
  const addresses = fixed.map((address, nth) => subnets[nth]?.within(address) ?? address);
  const inside = { name: eth, namespace, mac, mtu, ...(addresses.length > 0 && { addresses }) };
  const cable = new VethPair(`${path}/${name}`, { host: node.host, a: inside, b: { name, bridge, mtu } }, opts);
  const gateways = index === 0 && addresses.length > 0 ? subnets.flatMap(({ gateway }) => gateway ?? []) : [];
  for (const version of [4, 6] as const) {
    const via = gateways.find((gateway) => family(gateway) === version);
    if (!via) continue;
    new Route(
      `${path}/default-v${version}`,
      { host: node.host, namespace, to: version === 4 ? "default" : "::/0", via, device: cable.a.name },
      { parent, dependsOn: cable },
    );
  }
}
