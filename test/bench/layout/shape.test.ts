import { footprintDifferences, shapeDifferences, shapeOf } from "../../../bench/layout/shape";

const device = (ifname: string, address: string, more = {}) => ({ ifname, address, mtu: 1458, flags: ["UP"], ...more });
const port = (name: string, ofport: number, ids: [string, string][] = []) => ({
  ...{
    name,
    ofport,
    type: "",
    options: ["map", []],
    external_ids: ["map", ids],
    mac: ["set", []],
    statistics: ["map", []],
  },
});
const bridge = { info_kind: "bridge", info_data: { vlan_filtering: 1, gc_timer: 0.5 } };
const rules = (first: string, second: string) => [
  ...["table bridge a {", '\tcomment "hostnet:x:y"', "\tset s {", "\t\ttype ipv4_addr", "\t}", "\tchain c {"],
  ...[`\t\t${first}`, `\t\t${second}`, "\t}", "}"],
];
const ours = {
  "root link": [device("qbr", "02:00:00:00:00:01", { linkinfo: bridge, ifalias: "hostnet:x:y" })],
  "blue addr": [
    {
      ifname: "eth0",
      addr_info: [
        { local: "10.0.0.10", prefixlen: 24 },
        { local: "fe80::1", prefixlen: 64 },
      ],
    },
  ],
  "root nft": rules("accept", "drop"),
  "ovs Interface": [port("patch-int", 1, [["hostnet-mark", "x"]]), port("gre-1", 2, [["iface-id", "i"]])],
  "ports br-tun": ["patch-int", "gre-1"],
  "flows br-tun": [
    " cookie=0x1, priority=1,in_port=1 actions=output:2",
    " cookie=0x2, table=20, hard_timeout=300, priority=1,dl_dst=02:00:00:00:00:09 actions=output:2",
  ],
  units: ["hostnet-dhcp.service"],
};
const shell = {
  "root link": [device("qbr", "9e:00:00:00:00:01", { linkinfo: bridge })],
  "blue addr": [
    {
      ifname: "eth0",
      addr_info: [
        { local: "10.0.0.10", prefixlen: 24 },
        { local: "fe80::2", prefixlen: 64 },
      ],
    },
  ],
  "root nft": rules("accept", "drop").filter((line) => !line.includes("comment")),
  "ovs Interface": [port("gre-1", 1, [["iface-id", "i"]]), port("patch-int", 2)],
  "ports br-tun": ["gre-1", "patch-int"],
  "flows br-tun": [" reset_counts priority=1,in_port=2 actions=output:1"],
  units: [],
};
const differences = (other: object) => shapeDifferences(shapeOf(ours), shapeOf({ ...shell, ...other }));

test("marks, cookies, numbers of ports, MAC addresses of nobody's choice and what packets have taught make no difference", () => {
  expect(differences({})).toEqual([]);
});

test.each<[string, object, string]>([
  ["a device that is down", { "root link": [device("qbr", "", { linkinfo: bridge, flags: [] })] }, '"up":false'],
  [
    "an option of a bridge",
    { "root link": [device("qbr", "", { linkinfo: { info_kind: "bridge" } })] },
    '"type":"bridge"',
  ],
  [
    "a guest's MAC address",
    { "root link": [device("qbr", "fa:16:3e:00:00:01", { linkinfo: bridge })] },
    "fa:16:3e:00:00:01",
  ],
  ["no IPv6", { "blue addr": [{ ifname: "eth0", addr_info: [{ local: "10.0.0.10", prefixlen: 24 }] }] }, "fe80::/64"],
  ["the order of rules", { "root nft": rules("drop", "accept") }, "drop; accept"],
  ["an id of a port", { "ovs Interface": [port("gre-1", 1), port("patch-int", 2)] }, "gre-1"],
  [
    "another flow",
    { "flows br-tun": [" priority=1,in_port=1 actions=output:2"] },
    "in_port=gre-1 actions=output:patch-int",
  ],
])("%s is told", (_what, other, message) => {
  expect(differences(other).join("\n")).toContain(message);
});

test("a host that is not as before says what is too much and what is missing", () => {
  expect(footprintDifferences(ours, ours)).toEqual([]);
  expect(footprintDifferences({ units: ["a", "b"], "z nft": [] }, { units: ["b", "c"] })).toEqual([
    '- units: "a"',
    '+ units: "c"',
  ]);
});
