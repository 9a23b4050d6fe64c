import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { managementPath, managementSections, refuseIfCut } from "../../provider/host/management";
import { Seen } from "../../provider/host/seen";
import type { HostFacts } from "../../provider/host/types";
import type { Result, Section } from "../../provider/model/command";
import { facts, inScratch } from "./helpers/exec-session";

const ssh = (server = "192.0.2.11", client = "192.0.2.1") =>
  facts({ sshConnection: { clientAddress: client, clientPort: 5000, serverAddress: server, serverPort: 22 } });

interface Device {
  ifname: string;
  link?: string | null;
  link_netnsid?: number;
  master?: string;
  linkinfo?: { info_kind: string };
  addr_info?: { family: string; local: string; prefixlen: number }[];
}

/** As `ip -j -d address show` on Debian 12 prints it, less what nobody reads here. */
const device = (ifname: string, kind?: string, more: Partial<Device> = {}): Device => ({
  ifname,
  addr_info: [],
  ...(kind ? { linkinfo: { info_kind: kind } } : {}),
  ...more,
});
const at = (local = "192.0.2.11") => ({ addr_info: [{ family: "inet", local, prefixlen: 24 }] });
const route = (dev: string, more: object = {}) =>
  JSON.stringify([{ dst: "192.0.2.1", from: "192.0.2.11", dev, flags: [], uid: 0, cache: [], ...more }]);

const result = (stdout: string, exitCode = 0, stderr = ""): Result => ({ exitCode, stdout, stderr });
const answer = (of: HostFacts, answers: Result[]) => {
  const sections = managementSections(of);
  return new Seen(new Map(sections.map((section, i) => [section.key, { section, result: answers[i] as Result }])));
};
const noOvs = { ...ssh(), tools: { ip: "/sbin/ip" } };
const path = (dev: string, devices: (Device | object)[]) =>
  managementPath(noOvs, answer(noOvs, [result(JSON.stringify(devices)), result(route(dev))]));

test("sections: the way back from our own address; a zone names the device instead; no SSH, no question", () => {
  const words = (of: HostFacts) => managementSections(of).map(({ argv }) => argv.join(" "));
  expect(words(noOvs)).toEqual(["ip -j -d address show", "ip -j route get 192.0.2.1 from 192.0.2.11"]);
  expect(words({ ...noOvs, ...ssh("fe80::2", "fe80::1%eth0"), tools: {} })[1]).toBe("ip -j route get fe80::1 oif eth0");
  expect(words(facts())).toEqual([]);
  expect(managementPath(facts(), new Seen(new Map()))).toEqual([]);
});

