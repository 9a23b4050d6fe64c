import type * as pulumi from "@pulumi/pulumi";
import { type Namespace, OvsPort, VethPair } from "../resources";
import { type serviceDevices, uuidOf } from "./names";
import type { Network } from "./network";
import type { Node } from "./node";

export interface ServicePort {
  node: Node;
  network: Network;
  namespace: Namespace;
  devices: ReturnType<typeof serviceDevices>;
  /** With prefix length. */
  addresses: string[];
  parent: pulumi.ComponentResource;
  /** What the names of its resources begin with. */
  path: string;
  title: string;
  /** What has to be there before it is plugged into br-int, and so before a packet comes or goes. */
  after?: pulumi.Resource | undefined;
}

/**
 * A port in a qdhcp or qrouter namespace: a veth pair, as Neutron makes with `ovs_use_veth`. An internal port of Open
 * vSwitch would reappear in the host's own namespace at boot, and lets through UDP without a checksum to guests of the
 * same host, which old DHCP clients do not take: with TX offload off the kernel computes it.
 */
export function servicePort(port: ServicePort): { cable: VethPair; plug: OvsPort } {
  const { node, network, namespace, devices, addresses, parent, path, title, after } = port;
  const tag = network.vlanOn(node, title);
  const { mtu } = network;
  const cable = new VethPair(
    `${path}/${devices.inside}`,
    {
      host: node.host,
      a: { name: devices.inside, namespace, addresses, mtu, offloads: { tx: false } },
      b: { name: devices.outside, mtu, ipv6: false },
    },
    { parent },
  );
  const externalIds = { "iface-id": uuidOf(`${path}/${devices.inside}`), "iface-status": "active" };
  const plug = new OvsPort(
    `${path}/${devices.outside}`,
    { bridge: node.brInt, name: cable.b.name, tag, interface: { externalIds } },
    { parent, dependsOn: after ? [after] : [] },
  );
  return { cable, plug };
}
