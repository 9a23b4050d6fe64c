import type { Network } from "./network";
import type { ComputeNode, NetworkNode } from "./node";
import type { SecurityGroup } from "./security-group";

export interface AddressPairArgs {
  /** An address, or a network as 10.0.0.0/28, that the guest may send from, too. */
  address: string;
  /** Default: the port's own MAC address. */
  mac?: string;
}

export interface InstancePortArgs {
  /** The network that the port is in. */
  network: Network;
  /**
   * The eleven characters at the end of the devices' names: tap…, qbr…, qvb…, qvo…. Default: the instance's name for the
   * first port, <instance>-<network> for others; where these are longer, eleven characters made of them.
   */
  id?: string;
  /** MAC address of the guest. Default: the cloud's macPrefix and three octets that come from the port's id. */
  mac?: string;
  /** The guest's addresses, without prefix length, each in a subnet of the network (`fixed_ips`); of several in one subnet DHCP gives the first. Default: one that DHCP gives, where a subnet has a range. */
  addresses?: string[];
  /** What the port lets through beside: what others begin, nothing; what the guest begins, all of it without groups, else as the groups say. Default: no groups. */
  securityGroups?: SecurityGroup[];
  /** What the guest may send from beside its own addresses (`allowed_address_pairs`). Default: nothing. */
  allowedAddressPairs?: AddressPairArgs[];
  /** The firewall of the port, with what keeps a guest from pretending to be another (`port_security_enabled`). Default: true. */
  portSecurity?: boolean;
}

/** A program on the host, as QEMU, opens the TAP. */
export interface TapGuestArgs {
  type: "tap";
  /** The user who may open the TAP: a name, or a number. Default: root only. */
  owner?: string | number;
  /** The group that may open the TAP. Default: none. */
  group?: string | number;
  /** Several queues (IFF_MULTI_QUEUE). Default: false. */
  multiQueue?: boolean;
  /** A virtio-net header before each packet (IFF_VNET_HDR). Default: false. */
  vnetHeader?: boolean;
}

/** A network namespace stands for the guest, with its ports as eth0, eth1 and so on. */
export interface NamespaceGuestArgs {
  type: "namespace";
  /** The namespace's name. Default: the instance's. */
  name?: string;
  /** `static`: the ports' addresses, and the gateway of the first, are set; `dhcp`: a DHCP client of yours does it. Default: static. */
  addressing?: "static" | "dhcp";
}

/** libvirt, say, makes the TAP and plugs it into qbr…: its absence is no drift. */
export interface ExternalGuestArgs {
  type: "external";
}

export type GuestArgs = TapGuestArgs | NamespaceGuestArgs | ExternalGuestArgs;

export interface InstanceArgs {
  /** The node that the instance is on. */
  node: ComputeNode | NetworkNode;
  /** The instance's name, unique in the cloud. Default: the last part of the resource's name after '/'. */
  name?: string;
  /** What the instance is plugged into. */
  ports: InstancePortArgs[];
  /** Who is the guest. Default: a TAP for root. */
  guest?: GuestArgs | "tap" | "namespace" | "external";
}

/** What an instance tells of a port. */
export interface InstancePort {
  /** The end of the names of its devices. */
  id: string;
  /** MAC address of the guest. */
  mac: string;
  /** Without prefix length; empty when DHCP gives one. */
  addresses: string[];
  /** The devices on the host. */
  devices: {
    /** The TAP. */
    tap: string;
    /** The Linux bridge with the firewall. */
    qbr: string;
    /** The end of the cable to br-int that is in that bridge. */
    qvb: string;
    /** The end of the cable that is in br-int. */
    qvo: string;
  };
}
