import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

const { neutron } = hostnet;

// A compute node and a network node. The addresses of the network between them are not the cloud's to declare.
const [one, two] = [labHost(0), labHost(1)];
for (const [index, host] of [one, two].entries()) {
  const addresses = [`10.199.0.${index + 1}/24`];
  new hostnet.Interface(`underlay${index + 1}`, { host, name: machines[index].interfaces.underlay, addresses });
}
const cloud = new neutron.Cloud("cloud", { tunnelType: "gre" });
const compute = new neutron.ComputeNode("compute", { cloud, host: one, tunnelAddress: "10.199.0.1" });
const network = new neutron.NetworkNode("network", {
  cloud,
  host: two,
  tunnelAddress: "10.199.0.2",
  physicalNetworks: {
    public: { bridge: "br-ex", interface: machines[1].interfaces.external, addresses: ["203.0.113.1/24"] },
  },
});

// Two tenants with the same addresses. The local VLANs of `blue` differ on the two nodes: only the tunnel id travels.
const blue = new neutron.Network("blue", { cloud, segmentationId: 100, localVlan: { compute: 11, network: 12 } });
const red = new neutron.Network("red", { cloud, segmentationId: 200 });
const bluePool = { range: "10.0.0.100-10.0.0.199" };
const blueNet = new neutron.Subnet("blue-v4", { network: blue, cidr: "10.0.0.0/24", dhcp: bluePool });
const redNet = new neutron.Subnet("red-v4", { network: red, cidr: "10.0.0.0/24" });

// What tenants may be reached by: echo requests from anywhere, and TCP port 22 from members of the same group.
const web = new neutron.SecurityGroup("web", {
  cloud,
  rules: [
    { direction: "ingress", protocol: "icmp", icmpType: 8 },
    { direction: "ingress", protocol: "tcp", ports: 22, remoteGroup: "self" },
  ],
});

// Guests: namespaces in place of virtual machines.
const guest = (name: string, node: typeof compute | typeof network, on: typeof blue, address: string) =>
  new neutron.Instance(name, {
    node,
    guest: "namespace",
    ports: [{ network: on, addresses: [address], securityGroups: [web] }],
  });
const blue1 = guest("blue1", compute, blue, "10.0.0.10");
guest("blue2", network, blue, "10.0.0.11");
guest("red1", compute, red, "10.0.0.10");

// The network outside is a flat one on br-ex. `blue1` has an address there.
const outside = new neutron.Network("public", { cloud, physicalNetwork: "public", localVlan: 4000 });
const publicNet = new neutron.Subnet("public-v4", { network: outside, cidr: "203.0.113.0/24", dhcp: false });
new neutron.Router("blue-router", {
  cloud,
  subnets: [blueNet],
  external: { subnet: publicNet, address: "203.0.113.10" },
  floatingIps: [{ address: "203.0.113.20", to: blue1 }],
});
new neutron.Router("red-router", { cloud, subnets: [redNet] });

const from = (host: number, namespace: string, to: string, says: string, answered = true) => ({
  ...{ host: machines[host].name, namespace, to, says, answered },
});
export const proof = [
  from(0, "blue1", "10.0.0.11", "blue's guest on the compute node reaches the one on the network node, through GRE"),
  from(0, "red1", "10.0.0.11", "red has the same addresses, and nobody is there", false),
  from(0, "blue1", "203.0.113.1", "blue1 reaches the outside under its floating IP"),
  from(1, "blue2", "203.0.113.1", "blue2 reaches it under the router's address"),
];
