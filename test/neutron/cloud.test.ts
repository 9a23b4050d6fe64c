import type * as pulumi from "@pulumi/pulumi";
import { neutron } from "../../provider";
import type { portSets } from "../../provider/neutron/port-firewall";
import { differences, host, type Registered, refusals, registrations, useMocks } from "./program";

// A busy machine takes seconds for the SDK's part of a hundred resources.
jest.setTimeout(120_000);

type PortSets = ReturnType<typeof portSets>;

let plain: Map<string, Registered>;

beforeAll(async () => {
  useMocks();
  plain = await registrations(cloud());
});

/** A cloud of two compute nodes and a network node, with two tenants that have the same addresses; `more` adds to it. */
function cloud(more: (parts: ReturnType<typeof base>) => void = () => {}) {
  return () => more(base());
}

function base() {
  const all = new neutron.Cloud("cloud");
  const n1 = new neutron.ComputeNode("n1", { cloud: all, host: host("n1"), tunnelAddress: "10.199.0.1" });
  const n2 = new neutron.ComputeNode("n2", { cloud: all, host: host("n2"), tunnelAddress: "10.199.0.2" });
  const net = new neutron.NetworkNode("net", {
    cloud: all,
    host: host("net"),
    tunnelAddress: "10.199.0.9",
    physicalNetworks: { public: { bridge: "br-ex", interface: "eth2" } },
  });
  const blue = new neutron.Network("blue", { cloud: all, segmentationId: 100 });
  const blueNet = new neutron.Subnet("blue-v4", { network: blue, cidr: "10.0.0.0/24" });
  const red = new neutron.Network("red", { cloud: all, segmentationId: 200 });
  const redNet = new neutron.Subnet("red-v4", { network: red, cidr: "10.0.0.0/24" });
  const web = new neutron.SecurityGroup("web", {
    cloud: all,
    rules: [{ direction: "ingress", protocol: "tcp", ports: 22, remoteGroup: "self" }],
  });
  const vm1 = new neutron.Instance("vm1", {
    node: n1,
    guest: "namespace",
    ports: [{ network: blue, addresses: ["10.0.0.10"], securityGroups: [web] }],
  });
  return { all, n1, n2, net, blue, blueNet, red, redNet, web, vm1 };
}

const flowsOf = (all: Map<string, Registered>, name: string) => {
  const flows = all.get(`OvsFlows ${name}`)?.inputs.flows as { table: number; actions: string }[] | undefined;
  return flows?.map((flow) => `${flow.table}: ${flow.actions}`);
};

const learning = (id: number) =>
  `10: learn(table=20,hard_timeout=300,priority=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:0x${id.toString(16)}->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[]),output:"patch-int"`;

const elementsOf = (all: Map<string, Registered>, instance: string, set: string) =>
  (all.get(`Firewall ${instance}/neutron-tap${instance}`)?.inputs.sets as PortSets | undefined)?.[set]?.elements;

it("floods a network to the nodes that have it, and to no others", async () => {
  const all = plain;
  expect(flowsOf(all, "blue/n1-br-tun")).toEqual([
    "3: mod_vlan_vid:100,resubmit(,10)",
    learning(100),
    '22: strip_vlan,set_tunnel:0x64,output:"gre-0ac70009"',
  ]);
  expect(flowsOf(all, "blue/net-br-tun")?.[2]).toBe('22: strip_vlan,set_tunnel:0x64,output:"gre-0ac70001"');
  // Only its DHCP server has it yet.
  expect(flowsOf(all, "red/net-br-tun")).toEqual(["3: mod_vlan_vid:200,resubmit(,10)", learning(200)]);
  expect([...all.keys()].filter((key) => key.includes("n2-br-tun"))).toEqual([]);
});

it("has br-ex take over what the physical NIC has", () => {
  expect(plain.get("OvsPort net/br-ex-nic")?.inputs).toMatchObject({ name: "eth2", addressesToBridge: true });
});

