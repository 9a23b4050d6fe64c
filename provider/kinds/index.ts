import type { Kind } from "../kind";

/**
 * The registry: one line a kind. The public API, the laws' tests and the documentation loop over it. A kind is loaded
 * when it is first asked for: to build the schemas of all takes longer than to load the SSH library, in the program and
 * in the provider.
 */
export const kinds: Record<string, Kind> = whenAsked({
  Address: () => require("./address").address,
  Bond: () => require("./bond").bond,
  BridgePort: () => require("./bridge-port").bridgePort,
  ConnectivityCheck: () => require("./connectivity-check").connectivityCheck,
  DhcpServer: () => require("./dhcp-server").dhcpServer,
  Dummy: () => require("./dummy").dummy,
  FdbEntry: () => require("./fdb-entry").fdbEntry,
  Firewall: () => require("./firewall").firewall,
  GratuitousArp: () => require("./gratuitous-arp").gratuitousArp,
  GreTunnel: () => require("./gre-tunnel").greTunnel,
  Interface: () => require("./interface").nic,
  LinuxBridge: () => require("./linux-bridge").linuxBridge,
  Lldp: () => require("./lldp").lldp,
  Macvlan: () => require("./macvlan").macvlan,
  Macvtap: () => require("./macvtap").macvtap,
  Namespace: () => require("./namespace").namespace,
  Neighbor: () => require("./neighbor").neighbor,
  OvsBridge: () => require("./ovs-bridge").ovsBridge,
  OvsFlows: () => require("./ovs-flows").ovsFlows,
  OvsPatch: () => require("./ovs-patch").ovsPatch,
  OvsPort: () => require("./ovs-port").ovsPort,
  OvsTunnel: () => require("./ovs-tunnel").ovsTunnel,
  Route: () => require("./route").route,
  Rule: () => require("./rule").rule,
  Sysctl: () => require("./sysctl").sysctl,
  Tap: () => require("./tap").tap,
  UdpVpn: () => require("./udp-vpn").udpVpn,
  VethPair: () => require("./veth-pair").vethPair,
  Vlan: () => require("./vlan").vlan,
  Vxlan: () => require("./vxlan").vxlan,
});

function whenAsked(loaders: Record<string, () => Kind>): Record<string, Kind> {
  const properties = Object.entries(loaders).map(([name, get]) => [name, { get, enumerable: true }]);
  return Object.defineProperties({}, Object.fromEntries(properties));
}
