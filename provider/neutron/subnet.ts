import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { dhcpRanges } from "../model/dhcp-args";
import { between, contains, family, ipAddress, prefix } from "../model/scalars";
import { DhcpServer } from "../resources";
import { covers, except, isHost, nth, overlap, within } from "./addresses";
import { checked, cloudName } from "./check";
import { Late } from "./late";
import { portId, serviceDevices } from "./names";
import type { Network } from "./network";
import type { NetworkNode } from "./node";
import { Part, titleOf } from "./part";
import { refuse } from "./register";
import { servicePort } from "./service-port";

export interface SubnetDhcpArgs {
  /** The network node that the server is on. Default: the cloud's, where there is only one. */
  node?: NetworkNode;
  /** Addresses to give to anybody, as "10.0.0.10-10.0.0.200" or several such; `static`: only to ports that are declared with addresses. Default: static. */
  range?: string | string[];
  /** The server's own address. Default: the first of the subnet that is not the gateway's. */
  address?: string;
  /** How long an address is given for, in seconds, 120 or more. Default: 86400, as with Neutron. */
  leaseTime?: number;
  /** Domain that clients are told. Default: none. */
  domain?: string;
  /** More DHCP options by name or number, as { "ntp-server": "10.0.0.5" }. */
  options?: Record<string, string>;
}

export interface SubnetArgs {
  /** The network that the subnet is in. */
  network: Network;
  /** The subnet's name, unique in the cloud. Default: the last part of the resource's name after '/'. */
  name?: string;
  /** Its addresses, as 10.0.0.0/24 or fd00:1::/64. */
  cidr: string;
  /** The address of the router, which a Router takes; false for none. Default: the subnet's first. */
  gateway?: string | false;
  /** DNS servers that guests are told by DHCP. Default: none. */
  dns?: string[];
  /** Routes that guests are told by DHCP (`host_routes`, option 121). Default: none but the gateway's. */
  hostRoutes?: {
    /** The destination, as 10.8.0.0/16. */
    to: string;
    /** The router, by its address in the subnet. */
    via: string;
  }[];
  /** A DHCP server in the namespace qdhcp-<network>; false for none. Default: true with IPv4; there is none for IPv6 yet. */
  dhcp?: boolean | SubnetDhcpArgs;
}

const schema = z
  .strictObject({
    name: cloudName.optional(),
    cidr: prefix,
    gateway: z.union([z.literal(false), ipAddress]).optional(),
    dns: z.array(ipAddress).optional(),
    hostRoutes: z.array(z.strictObject({ to: prefix, via: ipAddress })).optional(),
    dhcp: z
      .union([
        z.boolean(),
        z.strictObject({
          range: dhcpRanges.optional(),
          address: ipAddress.optional(),
          leaseTime: between(120, 0x7fff_ffff).default(86_400),
          domain: z.string().optional(),
          options: z.record(z.string(), z.string()).optional(),
        }),
      ])
      .optional(),
  })
  .superRefine(({ cidr, gateway, dhcp }, issues) => {
    const refusePath = (path: PropertyKey[], message: string) => issues.addIssue({ code: "custom", path, message });
    if (gateway && !isHost(cidr, gateway)) refusePath(["gateway"], `must be an address of a host in ${cidr}`);
    if (dhcp && family(cidr) === 6) refusePath(["dhcp"], "must be false with IPv6: there is no DHCPv6 yet");
    const { address, range = [] } = typeof dhcp === "object" ? dhcp : {};
    for (const [at, one] of [range].flat().entries()) {
      if (one === "static" || one.split("-").every((end) => contains(cidr, end))) continue;
      refusePath(
        ["dhcp", "range", ...(Array.isArray(range) ? [at] : [])],
        `must be first and last address of a range in ${cidr}`,
      );
    }
    if (address && !isHost(cidr, address)) refusePath(["dhcp", "address"], `must be an address of a host in ${cidr}`);
  });

/** What DHCP says of a guest's port. */
export interface Reservation {
  mac: string;
  address: string;
  hostname: string | undefined;
}

/** The addresses of a network, with its DHCP server. */
export class Subnet extends Part {
  /** The network that it is in. */
  readonly network: Network;
  /** Its addresses. */
  readonly cidr: string;
  /** The address of the router; undefined for none. */
  readonly gateway: string | undefined;
  /** Whether it has a DHCP server. @internal */
  readonly served: boolean;
  /** What that gives to anybody: its ranges but for the gateway's address and its own. */
  private readonly pool: string[];
  /** Addresses of the pool that somebody is declared with. */
  private readonly taken: Late<string>;
  private readonly reservations: Late<Reservation>;

