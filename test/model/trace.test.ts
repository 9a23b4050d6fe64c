import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Seen } from "../../provider/host/seen";
import type { Result, Section } from "../../provider/model/command";
import type { Probe } from "../../provider/model/probe";
import type { Question } from "../../provider/model/question";
import { endOf } from "../../provider/model/trace";

type Counts = Record<string, [rx: number, tx: number]>;
type Answers = Record<string, unknown>;
interface Case {
  probe: Probe;
  hosts: string[];
  /** What differs from the host as it is when all is well, and what was asked beside the looks. */
  answers: Record<string, Answers>;
  /** For each time that packets were sent: what was counted then, by namespace and device, or bridge and port number. */
  counted: { [host: string]: Counts }[];
}

/**
 * What two hosts of the lab said (Debian 12, Linux 6.1, iproute2 6.1, OVS 3.1, nftables 1.0.6), without columns that
 * nobody reads; their counters as what was counted between two looks.
 */
const recorded: { hosts: Record<string, Answers>; cases: Record<string, Case> } = JSON.parse(
  readFileSync(join(__dirname, "trace.recorded"), "utf8"),
);

/** Gives the inquiry the recorded answers, until it says where the packets end. */
function replay({ probe, hosts, answers: own, counted }: Case): string | undefined {
  const refs = hosts.map((name) => ({ name, machineId: name })) as unknown as Question["host"][];
  const inquiry = endOf(probe, refs);
  let sent = 0;
  let turn = inquiry.next();
  while (!turn.done) {
    const questions = turn.value;
    if (questions[0]?.sections.some(({ key }) => /^(burst|broadcast)/.test(key))) sent++;
    turn = inquiry.next(questions.map(({ host, sections }) => answer(host.name, sections)));
  }
  return turn.value;

  function answer(host: string, sections: Section[]): Seen {
    const counts = sent === 0 ? {} : (counted[sent - 1]?.[host] ?? {});
    const result = ({ key }: Section) => {
      const value = own[host]?.[key] ?? recorded.hosts[host]?.[key];
      const [, namespace = ""] = key.split("@");
      if (key.startsWith("counters")) return printed(withCounts(value, namespace, counts));
      if (key === "ports") return printed(ports(value as string[], counts));
      if (value === undefined && !/^(burst|broadcast)/.test(key)) throw new Error(`nobody recorded ${host}: ${key}`);
      return printed(value);
    };
    return new Seen(new Map(sections.map((section) => [section.key, { section, result: result(section) }])));
  }
}

function printed(value: unknown): Result {
  const { stderr } = (value ?? {}) as { stderr?: string };
  if (stderr !== undefined) return { exitCode: 2, stdout: "", stderr };
  const stdout = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  return { exitCode: 0, stdout, stderr: "" };
}

const withCounts = (links: unknown, namespace: string, counts: Counts) =>
  (links as { ifname: string }[]).map((link) => {
    const [rx, tx] = counts[`${namespace}/${link.ifname}`] ?? [0, 0];
    return { ...link, stats64: { rx: { packets: rx }, tx: { packets: tx } } };
  });

const ports = (names: string[], counts: Counts) =>
  names
    .map((name) => {
      const [bridge, port] = name.split(" ");
      const [rx, tx] = counts[name] ?? [0, 0];
      return `bridge ${bridge}\n  port  ${port}: rx pkts=${rx}, bytes=0\n           tx pkts=${tx}, bytes=0\n`;
    })
    .join("");

test.each<[string, string]>([
  [
    "down",
    "ARP for 10.66.1.2 is last seen at port patch-tun of br-int on n2, not at port p1 of br-int on n2: it is down",
  ],
  [
    "tag",
    "ARP for 10.66.2.2 is last seen at port patch-tun of br-int on n2, not at port p2 of br-int on n2: its tag is 99, and they are in VLAN 12",
  ],
  [
    "key",
    "ARP for 10.66.3.2 is last seen at port gre-key of br-key on n1, not at port gre-key of br-key on n2: they come with key 200, and it takes key 7",
  ],
  [
    "firewall",
    'they arrive at e4 in namespace cc on n2, and the answer is not sent by e4 in namespace cc on n2: the rule `iifname "e4" icmp type echo-request drop` in chain input of the nftables table inet cc in namespace cc on n2 drops them',
  ],
  [
    "route",
    "they arrive at f1 in namespace far on n2, and the answer has no way: there is no route to 10.66.5.1 in namespace far on n2 (Network is unreachable)",
  ],
  ["router", "there is no route to 10.79.0.1 in namespace cc on n2 (Network is unreachable)"],
  [
    "mtu",
    "they are last seen at port patch-tun of br-int on n2, not at port p6 of br-int on n2: they have 1400 bytes, and its MTU is 1300",
  ],
  [
    "flow",
    "ARP for 10.66.2.2 is last seen at port patch-int of br-tun on n1, not at port gre of br-tun on n1: the flow `table 0: in_port=2,dl_vlan=12, priority 9, cookie 0x7` of br-tun ends in `drop`",
  ],
  [
    "back",
    "ARP for 10.66.3.2 arrives at e3 in namespace cc on n2, and the answer is last seen at port gre-key of br-key on n2, not at port gre-key of br-key on n1: they come with key 9, and it takes key 200",
  ],
  [
    "patch",
    "nothing leads to 10.66.2.2 on n1 and n2; they are last seen at port p2 of br-int on n1; port patch-int of br-tun on n1 does not work: No usable peer 'patch-tun' exists in 'system' datapath.",
  ],
  [
    "alone",
    "they leave by port gre of br-tun on n1 to 10.198.0.2; no device on n1 has the address 10.66.1.2: name the machine that is there in `hosts`",
  ],
  [
    "lbnft",
    "ARP for 10.60.0.2 is last seen at bx on n1, not at by on n1: the rule `counter drop` in chain g of the nftables table bridge bx on n1 drops them",
  ],
  [
    "lbvlan",
    "ARP for 10.60.0.2 is last seen at bx on n1, not at by on n1: it carries the VLANs 3, and they are in VLAN 1",
  ],
  ["peerdown", "ARP for 10.60.0.2 is last seen at bx on n1, not at by on n1: e in namespace y on n1 is down"],
  ["gretap", "ARP for 10.58.0.2 is last seen at gk on n1, not at gk on n2: they come with key 5, and it takes key 6"],
  ["underlay", "they are last seen at port gre of br-tun on n1, not at port gre of br-tun on n2: eth1 on n2 is down"],
])("%s", (name, end) => expect(replay(recorded.cases[name] as Case)).toBe(end));

