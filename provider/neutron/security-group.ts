import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { lastPart } from "../protocol";
import { checked, cloudName } from "./check";
import type { Cloud } from "./cloud";
import type { GroupRule } from "./group-rules";
import { groupRule } from "./group-schema";
import { Late } from "./late";
import { Part, titleOf } from "./part";
import { refuse } from "./register";

export interface SecurityGroupRuleArgs {
  /** `ingress`: flows that others begin, towards the group's members; `egress`: flows that members begin. Answers pass by themselves. */
  direction: "ingress" | "egress";
  /** IPv4 or IPv6. Default: what protocol and remoteCidr say, else both. */
  ethertype?: "IPv4" | "IPv6";
  /** By name, or a number from 1 to 255. Default: any. */
  protocol?: "tcp" | "udp" | "icmp" | "icmpv6" | "sctp" | "dccp" | "udplite" | "esp" | "ah" | "gre" | number;
  /** Port of destination, or a range as "8000-8080". Default: any. */
  ports?: number | string;
  /** ICMP type, 0 to 255, as 8 for an echo request. Default: any. */
  icmpType?: number;
  /** ICMP code, 0 to 255. Default: any. */
  icmpCode?: number;
  /** The other side's addresses, as 203.0.113.0/24. Default: any. */
  remoteCidr?: string;
  /** The other side is a member of this group, or of this very one (`self`). Default: anybody. */
  remoteGroup?: SecurityGroup | "self";
}

export interface SecurityGroupArgs {
  /** The cloud that the group belongs to. */
  cloud: Cloud;
  /** The group's name, unique in the cloud. Default: the last part of the resource's name after '/'. */
  name?: string;
  /** What is let through; all else that others begin is dropped. Default: nothing. */
  rules?: SecurityGroupRuleArgs[];
  /** The two rules that Neutron puts into each new group: members may begin any flow. Default: true. */
  allowEgress?: boolean;
}

const schema = z.strictObject({
  name: cloudName.optional(),
  allowEgress: z.boolean().default(true),
  rules: z.array(groupRule).default([]),
});

/** Rules for ports. A group has nothing on a host of its own: its rules are in the firewall of each port that names it. */
export class SecurityGroup extends Part {
  /** @internal */
  readonly cloud: Cloud;
  /** @internal */
  readonly rules: GroupRule[];
  private readonly addresses: Late<string>;
  /** Who refers to it as a remoteGroup, and who has no address to be known by. */
  private referrer: string | undefined;
  private nameless: string | undefined;

  /** @throws RunError when an argument is not allowed, or another group has the name. */
  constructor(name: string, args: SecurityGroupArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const { cloud, rules = [], ...rest } = args;
    const title = titleOf("SecurityGroup", name);
    const own = rest.name ?? lastPart(name);
    const remoteName = (remote: SecurityGroup | "self" | undefined) => (remote === "self" ? own : remote?.name);
    const plain = rules.map((rule) => ({ ...rule, remoteGroup: remoteName(rule.remoteGroup) }));
    const plan = checked(title, schema, { ...rest, rules: plain });
    // Groups are known by their names, and another cloud has others of these.
    for (const [at, { remoteGroup }] of rules.entries())
      if (remoteGroup instanceof SecurityGroup) remoteGroup.mustBeOf(cloud, title, `rules[${at}].remoteGroup`);
    super("SecurityGroup", name, plan.name, { parent: cloud, ...opts });
    this.cloud = cloud;
    this.addresses = new Late(title, "a member", "declare its Instance before any await");
    cloud.register.take(`security group ${this.name}`, title, "name");
    cloud.groups.set(this.name, this);
    this.rules = [...plan.rules, ...(plan.allowEgress ? [{ direction: "egress" } as const] : [])];
    for (const rule of this.rules) if (rule.remoteGroup !== undefined) cloud.groups.get(rule.remoteGroup)?.refer(title);
    this.registerOutputs({});
  }

  /** @throws RunError when it is another cloud's. @internal */
  mustBeOf(cloud: Cloud, title: string, path: string): void {
    if (this.cloud !== cloud)
      refuse(
        title,
        `${path}: must be a group of cloud ${cloud.name}; given was ${this.title} of cloud ${this.cloud.name}`,
      );
  }

  /** A port of the group, by the addresses that it sends from. @throws RunError when others have to know these, and there are none. @internal */
  join({ own, allowed }: { own: string[]; allowed: string[] }, title: string): void {
    if (own.length === 0) this.nameless = title;
    this.bothKnown();
    for (const address of [...own, ...allowed]) this.addresses.add(address);
  }

  /** The addresses of all members. @internal */
  members(): Promise<readonly string[]> {
    return this.addresses.all();
  }

  private refer(title: string): void {
    this.referrer = title;
    this.bothKnown();
  }

  private bothKnown(): void {
    if (this.referrer === undefined || this.nameless === undefined) return;
    refuse(
      this.nameless,
      `addresses: are required: ${this.referrer} lets members of group ${this.name} through by their addresses`,
    );
  }
}
