import type * as pulumi from "@pulumi/pulumi";
import type * as hostnet from "../provider";
import type { Kind } from "../provider/kind";
import { kinds } from "../provider/kinds";
import type { address } from "../provider/kinds/address";
import type { bond } from "../provider/kinds/bond";
import type { bridgePort } from "../provider/kinds/bridge-port";
import type { connectivityCheck } from "../provider/kinds/connectivity-check";
import type { dhcpServer } from "../provider/kinds/dhcp-server";
import type { dummy } from "../provider/kinds/dummy";
import type { fdbEntry } from "../provider/kinds/fdb-entry";
import type { firewall } from "../provider/kinds/firewall";
import type { gratuitousArp } from "../provider/kinds/gratuitous-arp";
import type { greTunnel } from "../provider/kinds/gre-tunnel";
import type { nic } from "../provider/kinds/interface";
import type { linuxBridge } from "../provider/kinds/linux-bridge";
import type { lldp } from "../provider/kinds/lldp";
import type { macvlan } from "../provider/kinds/macvlan";
import type { macvtap } from "../provider/kinds/macvtap";
import type { namespace } from "../provider/kinds/namespace";
import type { neighbor } from "../provider/kinds/neighbor";
import type { ovsBridge } from "../provider/kinds/ovs-bridge";
import type { ovsFlows } from "../provider/kinds/ovs-flows";
import type { ovsPatch } from "../provider/kinds/ovs-patch";
import type { ovsPort } from "../provider/kinds/ovs-port";
import type { ovsTunnel } from "../provider/kinds/ovs-tunnel";
import type { route } from "../provider/kinds/route";
import type { rule } from "../provider/kinds/rule";
import type { sysctl } from "../provider/kinds/sysctl";
import type { tap } from "../provider/kinds/tap";
import type { udpVpn } from "../provider/kinds/udp-vpn";
import type { vethPair } from "../provider/kinds/veth-pair";
import type { vlan } from "../provider/kinds/vlan";
import type { vxlan } from "../provider/kinds/vxlan";

/**
 * The generated classes against the types that zod infers. The comparison is made by the compiler: what does not fit
 * makes `true` no longer satisfy its type, and the message names the argument and both types.
 */
type ArgumentsOf<K> = K extends Kind<infer A> ? A : never;
type Plain<T> = T extends pulumi.Output<infer U> ? U : never;
type Misfits<A, C> = {
  [P in keyof A]-?: P extends keyof C ? (A[P] extends Plain<C[P]> ? never : [P, A[P], Plain<C[P]>]) : [P, "is missing"];
}[keyof A];
type Fits<A, C> = [Misfits<A, C>] extends [never] ? true : Misfits<A, C>;

const fits = {
  Address: true satisfies Fits<ArgumentsOf<typeof address>, hostnet.Address>,
  Bond: true satisfies Fits<ArgumentsOf<typeof bond>, hostnet.Bond>,
  BridgePort: true satisfies Fits<ArgumentsOf<typeof bridgePort>, hostnet.BridgePort>,
  ConnectivityCheck: true satisfies Fits<ArgumentsOf<typeof connectivityCheck>, hostnet.ConnectivityCheck>,
  Dummy: true satisfies Fits<ArgumentsOf<typeof dummy>, hostnet.Dummy>,
  FdbEntry: true satisfies Fits<ArgumentsOf<typeof fdbEntry>, hostnet.FdbEntry>,
  Firewall: true satisfies Fits<ArgumentsOf<typeof firewall>, hostnet.Firewall>,
  DhcpServer: true satisfies Fits<ArgumentsOf<typeof dhcpServer>, hostnet.DhcpServer>,
  GratuitousArp: true satisfies Fits<ArgumentsOf<typeof gratuitousArp>, hostnet.GratuitousArp>,
  GreTunnel: true satisfies Fits<ArgumentsOf<typeof greTunnel>, hostnet.GreTunnel>,
  Interface: true satisfies Fits<ArgumentsOf<typeof nic>, hostnet.Interface>,
  LinuxBridge: true satisfies Fits<ArgumentsOf<typeof linuxBridge>, hostnet.LinuxBridge>,
  Lldp: true satisfies Fits<ArgumentsOf<typeof lldp>, hostnet.Lldp>,
  Macvlan: true satisfies Fits<ArgumentsOf<typeof macvlan>, hostnet.Macvlan>,
  Macvtap: true satisfies Fits<ArgumentsOf<typeof macvtap>, hostnet.Macvtap>,
  Namespace: true satisfies Fits<ArgumentsOf<typeof namespace>, hostnet.Namespace>,
  Neighbor: true satisfies Fits<ArgumentsOf<typeof neighbor>, hostnet.Neighbor>,
  OvsBridge: true satisfies Fits<ArgumentsOf<typeof ovsBridge>, hostnet.OvsBridge>,
  OvsFlows: true satisfies Fits<ArgumentsOf<typeof ovsFlows>, hostnet.OvsFlows>,
  OvsPatch: true satisfies Fits<ArgumentsOf<typeof ovsPatch>, hostnet.OvsPatch>,
  OvsPort: true satisfies Fits<ArgumentsOf<typeof ovsPort>, hostnet.OvsPort>,
  OvsTunnel: true satisfies Fits<ArgumentsOf<typeof ovsTunnel>, hostnet.OvsTunnel>,
  Route: true satisfies Fits<ArgumentsOf<typeof route>, hostnet.Route>,
  Rule: true satisfies Fits<ArgumentsOf<typeof rule>, hostnet.Rule>,
  Sysctl: true satisfies Fits<ArgumentsOf<typeof sysctl>, hostnet.Sysctl>,
  Tap: true satisfies Fits<ArgumentsOf<typeof tap>, hostnet.Tap>,
  UdpVpn: true satisfies Fits<ArgumentsOf<typeof udpVpn>, hostnet.UdpVpn>,
  VethPair: true satisfies Fits<ArgumentsOf<typeof vethPair>, hostnet.VethPair>,
  Vlan: true satisfies Fits<ArgumentsOf<typeof vlan>, hostnet.Vlan>,
  Vxlan: true satisfies Fits<ArgumentsOf<typeof vxlan>, hostnet.Vxlan>,
};

it("covers every kind", () => {
  expect(Object.keys(fits).sort()).toEqual(Object.keys(kinds).sort());
});
