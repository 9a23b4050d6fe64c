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
