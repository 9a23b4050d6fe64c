import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Footprint } from "../../tools/footprint";
import { at, hostnet, login } from "./helpers/hostnet";
import { footprint, footprintAtRest, mustOnHost, removeNetnsFolder } from "./helpers/lab";
import { createStack, type Stack } from "./helpers/stack";

/**
 * Two machines whose network was built by shell commands: every kind on the one, the nodes' tunnel between both. It is
 * read, becomes a program in TypeScript and a stack's state, and from then on it is as if it had been declared from the
 * first.
 */
const cardsUp = "ip link set eth1 up; ip link set eth2 up; modprobe ip_gre; udevadm settle";

/** What both nodes have: a guest on br-int, a patch cable, and a GRE tunnel from br-tun. */
const node = (own: number, other: number) => `
set -e
ip netns add im-guest; ip -n im-guest link set lo up
ip address add 10.199.7.${own}/24 dev eth1
ovs-vsctl -- add-br im-int -- add-br im-tun
ip link add im-port type veth peer name eth0 netns im-guest mtu 1400
ip link set im-port up; ip -n im-guest link set eth0 up; ip -n im-guest address add 10.7.1.${own}/24 dev eth0
ovs-vsctl add-port im-int im-port tag=10
ovs-vsctl -- add-port im-int im-patch-t tag=10 -- set interface im-patch-t type=patch options:peer=im-patch-i \\
  -- add-port im-tun im-patch-i -- set interface im-patch-i type=patch options:peer=im-patch-t
ovs-vsctl add-port im-tun im-gre -- set interface im-gre type=gre options:local_ip=10.199.7.${own} options:remote_ip=10.199.7.${other} options:key=100
`;

/** A client of DHCP that says what it was given, and asks for what it had. */
const client = "ip netns exec im-b udhcpc -i im-dc -f -n -t 10 -T 2 -s /bin/true";

/** A tunnel over the nodes' own wire, whose device goes with its process, which brings it up up to 0.1 s after making it. */
const tunnel = (own: number, other: number) => `
setsid -f socat UDP4-DATAGRAM:10.199.7.${other}:7100,bind=10.199.7.${own}:7100,range=10.199.7.${other}/32 \\
  TUN:10.7.11.${own}/24,tun-name=im-vpn,iff-no-pi,up </dev/null >/dev/null 2>&1
for i in $(seq 100); do ip -br link show up dev im-vpn 2>/dev/null | grep -q . && break; sleep 0.1; done
ip route add 10.7.12.${own}/32 dev im-vpn
`;

const everything = `
set -e
for n in im-a im-b im-c; do ip netns add $n; ip -n $n link set lo up; done
ip netns exec im-a sysctl -qw net.ipv4.ip_forward=1
ip address add 10.7.7.7/32 dev lo
ip link add im-br type bridge ageing_time 10000; ip link set im-br up; ip address add 10.7.2.254/24 dev im-br
ip link add im-pa type veth peer name eth0 netns im-a; ip link set im-pa master im-br up
ip -n im-a link set eth0 up; ip -n im-a address add 10.7.2.1/24 dev eth0; ip -n im-a address add fd07::1/64 dev eth0 nodad
bridge link set dev im-pa isolated on
ip -n im-a route add default via 10.7.2.254
ip link add im-gt type gretap local 10.199.7.1 remote 10.199.7.9 key 7; ip link set im-gt master im-br up
ip link add im-g3 type gre local 10.199.7.1 remote 10.199.7.8 ttl 64; ip link set im-g3 up; ip address add 10.7.3.1/30 dev im-g3
ip link add im-mv link eth2 type macvlan mode private; ip link set im-mv netns im-b name eth0
ip -n im-b link set eth0 up; ip -n im-b address add 10.7.5.1/24 dev eth0
ip link add im-tap link eth2 type macvtap mode bridge; ip link set im-tap up
ovs-vsctl add-port im-int im-dhcp tag=20 -- set interface im-dhcp type=internal
ip link set im-dhcp netns im-c; ip -n im-c link set im-dhcp up; ip -n im-c address add 10.7.8.1/24 dev im-dhcp
ip link add im-vl link eth2 type vlan id 77 egress-qos-map 1:2; ip link set im-vl up
ip link add im-vx type vxlan id 42 local 10.199.7.1 remote 10.199.7.9 dstport 4789; ip link set im-vx mtu 1400
ip link add im-b0 type veth peer name im-b1; ip link add im-bo type bond mode active-backup miimon 200
ip link set im-b1 master im-bo; ip link set im-bo up; ip link set im-b0 up
ip link add im-dm type dummy; ip link set im-dm up; ip address add 10.7.13.1/32 dev im-dm
ip tuntap add dev im-tp mode tap user nobody; ip link set im-tp up
ip route add 10.7.9.0/24 via 10.7.2.1 table 77; ip rule add priority 700 from 10.7.9.0/24 lookup 77
sysctl -qw net.ipv4.ip_forward=1
ip netns exec im-a nft -f - <<END
table inet im-fw {
  set members { type ipv4_addr; flags interval; elements = { 10.7.66.0/24 }; }
  chain input { type filter hook input priority filter; policy accept; ip saddr @members counter drop; tcp dport { 80, 22 } accept; }
}
table ip im-odd { chain c { iif lo accept; }; }
END
ovs-ofctl add-flow im-int priority=7,arp,in_port=im-port,actions=NORMAL
ovs-ofctl add-flow im-int cookie=0x9,send_flow_rem,priority=3,tcp,actions=drop
ip netns exec im-guest arping -q -c 2 -w 3 -I eth0 10.7.1.9 || true
ip link add im-ds type veth peer name im-dc; ip link set im-ds netns im-a up; ip link set im-dc netns im-b up
ip -n im-a address add 10.7.10.1/24 dev im-ds
ip netns exec im-a dnsmasq -i im-ds -p0 -K -F 10.7.10.100,10.7.10.150,2h -l /tmp/im.leases -x /tmp/im.pid
ip netns exec im-c dnsmasq -i im-dhcp -p0 -F 10.7.8.10,10.7.8.20 --log-dhcp -l /tmp/im.odd -x /tmp/im-odd.pid
${client} -q
`;

