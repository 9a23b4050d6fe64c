import type { Kind } from "../kind";

/**
 * The registry: one line a kind. The public API, the laws' tests and the documentation loop over it. A kind is loaded
 * when it is first asked for: to build the schemas of all takes longer than to load the SSH library, in the program and
 * in the provider.
 */
export const kinds: Record<string, Kind> = whenAsked({
  Address: () => require("./address").address,
  BridgePort: () => require("./bridge-port").bridgePort,
  ConnectivityCheck: () => require("./connectivity-check").connectivityCheck,
  GreTunnel: () => require("./gre-tunnel").greTunnel,
  Interface: () => require("./interface").nic,
  LinuxBridge: () => require("./linux-bridge").linuxBridge,
  Macvlan: () => require("./macvlan").macvlan,
  Macvtap: () => require("./macvtap").macvtap,
  Namespace: () => require("./namespace").namespace,
  OvsBridge: () => require("./ovs-bridge").ovsBridge,
  OvsPatch: () => require("./ovs-patch").ovsPatch,
  OvsPort: () => require("./ovs-port").ovsPort,
  OvsTunnel: () => require("./ovs-tunnel").ovsTunnel,
  Route: () => require("./route").route,
  Sysctl: () => require("./sysctl").sysctl,
  VethPair: () => require("./veth-pair").vethPair,
});

function whenAsked(loaders: Record<string, () => Kind>): Record<string, Kind> {
  const properties = Object.entries(loaders).map(([name, get]) => [name, { get, enumerable: true }]);
  return Object.defineProperties({}, Object.fromEntries(properties));
}
