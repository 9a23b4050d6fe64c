import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { between, mtu, vlanId } from "../model/scalars";
import { Namespace, OvsFlows } from "../resources";
import { checked, cloudName } from "./check";
import type { Cloud } from "./cloud";
import { type Flow, fromPhysical, tenantFlows, toPhysical } from "./flows";
import { Late } from "./late";
import { dhcpNamespace, tunnelPort } from "./names";
import type { Node } from "./node";
import { Part, titleOf } from "./part";
import { refuse } from "./register";
import type { Subnet } from "./subnet";

export interface NetworkArgs {
  /** The cloud that the network belongs to. */
  cloud: Cloud;
  /** The network's name, unique in the cloud: its DHCP namespace is called qdhcp-<name>. Default: the last part of the resource's name after '/'. */
  name?: string;
  /**
   * What tells the network from others on the wire (`provider:segmentation_id`): the tunnel id, 1 to 2^32-1 with gre and
   * 2^24-1 with vxlan; with `physicalNetwork` the VLAN, 1 to 4094, or absent for an untagged (flat) network.
   */
  segmentationId?: number;
  /** The physical network that it is on (`provider:physical_network`), as nodes call it. Default: none, it travels in tunnels. */
  physicalNetwork?: string;
  /** The VLAN that stands for the network on br-int, 1 to 4094: one for all nodes, or by the node's name. Default: segmentationId where that is a VLAN. */
  localVlan?: number | Record<string, number>;
  /** MTU in bytes. Default: what a tunnel leaves of the cloud's underlayMtu; with `physicalNetwork` all of it. */
  mtu?: number;
  /**
   * The nodes that have the network. Default: those on which it has ports, as soon as the program's synchronous part is
   * over; give them when ports come later, after an await.
   */
  nodes?: Node[];
}

const schema = z
  .strictObject({
    name: cloudName.optional(),
    segmentationId: between(1, 0xffff_ffff).optional(),
    physicalNetwork: z.string().optional(),
    localVlan: z.union([vlanId, z.record(z.string(), vlanId)]).optional(),
    mtu: mtu.optional(),
  })
  .superRefine(({ segmentationId, physicalNetwork }, issues) => {
    const refuseId = (message: string) => issues.addIssue({ code: "custom", path: ["segmentationId"], message });
    if (segmentationId === undefined && physicalNetwork === undefined)
      refuseId("is required: a network without physicalNetwork travels in tunnels");
    if (segmentationId !== undefined && segmentationId > 4094 && physicalNetwork !== undefined)
      refuseId("must be 1 to 4094 with physicalNetwork");
  });

/** A network of a tenant, or one that leads outside. It is on a node as soon as something there has a port in it. */
export class Network extends Part {
  /** The cloud that it belongs to. */
  readonly cloud: Cloud;
  /** @internal */
  readonly subnets: Subnet[] = [];
  private readonly plan: z.output<typeof schema>;
  private readonly given: Node[] | undefined;
  private readonly present: Late<Node>;
  private readonly vlans = new Map<Node, number>();
  private readonly namespaces = new Map<Node, Namespace>();

  /** @throws RunError when an argument is not allowed, or another network has the name, the segmentation id or a local VLAN. */
  constructor(name: string, args: NetworkArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { cloud, nodes, ...plain } = args;
    const title = titleOf("Network", name);
    const plan = checked(title, schema, plain);
    super("Network", name, plan.name, { parent: cloud, ...opts });
    this.cloud = cloud;
    this.plan = plan;
    this.given = nodes;
    this.present = new Late(title, "a port on another node", "give `nodes`, the nodes that have the network");
    cloud.register.take(`network ${this.name}`, title, "name");
    cloud.register.take(this.segment(title), title, "segmentationId");
    for (const node of nodes ?? []) this.enter(node);
    this.registerOutputs({});
  }

  /** MTU of its ports in bytes. */
  get mtu(): number {
    const { mtu, physicalNetwork } = this.plan;
    return mtu ?? (physicalNetwork === undefined ? this.cloud.tenantMtu : this.cloud.physicalMtu);
  }