it("gives a port with two addresses of a subnet one reservation and one default route", async () => {
  const all = await registrations(
    cloud(({ n1, blue }) => {
      new neutron.Subnet("more-v4", { network: blue, cidr: "10.0.1.0/24" });
      const addresses = ["10.0.0.20", "10.0.0.21", "10.0.1.20"];
      new neutron.Instance("vm2", { node: n1, guest: "namespace", ports: [{ network: blue, addresses }] });
    }),
  );
  expect(refusals(all)).toEqual([]);
  expect(all.get("DhcpServer blue-v4/dnsmasq")?.inputs.reservations).toMatchObject([
    { address: "10.0.0.10" },
    { address: "10.0.0.20" },
  ]);
  expect(all.get("DhcpServer more-v4/dnsmasq")?.inputs.reservations).toMatchObject([{ address: "10.0.1.20" }]);
  expect(all.get("Route vm2/default-v4")?.inputs).toMatchObject({ to: "default", via: "10.0.0.1" });
});

it("tells an instance no name that dnsmasq would take for a lease time", async () => {
  const all = await registrations(
    cloud(({ n1, blue }) => {
      new neutron.Instance("vm/2", { node: n1, ports: [{ network: blue, addresses: ["10.0.0.20"] }] });
    }),
  );
  expect(refusals(all)).toEqual([]);
  const reserved = all.get("DhcpServer blue-v4/dnsmasq")?.inputs.reservations as { hostname?: string }[];
  expect(reserved.map(({ hostname }) => hostname)).toEqual(["vm1", undefined]);
});

it("lets a guest without an address of its own send from what DHCP gives, and from nobody else's", async () => {
  const all = await registrations(
    cloud(({ all, n1 }) => {
      const network = new neutron.Network("green", { cloud: all, segmentationId: 300 });
      const dhcp = { range: ["10.1.0.1-10.1.0.99", "10.1.0.200-10.1.0.210", "static"] };
      new neutron.Subnet("green-v4", { network, cidr: "10.1.0.0/24", gateway: "10.1.0.50", dhcp });
      new neutron.Instance("vm2", { node: n1, ports: [{ network, mac: "fa:16:3e:00:00:01" }] });
      for (const last of [9, 150])
        new neutron.Instance(`vm${last}`, { node: n1, ports: [{ network, addresses: [`10.1.0.${last}`] }] });
    }),
  );
  expect(refusals(all)).toEqual([]);
  // The first address is the DHCP server's own; the gateway and a guest that is declared later have one each.
  expect(elementsOf(all, "vm2", "pairs-v4")).toEqual([
    "fa:16:3e:00:00:01 . 10.1.0.2-10.1.0.8",
    "fa:16:3e:00:00:01 . 10.1.0.10-10.1.0.49",
    "fa:16:3e:00:00:01 . 10.1.0.51-10.1.0.99",
    "fa:16:3e:00:00:01 . 10.1.0.200-10.1.0.210",
  ]);
});

it("serves a subnet without a gateway, also before it has a port", async () => {
  const program = (more: (parts: ReturnType<typeof base>) => void = () => {}) =>
    cloud((parts) => {
      new neutron.Subnet("lone-v4", { network: parts.red, cidr: "10.9.0.0/24", gateway: false });
      more(parts);
    });
  const none = await registrations(program());
  expect(refusals(none)).toEqual([]);
  // Its own address, which dnsmasq never gives away.
  expect(none.get("DhcpServer lone-v4/dnsmasq")?.inputs.range).toBe("10.9.0.1-10.9.0.1");
  const one = await registrations(
    program(({ n1, red }) => {
      new neutron.Instance("vm2", { node: n1, ports: [{ network: red, addresses: ["10.9.0.9"] }] });
    }),
  );
  expect(refusals(one)).toEqual([]);
  expect(one.get("DhcpServer lone-v4/dnsmasq")?.inputs.range).toBe("static");
});

