import { declareHost } from "../helpers/declare";
import { footprint, host, mustOnHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/**
 * Row of seed.md: connectivity test. Paths of two hosts side by side: namespace, veth, br-int with a tag, patch, br-tun,
 * GRE, and the same on the other host; one with IPv6; some with a bridge and a tunnel of their own (GRE, VXLAN, Geneve, the
 * kernel's VXLAN); one by a bond; one with a router behind it.
 */
const underlay = host("n1").interfaces.underlay;

/** The number of each path: of its devices (e1 in the namespace, p1 outside) and of its subnet. */
const paths = {
  down: 1,
  tag: 2,
  key: 3,
  firewall: 4,
  route: 5,
  mtu: 6,
  six: 7,
  vxlan: 8,
  geneve: 9,
  kernel: 10,
  bond: 11,
};
type Breakage = keyof typeof paths | "router";

/** Paths over a bridge and a tunnel of Open vSwitch that are theirs alone. */
const tunnels = { key: ["gre", 200], vxlan: ["vxlan", 300], geneve: ["geneve", 400] };

const program = (trigger: string) => `
const hostnet = require("pulumi-hostnet");
const hosts = [${declareHost("n1")}, ${declareHost("n2")}];
const paths = ${JSON.stringify(paths)};
const tunnels = ${JSON.stringify(tunnels)};
const [near, far] = hosts.map((host, index) => {
  const number = index + 1, own = "10.198.0." + number, other = "10.198.0." + (3 - number);
  const node = "n" + number + "/";
  const nic = new hostnet.Interface(node + "underlay", { host, name: ${JSON.stringify(underlay)}, addresses: [own + "/24"] });
  const [brInt, brTun] = ["br-int", "br-tun"].map((name) => new hostnet.OvsBridge(node + name, { host }));
  const made = [
    new hostnet.OvsPatch(node + "cable", { a: { bridge: brInt, name: "patch-tun" }, b: { bridge: brTun, name: "patch-int" } }),
    new hostnet.OvsTunnel(node + "gre", { bridge: brTun, type: "gre", local: own, remote: other, key: 4711 }, { dependsOn: nic }),
  ];
  const bridges = {};
  for (const [name, [type, key]] of Object.entries(tunnels)) {
    bridges[name] = new hostnet.OvsBridge(node + "br-" + name, { host });
    made.push(new hostnet.OvsTunnel(node + "to-" + name, { bridge: bridges[name], type, local: own, remote: other, key }, { dependsOn: nic }));
  }
  const brKernel = new hostnet.LinuxBridge(node + "br-kernel", { host });
  made.push(new hostnet.Vxlan(node + "vx-kernel", { host, vni: 500, local: own, remote: other, port: 4790, bridge: brKernel, mtu: 1450 }, { dependsOn: nic }));
  const namespace = new hostnet.Namespace(node + "cc", { host, sysctls: { "net.ipv4.ip_forward": 1 } });
  for (const [name, path] of Object.entries(paths)) {
    const addresses = [name === "six" ? "fd66::7:" + number + "/112" : "10.66." + path + "." + number + "/24"];
    const pairOf = (inside, outside, a, b) => new hostnet.VethPair(node + inside, {
      a: { name: inside, namespace, mtu: 1450, ...a }, b: { name: outside, ...b },
    });
    if (name === "kernel") {
      made.push(pairOf("e" + path, "p" + path, { addresses }, { bridge: brKernel }));
      continue;
    }
    const port = name in tunnels ? { bridge: bridges[name] } : { bridge: brInt, tag: 10 + path };
    if (name !== "bond") {
      const pair = pairOf("e" + path, "p" + path, { addresses });
      made.push(pair, new hostnet.OvsPort(node + name + "-port", { ...port, name: pair.b.name }));
      continue;
    }
    const pairs = [pairOf("f" + path, "q" + path), pairOf("g" + path, "r" + path)];
    const members = pairs.map(({ b }) => b.name);
    made.push(
      new hostnet.Bond(node + "e" + path, { namespace, mode: "active-backup", primary: pairs[0].a.name, mtu: 1450, addresses, members: pairs.map(({ a }) => a.name) }),
      new hostnet.OvsPort(node + "p" + path, { ...port, type: "bond", bond: { mode: "active-backup", primary: members[0], members } }),
    );
  }
  return { namespace, made };
});
const away = new hostnet.Namespace("n2/away", { host: hosts[1] });
const link = new hostnet.VethPair("n2/away-cc", {
  a: { name: "f0", namespace: far.namespace, addresses: ["10.77.0.254/24"] },
  b: { name: "f1", namespace: away, addresses: ["10.77.0.1/24", "10.79.0.1/32"] },
});
const made = [
  ...near.made, ...far.made,
  new hostnet.Firewall("cc", { namespace: far.namespace, chains: { input: { type: "filter", hook: "input", priority: 0, rules: [] } } }),
  new hostnet.Route("n1/to-away", { namespace: near.namespace, to: "10.77.0.0/24", via: "10.66.5.2" }, { dependsOn: near.made }),
  new hostnet.Route("n1/to-farther", { namespace: near.namespace, to: "10.79.0.1/32", via: "10.66.5.2" }, { dependsOn: near.made }),
  new hostnet.Route("n2/to-farther", { namespace: far.namespace, to: "10.79.0.1/32", via: "10.77.0.1" }, { dependsOn: link }),
  new hostnet.Route("n2/back", { namespace: away, to: "default", via: "10.77.0.254" }, { dependsOn: link }),
];
const check = (name, args) => new hostnet.ConnectivityCheck(name, {
  namespace: near.namespace, hosts: [hosts[1]], timeout: ${trigger === "broken" ? 1 : 20}, triggers: [${JSON.stringify(trigger)}], ...args,
}, { dependsOn: made });
check("six", { to: "fd66::7:2" });
for (const name of ["down", "tag", "key", "firewall", "vxlan", "geneve", "kernel", "bond"]) check(name, { to: "10.66." + paths[name] + ".2" });
check("mtu", { to: "10.66.6.2", size: 1400, dontFragment: true });
check("route", { to: "10.77.0.1" });
check("router", { to: "10.79.0.1" });
`;

/** Each path, how it is broken on n2, how that is undone, and what its check has to say then. */
const breakages: Record<Breakage, { breaks: string; mends: string; says: RegExp }> = {
  down: {
    breaks: "ip link set dev p1 down",
    mends: "ip link set dev p1 up",
    says: /last seen at port patch-tun of br-int on n2, not at port p1 of br-int on n2: it is down/,
  },
  tag: {
    breaks: "ovs-vsctl set port p2 tag=99",
    mends: "ovs-vsctl set port p2 tag=12",
    says: /last seen at port patch-tun of br-int on n2, not at port p2 of br-int on n2: its tag is 99, and they are in VLAN 12/,
  },
  key: {
    breaks: "ovs-vsctl set interface to-key options:key=7",
    mends: "ovs-vsctl set interface to-key options:key=200",
    says: /last seen at port to-key of br-key on n1, not at port to-key of br-key on n2: they come with key 200, and it takes key 7/,
  },
  vxlan: {
    breaks: "ovs-vsctl set interface to-vxlan options:key=7",
    mends: "ovs-vsctl set interface to-vxlan options:key=300",
    says: /last seen at port to-vxlan of br-vxlan on n1, not at port to-vxlan of br-vxlan on n2: they come with VNI 300, and it takes VNI 7/,
  },
  geneve: {
    breaks: "ovs-vsctl set interface to-geneve options:key=7",
    mends: "ovs-vsctl set interface to-geneve options:key=400",
    says: /last seen at port to-geneve of br-geneve on n1, not at port to-geneve of br-geneve on n2: they come with VNI 400, and it takes VNI 7/,
  },
  kernel: {
    breaks: "bridge link set dev vx-kernel isolated on; bridge link set dev p10 isolated on",
    mends: "bridge link set dev vx-kernel isolated off; bridge link set dev p10 isolated off",
    says: /last seen at vx-kernel .*on n2, not at p10 .*on n2: both are isolated ports of the bridge/,
  },
  six: {
    breaks: "ip netns exec cc nft add rule inet cc input iifname e7 icmpv6 type echo-request drop",
    mends: "true",
    says: /arrive at e7 in namespace cc on n2, .* not sent by .*: the rule `iifname "e7" icmpv6 type echo-request drop` in chain input of the nftables table inet cc in namespace cc on n2 drops them/,
  },
  bond: {
    breaks: "ip link set dev q11 down; ip link set dev r11 down",
    mends: "ip link set dev q11 up; ip link set dev r11 up",
    says: /last seen at port patch-tun of br-int on n2, not at .* on n2: it is down/,
  },
  firewall: {
    breaks: "ip netns exec cc nft add rule inet cc input iifname e4 icmp type echo-request drop",
    mends: "ip netns exec cc nft flush chain inet cc input",
    says: /arrive at e4 in namespace cc on n2, .* not sent by .*: the rule `iifname "e4" icmp type echo-request drop` in chain input of the nftables table inet cc in namespace cc on n2 drops them/,
  },
  route: {
    breaks: "ip -n away route del default",
    mends: "ip -n away route add default via 10.77.0.254",
    says: /arrive at f1 in namespace away on n2, and the answer has no way: there is no route to 10\.66\.5\.1 in namespace away on n2/,
  },
  router: {
    breaks: "ip -n cc route del 10.79.0.1/32",
    mends: "ip -n cc route add 10.79.0.1/32 via 10.77.0.1",
    says: /10\.66\.5\.2 says: Destination Net Unreachable; there is no route to 10\.79\.0\.1 in namespace cc on n2/,
  },
  mtu: {
    breaks: "ip link set dev p6 mtu 1300",
    mends: "ip link set dev p6 mtu 1500",
    says: /last seen at port patch-tun of br-int on n2, not at port p6 of br-int on n2: they have 1400 bytes, and its MTU is 1300/,
  },
};

let stack: Stack;
let before: unknown[];
const both = () => Promise.all(["n1", "n2"].map(footprint));
const onFar = (part: "breaks" | "mends") =>
  mustOnHost(
    "n2",
    `set -e\n${Object.values(breakages)
      .map((each) => each[part])
      .join("\n")}`,
  );
const up = (trigger: string, expectFailure: boolean) => {
  stack.write(program(trigger));
  return stack.up({ args: ["-p", "32", "--continue-on-error"], expectFailure });
};

beforeAll(async () => {
  before = await both();
  stack = await createStack({ program: program("deployed") });
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

it("passes on every path of a layout that is as declared", async () => {
  expect(await up("deployed", false)).toMatchObject({ failed: 0 });
}, 900_000);

it("names the hop of each path that is broken: port, tag, key, firewall, route, MTU", async () => {
  await onFar("breaks");
  const { diagnostics, resources } = await up("broken", true);
  expect(
    resources
      .filter(({ failed }) => failed)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(Object.keys(breakages).sort());
  const said = Object.keys(breakages).map((name) => [
    name,
    diagnostics.find(({ urn, severity }) => severity === "error" && urn?.endsWith(`::${name}`))?.message ?? "nothing",
  ]);
  expect(Object.fromEntries(said)).toEqual(
    Object.fromEntries(Object.entries(breakages).map(([name, { says }]) => [name, expect.stringMatching(says)])),
  );
}, 900_000);

it("passes again once all is mended, and has left nothing behind on the hosts", async () => {
  await onFar("mends");
  expect(await up("mended", false)).toMatchObject({ failed: 0 });
  await stack.destroy();
  expect(await both()).toEqual(before);
}, 900_000);
