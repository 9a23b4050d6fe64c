import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

// A virtual machine right on a NIC, without a bridge: its frames go in and out by a device file that `ops` may open.
//   qemu-system-x86_64 … -netdev tap,id=n0,fd=3 -device virtio-net-pci,netdev=n0,mac=<live.mac> 3<>/dev/tap<N>
const host = labHost(0);
const nic = new hostnet.Interface("nic", { host, name: machines[0].interfaces.external });
const guest = new hostnet.Macvtap("vm1", { parent: nic, owner: "ops", permissions: "0600" });

// On the same NIC: the router that the guest talks to, and another one. In mode `bridge` they reach each other directly.
const [router] = [1, 2].map((index) => {
  const namespace = new hostnet.Namespace(`router${index}`, { host });
  new hostnet.Macvlan(`router${index}/eth0`, {
    parent: nic,
    namespace,
    mode: "bridge",
    addresses: [`10.51.0.${index}/24`],
  });
  return namespace;
});

/** The same number after every rebuild. */
export const device = guest.live.devicePath;
export const proof = [{ host: host.name, namespace: router.name, to: "10.51.0.2", says: "another on the same NIC" }];
