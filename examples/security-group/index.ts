import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

const { neutron } = hostnet;

// One node, one network, three guests. `db` takes TCP port 5432 from members of `web` and from nobody else; everybody
// may ping everybody.
const cloud = new neutron.Cloud("cloud");
const node = new neutron.ComputeNode("node", { cloud, host: labHost(0), tunnelAddress: "10.199.0.1" });
const network = new neutron.Network("net", { cloud, segmentationId: 10 });
new neutron.Subnet("net-v4", { network, cidr: "10.0.0.0/24", dhcp: false });

const ping = { direction: "ingress", protocol: "icmp", icmpType: 8 } as const;
const web = new neutron.SecurityGroup("web", { cloud, rules: [ping] });
const db = new neutron.SecurityGroup("db", {
  cloud,
  rules: [ping, { direction: "ingress", protocol: "tcp", ports: 5432, remoteGroup: web }],
});

const guest = (name: string, address: string, securityGroups: hostnet.neutron.SecurityGroup[]) =>
  new neutron.Instance(name, {
    node,
    guest: "namespace",
    ports: [{ network, addresses: [address], securityGroups }],
  });
const frontend = guest("frontend", "10.0.0.10", [web]);
guest("database", "10.0.0.20", [db]);
// With no group at all it may begin nothing, and nobody may begin anything with it.
guest("loner", "10.0.0.30", []);

export const proof = [
  { host: machines[0].name, namespace: frontend.name, to: "10.0.0.20", says: "the database, which may be pinged" },
];
