import type * as pulumi from "@pulumi/pulumi";
import { Namespace } from "../resources";
import { checked } from "./check";
import type { InstanceArgs, InstancePort } from "./instance-args";
import { instancePort } from "./instance-port";
import type { PortPlanArgs } from "./instance-schema";
import { instanceSchema } from "./instance-schema";
import type { Node } from "./node";
import { Part, titleOf } from "./part";

/**
 * A guest with its ports, as Nova and os-vif plug it with `iptables_hybrid`: TAP, Linux bridge qbr with the firewall, and
 * a veth pair qvb-qvo into br-int. A namespace may stand for the guest.
 */
export class Instance extends Part {
  /** The node that it is on. */
  readonly node: Node;
  /** Its ports, in the order of the program. */
  readonly ports: InstancePort[];
  /** The namespace that stands for the guest, if one does. */
  readonly namespace: Namespace | undefined;

  /** @throws RunError when an argument is not allowed, or an address, MAC or name is another's. */
  constructor(name: string, args: InstanceArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { node, ports, ...rest } = args;
    const title = titleOf("Instance", name);
    const plain = ports.map(({ network: _, securityGroups, ...port }) => ({
      ...port,
      securityGroups: securityGroups?.map((group) => group.name),
    }));
    const plan = checked(title, instanceSchema, { ...rest, ports: plain });
    super("Instance", name, plan.name, { parent: node.cloud, ...opts });
    this.node = node;
    node.cloud.register.take(`instance ${this.name}`, title, "name");
    this.namespace =
      plan.guest.type === "namespace"
        ? new Namespace(`${name}/${plan.guest.name ?? this.name}`, { host: node.host }, { parent: this })
        : undefined;
    const common = {
      parent: this,
      path: name,
      title,
      node,
      instance: this.name,
      namespace: this.namespace,
      guest: plan.guest,
    };
    this.ports = ports.map((given, index) =>
      instancePort({ ...common, index, given, plan: plan.ports[index] as PortPlanArgs }),
    );
    this.registerOutputs({});
  }
}
