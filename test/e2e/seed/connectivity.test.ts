import { declareHost } from "../helpers/declare";
import { footprint, host, mustOnHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/**
 * Row of seed.md: connectivity test. Paths of two hosts side by side: namespace, veth, br-int with a tag, patch, br-tun,
 * GRE, and the same on the other host; one with a bridge and a tunnel of its own; one with a router behind it.
 */
const underlay = host("n1").interfaces.underlay;

/** The number of each path: of its devices (e1 in the namespace, p1 outside) and of its subnet. */
const paths = { down: 1, tag: 2, key: 3, firewall: 4, route: 5, mtu: 6 };
type Breakage = keyof typeof paths | "router";

const program = (trigger: string) => `
const hostnet = require("pulumi-hostnet");
const hosts = [${declareHost("n1")}, ${declareHost("n2")}];
const paths = ${JSON.stringify(paths)};
const [near, far] = hosts.map((host, index) => {
  const number = index + 1, own = "10.198.0." + number, other = "10.198.0." + (3 - number);
  const node = "n" + number + "/";
  const nic = new hostnet.Interface(node + "underlay", { host, name: ${JSON.stringify(underlay)}, addresses: [own + "/24"] });
  const [brInt, brTun, brKey] = ["br-int", "br-tun", "br-key"].map((name) => new hostnet.OvsBridge(node + name, { host }));
  const made = [
    new hostnet.OvsPatch(node + "cable", { a: { bridge: brInt, name: "patch-tun" }, b: { bridge: brTun, name: "patch-int" } }),
    new hostnet.OvsTunnel(node + "gre", { bridge: brTun, type: "gre", local: own, remote: other, key: 4711 }, { dependsOn: nic }),
    new hostnet.OvsTunnel(node + "gre-key", { bridge: brKey, type: "gre", local: own, remote: other, key: 200 }, { dependsOn: nic }),
  ];
  const namespace = new hostnet.Namespace(node + "cc", { host, sysctls: { "net.ipv4.ip_forward": 1 } });
  for (const [name, path] of Object.entries(paths)) {
    const pair = new hostnet.VethPair(node + name, {
      a: { name: "e" + path, namespace, addresses: ["10.66." + path + "." + number + "/24"], mtu: 1450 },
      b: { name: "p" + path },
    });
    const port = name === "key" ? { bridge: brKey } : { bridge: brInt, tag: 10 + path };
    made.push(pair, new hostnet.OvsPort(node + name + "-port", { ...port, name: pair.b.name }));
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
  namespace: near.namespace, hosts: [hosts[1]], timeout: ${trigger === "deployed" ? 20 : 1}, triggers: [${JSON.stringify(trigger)}], ...args,
}, { dependsOn: made });
for (const name of ["down", "tag", "key", "firewall"]) check(name, { to: "10.66." + paths[name] + ".2" });
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
    breaks: "ovs-vsctl set interface gre-key options:key=7",
    mends: "ovs-vsctl set interface gre-key options:key=200",
    says: /last seen at port gre-key of br-key on n1, not at port gre-key of br-key on n2: they come with key 200, and it takes key 7/,
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
