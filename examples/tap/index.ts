import * as hostnet from "pulumi-hostnet";
import { labHost } from "../hosts";

// Where a virtual machine plugs in: a TAP that programs of `ops` may open, on a bridge with the router's namespace.
//   qemu-system-x86_64 … -netdev tap,id=n0,ifname=vm0,script=no,downscript=no -device virtio-net-pci,netdev=n0
const host = labHost(0);

const lan = new hostnet.LinuxBridge("lan", { host, addresses: ["10.60.0.254/24"] });
new hostnet.Tap("vm0", { owner: "ops", bridge: lan });

const router = new hostnet.Namespace("router", { host });
new hostnet.VethPair("lan-port", {
  a: { name: "lan0", namespace: router, addresses: ["10.60.0.1/24"] },
  b: { name: "lan-port", bridge: lan },
});

// A TUN carries IP packets: no MAC address, no bridge. Its namespace routes what is for 10.60.1.0/24 to the program.
new hostnet.Tap("vpn/vpn0", { mode: "tun", owner: "ops", namespace: router, addresses: ["10.60.1.1/24"] });

export const proof = [{ host: host.name, namespace: "router", to: "10.60.0.254", says: "the bridge that vm0 is on" }];
