import { kinds } from "../../provider/kinds";
import { sysctl } from "../../provider/kinds/sysctl";
import { answers, netns } from "./answers";
import { Bench } from "./steps";

const bench = new Bench(sysctl, { key: "net.ipv4.tcp_rmem", value: "4096  131072\t6291456" });
const seen = (value: string) => ({ "sysctl:net.ipv4.tcp_rmem": `${value}\n` });
const memory = { value: "1 2 3" };

test("reads the file, also of a device whose name has a dot", () => {
  const path = (key: string) => sysctl.observe(bench.want({ key }))[0]?.argv.at(-1);
  expect(path("net.ipv4.ip_forward")).toBe("/proc/sys/net/ipv4/ip_forward");
  expect(path("net/ipv4/conf/eth0.5/forwarding")).toBe("/proc/sys/net/ipv4/conf/eth0.5/forwarding");
  expect(path("net.ipv4.conf.eth0/5.forwarding")).toBe("/proc/sys/net/ipv4/conf/eth0.5/forwarding");
});

test("writes what differs; white space does not", () => {
  expect(bench.steps(seen("4096\t131072\t6291456"))).toEqual([]);
  expect(bench.steps(seen("1\t2\t3"))).toEqual(["sysctl -qw 'net.ipv4.tcp_rmem=4096 131072 6291456'"]);
  expect(bench.steps(seen("1"), { value: true })).toEqual([]);
});

test("gives back the old value, if it still has ours", () => {
  expect(bench.memory(seen("1\t2\t3"))).toEqual(memory);
  expect(bench.removal(seen("4096\t131072\t6291456"), {}, memory)).toEqual(["sysctl -qw 'net.ipv4.tcp_rmem=1 2 3'"]);
  expect(bench.removal(seen("7"), {}, memory)).toEqual([]);
  expect(bench.removal(seen("4096\t131072\t6291456"), {}, undefined)).toEqual([]);
});

test("says when there is no such parameter; absent with its namespace", () => {
  const want = bench.want({ namespace: "blue" });
  expect(() => sysctl.converge(want, undefined, { mark: "", owner: "", was: [] })).toThrow(
    /there is no \/proc\/sys\/net\/ipv4\/tcp_rmem in namespace blue/,
  );
  expect(sysctl.find(want, answers(sysctl.observe(want), { netns: netns("red") }))).toBeUndefined();
});

test("a parameter is declared by one resource: a Sysctl, its Namespace, or the link of which it is", () => {
  const claims = (spec: typeof kinds.Sysctl, args: object) => spec?.claims(spec.args.parse(args));
  const forward = "sysctl /proc/sys/net/ipv4/ip_forward in namespace blue";
  expect(claims(kinds.Sysctl, { namespace: "blue", key: "net.ipv4.ip_forward", value: 1 })).toEqual([forward]);
  expect(claims(kinds.Namespace, { name: "blue", sysctls: { "net.ipv4.ip_forward": 1 } })).toContain(forward);
  const ipv6 = "sysctl /proc/sys/net/ipv6/conf/br0/disable_ipv6";
  expect(claims(kinds.Sysctl, { key: "net.ipv6.conf.br0.disable_ipv6", value: 1 })).toEqual([ipv6]);
  expect(claims(kinds.LinuxBridge, { name: "br0", ipv6: true })).toContain(ipv6);
  expect(claims(kinds.LinuxBridge, { name: "br0" })).not.toContain(ipv6);
});
