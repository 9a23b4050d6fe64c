import { namespace } from "../../provider/kinds/namespace";
import { netns } from "./answers";
import { Bench, mark } from "./steps";

const bench = new Bench(namespace, { name: "blue" });
const lo = { ifindex: 1, ifname: "lo", flags: ["LOOPBACK", "UP"], mtu: 65536, operstate: "UNKNOWN", ifalias: mark };
const gre0 = { ...lo, ifname: "gre0", ifalias: undefined };
const seen = (...devices: object[]) => ({ netns: netns("blue", "red"), "links@blue": devices });
const sysctls = { "net.ipv4.ip_forward": true, "net/ipv4/conf/eth0.5/rp_filter": 2 };
const key = "sysctls:net.ipv4.ip_forward,net/ipv4/conf/eth0.5/rp_filter@blue";

test("is made and marked, with lo up and its sysctls", () => {
  expect(bench.look({ netns: netns("red") })).toBeUndefined();
  expect(bench.steps({ netns: netns("red") }, { sysctls })).toEqual([
    "ip netns add blue",
    `ip netns exec blue ip link set dev lo alias ${mark}`,
    "ip netns exec blue ip link set dev lo up",
    "ip netns exec blue sysctl -qw net.ipv4.ip_forward=1 net/ipv4/conf/eth0.5/rp_filter=2",
  ]);
});

test("is done when it is there; only what differs is written", () => {
  expect(bench.steps(seen(lo, gre0))).toEqual([]);
  const printed = "net.ipv4.ip_forward = 1\nnet.ipv4.conf.eth0/5.rp_filter = 0\n";
  expect(bench.steps({ ...seen(lo), [key]: printed }, { sysctls })).toEqual([
    "ip netns exec blue sysctl -qw net/ipv4/conf/eth0.5/rp_filter=2",
  ]);
  expect(bench.steps({ ...seen(lo), [key]: printed.replace("= 0", "= 2") }, { sysctls })).toEqual([]);
  expect(bench.steps(seen({ ...lo, flags: ["LOOPBACK"], ifalias: undefined }))).toEqual([
    `ip netns exec blue ip link set dev lo alias ${mark}`,
    "ip netns exec blue ip link set dev lo up",
  ]);
});

test("the devices that modules bring do not count", () => {
  expect(bench.look(seen(lo, gre0, { ...lo, ifname: "eth0" }))?.facts).toMatchObject({ devices: ["eth0"] });
});

test("is taken away, but not with devices of others in it", () => {
  expect(bench.removal(seen(lo, gre0, { ...lo, ifname: "eth0", ifalias: "hostnet:a1b2:d4" }))).toEqual([
    "ip netns del blue",
  ]);
  const foreign = seen(
    lo,
    { ...lo, ifname: "wg0", ifalias: undefined },
    { ...lo, ifname: "x", ifalias: "hostnet:ffff:1" },
  );
  expect(() => bench.removal(foreign)).toThrow(/blue holds devices that are not ours: wg0, x/);
});

test("is not taken away with processes in it, but for announcements of ours, which end by themselves", () => {
  const running = (...args: string[]) => ({
    ...seen(lo),
    "netns-inodes": "4026532246 -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n",
    processes: args.map((each, at) => `  ${70 + at} 1 4026532246 Wed Nov 25 11:00:39 2026 ${each}\n`).join(""),
  });
  const announcement = "arping -q -U -c 3 -w 2 -I qg-1 203.0.113.10";
  expect(bench.removal(running(announcement))).toEqual(["ip netns del blue"]);
  expect(() => bench.removal(running(announcement, "arping -I eth0 10.0.0.1"))).toThrow(
    "processes run in namespace blue: arping (pid 71)",
  );
});
