import { capture } from "../helpers/capture";
import { declareHost } from "../helpers/declare";
import { footprint, host, mustOnHost, onHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/** Rows of seed.md: Open vSwitch, the virtual cable, the GRE tunnel, between two hosts; and a VXLAN without multicast. */
const underlay = host("n1").interfaces.underlay;
const program = `
const hostnet = require("pulumi-hostnet");
const hosts = [${declareHost("n1")}, ${declareHost("n2")}];
hosts.forEach((host, index) => {
  const own = "10.198.0." + (index + 1), other = "10.198.0." + (2 - index);
  const node = "n" + (index + 1) + "/";
  const nic = new hostnet.Interface(node + "underlay", { host, name: ${JSON.stringify(underlay)}, addresses: [own + "/24"] });
  const brInt = new hostnet.OvsBridge(node + "br-int", { host });
  const brTun = new hostnet.OvsBridge(node + "br-tun", { host });
  new hostnet.OvsPatch(node + "cable", { a: { bridge: brInt, name: "patch-tun", tag: 10 }, b: { bridge: brTun, name: "patch-int" } });
  new hostnet.OvsTunnel(node + "gre", { bridge: brTun, type: "gre", local: own, remote: other, key: 4711 }, { dependsOn: nic });
  const guest = new hostnet.Namespace(node + "guest", { host });
  const port = new hostnet.VethPair(node + "port", { a: { name: "eth0", namespace: guest, addresses: ["10.62.0." + (index + 1) + "/24"], mtu: 1458 }, b: { name: "guest-port" } });
  new hostnet.OvsPort(node + "tenant", { bridge: brInt, name: port.b.name, tag: 10 });
  const addresses = ["10.63.0." + (index + 1) + "/24"];
  const mac = (end) => "02:00:00:00:63:0" + end;
  const vxlan = new hostnet.Vxlan(node + "vx", { namespace: guest, underlay: "host", vni: 63, port: 4790, local: own, learning: false, addresses, mac: mac(index + 1) });
  new hostnet.FdbEntry(node + "peer", { device: vxlan, mac: "00:00:00:00:00:00", remote: other });
  new hostnet.Neighbor(node + "neighbor", { device: vxlan, address: "10.63.0." + (2 - index), mac: mac(2 - index) });
});
`;

let stack: Stack;
let before: unknown[];
const both = () => Promise.all(["n1", "n2"].map(footprint));
beforeAll(async () => {
  before = await both();
  stack = await createStack({ program });
  await stack.up();
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

const pingTo = async (address: string, more = "") =>
  (await onHost("n1", `ip netns exec guest ping -c 3 -i 0.3 -W 3 ${more} ${address}`)).exitCode === 0;
const ping = (more = "") => pingTo("10.62.0.2", more);
const pingByVxlan = () => pingTo("10.63.0.2");
const vsctl = (name: string, words: string) => mustOnHost(name, `ovs-vsctl --timeout=20 ${words}`);

it("Open vSwitch: bridges of the kernel's datapath, working ports, MACs at the right port", async () => {
  expect(await ping()).toBe(true);
  expect(await mustOnHost("n1", "ovs-dpctl show")).toMatch(/^system@ovs-system:[\s\S]*guest-port/m);
  expect(await vsctl("n1", "get interface guest-port error ofport admin_state link_state")).toMatch(
    /^\[\]\n[1-9]\d*\nup\nup\n$/,
  );
  for (const bridge of ["br-int", "br-tun"]) {
    expect((await onHost("n1", `ip -d link show dev ${bridge} | grep -w openvswitch`)).exitCode).toBe(0);
    expect((await onHost("n1", `ip -d link show dev ${bridge} | grep -w bridge_id`)).exitCode).not.toBe(0);
  }
  const ofport = (name: string) => vsctl("n1", `get interface ${name} ofport`).then((text) => text.trim());
  const macOf = async (node: string) =>
    (await mustOnHost(node, "ip netns exec guest cat /sys/class/net/eth0/address")).trim();
  const learned = await mustOnHost("n1", "ovs-appctl fdb/show br-int");
  expect(learned).toMatch(new RegExp(`^\\s*${await ofport("guest-port")}\\s+10\\s+${await macOf("n1")}`, "m"));
  expect(learned).toMatch(new RegExp(`^\\s*${await ofport("patch-tun")}\\s+10\\s+${await macOf("n2")}`, "m"));
}, 900_000);

it("GRE tunnel: the wire shows GRE with the declared key, and nothing of the tenant outside of it", async () => {
  const wire = () =>
    capture(
      "n2",
      [
        { device: underlay, filter: "ip proto 47 and src 10.198.0.1" },
        { device: underlay, filter: "not ip proto 47 and net 10.62.0.0/24" },
      ],
      "ip netns exec guest ping -c 3 -i 0.3 -W 3 10.62.0.1",
    );
  const [wrapped = [], bare] = await wire();
  expect(wrapped.length).toBeGreaterThanOrEqual(3);
  for (const packet of wrapped) expect(packet).toMatch(/GREv0, Flags \[key present\], key=0x1267/);
  expect(wrapped.join("\n")).toMatch(/10\.62\.0\.1 > 10\.62\.0\.2: ICMP echo reply/);
  expect(bare).toEqual([]);
}, 900_000);

it("GRE tunnel: the guest's MTU passes in one piece, one byte more does not", async () => {
  expect(await ping("-M do -s 1430")).toBe(true);
  const { exitCode, stdout, stderr } = await onHost("n1", "ip netns exec guest ping -c 1 -M do -s 1431 10.62.0.2");
  expect(exitCode).not.toBe(0);
  expect(stdout + stderr).toMatch(/message too long/i);
}, 900_000);

it("GRE tunnel: carries TCP in bulk, and the rate is reported", async () => {
  await mustOnHost("n2", "ip netns exec guest iperf3 -s -1 -D --pidfile /tmp/iperf3.pid");
  const said = await mustOnHost("n1", "ip netns exec guest iperf3 -c 10.62.0.2 -n 32M -J", { timeoutMs: 120_000 });
  const { end } = JSON.parse(said) as { end: { sum_received: { bytes: number; bits_per_second: number } } };
  // It ends when all is handed to the kernel: a few megabytes are still in its buffers then.
  expect(end.sum_received.bytes).toBeGreaterThanOrEqual(24 * 1024 * 1024);
  console.info(
    `TCP through the tunnel: ${(end.sum_received.bits_per_second / 1e6).toFixed(0)} Mbit/s between emulated hosts`,
  );
}, 900_000);

it("GRE tunnel: another key on one side, and nothing comes through; `up --refresh` names it and mends it", async () => {
  await vsctl("n2", "set interface gre options:key=4712");
  expect(await ping()).toBe(false);
  const { resources } = await stack.up({ args: ["--refresh"] });
  expect(resources.filter(({ op }) => op === "update").map(({ name, diffs }) => [name, diffs])).toEqual([
    ["n2/gre", ["key"]],
  ]);
  expect(await ping()).toBe(true);
}, 900_000);

it("permanent neighbours: nobody is asked by ARP, and somebody is when one is gone", async () => {
  // By the type of the frame within: ARP, IPv4.
  const taps = ["0x806", "0x800"].map((type) => ({
    device: underlay,
    filter: `src 10.198.0.1 and udp dst port 4790 and udp[28:2] = ${type}`,
  }));
  const sent = async () => {
    const packets = await capture("n1", taps, "ip netns exec guest ping -c 3 -i 0.3 -W 3 10.63.0.2");
    return packets.map(({ length }) => length);
  };
  expect(await sent()).toEqual([0, 3]);
  await mustOnHost("n1", "ip -n guest neighbour del 10.63.0.2 dev vx");
  const [asked, pings] = await sent();
  expect([asked !== 0, pings]).toEqual([true, 3]);
}, 900_000);

it("virtual cable, forwarding entry and neighbour: traffic crosses them, and none does when they are gone; `up --refresh` puts them back", async () => {
  expect(await pingByVxlan()).toBe(true);
  await vsctl("n1", "-- del-port br-int patch-tun -- del-port br-tun patch-int");
  await mustOnHost("n1", "bridge -n guest fdb del 00:00:00:00:00:00 dev vx dst 10.198.0.2");
  expect([await ping(), await pingByVxlan()]).toEqual([false, false]);
  const { resources } = await stack.up({ args: ["--refresh"] });
  const made = resources.filter(({ op }) => op === "create").map(({ name }) => name);
  expect(made.sort()).toEqual(["n1/cable", "n1/neighbor", "n1/peer"]);
  expect([await ping(), await pingByVxlan()]).toEqual([true, true]);
}, 900_000);

it("both hosts are as before after `destroy`", async () => {
  await stack.destroy();
  expect(await both()).toEqual(before);
}, 900_000);
