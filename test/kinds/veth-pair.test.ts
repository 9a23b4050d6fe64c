import { vethPair } from "../../provider/kinds/veth-pair";
import { netns } from "./answers";
import { Bench, mark } from "./steps";

const a = { name: "eth0", namespace: "blue", mac: "02:00:00:00:00:0a" };
const b = { name: "blue-br", mac: "02:00:00:00:00:0b" };
const bench = new Bench(vethPair, { a, b });

// As iproute2 6.1 prints the two ends on Linux 6.1.
const common = { flags: ["UP"], mtu: 1500, operstate: "UP", txqlen: 1000, link_type: "ether", ifalias: mark };
const veth = { linkinfo: { info_kind: "veth" }, addr_info: [] };
const inside = { ...common, ...veth, ifindex: 2, link_index: 7, ifname: "eth0", address: a.mac, link_netnsid: 0 };
const outside = { ...common, ...veth, ifindex: 7, link_index: 2, ifname: "blue-br", address: b.mac, link_netnsid: 1 };
const seen = (insides: object[], outsides: object[]) => ({
  netns: netns("blue"),
  "links@blue": insides,
  links: outsides,
  ipv6: "/proc/sys/net/ipv6/conf/blue-br/disable_ipv6:1\n",
});

test("both ends are made where they belong, by a command in the namespace of its first", () => {
  expect(bench.steps(seen([], []), { a: { ...a, addresses: ["10.0.1.1/24"] }, b: { ...b, bridge: "br0" } })).toEqual([
    "ip link add name blue-br address 02:00:00:00:00:0b type veth peer name eth0 address 02:00:00:00:00:0a netns blue",
    `ip netns exec blue ip link set dev eth0 alias ${mark}`,
    "ip netns exec blue ip link set dev eth0 up",
    "ip netns exec blue ip address add 10.0.1.1/24 dev eth0",
    `ip link set dev blue-br alias ${mark}`,
    "udevadm settle --timeout=10",
    "sysctl -eqw net/ipv6/conf/blue-br/disable_ipv6=1",
    "ip link set dev blue-br master br0",
    "ip link set dev blue-br up",
  ]);
});

test("is done when it is there", () => {
  expect(bench.steps(seen([inside], [outside]))).toEqual([]);
  expect(bench.look(seen([inside], [outside]))).toMatchObject({ marks: [mark, mark], broken: undefined });
});

test("each end is brought about by itself", () => {
  const was = [{ b: { ...b, bridge: "br0", mtu: 1400 } }];
  expect(bench.steps(seen([inside], [{ ...outside, master: "br0", mtu: 1400 }]), {}, was)).toEqual([
    "ip link set dev blue-br mtu 1500",
    "sysctl -qw net/ipv6/conf/blue-br/disable_ipv6=0",
    "ip link set dev blue-br nomaster",
  ]);
});

test("an end with another MAC address is given back its permanent neighbours", () => {
  const entry = { dst: "10.0.0.9", dev: "eth0", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] };
  const live = { ...seen([inside], [outside]), "neighbours:lasting@blue": [entry] };
  expect(bench.inquired(live, { a: { ...a, mac: "02:00:00:00:00:0c" } })).toEqual({
    steps: [
      "ip netns exec blue ip link set dev eth0 address 02:00:00:00:00:0c",
      "ip netns exec blue ip neighbour replace 10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 nud permanent protocol static",
    ],
    asked: 1,
  });
  expect(bench.inquired(live)).toEqual({ steps: [], asked: 0 });
  expect(bench.inquired({ ...live, links: [] }).asked).toBe(0);
});

test("waits for the check of an address of either end", () => {
  const info = { family: "inet6", local: "fd00::9", prefixlen: 64, scope: "global", tentative: true };
  const checked = { ...inside, addr_info: [info] };
  expect(bench.look(seen([checked], [outside]))?.pending).toBe("duplicate address detection");
  expect(bench.look(seen([inside], [outside]))?.pending).toBeUndefined();
});

test("half a pair is taken away and made anew", () => {
  expect(bench.look(seen([], [outside]))?.broken).toBe("only end b is there");
  expect(bench.steps(seen([], [outside])).slice(0, 2)).toEqual([
    "ip link del dev blue-br",
    expect.stringMatching(/^ip link add name blue-br .* peer name eth0 /),
  ]);
});