  /** @throws RunError when an argument is not allowed, or its addresses are in another subnet of the network. */
  constructor(name: string, args: SubnetArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { network, dhcp: dhcpArgs, ...rest } = args;
    const { node, ...dhcpPlain } = typeof dhcpArgs === "object" ? dhcpArgs : { node: undefined };
    const title = titleOf("Subnet", name);
    const plan = checked(title, schema, { ...rest, dhcp: typeof dhcpArgs === "object" ? dhcpPlain : dhcpArgs });
    super("Subnet", name, plan.name, { parent: network, ...opts });
    this.network = network;
    this.cidr = plan.cidr;
    this.gateway = plan.gateway === false ? undefined : (plan.gateway ?? nth(plan.cidr, 1));
    const remedy = "declare its Instance before any await";
    this.reservations = new Late(title, "a port with an address", remedy);
    this.taken = new Late(title, "a port with an address of the DHCP range", remedy);
    network.cloud.register.take(`subnet ${this.name}`, title, "name");
    for (const other of network.subnets) {
      if (overlap(other.cidr, plan.cidr))
        refuse(title, `cidr: ${plan.cidr} overlaps ${other.cidr} of ${other.title} [CONFLICT]`);
    }
    const served = plan.dhcp ?? family(plan.cidr) === 4;
    const dhcp = typeof served === "object" ? served : { leaseTime: 86_400 };
    this.served = served !== false;
    const address = dhcp.address ?? [nth(this.cidr, 1), nth(this.cidr, 2)].find((one) => one !== this.gateway) ?? "";
    const taken = [address, ...(this.gateway ? [this.gateway] : [])];
    this.pool = [dhcp.range ?? "static"].flat().flatMap((range) => (range === "static" ? [] : except(range, taken)));
    if (this.gateway) this.take(this.gateway, title, "gateway");
    if (this.served) this.serve(network.cloud.networkNode(node, title, "dhcp.node"), plan, { ...dhcp, address });
    network.subnets.push(this);
    this.registerOutputs({});
  }

  /** Enters an address that only one may have. @throws RunError when another has it. @internal */
  take(address: string, title: string, path: string): void {
    if (!isHost(this.cidr, address))
      refuse(title, `${path}: must be an address of a host in ${this.cidr}; given was ${address}`);
    this.network.cloud.register.take(`address ${address} of network ${this.network.name}`, title, path);
    if (this.pool.some((range) => covers(range, address))) this.taken.add(address);
  }

  /** Whether it has addresses for anybody. @internal */
  get hasRange(): boolean {
    return this.pool.length > 0;
  }

  /** What its DHCP server gives to anybody, once all are declared that have an address of their own. @internal */
  async free(): Promise<string[]> {
    const taken = await this.taken.all();
    return this.pool.flatMap((range) => except(range, taken));
  }

  /** Whether the address is one of its. @internal */
  has(address: string): boolean {
    return contains(this.cidr, address);
  }

  /** An address with the subnet's prefix length. @internal */
  within(address: string): string {
    return within(address, this.cidr);
  }

  /** Makes the DHCP server give the port its address. @internal */
  reserve(reservation: Reservation): void {
    this.reservations.add(reservation);
  }

  private serve(
    node: NetworkNode,
    plan: z.output<typeof schema>,
    dhcp: Exclude<z.output<typeof schema>["dhcp"], boolean | undefined> & { address: string },
  ): void {
    const { network, gateway, title, path } = this;
    const { address, range = "static" } = dhcp;
    this.take(address, title, "dhcp.address");
    const others = network.subnets.filter((other) => other.served);
    const dynamic = [this, ...others].find((subnet) => subnet.hasRange);
    // Who has no address yet is heard by all servers of the network.
    if (others.length > 0 && dynamic)
      refuse(
        title,
        `dhcp.range: a network with DHCP servers in several subnets gives declared addresses only, but ${dynamic.title} has a range`,
      );
    const namespace = network.dhcpNamespace(node);
    const id = portId(`dhcp-${this.name}`);
    network.cloud.register.take(`port ${id}`, title, "name");
    const devices = serviceDevices("ns", id);
    const addresses = [this.within(address)];
    const reservations = this.reservations.all();
    const { cable } = servicePort({ node, network, namespace, devices, addresses, parent: this, path, title });
    new DhcpServer(
      `${path}/dnsmasq`,
      {
        host: node.host,
        namespace,
        name: this.name,
        device: cable.a.name,
        range: reservations.then((all) => anchored(range, gateway !== undefined || all.length > 0, address)),
        gateway,
        dns: plan.dns,
        domain: dhcp.domain,
        leaseTime: dhcp.leaseTime,
        mtu: network.mtu,
        routes: plan.hostRoutes,
        options: dhcp.options,
        // Another server of the network must not be spoken for.
        authoritative: this.hasRange,
        reservations: reservations.then((all) => [...all]),
      },
      { parent: this, dependsOn: cable },
    );
  }
}

/** Where nothing else tells dnsmasq the subnet, its own address does, which it never gives away. */
function anchored(range: string | string[], isTold: boolean, own: string): string | string[] {
  const told = (one: string) => (one === "static" && !isTold ? `${own}-${own}` : one);
  return typeof range === "string" ? told(range) : range.map(told);
}