describe("the path", () => {
  const lo = device("lo");
  const others = [lo, {}, device("br-other", "bridge"), device("eth9", undefined, { master: "br-other" })];

  test.each<[string, string, Device[], string[]]>([
    ["a NIC", "eth0", [device("eth0", undefined, at()), device("eth1")], ["eth0"]],
    [
      "a VLAN and its parent",
      "eth0.5",
      [device("eth0"), device("eth0.5", "vlan", { link: "eth0", ...at() })],
      ["eth0.5", "eth0"],
    ],
    [
      "a VLAN on a bond of two",
      "bond0.5",
      [
        device("eth0", undefined, { master: "bond0" }),
        device("eth1", undefined, { master: "bond0" }),
        device("bond0", "bond"),
        device("bond0.5", "vlan", { link: "bond0", ...at() }),
      ],
      ["bond0.5", "bond0", "eth0", "eth1"],
    ],
    [
      "a bridge: its NIC, not the ports of guests",
      "br0",
      [
        device("br0", "bridge", at()),
        device("eth0", undefined, { master: "br0" }),
        device("tap1", "tun", { master: "br0" }),
        device("veth1", "veth", { master: "br0", link: null, link_netnsid: 1 }),
      ],
      ["br0", "eth0"],
    ],
    [
      "a bridge of a container host in a container: any port",
      "br0",
      [device("br0", "bridge", at()), device("eth0", "veth", { master: "br0", link: "if7", link_netnsid: 0 })],
      ["br0", "eth0"],
    ],
    [
      "a veth into a bridge of the same namespace",
      "v0",
      [
        device("v0", "veth", { link: "v1", ...at() }),
        device("v1", "veth", { link: "v0", master: "br0" }),
        device("br0", "bridge"),
        device("eth0", undefined, { master: "br0" }),
      ],
      ["v0", "v1", "br0", "eth0"],
    ],
    [
      "a NIC in a VRF: not what else is in it",
      "eth0",
      [
        device("vrf1", "vrf"),
        device("eth0", undefined, { master: "vrf1", ...at() }),
        device("eth1", undefined, { master: "vrf1" }),
      ],
      ["eth0", "vrf1"],
    ],
    [
      "the address on another device than the route's",
      "eth1",
      [device("eth1"), device("eth0", undefined, at())],
      ["eth1", "eth0"],
    ],
  ])("%s", (_, dev, devices, expected) => {
    expect(path(dev, [...others, ...devices])).toEqual(expected);
  });

  test("a connection that never leaves the machine has none", () => {
    const links = result(JSON.stringify([lo]));
    expect(managementPath(noOvs, answer(noOvs, [links, result(route("lo"))]))).toEqual([]);
    expect(managementPath(noOvs, answer(noOvs, [links, result(route("eth0", { type: "local" }))]))).toEqual([]);
  });

  test("no route: the device that has the address; neither: an error, not an empty path", () => {
    const none = result("", 2, "RTNETLINK answers: Network is unreachable\n");
    const links = (more: object) => result(JSON.stringify([lo, device("eth0", undefined, more)]));
    expect(managementPath(noOvs, answer(noOvs, [links(at()), none]))).toEqual(["eth0"]);
    expect(() => managementPath(noOvs, answer(noOvs, [links({}), none]))).toThrow(/READ_FAILED/);
  });

  test("links that were not read whole are an error", () => {
    const torn = result("[]", 0, "Dump was interrupted and may be inconsistent.\n");
    expect(() => managementPath(noOvs, answer(noOvs, [torn, result(route("eth0"))]))).toThrow(/READ_FAILED/);
  });
});

