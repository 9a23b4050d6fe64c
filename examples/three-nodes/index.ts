import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

const { neutron } = hostnet;

// Any number of nodes: a tunnel from each to each, and a network only where it has guests. Run it with as many machines
// as you have (`hostnet lab up --hosts 3`); another one changes nothing on those that are there.
const cloud = new neutron.Cloud("cloud", { tunnelType: "vxlan" });
const network = new neutron.Network("tenant", { cloud, segmentationId: 100 });
const subnet = new neutron.Subnet("tenant-v4", { network, cidr: "10.0.0.0/24", dhcp: false });

const nodes = machines.map((machine, index) => {
  const host = labHost(index);
  const tunnelAddress = `10.199.0.${index + 1}`;
  const nic = machine.interfaces.underlay;
  new hostnet.Interface(`${machine.name}/underlay`, { host, name: nic, addresses: [`${tunnelAddress}/24`] });
  return new neutron.ComputeNode(machine.name, { cloud, host, tunnelAddress });
});

const guests = nodes.map(
  (node, index) =>
    new neutron.Instance(`guest${index + 1}`, {
      node,
      guest: "namespace",
      ports: [{ network: subnet.network, addresses: [`10.0.0.${index + 11}`], portSecurity: false }],
    }),
);

export const proof = guests.slice(1).map((guest, index) => ({
  host: machines[0].name,
  namespace: guests[0].name,
  to: `10.0.0.${index + 12}`,
  says: `${guest.name}, on ${machines[index + 1].name}`,
}));