  /** The network's VLAN on a node, which has the network from now on. @throws RunError when it cannot have it. @internal */
  vlanOn(node: Node, title: string): number {
    const known = this.vlans.get(node);
    if (known !== undefined) return known;
    if (this.given)
      refuse(
        title,
        `node ${node.name} is not among the nodes of network ${this.name}: ${this.given.map((one) => one.name).join(", ")}`,
      );
    return this.enter(node);
  }

  /** The namespace of the network's DHCP servers on a node, made for the first of them. @internal */
  dhcpNamespace(node: Node): Namespace {
    const known = this.namespaces.get(node);
    if (known) return known;
    const name = dhcpNamespace(this.name);
    const made = new Namespace(`${this.path}/${node.name}/${name}`, { host: node.host }, { parent: this });
    this.namespaces.set(node, made);
    return made;
  }

  private enter(node: Node): number {
    const vlan = this.localVlan(node);
    this.cloud.register.take(`local VLAN ${vlan} of node ${node.name}`, this.title, `localVlan.${node.name}`);
    this.vlans.set(node, vlan);
    this.present.add(node);
    if (this.plan.physicalNetwork === undefined) this.tunnelled(node, vlan);
    else this.bridged(node, vlan, this.plan.physicalNetwork);
    return vlan;
  }

  private localVlan(node: Node): number {
    const { localVlan: given, segmentationId } = this.plan;
    const own = typeof given === "object" ? given[node.name] : given;
    const vlan = own ?? segmentationId;
    if (vlan === undefined || vlan > 4094)
      refuse(
        this.title,
        `localVlan.${node.name}: is required, 1 to 4094: ${vlan === undefined ? "a flat network has no segmentationId" : `the segmentationId ${vlan} is no VLAN`}`,
      );
    return vlan;
  }

  /** What only one network of the cloud may have. */
  private segment(title: string): string {
    const { segmentationId, physicalNetwork } = this.plan;
    if (physicalNetwork !== undefined)
      return segmentationId === undefined
        ? `the untagged part of physical network ${physicalNetwork}`
        : `VLAN ${segmentationId} of physical network ${physicalNetwork}`;
    if (this.cloud.tunnelType === "vxlan" && (segmentationId as number) >= 2 ** 24)
      refuse(title, `segmentationId: must be less than 2^24 with vxlan; given was ${segmentationId}`);
    return `tunnel id ${segmentationId}`;
  }

  /** A set of flows for each node: a node that gets the network, or loses it, changes one flow of each other's. */
  private tunnelled(node: Node, vlan: number): void {
    const { cloud } = this;
    const nodes = this.given ? Promise.resolve(this.given) : this.present.all();
    const others = nodes.then((all) => all.filter((other) => other !== node));
    const flows = others.then((all) =>
      tenantFlows(cloud.tunnelType, {
        vlan,
        tunnelId: this.plan.segmentationId as number,
        ports: all.map((other) => tunnelPort(cloud.tunnelType, other.tunnelAddress)).sort(),
      }),
    );
    const dependsOn = others.then((all) => [node.cable, ...all.map((other) => cloud.tunnel(node, other))]);
    this.flows(node, "br-tun", node.brTun, flows, dependsOn);
  }

  private bridged(node: Node, vlan: number, physicalNetwork: string): void {
    const { bridge, patch, int, phy } = node.bridgeOf(physicalNetwork, this.title);
    const { segmentationId } = this.plan;
    this.flows(node, "br-int", node.brInt, fromPhysical(int, vlan, segmentationId), [patch]);
    this.flows(node, "physical", bridge, toPhysical(phy, vlan, segmentationId), [patch]);
  }

  private flows(
    node: Node,
    what: string,
    bridge: Node["brInt"],
    flows: pulumi.Input<Flow[]>,
    dependsOn: pulumi.Input<pulumi.Input<pulumi.Resource>[]>,
  ): void {
    new OvsFlows(
      `${this.path}/${node.name}-${what}`,
      { bridge, name: `network-${this.name}`, flows },
      { parent: this, dependsOn },
    );
  }
}
