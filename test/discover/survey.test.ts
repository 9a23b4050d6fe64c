import { planOf, titleOf } from "../../provider/discover/plan";
import { programOf } from "../../provider/discover/program";
import { isSelected, parseSelection } from "../../provider/discover/select";
import { survey } from "../../provider/discover/survey";
import { kinds } from "../../provider/kinds";
import { links } from "../kinds/recorded/links";
import { RecordedMachine } from "./recorded-machine";

const host = { name: "n1", args: { name: "n1", address: "192.0.2.1", user: "ops" } };

async function look(change: (machine: RecordedMachine) => void = () => {}) {
  const machine = new RecordedMachine();
  change(machine);
  const found = await survey(machine, "m1", Object.values(kinds));
  const chosen = found.things.filter(({ managedBy, learned, mark }) => !managedBy && !learned && !mark);
  const [file] = programOf([planOf(host, found, chosen)]);
  return { ...found, machine, chosen, program: file?.text ?? "" };
}

const titles = (things: Parameters<typeof titleOf>[0][]) => things.map(titleOf).sort();

test("a host becomes a program that says what was made on it, and no more", async () => {
  const { program, chosen } = await look();
  expect(program).toBe(`import * as hostnet from "pulumi-hostnet";

const host = new hostnet.Host("n1", { address: "192.0.2.1", user: "ops" });

const blue = new hostnet.Namespace("blue", { host });
const green = new hostnet.Namespace("green", { host });
const red = new hostnet.Namespace("red", { host, sysctls: { "net.ipv4.ip_forward": "1" } });
const br0 = new hostnet.LinuxBridge("br0", {
  host,
  mac: "02:00:00:00:00:10",
  addresses: ["10.0.1.254/24", "10.0.1.253/24"],
  stp: true,
  forwardDelay: 4,
});
const pBlue = new hostnet.VethPair("p-blue", {
  a: { name: "eth0", namespace: blue, mac: "02:00:00:00:02:01", addresses: ["10.0.1.1/24", "fd00::1/64"] },
  b: { name: "p-blue", mac: "02:00:00:00:01:01", bridge: br0, ipv6: true },
});
new hostnet.VethPair("blue/eth1", {
  a: { name: "eth1", namespace: blue, mac: "02:00:00:00:03:02", mtu: 9000, up: false },
  b: { name: "eth1", namespace: green, mac: "02:00:00:00:03:01", mtu: 9000, up: false },
});
const pRed = new hostnet.VethPair("p-red", {
  a: { name: "eth0", namespace: red, mac: "02:00:00:00:02:02", addresses: ["10.0.1.2/24"] },
  b: { name: "p-red", mac: "02:00:00:00:01:02" },
});
new hostnet.BridgePort("p-red", { device: pRed.b.name, bridge: br0, ipv6: true, hairpin: true });
new hostnet.Route("10.99.0.0/16", { host, to: "10.99.0.0/16", type: "blackhole" });
new hostnet.Route("blue/::/0", { namespace: blue, to: "::/0", via: "fd00::2", device: pBlue.a.name });
new hostnet.Route("blue/default", { namespace: blue, to: "default", via: "10.0.1.254", device: pBlue.a.name });
new hostnet.Route("red/10.9.0.0/16/7", {
  namespace: red,
  to: "10.9.0.0/16",
  via: "10.0.1.254",
  device: pRed.a.name,
  metric: 7,
});
new hostnet.Rule("red/700/10.0.1.0/24", { namespace: red, priority: 700, from: "10.0.1.0/24", table: 77 });

// not declared: Route 10.8.0.0/16 in red (learned: dhcp)
// not declared: Address 10.0.3.1/24,br0 (learned: dhcp)
// not declared: Address 172.17.0.1/16,docker0 (of docker)
// not declared: BridgePort vethab12cd (of docker)
`);
  // And an \`up\` of it would change nothing.
  expect(chosen.flatMap(({ steps }) => steps)).toEqual([]);
});

test("a host is read in three round trips, however many namespaces it has", async () => {
  expect((await look()).machine.reads).toBe(3);
});

test("what no resource declares is told, with the reason", async () => {
  const { left, unread } = await look();
  expect(left.filter(({ name }) => name !== "lo")).toEqual([
    { name: "docker0", namespace: undefined, type: "bridge", why: "docker manages it" },
    { name: "vethab12cd", namespace: undefined, type: "veth", why: "docker manages it" },
  ]);
  expect(unread).toEqual([]);
});

test("a namespace as `ip netns add` leaves it, with its loopback down, is declared so", async () => {
  const { things } = await look((machine) => {
    Object.assign(machine.link("lo", "green"), { flags: ["LOOPBACK"] });
  });
  const green = things.find(({ id }) => id.endsWith("/green") && id.includes("/Namespace/"));
  expect(green).toMatchObject({ args: { name: "green", loopback: false }, steps: [] });
});

