import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { cidr, interfaceName, ipAddress } from "../model/scalars";
import type { Host } from "../resources";
import { Interface, OvsBridge, OvsFlows, OvsPatch, OvsPort } from "../resources";
import { checked } from "./check";
import type { Cloud } from "./cloud";
import { closedPatch, type Flow, integrationFlows, tunnelFlows } from "./flows";
import { physicalPatch } from "./names";
import { Part, titleOf } from "./part";
import { refuse } from "./register";

export interface PhysicalNetworkArgs {
  /** The Open vSwitch bridge to make, 1 to 15 characters, as br-ex. */
  bridge: string;
  /** The network card that the bridge has as its port: a name, or the Interface. Default: none, so the bridge leads nowhere. */
  interface?: string | Interface;
  /** The host's own addresses on the bridge, with prefix length. Default: none. */
  addresses?: string[];
}

export interface NodeArgs {
  /** The cloud that the node belongs to. */
  cloud: Cloud;
  /** The machine. */
  host: Host;
  /** What the cloud calls the node. Default: the last part of the resource's name after '/'. */
  name?: string;
  /** The node's own address on the network between the nodes, where its tunnels end (Neutron's `local_ip`). The address itself is not declared by the node. */
  tunnelAddress: string;
  /** Neutron's `bridge_mappings`: the bridge of each physical network that the node is connected to, by the name that networks use. Default: none. */
  physicalNetworks?: Record<string, PhysicalNetworkArgs>;
}

const nodeName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "must be 1 to 64 letters, digits, '_', '.' or '-'");

const schema = z.strictObject({
  name: nodeName.optional(),
  tunnelAddress: ipAddress,
  physicalNetworks: z
    .record(
      nodeName,
      z.strictObject({
        bridge: interfaceName.refine((name) => !["br-int", "br-tun"].includes(name), "must not be br-int or br-tun"),
        addresses: z.array(cidr).optional(),
      }),
    )
    .default({}),
});

/** The bridge of a physical network, with its cable to br-int and that one's ends. */
export interface PhysicalBridge {
  bridge: OvsBridge;
  patch: OvsPatch;
  int: string;
  phy: string;
}

/** What compute nodes and network nodes have in common: br-int for what is on the node, br-tun for the others. */
export abstract class Node extends Part {
  /** The cloud that it belongs to. */
  readonly cloud: Cloud;
  /** The machine. */
  readonly host: Host;
  /** Where its tunnels end. */
  readonly tunnelAddress: string;
  /** The bridge of what is on the node. */
  readonly brInt: OvsBridge;
  /** The bridge of the tunnels. */
  readonly brTun: OvsBridge;
  /** Between the two: flows that name its ends wait for it. @internal */
  readonly cable: OvsPatch;
  /** Whether it may have routers and DHCP servers. @internal */
  abstract readonly routes: boolean;
  private readonly physical: Map<string, PhysicalBridge>;

  constructor(type: string, name: string, args: NodeArgs, opts: pulumi.ComponentResourceOptions) {
    const { cloud, host, physicalNetworks: mappings = {}, ...plain } = args;
    const title = titleOf(type, name);
    const withoutNics = Object.fromEntries(
      Object.entries(mappings).map(([key, { interface: _, ...rest }]) => [key, rest]),
    );
    const checkedArgs = checked(title, schema, { ...plain, physicalNetworks: withoutNics });
    super(type, name, checkedArgs.name, { parent: cloud, ...opts });
    this.cloud = cloud;
    this.host = host;
    this.tunnelAddress = checkedArgs.tunnelAddress;
    // Their own ports are no way into the host, and stay down, as with Neutron.
    const secure = { host, failMode: "secure", up: false } as const;
    this.brInt = new OvsBridge(this.child("br-int"), secure, { parent: this });
    this.brTun = new OvsBridge(this.child("br-tun"), secure, { parent: this });
    const ends = [
      { bridge: this.brInt, name: "patch-tun" },
      { bridge: this.brTun, name: "patch-int" },
    ] as const;
    this.cable = this.patch("patch", ...ends);
    this.flows("br-int-base", this.brInt, integrationFlows);
    this.flows("br-tun-base", this.brTun, tunnelFlows(cloud.tunnelType), this.cable);
    this.physical = new Map(
      Object.entries(mappings).map(([key, mapping]) => [key, this.physicalBridge(mapping)] as const),
    );
    cloud.join(this, title);
  }

  /** The bridge of a physical network. @throws RunError when the node is not connected to it. @internal */
  bridgeOf(physicalNetwork: string, title: string): PhysicalBridge {
    const found = this.physical.get(physicalNetwork);
    if (!found) {
      const has = this.physical.size > 0 ? [...this.physical.keys()].join(", ") : "none";
      refuse(title, `node ${this.name} has no physical network ${physicalNetwork}: its physicalNetworks are ${has}`);
    }
    return found;
  }

  /** The name of a resource that is on the node. @internal */
  child(name: string): string {
    return `${this.path}/${name}`;
  }

  private physicalBridge({ bridge: name, interface: nic, addresses }: PhysicalNetworkArgs): PhysicalBridge {
    // Standalone: after a restart of Open vSwitch, which takes all flows, the host still has its own addresses' use. What
    // guests send does not come here without br-int's flows.
    const bridge = new OvsBridge(this.child(name), { host: this.host, addresses }, { parent: this });
    const { int, phy } = physicalPatch(name);
    const patch = this.patch(`patch-${name}`, { bridge: this.brInt, name: int }, { bridge, name: phy });
    this.flows(`${name}-closed`, bridge, closedPatch(phy), patch);
    this.flows(`${int}-closed`, this.brInt, closedPatch(int), patch);
    if (nic !== undefined) {
      const card =
        typeof nic === "string"
          ? new Interface(this.child(nic), { host: this.host, name: nic }, { parent: this })
          : nic;
      const port = { bridge, name: card.name, addressesToBridge: true };
      new OvsPort(this.child(`${name}-nic`), port, { parent: this, dependsOn: card });
    }
    return { bridge, patch, int, phy };
  }

  private patch(name: string, a: PatchEnd, b: PatchEnd): OvsPatch {
    return new OvsPatch(this.child(name), { a, b }, { parent: this });
  }

  /** `after`: the cable whose ports the flows name. */
  private flows(name: string, bridge: OvsBridge, flows: Flow[], after?: OvsPatch): void {
    new OvsFlows(this.child(name), { bridge, name, flows }, { parent: this, dependsOn: after ? [after] : [] });
  }
}

interface PatchEnd {
  bridge: OvsBridge;
  name: string;
}

/** A node for instances: br-int, br-tun, and tunnels to all other nodes of its cloud. */
export class ComputeNode extends Node {
  readonly routes = false;

  /** @throws RunError when an argument is not allowed, or another node has the name or the tunnel address. */
  constructor(name: string, args: NodeArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("ComputeNode", name, args, opts);
    this.registerOutputs({});
  }
}

/** A node for routers and DHCP servers, mostly with a physical network; it may have instances, too. */
export class NetworkNode extends Node {
  readonly routes = true;

  /** @throws RunError when an argument is not allowed, or another node has the name or the tunnel address. */
  constructor(name: string, args: NodeArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("NetworkNode", name, args, opts);
    this.registerOutputs({});
  }
}
