import { neutron } from "../../provider";
import { host, useMocks } from "./program";

// A busy machine takes seconds for the SDK's part of what the cases register before they are refused.
jest.setTimeout(120_000);

beforeAll(useMocks);

/** A cloud of a compute node and a network node, with a network; the test adds what is wrong. */
function parts() {
  const cloud = new neutron.Cloud("cloud");
  const [one, two] = [host("n1"), host("n2")];
  const node = new neutron.ComputeNode("n1", { cloud, host: one, tunnelAddress: "10.199.0.1" });
  const physicalNetworks = { public: { bridge: "br-ex" } };
  const net = new neutron.NetworkNode("n2", { cloud, host: two, tunnelAddress: "10.199.0.2", physicalNetworks });
  const blue = new neutron.Network("blue", { cloud, segmentationId: 100 });
  const subnet = new neutron.Subnet("blue-v4", { network: blue, cidr: "10.0.0.0/24" });
  return { cloud, node, net, blue, subnet };
}
type Parts = ReturnType<typeof parts>;

const vm = ({ node, blue }: Parts, name: string, port: Partial<neutron.InstancePortArgs>) =>
  new neutron.Instance(name, { node, ports: [{ network: blue, ...port }] });

const cases: [string, (all: Parts) => unknown, string][] = [
  [
    "a tunnel id twice",
    ({ cloud }) => new neutron.Network("red", { cloud, segmentationId: 100 }),
    "Network 'red': segmentationId: tunnel id 100 is taken by Network 'blue'; choose another [CONFLICT]",
  ],
  [
    "a local VLAN twice on a node",
    (all) => {
      const red = new neutron.Network("red", { cloud: all.cloud, segmentationId: 5000, localVlan: { n1: 100 } });
      vm(all, "one", { addresses: ["10.0.0.10"] });
      new neutron.Instance("two", { node: all.node, ports: [{ network: red, portSecurity: false }] });
    },
    "Network 'red': localVlan.n1: local VLAN 100 of node n1 is taken by Network 'blue'; choose another [CONFLICT]",
  ],
  [
    "no local VLAN where the segmentation id is none",
    ({ cloud, node }) => {
      const red = new neutron.Network("red", { cloud, segmentationId: 5000 });
      new neutron.Instance("two", { node, ports: [{ network: red, portSecurity: false }] });
    },
    "Network 'red': localVlan.n1: is required, 1 to 4094: the segmentationId 5000 is no VLAN",
  ],
  [
    "an address twice",
    (all) => {
      vm(all, "one", { addresses: ["10.0.0.10"] });
      vm(all, "two", { addresses: ["10.0.0.10"] });
    },
    "Instance 'two': ports[0].addresses[0]: address 10.0.0.10 of network blue is taken by Instance 'one'; choose another [CONFLICT]",
  ],
  [
    "the gateway's address for a guest",
    (all) => vm(all, "one", { addresses: ["10.0.0.1"] }),
    "Instance 'one': ports[0].addresses[0]: address 10.0.0.1 of network blue is taken by Subnet 'blue-v4'; choose another [CONFLICT]",
  ],
  [
    "an address of no subnet",
    (all) => vm(all, "one", { addresses: ["10.9.0.1"] }),
    "Instance 'one': ports[0].addresses[0]: 10.9.0.1 is in no subnet that network blue has by now: 10.0.0.0/24",
  ],
  [
    "no address without a DHCP range",
    (all) => vm(all, "one", {}),
    "Instance 'one': ports[0].addresses: are required: no subnet of network blue has a DHCP range by now",
  ],
  [
    "a MAC twice",
    (all) => {
      vm(all, "one", { addresses: ["10.0.0.10"], mac: "fa:16:3e:00:00:01" });
      vm(all, "two", { addresses: ["10.0.0.11"], mac: "FA:16:3e:00:00:01" });
    },
    "Instance 'two': ports[0].mac: MAC address fa:16:3e:00:00:01 of network blue is taken by Instance 'one'",
  ],
  [
    "a port id twice",
    (all) => {
      vm(all, "one", { addresses: ["10.0.0.10"], id: "x" });
      vm(all, "two", { addresses: ["10.0.0.11"], id: "x" });
    },
    "Instance 'two': ports[0].id: port x is taken by Instance 'one'",
  ],
  [
    "a node twice",
    ({ cloud }) => new neutron.ComputeNode("x/n1", { cloud, host: host("again"), tunnelAddress: "10.199.0.7" }),
    "ComputeNode 'x/n1': name: node n1 is taken by ComputeNode 'n1'",
  ],
  [
    "a tunnel address twice",
    ({ cloud }) => new neutron.ComputeNode("n3", { cloud, host: host("n3"), tunnelAddress: "10.199.0.1" }),
    "ComputeNode 'n3': tunnelAddress: tunnel address 10.199.0.1 is taken by ComputeNode 'n1'",
  ],
  [
    "tunnels between two IP versions",
    ({ cloud }) => new neutron.ComputeNode("n3", { cloud, host: host("n3"), tunnelAddress: "fd00::3" }),
    "ComputeNode 'n3': tunnelAddress: must be of the same IP version as that of node n1; given was fd00::3",
  ],
  [
    "a physical network that the node does not have",
    ({ cloud, node }) => {
      const outside = new neutron.Network("out", { cloud, physicalNetwork: "public", localVlan: 9 });
      new neutron.Instance("two", { node, ports: [{ network: outside, portSecurity: false }] });
    },
    "Network 'out': node n1 has no physical network public: its physicalNetworks are none",
  ],
  [
    "subnets that overlap",
    ({ blue }) => new neutron.Subnet("more", { network: blue, cidr: "10.0.0.128/25" }),
    "Subnet 'more': cidr: 10.0.0.128/25 overlaps 10.0.0.0/24 of Subnet 'blue-v4' [CONFLICT]",
  ],
  [
    "a range beside another DHCP server of the network",
    ({ blue }) =>
      new neutron.Subnet("more", { network: blue, cidr: "10.0.1.0/24", dhcp: { range: "10.0.1.5-10.0.1.9" } }),
    "Subnet 'more': dhcp.range: a network with DHCP servers in several subnets gives declared addresses only",
  ],
  [
    "a range outside of the subnet",
    ({ cloud }) => {
      const red = new neutron.Network("red", { cloud, segmentationId: 200 });
      new neutron.Subnet("red-v4", {
        network: red,
        cidr: "10.1.0.0/24",
        dhcp: { range: ["static", "10.1.0.9-10.2.0.20"] },
      });
    },
    "Subnet 'red-v4': dhcp.range[1]: must be first and last address of a range in 10.1.0.0/24; given was \"10.1.0.9-10.2.0.20\"",
  ],
  [
    "a range that is none",
    ({ cloud }) => {
      const red = new neutron.Network("red", { cloud, segmentationId: 200 });
      new neutron.Subnet("red-v4", { network: red, cidr: "10.1.0.0/24", dhcp: { range: "10.1.0.9" } });
    },
    "Subnet 'red-v4': dhcp.range: must be two IPv4 addresses of one subnet, as 10.0.1.10-10.0.1.200, or 'static'",
  ],
  [
    "DHCP for IPv6",
    ({ blue }) => new neutron.Subnet("v6", { network: blue, cidr: "fd00::/64", dhcp: true }),
    "Subnet 'v6': dhcp: must be false with IPv6: there is no DHCPv6 yet; given was true",
  ],
  [
    "a network node that is not there",
    () => {
      const cloud = new neutron.Cloud("empty");
      const blue = new neutron.Network("blue", { cloud, segmentationId: 100 });
      new neutron.Subnet("blue-v4", { network: blue, cidr: "10.0.0.0/24" });
    },
    "Subnet 'blue-v4': dhcp.node: is required: the cloud has 0 network nodes",
  ],
  [
    "a node that `nodes` does not have",
    ({ cloud, node, net }) => {
      const red = new neutron.Network("red", { cloud, segmentationId: 200, nodes: [net] });
      new neutron.Instance("two", { node, ports: [{ network: red, portSecurity: false }] });
    },
    "Instance 'two': node n1 is not among the nodes of network red: n2",
  ],
  [
    "a member without an address in a group that others let in",
    (all) => {
      const range = { range: "10.7.0.10-10.7.0.99" };
      const red = new neutron.Network("red", { cloud: all.cloud, segmentationId: 200 });
      new neutron.Subnet("red-v4", { network: red, cidr: "10.7.0.0/24", dhcp: range });
      const rules = [{ direction: "ingress", remoteGroup: "self" } as const];
      const web = new neutron.SecurityGroup("web", { cloud: all.cloud, rules });
      new neutron.Instance("two", { node: all.node, ports: [{ network: red, securityGroups: [web] }] });
    },
    "Instance 'two': addresses: are required: SecurityGroup 'web' lets members of group web through by their addresses",
  ],
  [
    "a group of another cloud as the other side of a rule",
    ({ cloud }) => {
      new neutron.SecurityGroup("own/web", { cloud });
      const web = new neutron.SecurityGroup("web", { cloud: new neutron.Cloud("other") });
      new neutron.SecurityGroup("db", { cloud, rules: [{ direction: "ingress", remoteGroup: web }] });
    },
    "SecurityGroup 'db': rules[0].remoteGroup: must be a group of cloud cloud; given was SecurityGroup 'web' of cloud other",
  ],
  [
    "a group of another cloud for a port",
    (all) => {
      const web = new neutron.SecurityGroup("web", { cloud: new neutron.Cloud("other") });
      vm(all, "one", { addresses: ["10.0.0.10"], securityGroups: [web] });
    },
    "Instance 'one': ports[0].securityGroups[0]: must be a group of cloud cloud; given was SecurityGroup 'web' of cloud other",
  ],
  [
    "groups without port security",
    (all) => vm(all, "one", { portSecurity: false, securityGroups: [] }),
    "Instance 'one': ports[0].securityGroups: needs portSecurity",
  ],
  [
    "an argument that is not there",
    (all) => vm(all, "one", { adresses: ["10.0.0.10"] } as never),
    "Instance 'one': ports[0].adresses: there is no such argument; did you mean 'addresses'?",
  ],
  [
    "a component where no argument takes one",
    ({ cloud, subnet, blue }) => {
      new neutron.Router("r1", {
        cloud,
        subnets: [subnet],
        external: { network: blue, address: "203.0.113.10" } as never,
      });
    },
    "Router 'r1': external.network: there is no such argument; allowed are address, snat",
  ],
  [
    "a component for a text",
    ({ blue }) => {
      new neutron.Subnet("other", { network: blue, cidr: blue as never });
    },
    `Subnet 'other': cidr: must be a string; given was "[resource]"`,
  ],
  [
    "a floating IP to an address that the router does not reach",
    ({ cloud, subnet }) => {
      const outside = new neutron.Network("out", { cloud, physicalNetwork: "public", localVlan: 9 });
      const public4 = new neutron.Subnet("out-v4", { network: outside, cidr: "203.0.113.0/24", dhcp: false });
      new neutron.Router("r1", {
        cloud,
        subnets: [subnet],
        external: { subnet: public4, address: "203.0.113.10" },
        floatingIps: [{ address: "203.0.113.20", to: "10.9.9.9" }],
      });
    },
    "Router 'r1': floatingIps[0].to: must be an address of a subnet of the router; given was 10.9.9.9",
  ],
  [
    "two routes to one destination",
    ({ cloud, subnet }) => {
      const routes = [
        { to: "10.9.0.0/24", via: "10.0.0.7" },
        { to: "10.9.0.0/24", via: "10.0.0.8" },
      ];
      new neutron.Router("r1", { cloud, subnets: [subnet], routes });
    },
    "Router 'r1': routes[1].to: route to 10.9.0.0/24 of router r1 is given twice [CONFLICT]",
  ],
  [
    "a default route beside that of the external subnet",
    ({ cloud, subnet }) => {
      const outside = new neutron.Network("out", { cloud, physicalNetwork: "public", localVlan: 9 });
      const public4 = new neutron.Subnet("out-v4", { network: outside, cidr: "203.0.113.0/24", dhcp: false });
      const external = { subnet: public4, address: "203.0.113.10" };
      new neutron.Router("r1", { cloud, subnets: [subnet], external, routes: [{ to: "0.0.0.0/0", via: "10.0.0.7" }] });
    },
    "Router 'r1': routes[0].to: route to default of router r1 is taken by external.subnet's gateway; choose another [CONFLICT]",
  ],
  [
    "two routers with the gateway of one subnet",
    ({ cloud, subnet }) => {
      new neutron.Router("r1", { cloud, subnets: [subnet] });
      new neutron.Router("r2", { cloud, subnets: [subnet] });
    },
    "Router 'r2': subnets[0]: gateway of subnet blue-v4 is taken by Router 'r1'",
  ],
];

it.each(cases)("refuses %s", (_, wrong, message) => {
  expect(() => wrong(parts())).toThrow(message);
});

it("refuses a port on a new node after the lists have been given out, and says what to do", async () => {
  const all = parts();
  vm(all, "one", { addresses: ["10.0.0.10"] });
  const n3 = new neutron.ComputeNode("n3", { cloud: all.cloud, host: host("n3"), tunnelAddress: "10.199.0.3" });
  // Behind the turn in which the lists are given out; a timer may come before it on a busy machine.
  await new Promise((resolve) => setImmediate(resolve));
  expect(() => new neutron.Instance("late", { node: n3, ports: [{ network: all.blue, portSecurity: false }] })).toThrow(
    "Network 'blue': a port on another node came after the program's synchronous part was over: give `nodes`, the nodes that have the network",
  );
  // On a node that has it already nothing of the network changes.
  expect(() => vm(all, "early", { portSecurity: false })).not.toThrow();
});
