import { titleOf } from "../../provider/discover/names";
import { planOf } from "../../provider/discover/plan";
import { programOf } from "../../provider/discover/program";
import { isSelected, parseSelection } from "../../provider/discover/select";
import { survey } from "../../provider/discover/survey";
import { kinds } from "../../provider/kinds";
import { cookieOf } from "../../provider/model/ovs-cookie";
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
// not declared: bridge docker0 (docker manages it)
// not declared: veth vethab12cd (docker manages it)
`);
  // And an \`up\` of it would change nothing.
  expect(chosen.flatMap(({ steps }) => steps)).toEqual([]);
});

test("a host is read in three round trips, however many namespaces it has", async () => {
  expect((await look()).machine.reads).toBe(3);
});

test("a VXLAN device that the host's own namespace carries for another is described so", async () => {
  const { things } = await look((machine) => {
    const vxlan = { ...links.plainVxlan, port: 4789 };
    const device = { ifindex: 91, link_netnsid: 0, ifname: "vx8", flags: ["BROADCAST"], mtu: 1500, operstate: "DOWN" };
    const more = { link_type: "ether", address: "02:00:00:00:00:91", addr_info: [] };
    machine.links("green").push({ ...device, ...more, linkinfo: { info_kind: "vxlan", info_data: vxlan } } as never);
  });
  const found = things.find(({ kind }) => kind.name === "Vxlan");
  expect(found).toMatchObject({ args: { name: "vx8", namespace: "green", underlay: "host" }, steps: [] });
  expect(found?.found.broken).toBeUndefined();
});

test("a dummy is there before what is on it, which is given it as a resource", async () => {
  const { chosen, program } = await look((machine) => {
    const address = { family: "inet", local: "10.255.0.1", prefixlen: 32, scope: "global" };
    const flags = ["BROADCAST", "NOARP", "UP", "LOWER_UP"];
    machine.links("blue").push({ ...links.dummy, flags, operstate: "UNKNOWN", addr_info: [address] } as never);
    const route = { type: "1", dst: "10.70.0.0/16", dev: "d0", table: "254", protocol: "3", scope: "253", flags: [] };
    (machine.answers["routes4@blue"] as { stdout: object[] }).stdout.push(route);
  });
  expect(program).toMatch(/const blueD0 = new hostnet\.Dummy\("blue\/d0", \{[^}]* addresses: \["10\.255\.0\.1\/32"\],/);
  expect(program).toContain('{ namespace: blue, to: "10.70.0.0/16", device: blueD0 }');
  expect(chosen.flatMap(({ steps }) => steps)).toEqual([]);
});

/** Devices without a kind: what a driver has made, and what L2TP has. */
const kindless = (ifname: string, more: object) => ({
  ...{ ifindex: 90, ifname, flags: ["UP"], mtu: 1500, operstate: "UP", txqlen: 1000, link_type: "ether" },
  ...{ address: "02:00:00:00:00:90", addr_info: [], ...more },
});

test("a network card is what has hardware, where the host says so; what stands on another device is said with that", async () => {
  const address = { family: "inet", local: "10.7.0.1", prefixlen: 24, scope: "global" };
  const look2 = (parentdev: string | undefined) =>
    look((machine) => {
      machine.links().push(kindless("eth0", { parentdev }) as never);
      machine.links("green").push(kindless("l2tp0", { addr_info: [address] }) as never);
    });
  const { things, left, program } = await look2("0000:00:03.0");
  expect(titles(things).filter((title) => /eth0$|l2tp0/.test(title))).toEqual([
    "Address 10.7.0.1/24,l2tp0 in green",
    "Interface eth0",
  ]);
  expect(left).toContainEqual({
    ...{ name: "l2tp0", namespace: "green", type: "ether" },
    why: "it is no network card, and the kernel does not say what it is; on an empty machine it must be there before Address 10.7.0.1/24,l2tp0 in green",
  });
  expect(program).toContain("// not declared: ether l2tp0 in green (it is no network card");
  // Before Linux 5.14 nothing tells.
  expect(titles((await look2(undefined)).things)).toEqual(
    expect.arrayContaining(["Interface eth0", "Interface l2tp0 in green"]),
  );
});

test("what is to be a port, a parent or a way out is said with the device without a resource that it needs", async () => {
  const { left } = await look((machine) => {
    const geneve = { linkinfo: { info_kind: "geneve", info_slave_kind: "bridge" }, master: "br0" };
    machine.links().push(kindless("gen0", geneve) as never);
    const vlan = { info_kind: "vlan", info_data: { protocol: "802.1Q", id: 4, flags: [] } };
    machine.links().push(kindless("gen0.4", { link: "gen0", linkinfo: vlan }) as never);
    const route = { type: "1", dst: "10.70.0.0/16", dev: "gen0", table: "254", protocol: "3", scope: "253", flags: [] };
    (machine.answers.routes4 as { stdout: object[] }).stdout.push(route);
  });
  expect(left.find(({ name }) => name === "gen0")?.why).toBe(
    "no resource describes a device of type geneve; on an empty machine it must be there before BridgePort gen0, Route 10.70.0.0/16, Vlan gen0.4,gen0,802.1Q,4",
  );
});

test("a value that no program can say is told, with what it is of", async () => {
  const { left } = await look((machine) => {
    machine.links("blue").push({ ...links.dummy, mtu: 60 } as never);
  });
  expect(left).toContainEqual({ name: "d0", namespace: "blue", type: "Dummy", why: "no resource declares mtu 60" });
});

test("what is nothing without another argument is said with it: a rule that jumps", async () => {
  const { things } = await look((machine) => {
    const rules = machine.answers["rules4@blue"] as { stdout: object[] };
    rules.stdout.push({ priority: 500, src: "10.85.0.0", srclen: 24, goto: 1000, protocol: "0" });
  });
  const rule = things.find(({ kind, args }) => kind.name === "Rule" && args.priority === 500);
  expect(rule).toMatchObject({ args: { from: "10.85.0.0/24", action: "goto", goto: 1000 }, steps: [] });
});

test("what no resource declares is told, with the reason", async () => {
  const { left, unread } = await look();
  expect(left.filter(({ name }) => name !== "lo")).toEqual([
    { name: "docker0", namespace: undefined, type: "bridge", why: "docker manages it" },
    { name: "vethab12cd", namespace: undefined, type: "veth", why: "docker manages it" },
  ]);
  expect(unread).toEqual([]);
});

test("what has a name that no resource may have is told so, and so is a namespace", async () => {
  const { left, chosen } = await look((machine) => {
    Object.assign(machine.link("br0"), { ifname: 'br"0' });
    (machine.answers.netns as { stdout: object[] }).stdout.push({ name: "caf\u00e9" });
    machine.answers["links@caf\u00e9"] = { stdout: [{ ...machine.link("p-red"), ifname: "d0", link_netnsid: 5 }] };
  });
  const why = (name: string) => left.find((one) => one.name === name)?.why;
  expect(why('br"0')).toMatch(/^no resource may have its name: it must be 1 to 15 letters, digits/);
  expect(left).toContainEqual(expect.objectContaining({ name: "caf\u00e9", type: "namespace" }));
  expect(why("caf\u00e9")).toMatch(/^no resource may have its name: it must be 1 to 64 letters, digits/);
  expect(why("d0")).toBe("no resource may have its namespace's name");
  expect(chosen.map(({ id }) => id).join()).not.toMatch(/caf|br"0/);
});

test("what hangs on devices and no resource declares is told, and nothing that made itself", async () => {
  const self = { flags: ["self"], state: "permanent" };
  const { left, things, program } = await look((machine) => {
    machine.links().push({
      ...{ ifindex: 91, ifname: "vx8", flags: [], mtu: 1500, operstate: "UP", link_type: "ether", addr_info: [] },
      linkinfo: { info_kind: "vxlan", info_data: { ...links.plainVxlan, remote: "10.0.0.9" } },
    } as never);
    machine.links().push({
      ...{ ifindex: 92, ifname: "tap9", flags: [], mtu: 1500, operstate: "UP", link_type: "ether", addr_info: [] },
      linkinfo: { info_kind: "openvswitch" },
    } as never);
    machine.answers.fdb = {
      stdout: [
        { mac: "33:33:00:00:00:01", ifname: "br0", ...self },
        { mac: "02:00:00:00:01:01", ifname: "p-blue", flags: [], master: "br0", state: "permanent" },
        { mac: "02:00:00:00:02:01", ifname: "p-blue", flags: [], master: "br0", state: "" },
        { mac: "00:00:00:00:00:00", ifname: "vx8", dst: "10.0.0.9", ...self },
        { mac: "02:00:00:00:07:01", ifname: "vx8", dst: "10.0.0.7", flags: ["self"], state: "" },
        { mac: "02:00:00:00:07:02", ifname: "vx8", dst: "10.0.0.7", ...self, flags: ["self", "extern_learn"] },
        ...[5, 6].map((last) => ({ mac: "00:00:00:00:00:00", ifname: "vx8", dst: `10.0.0.${last}`, ...self })),
        ...[5, 6].map((last) => ({ mac: `02:00:00:00:09:0${last}`, ifname: "vx8", dst: "10.0.0.5", ...self })),
        { mac: "02:00:00:00:09:0a", ifname: "vx8", dst: "10.0.0.5", viaIf: "eth0", ...self },
        { mac: "02:00:00:00:09:09", ifname: "p-red", flags: [], master: "br0", state: "static" },
        { mac: "02:00:00:00:09:09", ifname: "p-red", vlan: 7, flags: [], master: "br0", state: "static" },
        { mac: "02:00:00:00:09:09", ifname: "vethab12cd", flags: [], master: "docker0", state: "static" },
      ],
    };
    machine.answers["neighbours:lasting@blue"] = {
      stdout: [
        { dst: "10.0.1.9", dev: "eth0", lladdr: "02:00:00:00:09:01", state: ["PERMANENT"] },
        { dst: "10.0.1.8", dev: "eth0", lladdr: "ff:ff:ff:ff:ff:ff", state: ["PERMANENT"] },
        { dst: "10.0.1.7", dev: "eth0", lladdr: "02:00:00:00:09:01", extern_learn: null, state: ["NOARP"] },
        { dst: "ff02::16", dev: "eth0", lladdr: "33:33:00:00:00:16", state: ["NOARP"] },
      ],
    };
    machine.answers["neighbours:proxy@blue"] = {
      stdout: [
        { dst: "fd00::9", dev: "eth0", router: null, proxy: null },
        { dst: "ff02::1", dev: "eth0", proxy: null },
      ],
    };
    machine.answers.qdiscs = {
      stdout: [
        { kind: "noqueue", handle: "0:", dev: "br0", root: true },
        { kind: "tbf", handle: "8001:", dev: "br0", root: true },
        { kind: "htb", handle: "1:", dev: "tap9", root: true },
      ],
    };
  });
  const told = left
    .filter(({ type }) => ["forwarding entry", "queueing discipline", "neighbour"].includes(type))
    .map(({ type, name, namespace, why }) => [type, name, namespace, why]);
  expect(told).toEqual([
    ["forwarding entry", "vx8", undefined, "no resource declares 02:00:00:00:09:0a dst 10.0.0.5 viaIf eth0"],
    ["queueing discipline", "br0", undefined, "no resource declares tbf 8001:"],
    ["neighbour", "eth0", "blue", "no resource declares 10.0.1.8 lladdr ff:ff:ff:ff:ff:ff"],
    ["neighbour", "eth0", "blue", "no resource declares ff02::1 proxy"],
  ]);
  const entries = things.filter(({ kind }) => kind.name === "FdbEntry").map(({ args }) => args);
  expect(entries).toEqual([
    { device: "p-red", mac: "02:00:00:00:09:09" },
    { device: "vethab12cd", mac: "02:00:00:00:09:09" },
    ...[5, 6].map((last) => ({ device: "vx8", mac: "00:00:00:00:00:00", remote: `10.0.0.${last}` })),
    ...[5, 6].map((last) => ({ device: "vx8", mac: `02:00:00:00:09:0${last}`, remote: "10.0.0.5" })),
  ]);
  const place = { namespace: "blue", device: "eth0" };
  const neighbors = things.filter(({ kind }) => kind.name === "Neighbor");
  expect(neighbors.map(({ args, steps }) => [args, steps])).toEqual([
    [{ ...place, address: "fd00::9", router: true, proxy: true }, []],
    [{ ...place, address: "10.0.1.9", mac: "02:00:00:00:09:01" }, []],
  ]);
  expect(program).toMatch(
    /new hostnet\.Neighbor\("blue\/eth0\/fd00::9\/proxy", {\n {2}namespace: blue,\n {2}device: pBlue\.a\.name,/,
  );
  expect(program).toContain("// not declared: queueing discipline br0 (no resource declares tbf 8001:)\n");
});

test("what was set by hand on a device and no argument says is told", async () => {
  const { left, program } = await look((machine) => {
    Object.assign(machine.link("p-red"), { flags: ["BROADCAST", "PROMISC", "ALLMULTI", "UP"], group: "7" });
    Object.assign(machine.link("p-blue"), { altnames: ["blue-0"], xdp: { mode: 2, prog: { id: 7 } } });
    machine.answers["kept:ip@blue"] = { stdout: `${JSON.stringify([{ port: 7777, ipproto: 47 }])}\n` };
    Object.assign(machine.link("eth0", "blue"), {
      master: "vrf-blue",
      linkinfo: { info_kind: "veth", info_slave_kind: "vrf" },
      addr_info: [
        { family: "inet", local: "10.0.1.1", prefixlen: 24, scope: "global", label: "eth0", broadcast: "10.0.1.255" },
        {
          family: "inet",
          local: "10.0.2.1",
          prefixlen: 24,
          scope: "global",
          label: "eth0",
          metric: 300,
          noprefixroute: true,
        },
        { family: "inet", local: "10.0.3.1", prefixlen: 24, scope: "global", broadcast: "10.0.3.255", dynamic: true },
        { family: "inet6", local: "fe80::1", prefixlen: 64, scope: "link", deprecated: true },
      ],
    });
    Object.assign(machine.link("br0"), { linkinfo: { info_kind: "bridge", info_data: { vlan_default_pvid: 1 } } });
    machine.answers.portvlans = {
      stdout: [
        { ifname: "p-blue", vlans: [{ vlan: 9 }] },
        { ifname: "br0", vlans: [{ vlan: 1, flags: ["PVID", "Egress Untagged"] }, { vlan: 20 }, { vlan: 21 }] },
        { ifname: "docker0", vlans: [{ vlan: 7 }] },
      ],
    };
  });
  const told = left.filter(({ type }) => ["setting", "address", "bridge"].includes(type) && !type.includes("docker"));
  expect(told.filter(({ name }) => name !== "docker0").map(({ name, type, why }) => `${type} ${name}: ${why}`)).toEqual(
    [
      "setting p-blue: no resource declares altname blue-0, its XDP program",
      "setting p-red: no resource declares promisc, allmulticast, group 7",
      "bridge br0: no resource declares its own VLANs: 1 pvid untagged, 20-21",
      "setting eth0: no resource declares master vrf-blue",
      "address eth0: no resource declares brd 10.0.1.255 of 10.0.1.1, metric 300 of 10.0.2.1, noprefixroute of 10.0.2.1, and 1 more",
    ],
  );
  expect(program).toContain("// not declared: kernel FOU ports in blue (no resource declares 7777 ipproto 47)");
  expect(program).toContain("// not declared: address eth0 in blue (no resource declares brd 10.0.1.255 of 10.0.1.1");
  expect(program).toContain('"fe80::1/64"');
});

test("a bridge with the VLANs that it is made with is worth no word", async () => {
  const { left } = await look((machine) => {
    Object.assign(machine.link("br0"), { linkinfo: { info_kind: "bridge", info_data: { vlan_default_pvid: 5 } } });
    machine.answers.portvlans = {
      stdout: [{ ifname: "br0", vlans: [{ vlan: 5, flags: ["PVID", "Egress Untagged"] }] }],
    };
  });
  expect(left.filter(({ name }) => name === "br0")).toEqual([]);
});

test("a rule with what no Rule can say is left as it is, and told", async () => {
  const { things, left } = await look((machine) => {
    const rules = machine.answers["rules4@blue"] as { stdout: object[] };
    rules.stdout.push(
      { priority: 500, src: "10.85.0.0", srclen: 24, masquerade: null, table: "254" },
      { priority: 501, src: "all", table: "100", flow_from: "3", flow_to: "4" },
      { priority: 502, src: "all", iif: "gone", iif_detached: null, goto: 900, unresolved: null },
    );
  });
  const priorities = things.flatMap(({ kind, args }) => (kind.name === "Rule" ? [args.priority] : []));
  expect(priorities).toEqual(expect.arrayContaining([502]));
  expect(priorities).not.toEqual(expect.arrayContaining([500]));
  expect(priorities).not.toEqual(expect.arrayContaining([501]));
  expect(left.filter(({ type }) => type === "rule")).toEqual([
    { name: "500 10.85.0.0/24", namespace: "blue", type: "rule", why: "no resource declares masquerade" },
    { name: "501", namespace: "blue", type: "rule", why: "no resource declares flow_from 3, flow_to 4" },
  ]);
});

test("what of a route no Route can say is told; a route into a tunnel or for some packets only is none", async () => {
  const route = { type: "1", table: "254", protocol: "3", scope: "0", flags: [], dev: "eth0" };
  const { things, left } = await look((machine) => {
    (machine.answers["routes4@blue"] as { stdout: object[] }).stdout.push(
      { ...route, dst: "10.60.0.0/16", gateway: "10.0.1.9", metrics: [{ mtu: 1400, rto_min: 50 }] },
      { ...route, dst: "10.61.0.0/16", gateway: "10.0.1.9", nhid: 10, nh_info: { id: 10 } },
      { ...route, dst: "10.62.0.0/16", table: "100", tos: "0x10" },
      { ...route, dst: "10.63.0.0/16", encap: "mpls" },
      { ...route, dst: "10.64.0.0/16", nexthops: [{ dev: "eth0", encap: "mpls" }, { dev: "eth0" }] },
      { ...route, dst: "10.65.0.0/16", protocol: "16", encap: "mpls" },
    );
    (machine.answers["routes6@blue"] as { stdout: object[] }).stdout.push(
      { ...route, dst: "fd01::/64", metric: 1024, pref: "medium" },
      { ...route, dst: "fd02::/64", metric: 1024, pref: "high" },
      { ...route, dst: "fd03::/64", metric: 1024, from: "fd09::/64", pref: "medium" },
    );
  });
  const found = things.filter(({ kind, args }) => kind.name === "Route" && args.namespace === "blue");
  expect(found.map(({ args }) => args.to).sort()).toEqual(
    ["10.60.0.0/16", "10.61.0.0/16", "::/0", "default", "fd01::/64", "fd02::/64"].sort(),
  );
  expect(left.filter(({ type }) => type === "route").map(({ name, why }) => `${name}: ${why}`)).toEqual([
    "10.60.0.0/16: no resource declares rto_min 50",
    "10.61.0.0/16: no resource declares nhid 10",
    "10.62.0.0/16 100: no Route is one with tos 0x10",
    "10.63.0.0/16: no Route is one with encap mpls",
    "10.64.0.0/16: no Route is one with encap mpls",
    "fd02::/64 1024: no resource declares pref high",
    "fd03::/64 1024: no Route is one with from fd09::/64",
  ]);
});

test("a route with several ways comes after the devices that they go by", async () => {
  const { program } = await look((machine) => {
    const hop = (via: string) => ({ gateway: via, dev: "eth0", weight: 1, flags: [] });
    const several = { dst: "fd11::/48", metric: 1024, protocol: "3", nexthops: [hop("fe80::2"), hop("fe80::3")] };
    (machine.answers["routes6@blue"] as { stdout: object[] }).stdout.push(several);
  });
  expect(/Route\(\s*"blue\/fd11::\/48"[^;]*/.exec(program)?.[0]).toContain("{ dependsOn: [pBlue] }");
});

test("a namespace as `ip netns add` leaves it, with its loopback down, is declared so", async () => {
  const { things } = await look((machine) => {
    Object.assign(machine.link("lo", "green"), { flags: ["LOOPBACK"] });
  });
  const green = things.find(({ id }) => id.endsWith("/green") && id.includes("/Namespace/"));
  expect(green).toMatchObject({ args: { name: "green", loopback: false }, steps: [] });
});

/** What `nft -y -s -a list table` of nft 1.0.6 prints. */
const table = `table inet fw { # handle 4
	comment "of a person"
	set members { # handle 2
		type ipv4_addr
		flags interval
		elements = { 10.1.0.0/24, 10.2.0.1 }
	}

	set seen { # handle 3
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 1m30s
		elements = { 10.9.9.9 timeout 1m30s expires 20s }
	}

	chain input { # handle 1
		type filter hook input priority 0; policy drop;
		ct state established,related accept # handle 5
		ip saddr @members tcp dport { 22, 443 } counter accept # handle 6
	}
}
`;

test("a table of nftables is a Firewall, taken over as it is; one that none can be is told, with the reason", async () => {
  const { things, left } = await look((machine) => {
    machine.facts.tools.nft = "/usr/sbin/nft";
    const byIndex = `table ip other {\n\tchain c {\n\t\tiif "lo" accept\n\t}\n}\n`;
    const iptables =
      "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n";
    machine.answers.nftables = { stdout: byIndex + iptables };
    machine.answers["nftables@blue"] = { stdout: table };
    machine.answers["nft:inet:fw@blue"] = { stdout: table };
    machine.answers["nft:ip:filter"] = { stdout: iptables };
    // In the namespace in which its normal form is made it has no learned elements, and no handles.
    machine.answers["nft-normal:blue:inet:fw"] = {
      stdout: table.replace(/ # handle \d+/g, "").replace(/\t\telements = \{ 10.9.*\n/, ""),
    };
  });
  const found = things.filter(({ kind }) => kind.name === "Firewall");
  expect(found.map(({ args, steps, learned }) => ({ args, steps, learned }))).toEqual([
    expect.objectContaining({ args: expect.objectContaining({ name: "filter", family: "ip" }), learned: "iptables" }),
    {
      args: {
        ...{ namespace: "blue", name: "fw" },
        chains: {
          input: {
            ...{ hook: "input", policy: "drop" },
            rules: ["ct state established,related accept", "ip saddr @members tcp dport { 22, 443 } counter accept"],
          },
        },
        sets: {
          members: { type: "ipv4_addr", flags: ["interval"], elements: ["10.1.0.0/24", "10.2.0.1"] },
          seen: { type: "ipv4_addr", flags: ["dynamic", "timeout"], timeout: 90, size: 65535 },
        },
      },
      steps: [],
      learned: undefined,
    },
  ]);
  expect(left.filter(({ type }) => type === "nftables")).toEqual([
    expect.objectContaining({ name: "ip other", why: expect.stringMatching(/^no Firewall can be so: .*iifname/) }),
  ]);
});

test("a host without nft has no tables; any other failure to read them is told", async () => {
  const fails = (exitCode: number) =>
    look((machine) => {
      machine.answers["nftables@blue"] = {
        stdout: "",
        exitCode,
        stderr: "netlink: Error: cache initialization failed\n",
      };
    });
  expect((await fails(127)).unread).toEqual([]);
  expect((await fails(1)).unread).toEqual([
    { what: "nftables in blue", why: "netlink: Error: cache initialization failed" },
  ]);
});

describe("of Open vSwitch's database", () => {
  const none = ["set", []];
  const configured = (more: object[]) =>
    look((machine) => {
      for (const tool of ["ovs-vsctl", "ovs-ofctl"]) machine.facts.tools[tool] = `/usr/bin/${tool}`;
      const port = (name: string, type: string, row: object = {}) => ({
        port: { _uuid: ["uuid", `p-${name}`], name, interfaces: ["uuid", `i-${name}`], tag: none, ...row },
        iface: { _uuid: ["uuid", `i-${name}`], name, type, ofport: 7, options: ["map", [["remote_ip", "10.0.0.2"]]] },
      });
      const config = ["map", [["stp-enable", "false"]]];
      const ports = [
        port("br-int", "internal"),
        port("e1", "erspan", { other_config: ["map", []], protected: false }),
        port("g1", "gre", { other_config: config, trunks: 5 }),
      ];
      const bridge = { name: "br-int", ports: ["set", ports.map(({ port: { _uuid } }) => _uuid)] };
      const tables = [[], [bridge], ports.map((one) => one.port), ports.map(({ iface }) => iface), [], [], []];
      machine.answers.ovsdb = { stdout: tables.map((rows) => ({ rows })) };
      machine.answers["ovs-vswitchd"] = { stdout: "ovs-vswitchd.1.ctl\n" };
      machine.answers["flows:br-int"] = { stdout: "" };
      machine.answers["ovsdb:more"] = { stdout: more };
    });
  const texts = ({ left }: Awaited<ReturnType<typeof look>>) =>
    left
      .filter(({ type, name }) => /port|Open vSwitch/.test(`${type} ${name}`))
      .map(({ type, name, why }) => `${type} ${name}: ${why}`);

  test("what no argument says is told, and ports of types that no resource has", async () => {
    const found = await configured([
      { rows: [{ name: "br-int", mirrors: ["uuid", "m"], netflow: none, flow_tables: ["map", [[0, ["uuid", "t"]]]] }] },
      { rows: [{ name: "v7", fake_bridge: true, bond_fake_iface: false, mac: none }] },
      { rows: [{ name: "g1", bfd: ["map", [["enable", "true"]]], cfm_mpid: none, other_config: ["map", []] }] },
      { rows: [{ target: "tcp:10.0.0.9", connection_mode: "out-of-band", inactivity_probe: 9000, max_backoff: none }] },
      {
        rows: [{ other_config: ["map", [["max-idle", "9"]]], external_ids: ["map", [["system-id", "x"]]], ssl: none }],
      },
    ]);
    expect(texts(found)).toEqual([
      "port e1: no resource describes it: its type is erspan",
      "Port of Open vSwitch g1: no resource declares trunks, other_config:stp-enable",
      "Bridge of Open vSwitch br-int: no resource declares mirrors, flow_tables:0",
      "Port of Open vSwitch v7: no resource declares fake_bridge",
      "Interface of Open vSwitch g1: no resource declares bfd:enable=true",
      "Controller of Open vSwitch tcp:10.0.0.9: no resource declares connection_mode=out-of-band, inactivity_probe=9000",
      "settings of Open vSwitch: no resource declares other_config:max-idle=9",
    ]);
  });

  test("what it refuses to tell is not read", async () => {
    expect((await configured([{ error: "unknown column" }])).unread).toEqual([
      { what: "Open vSwitch", why: "Open vSwitch's database says: unknown column" },
    ]);
  });
});

describe("flows of Open vSwitch", () => {
  const ours = cookieOf("aa", "br-int", "base");
  const line = (cookie: bigint, rest: string) => ` cookie=0x${cookie.toString(16)}, table=0, ${rest}\n`;
  const dumped = (bridge: object, stdout: string, parsed: Record<string, string> = {}, exitCode = 0) =>
    look((machine) => {
      for (const [key, text] of Object.entries(parsed)) machine.answers[key] = { stdout: text };
      for (const tool of ["ovs-vsctl", "ovs-ofctl"]) machine.facts.tools[tool] = `/usr/bin/${tool}`;
      const row = { name: "br-int", external_ids: ["map", [["hostnet-flows-base", "hostnet:aa:bb"]]], ...bridge };
      const port = { _uuid: ["uuid", "p"], name: "tap7", interfaces: ["uuid", "i"] };
      const iface = { _uuid: ["uuid", "i"], name: "tap7", type: "internal", ofport: 7 };
      const tables = [[], [{ ports: ["uuid", "p"], ...row }], [port], [iface], [], [], []];
      machine.answers.ovsdb = { stdout: tables.map((rows) => ({ rows })) };
      machine.answers["ovs-vswitchd"] = { stdout: "ovs-vswitchd.1.ctl\n" };
      machine.answers["ovsdb:more"] = { stdout: [] };
      machine.answers["flows:br-int"] = { stdout, exitCode, stderr: exitCode ? "version negotiation failed" : "" };
    });
  const plain = line(0n, "priority=0 actions=NORMAL");

  test("that nobody's OvsFlows has are one, by their cookie; those with a timeout are told", async () => {
    const set = [
      plain,
      line(ours, "priority=1 actions=drop"),
      line(ours | 1n, "hard_timeout=9, priority=1 actions=drop"),
    ];
    const strays = [line(0n, "priority=9,in_port=7 actions=output:8"), line(5n, "idle_timeout=60, ip actions=drop")];
    const { things, left, program } = await dumped({}, set.concat(strays).join(""), {
      "flows:br-int:base": "x: ADD priority=1 actions=drop\n",
      "flows:br-int:cookie-0x0": "x: ADD priority=9,in_port=60000 actions=output:8\n",
    });
    const sets = things.filter(({ kind }) => kind.name === "OvsFlows");
    expect(program).toContain(`flows: [{ priority: 9, match: 'in_port="tap7"', actions: "output:8" }]`);
    expect(sets.map(({ args, mark, steps }) => ({ args, mark, steps }))).toEqual([
      {
        args: { bridge: "br-int", name: "base", flows: [{ priority: 1, actions: "drop" }] },
        ...{ mark: "hostnet:aa:bb", steps: [] },
      },
      {
        args: {
          ...{ bridge: "br-int", name: "cookie-0x0" },
          flows: [{ priority: 9, match: 'in_port="tap7"', actions: "output:8" }],
        },
        ...{ mark: undefined, steps: [] },
      },
    ]);
    expect(left.filter(({ type }) => type === "OpenFlow")).toEqual([
      { name: "br-int cookie-0x5", type: "OpenFlow", why: "1 flow with a timeout, as learned ones have" },
    ]);
  });

  test.each<[string, string, RegExp, object]>([
    ["a controller's", plain, /^the bridge has a controller, which sets them$/, { controller: ["uuid", "1"] }],
    ["flags", line(0n, "send_flow_rem ip actions=drop"), /^no flow of an OvsFlows has send_flow_rem$/, {}],
    ["a learn with a cookie", line(0n, "ip actions=learn(cookie=0x3,table=1)"), /^actions must not have a cookie/, {}],
    [
      "a set's name",
      line(0n, "ip actions=drop"),
      /^the bridge has a set cookie-0x0 already$/,
      { external_ids: ["map", [["hostnet-flows-cookie-0x0", "hostnet:aa:bb"]]] },
    ],
  ])("that can be no OvsFlows are told: %s", async (_title, flow, why, bridge) => {
    const { things, left } = await dumped({ fail_mode: "secure", ...bridge }, flow);
    expect(things.filter(({ kind, mark }) => kind.name === "OvsFlows" && !mark)).toEqual([]);
    const [one, ...more] = left.filter(({ type }) => type === "OpenFlow");
    expect(more).toEqual([]);
    const [count, reason] = one?.why.split(/: (.*)/) ?? [];
    expect(count).toBe("1 flow");
    expect(reason).toMatch(why);
  });

  test("that another has learned for good are told, and no part of a set; one that is only like them is", async () => {
    const row = (head: string, rest: string) => ` ${head} ${rest}\n`;
    const tables =
      "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],output:NXM_OF_IN_PORT[]";
    const flows = [
      row(
        "cookie=0x10, table=0,",
        `priority=9 actions=learn(table=10,priority=50,cookie=0x77,${tables}),resubmit(,10)`,
      ),
      row("cookie=0x10, table=0,", "priority=8 actions=learn(NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]),resubmit(,1)"),
      row("cookie=0x77, table=10,", "priority=50,dl_dst=02:00:00:00:00:11 actions=set_field:0x1->reg0,output:1"),
      row(
        "cookie=0x77, table=10,",
        "priority=50,dl_dst=02:00:00:00:00:22 actions=load:0x2->NXM_NX_REG0[0..15],output:2",
      ),
      row("table=1,", "dl_dst=02:00:00:00:00:33 actions=drop"),
      // By hand: another action, priority, table.
      row("table=1,", "dl_dst=ff:ff:ff:ff:ff:ff actions=FLOOD"),
      row(
        "cookie=0x77, table=10,",
        "priority=51,dl_dst=02:00:00:00:00:44 actions=load:0x2->NXM_NX_REG0[0..15],output:2",
      ),
      row(
        "cookie=0x77, table=11,",
        "priority=50,dl_dst=02:00:00:00:00:55 actions=load:0x2->NXM_NX_REG0[0..15],output:2",
      ),
    ];
    const { left, things } = await dumped({ fail_mode: "secure" }, flows.join(""), {
      "flows:br-int:cookie-0x0": "x: ADD table=1 dl_dst=ff:ff:ff:ff:ff:ff actions=FLOOD\n",
    });
    expect(left.filter(({ type }) => type === "OpenFlow").map(({ name, why }) => `${name}: ${why}`)).toEqual([
      "br-int cookie-0x77: 2 flows as a learn action of another makes them",
      "br-int cookie-0x0: 1 flow as a learn action of another makes them",
    ]);
    const sets = things.filter(({ kind, mark }) => kind.name === "OvsFlows" && !mark);
    expect(sets.map(({ args: { name, flows: said } }) => [name, (said as object[]).length])).toEqual([
      ["cookie-0x10", 2],
      ["cookie-0x77", 2],
      ["cookie-0x0", 1],
    ]);
  });

  test("that use groups and meters are one, and what no resource makes is told", async () => {
    const uses = line(0n, "priority=9,arp actions=meter:3,group:7") + line(5n, "hard_timeout=9, ip actions=group:8");
    const { left } = await dumped({ fail_mode: "secure" }, uses, {
      "flows:br-int:cookie-0x0": "x: ADD priority=9,arp actions=meter:3,group:7\n",
    });
    expect(left.find(({ name, type }) => type === "OpenFlow" && name === "br-int")?.why).toBe(
      "no resource declares meter 3, group 7, which flows use",
    );
  });

  test("that cannot be read are told", async () => {
    expect((await dumped({}, "", {}, 1)).unread).toEqual([
      { what: "OpenFlow br-int", why: "version negotiation failed" },
    ]);
  });
});

test("DHCP and LLDP servers of others are told, once each, where they run", async () => {
  const { left, program } = await look((machine) => {
    const since = "Sat Nov 28 18:05:00 2026";
    const ps = [
      `1 0 100 ${since} /sbin/init`,
      `20 1 100 ${since} ps -ww -eo pid=,ppid=,netns=,lstart=,args=`,
      `30 1 200 ${since} /usr/sbin/dnsmasq --conf-file=/etc/blue`,
      `31 30 200 ${since} /usr/sbin/dnsmasq --conf-file=/etc/blue`,
      `40 1 100 ${since} lldpd: monitor.`,
      `41 40 100 ${since} lldpd: no neighbor.`,
      `50 1 200 ${since} lldpd: monitor.`,
      `60 1 300 ${since} dnsmasq --in-a-container`,
      `70 1 100 ${since} tail -f /var/log/dnsmasq`,
    ];
    machine.answers.processes = { stdout: ps.map((text) => `${text}\n`).join("") };
    machine.answers["netns-inodes"] = { stdout: "200 -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n" };
    machine.answers.units = { stdout: "Id=hostnet-lldp-blue.service\nMainPID=50\n" };
  });
  const servers = left.filter(({ type }) => type === "process");
  expect(servers.map(({ name, namespace }) => [name, namespace])).toEqual([
    ["lldpd[40]", undefined],
    ["dnsmasq[30]", "blue"],
  ]);
  expect(program).toMatch(
    /^\/\/ not declared: process dnsmasq\[30\] in blue \(no DhcpServer can say --conf-file=\/etc\/blue\)$/m,
  );
});

test("a server, or the tunnel behind a device, that can be said as it runs is declared and not left", async () => {
  const udp = "UDP4-DATAGRAM:10.0.1.9:7000,bind=10.0.1.1:7000,range=10.0.1.9/32";
  const { left, program, things } = await look((machine) => {
    const since = "Sat Nov 28 18:05:00 2026";
    const ps = [
      `20 1 100 ${since} ps -ww -eo pid=,ppid=,netns=,lstart=,args=`,
      `30 1 200 ${since} dnsmasq -p0 -i eth0 -F 10.0.1.10,10.0.1.20`,
      `40 1 200 ${since} socat ${udp} TUN,tun-name=vpn0,iff-no-pi`,
    ];
    machine.answers.processes = { stdout: ps.map((text) => `${text}\n`).join("") };
    machine.answers["netns-inodes"] = { stdout: "200 -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n" };
    const tun = { info_kind: "tun", info_data: { type: "tun", persist: false } };
    const device = { ifindex: 91, ifname: "vpn0", flags: ["UP", "LOWER_UP"], mtu: 1472, txqlen: 500, operstate: "UP" };
    machine.links("blue").push({ ...device, link_type: "none", linkinfo: tun, addr_info: [] } as never);
    for (const tool of ["dnsmasq", "socat", "ps"]) machine.facts.tools[tool] = `/bin/${tool}`;
  });
  expect(left.filter(({ type, name }) => type === "process" || name === "vpn0")).toEqual([]);
  expect(program).toMatch(
    /new hostnet\.DhcpServer\("blue\/eth0", {\n {2}namespace: blue,\n {2}device: pBlue\.a\.name,/,
  );
  expect(things.filter(({ kind }) => kind.name === "Tap")).toEqual([]);
  const [server, tunnel] = things.filter(({ found }) => found.restarts);
  expect(server).toMatchObject({ steps: [], args: { gateway: "10.0.1.1" }, found: { restarts: "dnsmasq[30]" } });
  expect(tunnel).toMatchObject({ steps: [], args: { underlayNamespace: "blue" }, found: { restarts: "socat[40]" } });
  // The address from which it sends is a pair's.
  expect(program).toMatch(/UdpVpn\([\s\S]*dependsOn: \[pBlue\]/);
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
      device("bond8", "bond", { mode: "active-backup", fail_over_mac: "active" }),
      device("v9", "vlan", { protocol: "802.1Q", id: 9, flags: [] }, { link: "br0" }),
      device("vx9", "vxlan", { ...links.plainVxlan, proxy: true }),
      device("tap9", "tun", { type: "tap", multi_queue: false, vnet_hdr: false, pi: false, user: "nobody" }),
    ];
    machine.links().push(...(made as unknown as ReturnType<typeof machine.links>));
  });
  const said = (kind: string) => things.find((thing) => thing.kind.name === kind)?.args;
  const bond8 = things.find(({ args }) => args.name === "bond8")?.args;
  expect(bond8).toMatchObject({ failOverMac: "active" });
  expect(bond8).not.toHaveProperty("mac");
  const bond9 = things.find(({ args }) => args.name === "bond9")?.args;
  expect(bond9).toMatchObject({ mode: "802.3ad" });
  expect(bond9).not.toHaveProperty("failOverMac");
  expect(said("Vlan")).toMatchObject({ name: "v9", parent: "br0", vlanId: 9 });
  expect(said("Vlan")).not.toHaveProperty("protocol");
  expect(said("Tap")).toMatchObject({ name: "tap9", owner: "nobody" });
  expect(said("Tap")).not.toHaveProperty("multiQueue");
  expect(said("Vxlan")).toEqual({ name: "vx9", mac: "02:00:00:00:00:90", ipv6: false, up: false, vni: 5, proxy: true });
});
