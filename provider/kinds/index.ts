import type { Kind } from "../kind";
import { address } from "./address";
import { bond } from "./bond";
import { bridgePort } from "./bridge-port";
import { connectivityCheck } from "./connectivity-check";
import { dhcpServer } from "./dhcp-server";
import { firewall } from "./firewall";
import { greTunnel } from "./gre-tunnel";
import { nic } from "./interface";
import { linuxBridge } from "./linux-bridge";
import { lldp } from "./lldp";
import { macvlan } from "./macvlan";
import { macvtap } from "./macvtap";
import { namespace } from "./namespace";
import { ovsBridge } from "./ovs-bridge";
import { ovsFlows } from "./ovs-flows";
import { ovsPatch } from "./ovs-patch";
import { ovsPort } from "./ovs-port";
import { ovsTunnel } from "./ovs-tunnel";
import { route } from "./route";
import { rule } from "./rule";
import { sysctl } from "./sysctl";
import { tap } from "./tap";
import { udpVpn } from "./udp-vpn";
import { vethPair } from "./veth-pair";
import { vlan } from "./vlan";
import { vxlan } from "./vxlan";

/** The registry: one line a kind. The public API, the laws' tests and the documentation loop over it. */
export const kinds: Record<string, Kind> = {
  Address: address,
  Bond: bond,
  BridgePort: bridgePort,
  ConnectivityCheck: connectivityCheck,
  DhcpServer: dhcpServer,
  Firewall: firewall,
  GreTunnel: greTunnel,
  Interface: nic,
  LinuxBridge: linuxBridge,
  Lldp: lldp,
  Macvlan: macvlan,
  Macvtap: macvtap,
  Namespace: namespace,
  OvsBridge: ovsBridge,
  OvsFlows: ovsFlows,
  OvsPatch: ovsPatch,
  OvsPort: ovsPort,
  OvsTunnel: ovsTunnel,
  Route: route,
  Rule: rule,
  Sysctl: sysctl,
  Tap: tap,
  UdpVpn: udpVpn,
  VethPair: vethPair,
  Vlan: vlan,
  Vxlan: vxlan,
};