/** Of what can be found on a host all kinds: a check is nothing on it. */
const all = [
  ...[
    "Address",
    "Bond",
    "BridgePort",
    "Dummy",
    "Firewall",
    "GreTunnel",
    "Host",
    "Interface",
    "LinuxBridge",
    "Macvlan",
    "Macvtap",
  ],
  ...[
    "Namespace",
    "OvsBridge",
    "OvsFlows",
    "OvsPatch",
    "OvsPort",
    "OvsTunnel",
    "Route",
    "Rule",
    "Sysctl",
    "Tap",
    "VethPair",
  ],
  ...["DhcpServer", "UdpVpn", "Vlan", "Vxlan"],
].sort();

let stack: Stack;
let before: Footprint[];
const names = ["n1", "n2"];

beforeAll(async () => {
  await Promise.all(names.map((name) => mustOnHost(name, cardsUp)));
  before = await Promise.all(names.map(footprintAtRest));
  await mustOnHost("n1", node(1, 2) + everything + tunnel(1, 2));
  await mustOnHost("n2", node(2, 1) + tunnel(2, 1));
  stack = await createStack({ program: `import "./hostnet-n1";\nimport "./hostnet-n2";\n`, language: "ts" });
}, 900_000);
afterAll(async () => {
  await stack?.dispose();
  await Promise.all(names.map((name) => mustOnHost(name, "ip link set eth1 down; ip link set eth2 down")));
}, 900_000);

it("says before what it would take, and touches nothing", async () => {
  const untouched = await Promise.all(names.map(footprintAtRest));
  const { exitCode, all: said } = await hostnet(stack, "import", ...names.map(at), ...login(), "--dry-run");
  expect({ exitCode, said }).toMatchObject({ exitCode: 0, said: expect.stringContaining("LinuxBridge im-br") });
  expect(said).toMatch(/Interface eth0 +\(of networkd\)/);
  expect(said).toMatch(/nftables ip im-odd in im-a +no Firewall can be so: .*iifname/);
  expect(said).toContain("OvsFlows cookie-0x0,im-int");
  expect(said).toMatch(/OpenFlow im-int cookie-0x9 +1 flow: no flow of an OvsFlows has send_flow_rem/);
  expect(said).toMatch(/DhcpServer im-ds in im-a \(dnsmasq\[\d+\] is ended and started again as a unit\)/);
  expect(said).toMatch(/UdpVpn im-vpn \(socat\[\d+\] is ended and started again as a unit\)/);
  expect(said).toMatch(/process dnsmasq\[\d+\] in im-c +no DhcpServer can say --log-dhcp/);
  expect(await Promise.all(names.map(footprint))).toEqual(untouched);
}, 900_000);

