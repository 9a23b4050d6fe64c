import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { family, ipAddress, ipv4Address, prefix } from "../model/scalars";
import type { OvsPort, VethPair } from "../resources";
import { Firewall, GratuitousArp, Namespace, Route } from "../resources";
import { checked, cloudName } from "./check";
import type { Cloud } from "./cloud";
import { Instance } from "./instance";
import { portId, routerNamespace, serviceDevices } from "./names";
import type { NetworkNode } from "./node";
import { Part, titleOf } from "./part";
import { refuse } from "./register";
import { routerTable } from "./router-firewall";
import { servicePort } from "./service-port";
import type { Subnet } from "./subnet";

export interface FloatingIpArgs {
  /** The address outside, in the external subnet. */
  address: string;
  /** The guest that it leads to: its first IPv4 address; or an address of a subnet of the router. */
  to: Instance | string;
}

export interface RouterExternalArgs {
  /** A subnet of the external network, whose gateway is the router's default route. */
  subnet: Subnet;
  /** The router's own address there. */
  address: string;
  /** Guests without a floating IP go out under the router's own address (`enable_snat`). Default: true. */
  snat?: boolean;
}

export interface RouterArgs {
  /** The cloud that the router belongs to. */
  cloud: Cloud;
  /** The network node that it is on. Default: the cloud's, where there is only one. */
  node?: NetworkNode;
  /** The router's name, unique in the cloud: its namespace is qrouter-<name>. Default: the last part of the resource's name after '/'. */
  name?: string;
  /** The subnets that it joins; it takes the gateway's address of each. */
  subnets: Subnet[];
  /** Where it leads outside. Default: nowhere. */
  external?: RouterExternalArgs;
  /** Addresses outside that lead to guests. Default: none. */
  floatingIps?: FloatingIpArgs[];
  /** Static routes (`routes`, the extraroute extension). Default: none. */
  routes?: {
    /** The destination, as 10.8.0.0/16. */
    to: string;
    /** The next router, by an address in a network of this one. */
    via: string;
  }[];
}

const schema = z
  .strictObject({
    name: cloudName.optional(),
    external: z.strictObject({ address: ipv4Address, snat: z.boolean().default(true) }).optional(),
    floatingIps: z.array(z.strictObject({ address: ipv4Address, to: ipv4Address })).default([]),
    routes: z.array(z.strictObject({ to: z.union([z.literal("default"), prefix]), via: ipAddress })).default([]),
  })
  .superRefine(({ external, floatingIps }, issues) => {
    if (floatingIps.length > 0 && !external)
      issues.addIssue({ code: "custom", path: ["floatingIps"], message: "need external" });
  });

/** What Neutron sets in a router's namespace, and forwarding. */
const sysctls = {
  "net.ipv4.ip_forward": 1,
  "net.ipv6.conf.all.forwarding": 1,
  "net.ipv4.conf.all.arp_ignore": 1,
  "net.ipv4.conf.all.arp_announce": 2,
  "net.netfilter.nf_conntrack_tcp_be_liberal": 1,
};

/** A router between subnets, and to the outside by an external network: the namespace qrouter-<name> on a network node. */
export class Router extends Part {
  /** The node that it is on. */
  readonly node: NetworkNode;
  /** Its namespace, qrouter-<name>. */
  readonly namespace: Namespace;

  /** @throws RunError when an argument is not allowed, or an address is another's. */
  constructor(name: string, args: RouterArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { cloud, node, subnets, external, floatingIps, ...rest } = args;
    const title = titleOf("Router", name);
    const { subnet: outside, ...externalPlain } = external ?? {};
    const plan = checked(title, schema, {
      ...rest,
      ...(external && { external: externalPlain }),
      floatingIps: floatingIps?.map(({ address, to }, at) => ({
        address,
        to: fixedOf(to, `floatingIps[${at}].to`, title),
      })),
    });
    super("Router", name, plan.name, { parent: cloud, ...opts });
    cloud.register.take(`router ${this.name}`, title, "name");
    this.node = cloud.networkNode(node, title, "node");
    const { host } = this.node;
    this.namespace = new Namespace(`${name}/${routerNamespace(this.name)}`, { host, sysctls }, { parent: this });
    const inner = subnets.map((subnet, at) => this.inside(subnet, `subnets[${at}]`));
    const outer = outside && plan.external ? [this.outside(outside, plan, subnets)] : [];
    this.routes(plan.routes, outside?.gateway, [...inner, ...outer]);
    this.registerOutputs({});
  }

