import { remoteCommand } from "../../bench/contenders/remote-commands";
import { linksOf, wavesOf, workload } from "../../bench/workloads";

test("both workloads deploy a hundred links", () => {
  const [one, four] = [workload("links100", false), workload("links4x25", false)];
  expect(one.hosts * one.links.length).toBe(100);
  expect(four.hosts * four.links.length).toBe(100);
  expect(workload("links100", true).links).toHaveLength(20);
});

test("every pair has a bridge of its own, made in the wave before", () => {
  const [bridges = [], pairs = []] = wavesOf(linksOf(25));
  expect([bridges.length, pairs.length]).toEqual([13, 12]);
  const names = bridges.map(({ name }) => name);
  expect(pairs.every((link) => link.kind === "VethPair" && names.includes(link.far.bridge))).toBe(true);
  expect(wavesOf(linksOf(1))).toHaveLength(1);
});

test("a remote command is what one would type", () => {
  const [bridge, pair] = linksOf(2) as [ReturnType<typeof linksOf>[number], ReturnType<typeof linksOf>[number]];
  expect(remoteCommand(bridge, "up")).toBe("ip link add br0 up type bridge");
  expect(remoteCommand(pair, "up")).toBe(
    "ip link add v0a up type veth peer name v0b && ip link set v0b up master br0 && ip addr add 10.200.0.1/24 dev v0a",
  );
  expect(remoteCommand(pair, "destroy")).toBe("ip link del v0a");
  expect(remoteCommand(bridge, "refresh")).toBe("ip -j -d addr show dev br0");
});
