import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

// A TUN device in a namespace of each of two hosts, and their packets over UDP between the hosts. Nothing is encrypted:
// where that matters take WireGuard or IPsec.
const underlay = ["10.199.0.1", "10.199.0.2"];

export const proof = [0, 1].map((index) => {
  const host = labHost(index);
  const node = machines[index].name;
  const nic = new hostnet.Interface(`${node}/underlay`, {
    host,
    name: machines[index].interfaces.underlay,
    addresses: [`${underlay[index]}/24`],
  });
  const office = new hostnet.Namespace(`${node}/office`, { host });
  new hostnet.UdpVpn(
    `${node}/vpn0`,
    {
      namespace: office,
      local: underlay[index],
      remote: underlay[1 - index],
      port: 5555,
      addresses: [`10.9.7.${index + 1}/24`],
    },
    { dependsOn: nic },
  );
  return { host: node, namespace: office.name, to: `10.9.7.${2 - index}`, says: "the other end, through UDP" };
});