it("has a network's flows wait for the cable whose end they name, and for the tunnels", async () => {
  const after = new Map<string, unknown>();
  await registrations(
    cloud(({ all, n1 }) => {
      const note: pulumi.ResourceTransformation = ({ name, opts }) => {
        after.set(name, opts.dependsOn);
        return undefined;
      };
      const grey = new neutron.Network("grey", { cloud: all, segmentationId: 300 }, { transformations: [note] });
      new neutron.Subnet("grey-v4", { network: grey, cidr: "10.9.0.0/24" });
      new neutron.Instance("vm9", { node: n1, ports: [{ network: grey, addresses: ["10.9.0.9"] }] });
    }),
  );
  const waited = (await after.get("grey/n1-br-tun")) as { __name: string }[];
  expect(waited.map((one) => one.__name)).toEqual(["n1/patch", "n1/gre-0ac70009"]);
});

describe("a router's routes", () => {
  /** Of a router of two subnets, and what each waits for. */
  async function routesOf(routes: { to: string; via: string }[], isOutside: boolean) {
    const after = new Map<string, string[]>();
    const all = await registrations(
      cloud(({ all, blueNet, blue }) => {
        const more = new neutron.Subnet("blue-v6", { network: blue, cidr: "fd00:1::/64", dhcp: false });
        const outside = new neutron.Network("public", { cloud: all, physicalNetwork: "public", localVlan: 9 });
        const subnet = new neutron.Subnet("public-v4", { network: outside, cidr: "203.0.113.0/24", dhcp: false });
        const external = isOutside ? { subnet, address: "203.0.113.10" } : undefined;
        const note: pulumi.ResourceTransformation = ({ name, opts }) => {
          const resources = [opts.dependsOn ?? []].flat() as unknown as { __name: string }[];
          after.set(
            name,
            resources.map((one) => one.__name),
          );
          return undefined;
        };
        const given = { cloud: all, subnets: [blueNet, more], external, routes };
        new neutron.Router("r1", given, { transformations: [note] });
      }),
    );
    expect(refusals(all)).toEqual([]);
    const found = [...all.values()].filter(({ type, name }) => type === "Route" && name.startsWith("r1/"));
    return found.map(({ name, inputs }) => ({ name, to: inputs.to, via: inputs.via, after: after.get(name) }));
  }
  const inner = ["r1/qr-r1-blue-v4", "r1/qr-r1-blue-v6"];

  it("wait for all of its ports, through whichever the next router is reached", async () => {
    const routes = [{ to: "10.9.0.0/24", via: "10.0.0.7" }];
    expect(await routesOf(routes, false)).toEqual([
      { name: "r1/to-10.9.0.0_24", to: "10.9.0.0/24", via: "10.0.0.7", after: inner },
    ]);
    const both = await routesOf(routes, true);
    expect(both.map((one) => one.after)).toEqual([1, 2].map(() => [...inner, "r1/qg-r1"]));
  });

  it("may be one by default for each IP version", async () => {
    const default6 = { to: "default", via: "fd00:1::9" };
    expect(await routesOf([default6], true)).toMatchObject([
      { name: "r1/to-default", to: "default", via: "203.0.113.1" },
      { name: "r1/to-default-v6", to: "::/0", via: "fd00:1::9" },
    ]);
    expect(await routesOf([default6, { to: "default", via: "10.0.0.7" }], false)).toMatchObject([
      { name: "r1/to-default-v6", to: "::/0" },
      { name: "r1/to-default", to: "default" },
    ]);
    // As it has been called where it is the only one.
    expect(await routesOf([default6], false)).toMatchObject([{ name: "r1/to-default", to: "::/0" }]);
  });
});

