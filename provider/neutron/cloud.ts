import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { between, family } from "../model/scalars";
import { OvsTunnel } from "../resources";
import { checked } from "./check";
import type { TunnelType } from "./mtu";
import { tunnelMtu } from "./mtu";
import { tunnelPort } from "./names";
import type { NetworkNode, Node } from "./node";
import { Part, titleOf } from "./part";
import { Register, refuse } from "./register";
import type { SecurityGroup } from "./security-group";

export interface CloudArgs {
  /** How tenant networks travel between nodes. Default: gre. A change replaces all tunnels. */
  tunnelType?: TunnelType;
  /** MTU of the network between the nodes in bytes, 576 to 65535. Tenant networks have what a tunnel leaves of it. Default: 1500. */
  underlayMtu?: number;
  /**
   * The first three octets of guests' MAC addresses, Neutron's `base_mac`. Another one is needed where two clouds with
   * instances of the same names meet on one physical network. Default: fa:16:3e.
   */
  macPrefix?: string;
}

const schema = z.strictObject({
  tunnelType: z.enum(["gre", "vxlan"]).default("gre"),
  underlayMtu: between(576, 65535).default(1500),
  macPrefix: z
    .string()
    .regex(
      /^[0-9a-f][02468ace](:[0-9a-f]{2}){2}$/,
      "must be three octets of a unicast address in lower case, as fa:16:3e",
    )
    .default("fa:16:3e"),
});

/**
 * The nodes of a cloud and the tunnels between them: from every node to every other. Nodes, networks, routers, security
 * groups and instances name it, and are its children.
 */
export class Cloud extends Part {
  /** How tenant networks travel between nodes. */
  readonly tunnelType: TunnelType;
  /** The first three octets of guests' MAC addresses. */
  readonly macPrefix: string;
  /** What only one may have. @internal */
  readonly register = new Register();
  /** @internal */
  readonly groups = new Map<string, SecurityGroup>();
  private readonly underlayMtu: number;
  private readonly nodes: Node[] = [];
  private readonly tunnels = new Map<string, OvsTunnel>();

  /** @throws RunError when an argument is not allowed. */
  constructor(name: string, args: CloudArgs = {}, opts: pulumi.ComponentResourceOptions = {}) {
    const { tunnelType, underlayMtu, macPrefix } = checked(titleOf("Cloud", name), schema, args);
    super("Cloud", name, undefined, opts);
    this.tunnelType = tunnelType;
    this.underlayMtu = underlayMtu;
    this.macPrefix = macPrefix;
    this.registerOutputs({});
  }

  /** MTU of a tenant network. All nodes' addresses are of one IP version. @internal */
  get tenantMtu(): number {
    return tunnelMtu(this.tunnelType, this.underlayMtu, this.nodes[0]?.tunnelAddress ?? "0.0.0.0");
  }

  /** MTU of a network on a physical network. @internal */
  get physicalMtu(): number {
    return this.underlayMtu;
  }

  /** Enters a node, and joins it with all others. What the others have stays as it is. @internal */
  join(node: Node, title: string): void {
    this.register.take(`node ${node.name}`, title, "name");
    this.register.take(`tunnel address ${node.tunnelAddress}`, title, "tunnelAddress");
    for (const other of this.nodes) {
      if (family(other.tunnelAddress) !== family(node.tunnelAddress))
        refuse(
          title,
          `tunnelAddress: must be of the same IP version as that of node ${other.name}; given was ${node.tunnelAddress}`,
        );
      this.connect(node, other);
      this.connect(other, node);
    }
    this.nodes.push(node);
  }

  /** The tunnel port of `from` that leads to `to`. @internal */
  tunnel(from: Node, to: Node): OvsTunnel {
    return this.tunnels.get(`${from.name}/${to.name}`) as OvsTunnel;
  }

  /** The one network node that a subnet or router is on when it does not say so. @internal */
  networkNode(given: NetworkNode | undefined, title: string, path: string): NetworkNode {
    if (given) return given;
    const found = this.nodes.filter((node): node is NetworkNode => node.routes);
    const [only] = found;
    if (!only || found.length > 1)
      refuse(
        title,
        `${path}: is required: the cloud has ${found.length} network nodes${only ? ` (${found.map((node) => node.name).join(", ")})` : ""}`,
      );
    return only;
  }

  private connect(from: Node, to: Node): void {
    const name = tunnelPort(this.tunnelType, to.tunnelAddress);
    const args = {
      name,
      type: this.tunnelType,
      local: from.tunnelAddress,
      remote: to.tunnelAddress,
      key: "flow",
    } as const;
    const tunnel = new OvsTunnel(from.child(name), { ...args, bridge: from.brTun }, { parent: from });
    this.tunnels.set(`${from.name}/${to.name}`, tunnel);
  }
}