test("two devices that are not each other's peers are no pair", () => {
  expect(bench.look(seen([{ ...inside, link_index: 9 }], [outside]))?.broken).toBe(
    "the ends are not each other's peers",
  );
});

test("a device of another kind is not touched", () => {
  const bridge = { ...outside, linkinfo: { info_kind: "bridge" } };
  expect(() => bench.steps(seen([inside], [bridge]))).toThrow(/is bridge, not veth.*\n *next: Choose another name/);
});

test("one end takes the other with it; gone with its namespace is gone", () => {
  // The one in the host's own namespace, so that those of many pairs can be deleted as a group.
  expect(bench.removal(seen([inside], [outside]))).toEqual(["ip link del dev blue-br"]);
  expect(bench.removal(seen([inside], []))).toEqual(["ip netns exec blue ip link del dev eth0"]);
  expect(bench.removal(seen([], [outside]))).toEqual(["ip link del dev blue-br"]);
  expect(bench.look({ netns: netns("red"), links: [], ipv6: "" })).toBeUndefined();
});

test("claims both names, addresses and places in bridges", () => {
  const want = bench.want({ a: { ...a, addresses: [] }, b: { ...b, bridge: "br0" } });
  expect(vethPair.claims(want)).toEqual([
    "device eth0 in namespace blue",
    "addresses of device eth0 in namespace blue",
    "device blue-br",
    "bridge of device blue-br",
  ]);
});

test("the MAC address of a bond's member is the bond's: declared or not, it is not written, and is no drift", () => {
  const member = {
    ...{ ...outside, master: "bond0", address: "02:00:00:00:00:99" },
    linkinfo: { info_kind: "veth", info_slave_kind: "bond", info_slave_data: { perm_hwaddr: b.mac } },
  };
  const seenMember = seen([inside], [member]);
  expect(bench.steps(seenMember, { b: { ...b, txQueueLength: 500 } })).toEqual([
    "ip link set dev blue-br txqueuelen 500",
  ]);
  expect(bench.steps(seenMember, { b: { name: b.name } })).toEqual([]);
  expect(bench.look(seenMember)).toMatchObject({
    args: { b: { mac: b.mac } },
    facts: { b: { mac: "02:00:00:00:00:99" } },
  });
});

describe("IPv6 that we had switched off", () => {
  const ipv6On = "sysctl -qw net/ipv6/conf/blue-br/disable_ipv6=0";
  const off = seen([inside], [outside]);

  test("is on again when the end leaves its bridge, or when `ipv6: false` is declared no more", () => {
    expect(bench.steps(off, {}, [{ b: { ...b, bridge: "br0" } }])).toEqual([ipv6On]);
    expect(bench.steps(off, {}, [{ b: { ...b, ipv6: false } }])).toEqual([ipv6On]);
    expect(bench.steps(off, { b: { ...b, bridge: "br0" } }, [{ b: { ...b, ipv6: false } }])).toEqual([
      "ip link set dev blue-br master br0",
    ]);
  });

  test("is on before an IPv6 address comes", () => {
    const wanted = { b: { ...b, addresses: [{ address: "fd00:77::1/64" }] } };
    const steps = [ipv6On, "ip address add fd00:77::1/64 dev blue-br nodad"];
    expect(bench.steps(off, wanted)).toEqual(steps);
    expect(bench.steps(off, wanted, [{ b: { ...b, bridge: "br0" } }])).toEqual(steps);
    const byDefault = { ...seen([], []), ipv6: "/proc/sys/net/ipv6/conf/default/disable_ipv6:1\n" };
    expect(bench.steps(byDefault, wanted).filter((step) => /ipv6|fd00/.test(step))).toEqual(steps);
  });

  test("stays off where that is the host's default, and where there is none", () => {
    const was = [{ b: { ...b, bridge: "br0" } }];
    const hostOff = { ...off, ipv6: `${off.ipv6}/proc/sys/net/ipv6/conf/default/disable_ipv6:1\n` };
    expect(bench.steps(hostOff, {}, was)).toEqual([]);
    expect(bench.steps({ ...off, ipv6: "" }, {}, was)).toEqual([]);
  });
});