it("makes tunnels from every node to every other", async () => {
  const all = plain;
  expect([...all.keys()].filter((key) => key.startsWith("OvsTunnel")).sort()).toEqual([
    "OvsTunnel n1/gre-0ac70002",
    "OvsTunnel n1/gre-0ac70009",
    "OvsTunnel n2/gre-0ac70001",
    "OvsTunnel n2/gre-0ac70009",
    "OvsTunnel net/gre-0ac70001",
    "OvsTunnel net/gre-0ac70002",
  ]);
  expect(all.get("OvsTunnel n1/gre-0ac70002")?.inputs).toMatchObject({
    ...{ type: "gre", local: "10.199.0.1", remote: "10.199.0.2", key: "flow", bridge: "br-tun" },
  });
});

describe("adding to a running cloud touches nothing else:", () => {
  const added = async (more: Parameters<typeof cloud>[0]) => differences(plain, await registrations(cloud(more)));

  it("an instance on a node that has the network changes its DHCP reservations only", async () => {
    const { gone, changed } = await added(({ n1, blue }) => {
      new neutron.Instance("vm2", { node: n1, ports: [{ network: blue, addresses: ["10.0.0.11"] }] });
    });
    expect({ gone, changed }).toEqual({ gone: [], changed: ["DhcpServer blue-v4/dnsmasq"] });
  });

  it("an instance on another node changes one flow of each node that has the network", async () => {
    const {
      gone,
      changed,
      added: made,
    } = await added(({ n2, blue }) => {
      new neutron.Instance("vm2", { node: n2, ports: [{ network: blue, portSecurity: false }] });
    });
    expect({ gone, changed }).toEqual({ gone: [], changed: ["OvsFlows blue/net-br-tun", "OvsFlows blue/n1-br-tun"] });
    expect(made).toContain("OvsFlows blue/n2-br-tun");
  });

  it("a member of a group changes the sets of those that let its members in", async () => {
    const { changed } = await added(({ n1, red, web }) => {
      new neutron.Instance("vm2", {
        node: n1,
        ports: [{ network: red, addresses: ["10.0.0.77"], securityGroups: [web] }],
      });
    });
    expect(changed.sort()).toEqual([
      "DhcpServer red-v4/dnsmasq",
      "Firewall vm1/neutron-tapvm1",
      "OvsFlows red/net-br-tun",
    ]);
  });

  it("a network changes nothing", async () => {
    const { gone, changed } = await added(({ all, n1 }) => {
      const green = new neutron.Network("green", { cloud: all, segmentationId: 300 });
      new neutron.Subnet("green-v4", { network: green, cidr: "10.0.0.0/24" });
      new neutron.Instance("vm3", { node: n1, ports: [{ network: green, addresses: ["10.0.0.10"] }] });
    });
    expect({ gone, changed }).toEqual({ gone: [], changed: [] });
  });

  it("a node changes nothing: the others only get a tunnel to it", async () => {
    const {
      gone,
      changed,
      added: made,
    } = await added(({ all }) => {
      new neutron.ComputeNode("n3", { cloud: all, host: host("n3"), tunnelAddress: "10.199.0.3" });
    });
    expect({ gone, changed }).toEqual({ gone: [], changed: [] });
    expect(made.filter((key) => !key.includes(" n3"))).toEqual([
      "OvsTunnel n1/gre-0ac70003",
      "OvsTunnel n2/gre-0ac70003",
      "OvsTunnel net/gre-0ac70003",
    ]);
  });

  it("a router changes nothing", async () => {
    const { gone, changed } = await added(({ all, blueNet, vm1 }) => {
      const outside = new neutron.Network("public", { cloud: all, physicalNetwork: "public", localVlan: 9 });
      const subnet = new neutron.Subnet("public-v4", { network: outside, cidr: "203.0.113.0/24", dhcp: false });
      new neutron.Router("r1", {
        cloud: all,
        subnets: [blueNet],
        external: { subnet, address: "203.0.113.10" },
        floatingIps: [{ address: "203.0.113.20", to: vm1 }],
      });
    });
    expect({ gone, changed }).toEqual({ gone: [], changed: [] });
  });
});