describe("Open vSwitch", () => {
  /** As `ovsdb-client transact` prints rows: RFC 7047, 5.1. The first table is Open_vSwitch, which nobody reads here. */
  const database = (bridges: Record<string, [name: string, type: string, peer?: string][]>) => {
    const ports = Object.values(bridges).flat();
    const uuid = (name: string) => ["uuid", name];
    return result(
      JSON.stringify([
        { rows: [] },
        {
          rows: Object.entries(bridges).map(([name, list]) => ({
            name,
            ports: list.length === 1 ? uuid(`p-${list[0]?.[0]}`) : ["set", list.map(([port]) => uuid(`p-${port}`))],
          })),
        },
        { rows: ports.map(([name]) => ({ _uuid: uuid(`p-${name}`), name, interfaces: uuid(`i-${name}`) })) },
        {
          rows: ports.map(([name, type, peer]) => ({
            _uuid: uuid(`i-${name}`),
            name,
            type,
            options: ["map", peer ? [["peer", peer]] : []],
          })),
        },
      ]),
    );
  };
  const links = [
    device("ovs-system", "openvswitch"),
    device("br-ex", "openvswitch", at()),
    device("br-int", "openvswitch"),
    device("eth0", undefined, { master: "ovs-system" }),
    device("eth1", undefined, { master: "ovs-system" }),
    device("tap1", "tun", { master: "ovs-system" }),
  ];
  const look = (ovs: Result, dev = "br-ex") =>
    managementPath(ssh(), answer(ssh(), [result(JSON.stringify(links)), result(route(dev)), ovs]));

  test("the bridge's own NICs; not its patches, and not other bridges", () => {
    const ovs = database({
      "br-ex": [
        ["br-ex", "internal"],
        ["eth0", ""],
        ["phy-ex", "patch", "int-ex"],
      ],
      "br-int": [
        ["br-int", "internal"],
        ["int-ex", "patch", "phy-ex"],
        ["tap1", ""],
        ["eth1", "system"],
      ],
    });
    expect(look(ovs)).toEqual(["br-ex", "eth0"]);
  });

  test("through a patch where the bridge has no NIC of its own", () => {
    const ovs = database({
      "br-ex": [
        ["br-ex", "internal"],
        ["a", "patch", "b"],
        ["tap1", ""],
      ],
      "br-int": [
        ["br-int", "internal"],
        ["b", "patch", "a"],
        ["eth1", ""],
      ],
    });
    expect(look(ovs)).toEqual(["br-ex", "br-int", "eth1"]);
  });

  test("an address on a NIC that is a port: its bridge as well", () => {
    expect(
      look(
        database({
          "br-int": [
            ["br-int", "internal"],
            ["eth1", ""],
          ],
        }),
        "eth1",
      ),
    ).toEqual(["eth1", "br-int", "br-ex"]);
  });

  test("bridges that are patched in a circle end", () => {
    const ovs = database({
      "br-ex": [
        ["br-ex", "internal"],
        ["a", "patch", "b"],
      ],
      "br-int": [["b", "patch", "a"]],
    });
    expect(look(ovs)).toEqual(["br-ex", "br-int"]);
  });

  test("a database that does not answer: every port may be on the way", () => {
    expect(look(result("", 1, "ovsdb-client: failed to connect")).sort()).toEqual(
      ["br-ex", "br-int", "eth0", "eth1", "ovs-system", "tap1"].sort(),
    );
    const bare = links.map((link) => (link.ifname === "br-ex" ? device("br-ex", "openvswitch") : link));
    const apart = managementPath(
      ssh(),
      answer(ssh(), [
        result(JSON.stringify([...bare, device("eth2", undefined, at())])),
        result(route("eth2")),
        result("", 1),
      ]),
    );
    expect(apart).toEqual(["eth2"]);
  });
});

test("refuseIfCut", () => {
  expect(() => refuseIfCut(["br0", "eth0"], ["eth1", "br1"])).not.toThrow();
  expect(() => refuseIfCut([], ["eth0"])).not.toThrow();
  expect(() => refuseIfCut(["br0", "eth0"], ["eth0", "eth0", "x"])).toThrow(
    /touches eth0, which our SSH connection needs \(it goes by br0, eth0\) \[MANAGEMENT_PATH\]/,
  );
});

const root = process.getuid?.() === 0;
if (!root) console.warn("SKIPPED: the last of test/host/management.test.ts makes network namespaces and needs root");
(root ? test : test.skip)("what the real ip prints is understood", async () => {
  const scratch = `hnm-${randomBytes(4).toString("hex")}`;
  const outside = `${scratch}-o`;
  const ip = (text: string) => execFileSync("ip", text.split(" "));
  try {
    for (const name of [scratch, outside]) ip(`netns add ${name}`);
    ip(`-n ${scratch} link add name br0 type bridge`);
    ip(`-n ${scratch} link add name v0 type veth peer name v1`);
    ip(`-n ${scratch} link add name up0 type veth peer name out0 netns ${outside}`);
    for (const port of ["v1", "up0"]) ip(`-n ${scratch} link set dev ${port} master br0`);
    ip(`-n ${scratch} address add 192.0.2.11/24 dev v0`);
    for (const name of ["v0", "v1", "up0", "br0"]) ip(`-n ${scratch} link set dev ${name} up`);
    const run = await inScratch(scratch);
    const answers = new Map<string, { section: Section; result: Result }>();
    for (const section of managementSections(noOvs)) answers.set(section.key, { section, result: await run(section) });
    expect(managementPath(noOvs, new Seen(answers)).sort()).toEqual(["br0", "up0", "v0", "v1"]);
  } finally {
    for (const name of [scratch, outside]) ip(`netns del ${name}`);
  }
});