  private inside(subnet: Subnet, path: string): VethPair {
    const { gateway } = subnet;
    if (!gateway)
      refuse(this.title, `${path}: subnet ${subnet.name} has no gateway, whose address the router would take`);
    this.node.cloud.register.take(`gateway of subnet ${subnet.name}`, this.title, path);
    return this.port("qr", portId(`${this.name}-${subnet.name}`), subnet, [subnet.within(gateway)]);
  }

  private outside(subnet: Subnet, plan: z.output<typeof schema>, inner: Subnet[]): VethPair {
    const { title } = this;
    const { address = "", snat = true } = plan.external ?? {};
    subnet.take(address, title, "external.address");
    for (const [at, { address: floating, to }] of plan.floatingIps.entries()) {
      subnet.take(floating, title, `floatingIps[${at}].address`);
      if (!inner.some((one) => one.has(to)))
        refuse(title, `floatingIps[${at}].to: must be an address of a subnet of the router; given was ${to}`);
      this.node.cloud.register.take(`floating IP to ${to} of router ${this.name}`, title, `floatingIps[${at}].to`);
    }
    const { inside: device } = serviceDevices("qg", portId(this.name));
    const floating = plan.floatingIps.map((one) => ({ address: one.address, fixed: one.to }));
    const table = routerTable({ external: { device, address }, snat, floating });
    const { host, namespace } = { host: this.node.host, namespace: this.namespace };
    const firewall = new Firewall(
      `${this.path}/neutron-${this.name}`,
      { host, namespace, name: "neutron", family: "ip", ...table },
      { parent: this },
    );
    const addresses = [subnet.within(address), ...floating.map((one) => `${one.address}/32`)];
    return this.port("qg", portId(this.name), subnet, addresses, firewall);
  }

  private port(
    prefixWord: "qr" | "qg",
    id: string,
    subnet: Subnet,
    addresses: string[],
    after?: pulumi.Resource,
  ): VethPair {
    this.node.cloud.register.take(`port ${id}`, this.title, "name");
    const { node, namespace, path, title } = this;
    const devices = serviceDevices(prefixWord, id);
    const { network } = subnet;
    const place = { node, network, namespace, parent: this, path, title };
    const { cable, plug } = servicePort({ ...place, devices, addresses, after });
    this.announce(devices.inside, addresses, cable, plug);
    return cable;
  }

  /** Whoever had an address of the port, a router before this one, is still in the tables of neighbours. */
  private announce(device: string, addresses: string[], cable: VethPair, plug: OvsPort): void {
    const ipv4 = addresses.flatMap((address) => (family(address) === 4 ? [address.split("/")[0] ?? ""] : []));
    if (ipv4.length === 0) return;
    const { host } = this.node;
    new GratuitousArp(
      `${this.path}/${device}-arp`,
      { host, namespace: this.namespace, device: cable.a.name, addresses: ipv4 },
      { parent: this, dependsOn: [cable, plug] },
    );
  }

  /** All wait for all ports: through one of them the next router is reached, else the kernel refuses the route. */
  private routes(declared: { to: string; via: string }[], gateway: string | undefined, ports: VethPair[]): void {
    const { title } = this;
    const all = [
      ...(gateway
        ? [{ to: "default", via: gateway, path: "external.subnet", title: "external.subnet's gateway" }]
        : []),
      ...declared.map((one, at) => ({ ...one, path: `routes[${at}].to`, title })),
    ].map((one) => ({ ...one, destination: destinationOf(one) }));
    const isDual = all.some(({ to, destination }) => to === "default" && destination === "default");
    for (const { to, via, destination, ...from } of all) {
      this.node.cloud.register.take(`route to ${destination} of router ${this.name}`, from.title, from.path);
      const name = to === "default" && destination !== to && isDual ? "default-v6" : to.replace("/", "_");
      new Route(
        `${this.path}/to-${name}`,
        { host: this.node.host, namespace: this.namespace, to: destination, via },
        { parent: this, dependsOn: ports },
      );
    }
  }
}

/** As the kernel has it, where each IP version has a default route of its own. */
function destinationOf({ to, via }: { to: string; via: string }): string {
  if (to === "default") return family(via) === 6 ? "::/0" : to;
  return to === "0.0.0.0/0" ? "default" : to;
}

/** The address that a floating IP is for. */
function fixedOf(to: Instance | string, path: string, title: string): string {
  if (!(to instanceof Instance)) return to;
  const address = to.ports.flatMap((port) => port.addresses).find((one) => family(one) === 4);
  if (!address) refuse(title, `${path}: instance ${to.name} has no IPv4 address that is declared`);
  return address;
}