test("tables of nftables are told but ours", async () => {
  const { left } = await look((machine) => {
    machine.facts.tools.nft = "/usr/sbin/nft";
    machine.answers.nftables = { stdout: 'table inet ours {\n\tcomment "hostnet:aa:bb"\ntable ip nat {\n' };
    machine.answers["nftables@blue"] = { stdout: 'table inet fw {\n\tcomment "of a person"\n' };
  });
  expect(left.filter(({ type }) => type === "nftables").map(({ name, namespace }) => [namespace, name])).toEqual([
    [undefined, "ip nat"],
    ["blue", "inet fw"],
  ]);
});

test("a namespace that cannot be read is told, and the others are read all the same", async () => {
  const { unread, things } = await look(({ answers }) => {
    answers["links@green"] = { stdout: "", exitCode: 1, stderr: "setting the network namespace failed" };
  });
  const why = "setting the network namespace failed";
  expect(unread).toEqual([{ what: "namespace green, VethPair", why }]);
  expect(titles(things)).toContain("LinuxBridge br0");
});

test("indexes that fit several pairs are told apart by the numbers of the namespaces", async () => {
  const { things } = await look((machine) => {
    // As if red had a device with the same two indexes as green's end of blue's pair.
    const green = machine.link("eth1", "green");
    machine.links("red").push({ ...green, ifname: "false-friend" });
  });
  expect(titles(things)).toContain("VethPair eth1,eth1 in blue,green");
});

test("what a stack has is known by its mark", async () => {
  const { things } = await look((machine) => {
    machine.link("p-blue").ifalias = "hostnet:aa:bb";
    machine.files.set("/run/pulumi-hostnet/cc/Route.1", JSON.stringify({ id: "m1/Route/blue/default", nonce: "dd" }));
  });
  const marks = things.flatMap(({ kind, mark }) => (mark ? [[kind.name, mark]] : []));
  expect(marks.sort()).toEqual([
    ["Route", "hostnet:cc:dd"],
    ["VethPair", "hostnet:aa:bb"],
  ]);
});

test("a text of somebody's in an alias is no obstacle", async () => {
  const { chosen } = await look((machine) => {
    machine.link("br0").ifalias = "the lab's bridge";
  });
  expect(chosen.flatMap(({ steps }) => steps)).toEqual([]);
});

describe("a selection", () => {
  test.each<[string[], string[]]>([
    [["kind=Namespace,name=b*"], ["Namespace blue"]],
    [["namespace=green"], ["Namespace green", "VethPair eth1,eth1 in blue,green"]],
    [
      ["kind=linux*", "name=p-red,kind=bridge*"],
      ["BridgePort p-red", "LinuxBridge br0"],
    ],
    [["kind=Route,namespace=-"], ["Route 10.99.0.0/16"]],
  ])("%j", async (texts, expected) => {
    const { chosen } = await look();
    expect(titles(chosen.filter((thing) => isSelected(parseSelection(texts), thing)))).toEqual(expected);
  });

  test("that is none is refused", () =>
    expect(() => parseSelection(["colour=red"])).toThrow(/kind=, name= or namespace=/));
});

test("what can never change is said where it is not the kernel's own choice, and an option of nothing is not", async () => {
  const device = (name: string, kind: string, info: object, more: object = {}) => ({
    ...{ ifindex: 90, ifname: name, flags: ["BROADCAST"], mtu: 1500, txqlen: 1000, operstate: "DOWN" },
    ...{ link_type: "ether", address: "02:00:00:00:00:90", addr_info: [] },
    ...{ ...more, linkinfo: { info_kind: kind, info_data: info } },
  });
  const { things } = await look((machine) => {
    const made = [
      device("bond9", "bond", { mode: "802.3ad", fail_over_mac: "none" }),
      device("v9", "vlan", { protocol: "802.1Q", id: 9, flags: [] }, { link: "br0" }),
      device("vx9", "vxlan", { ...links.plainVxlan, proxy: true }),
      device("tap9", "tun", { type: "tap", multi_queue: false, vnet_hdr: false, pi: false, user: "nobody" }),
    ];
    machine.links().push(...(made as unknown as ReturnType<typeof machine.links>));
  });
  const said = (kind: string) => things.find((thing) => thing.kind.name === kind)?.args;
  expect(said("Bond")).toMatchObject({ name: "bond9", mode: "802.3ad" });
  expect(said("Bond")).not.toHaveProperty("failOverMac");
  expect(said("Vlan")).toMatchObject({ name: "v9", parent: "br0", vlanId: 9 });
  expect(said("Vlan")).not.toHaveProperty("protocol");
  expect(said("Tap")).toMatchObject({ name: "tap9", owner: "nobody" });
  expect(said("Tap")).not.toHaveProperty("multiQueue");
  expect(said("Vxlan")).toEqual({ name: "vx9", mac: "02:00:00:00:00:90", ipv6: false, up: false, vni: 5, proxy: true });
});