const link = (ifname: string, local: string, more: object = {}) => ({
  ...{ ifindex: 9, ifname, flags: ["UP"], mtu: 1476, link_type: "ether", addr_info: [{ local }], ...more },
});
const place = (name: string, links: object[]) => ({
  [`counters@${name}`]: links.map((one, index) => ({ ...one, ifindex: index + 2 })),
  ...{ [`netnsids@${name}`]: [], [`neighbours@${name}`]: [], [`bridge vlans@${name}`]: [], [`ruleset@${name}`]: "" },
  [`sysctl net.ipv4.ip_forward@${name}`]: "1\n",
});
const bare = {
  ...{ counters: [], netnsids: [], neighbours: [], "bridge vlans": [], ruleset: "", ovsdb: "", ports: [] },
  "ovs-vswitchd": "",
};

// Two routers joined by a GRE tunnel of layer 3, as `ip -d` shows it (Linux 6.1), and routes that name the device alone.
test("a route by a device without neighbours leads to its other end", () => {
  const gre = (local: string, remote: string, key: string) => {
    const info = { info_kind: "gre", info_data: { local, remote, ikey: key, okey: key } };
    return link("gre7", "10.255.0.1", { flags: ["POINTOPOINT", "NOARP", "UP"], link_type: "gre", linkinfo: info });
  };
  const answers = {
    ...bare,
    netns: [{ name: "left" }, { name: "right" }],
    ...place("left", [link("w0", "192.168.9.1"), gre("192.168.9.1", "192.168.9.2", "0.0.0.7")]),
    ...place("right", [
      link("w0", "192.168.9.2"),
      gre("192.168.9.2", "192.168.9.1", "0.0.0.8"),
      link("lan", "10.2.0.1"),
    ]),
    "route get 10.2.0.1 @left": [{ dst: "10.2.0.1", dev: "gre7", prefsrc: "10.1.0.1" }],
    "route get 10.2.0.1 from 10.1.0.1 iif gre7@right": [{ type: "local", dst: "10.2.0.1", dev: "lo" }],
  };
  const end = replay({
    probe: { namespace: "left", to: "10.2.0.1", protocol: "icmp", count: 3, expect: "reachable", timeout: 1 },
    hosts: ["n1"],
    answers: { n1: answers },
    counted: [{ n1: { "left/gre7": [0, 50], "left/w0": [0, 50], "right/w0": [50, 0] } }],
  });
  expect(end).toBe(
    "they are last seen at gre7 in namespace left on n1, not at gre7 in namespace right on n1: they come with key 7, and it takes key 8",
  );
});

test("a route by a dummy leads nowhere", () => {
  const dummy = link("d3", "10.68.0.1", { linkinfo: { info_kind: "dummy" }, flags: ["BROADCAST", "NOARP", "UP"] });
  const end = replay({
    probe: { namespace: "left", to: "10.68.0.9", protocol: "icmp", count: 3, expect: "reachable", timeout: 1 },
    hosts: ["n1"],
    answers: {
      n1: {
        ...bare,
        netns: [{ name: "left" }],
        ...place("left", [dummy]),
        "route get 10.68.0.9 @left": [{ dst: "10.68.0.9", dev: "d3", prefsrc: "10.68.0.1" }],
      },
    },
    counted: [{ n1: { "left/d3": [0, 50] } }],
  });
  expect(end).toBe(
    "no device on n1 has the address 10.68.0.9; they are last seen at d3 in namespace left on n1, a dummy: it drops them",
  );
});
