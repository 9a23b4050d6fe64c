import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

// Two nodes as OpenStack has them: br-int for the guests, br-tun for the tunnels, a patch cable between the two, and
// GRE over the underlay. A namespace on each side stands for a guest of one tenant.
const tenant = { vlan: 10, key: 100, mtu: 1458 };
const underlay = ["10.199.0.1", "10.199.0.2"];

export const proof = [0, 1].map((index) => {
  const own = underlay[index];
  const other = underlay[1 - index];
  const host = labHost(index);
  const node = machines[index].name;

  const nic = new hostnet.Interface(`${node}/underlay`, {
    host,
    name: machines[index].interfaces.underlay,
    addresses: [`${own}/24`],
  });
  const brInt = new hostnet.OvsBridge(`${node}/br-int`, { host });
  const brTun = new hostnet.OvsBridge(`${node}/br-tun`, { host });
  new hostnet.OvsPatch(`${node}/cable`, {
    a: { bridge: brInt, name: "patch-tun", tag: tenant.vlan },
    b: { bridge: brTun, name: "patch-int" },
  });
  new hostnet.OvsTunnel(
    `${node}/gre`,
    { bridge: brTun, type: "gre", local: own, remote: other, key: tenant.key },
    { dependsOn: nic },
  );

  const guest = new hostnet.Namespace(`${node}/guest`, { host });
  const cable = new hostnet.VethPair(`${node}/guest-port`, {
    a: { name: "eth0", namespace: guest, addresses: [`10.0.1.${index + 1}/24`], mtu: tenant.mtu },
    b: { name: "guest-port" },
  });
  new hostnet.OvsPort(`${node}/tenant-port`, { bridge: brInt, name: cable.b.name, tag: tenant.vlan });

  return { host: node, namespace: guest.name, to: `10.0.1.${2 - index}`, says: "the other node's guest, through GRE" };
});