it("takes both machines into the stack; the program compiles, and nothing is to be done", async () => {
  // With the handles of its rules: it is not made again.
  const table = () => mustOnHost("n1", "ip netns exec im-a nft -a list table inet im-fw");
  const asBuilt = await table();
  const flow = async () => {
    const dumped = await mustOnHost("n1", "ovs-ofctl dump-flows im-int");
    const [, cookie, packets] = /cookie=(\w+), .*n_packets=(\d+), .*priority=7,arp/.exec(dumped) ?? [];
    return { cookie, packets: Number(packets) };
  };
  interface Imported {
    type: string;
    dependencies?: string[];
  }
  const resources = async (): Promise<Imported[]> => (await stack.export()).deployment.resources;
  const counted = await flow();
  expect(counted).toMatchObject({ cookie: "0x0", packets: expect.any(Number) });
  expect(counted.packets).toBeGreaterThan(0);
  const { exitCode, all: said } = await hostnet(
    stack,
    "import",
    ...names.map(at),
    ...login(),
    "--run",
    "--stack",
    stack.name,
  );
  expect({ exitCode, said }).toMatchObject({ exitCode: 0, said: expect.stringContaining(`up --yes`) });
  const imported = await resources();
  const kinds = imported.flatMap(({ type }) => type.split("hostnet:")[1] ?? []);
  expect([...new Set(kinds)].sort()).toEqual(all);
  // `pulumi import` leaves out what hangs on what, which a destroy goes by.
  const hanging = (all: Imported[]) => all.filter(({ dependencies = [] }) => dependencies.length > 0).length;
  expect(hanging(imported)).toBe(0);
  expect(await stack.up()).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0, same: kinds.length });
  expect(hanging(await resources())).toBeGreaterThan(kinds.length / 2);
  expect(await table()).toBe(asBuilt);
  const now = await flow();
  expect(now.cookie).not.toBe("0x0");
  expect(now.packets).toBeGreaterThanOrEqual(counted.packets);
}, 900_000);

it("has taken no client's address: the lease has gone over to the server that is ours", async () => {
  const lease = /^\d+ \S+ (10\.7\.10\.1\d\d) /m;
  const before = lease.exec(await mustOnHost("n1", "cat /tmp/im.leases"))?.[1];
  const service = "hostnet-dhcp:im-a:im-ds";
  const known = await mustOnHost("n1", `cat /run/pulumi-hostnet/services/${service}/data/leases`);
  expect(lease.exec(known)?.[1]).toBe(before);
  // Of the one that is left alone nothing was touched.
  expect((await mustOnHost("n1", "pgrep -ax dnsmasq")).trim().split("\n")).toEqual([
    expect.stringContaining("--log-dhcp"),
    expect.stringContaining(`/${service}/`),
  ]);
  expect(await mustOnHost("n1", `${client} -q 2>&1`)).toContain(`lease of ${before} obtained from 10.7.10.1`);
}, 900_000);

it("has taken no packet's way: the guests reach each other through the tunnel", async () => {
  await mustOnHost("n1", "ip netns exec im-guest ping -c 2 -i 0.3 -W 5 10.7.1.2");
  await mustOnHost("n1", "ip netns exec im-a ping -c 2 -i 0.3 -W 5 10.7.13.1");
  await mustOnHost("n1", "ping -c 2 -i 0.3 -W 5 10.7.11.2; ip route show 10.7.12.1 | grep im-vpn");
}, 900_000);

it("has nothing left to take the second time", async () => {
  const { all: said } = await hostnet(stack, "import", ...names.map(at), ...login(), "--stack", stack.name);
  expect(said).toContain("Nothing to take.");
}, 900_000);

it("sees no drift, by the engine and without it, and names one that there is", async () => {
  expect(await stack.refresh()).toMatchObject({ update: 0, delete: 0 });
  expect(await hostnet(stack, "drift", "--stack", stack.name)).toMatchObject({ exitCode: 0 });
  await mustOnHost("n2", "ovs-vsctl set port im-port tag=11");
  const { exitCode, stdout } = await hostnet(stack, "drift", "--stack", stack.name, "--json");
  expect(exitCode).toBe(1);
  const named = { kind: "OvsPort", name: "n2/im-port", what: "changed", path: "tag", declared: 10, live: 11 };
  expect(JSON.parse(stdout)).toEqual([{ host: "n2", ...named }]);
  await mustOnHost("n2", "ovs-vsctl set port im-port tag=10");
}, 900_000);

it("changes what is changed in the program, and only that", async () => {
  const file = join(stack.dir, "hostnet-n1.ts");
  const text = readFileSync(file, "utf8");
  expect(text).toContain("ageingTime: 100,");
  writeFileSync(file, text.replace("ageingTime: 100,", "ageingTime: 200,"));
  const result = await stack.up();
  expect(result).toMatchObject({ create: 0, update: 1, delete: 0, replace: 0 });
  expect(result.resources.find(({ op }) => op === "update")).toMatchObject({ name: "n1/im-br", diffs: ["ageingTime"] });
  expect(await mustOnHost("n1", "ip -d link show im-br")).toMatch(/ageing_time 20000 /);
}, 900_000);

it("removes what was imported, and nothing else", async () => {
  // What was left alone is in nobody's way but the namespace's.
  await mustOnHost("n1", "kill $(cat /tmp/im-odd.pid); rm -f /tmp/im.* /tmp/im-odd.*");
  expect(await stack.destroy()).toMatchObject({ failed: 0 });
  // A parameter is given back as it was found.
  await mustOnHost("n1", "sysctl -qw net.ipv4.ip_forward=0");
  await Promise.all(names.map(removeNetnsFolder));
  expect(await Promise.all(names.map(footprint))).toEqual(before);
}, 900_000);
