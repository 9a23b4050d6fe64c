/** The layout of an OpenStack cloud, as `hostnet.neutron.*`. (`export type` on a line of its own: see ../index.ts.) */
export type { CloudArgs } from "./cloud";
export { Cloud } from "./cloud";
export { Instance } from "./instance";
export type {
  AddressPairArgs,
  ExternalGuestArgs,
  GuestArgs,
  InstanceArgs,
  InstancePort,
  InstancePortArgs,
  NamespaceGuestArgs,
  TapGuestArgs,
} from "./instance-args";
export type { TunnelType } from "./mtu";
export type { NetworkArgs } from "./network";
export { Network } from "./network";
export type { NodeArgs, PhysicalNetworkArgs } from "./node";
export { ComputeNode, NetworkNode, Node } from "./node";
export type { FloatingIpArgs, RouterArgs, RouterExternalArgs } from "./router";
export { Router } from "./router";
export type { SecurityGroupArgs, SecurityGroupRuleArgs } from "./security-group";
export { SecurityGroup } from "./security-group";
export type { SubnetArgs, SubnetDhcpArgs } from "./subnet";
export { Subnet } from "./subnet";
