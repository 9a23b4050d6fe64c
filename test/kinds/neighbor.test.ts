import { neighbor } from "../../provider/kinds/neighbor";
import { answers, netns } from "./answers";
import { Bench } from "./steps";

const mac = "02:00:00:00:00:05";

const link = (ifname: string, more: object = {}) => ({
  ...{ ifindex: 1, ifname, flags: ["BROADCAST", "UP"], link_type: "ether", addr_info: [] },
  ...more,
});
const links = [
  link("e0"),
  link("quiet", { flags: ["NOARP", "UP"] }),
  link("lo", { flags: ["LOOPBACK", "UP"], link_type: "loopback" }),
  link("tun0", { flags: ["POINTOPOINT", "NOARP", "UP"], link_type: "none" }),
];
const host = (lasting: object[] = [], proxies: object[] = [], ipv6 = 0) => ({
  links,
  ipv6: `/proc/sys/net/ipv6/conf/e0/disable_ipv6:${ipv6}\n`,
  "neighbours:lasting": lasting,
  "neighbours:proxy": proxies,
});

// `ip -j neighbour show` of iproute2 6.1: a flag is null.
const five = { dst: "10.0.0.5", dev: "e0", lladdr: mac, state: ["PERMANENT"] };
const router = { dst: "fd00::5", dev: "e0", lladdr: mac, router: null, state: ["PERMANENT"] };
const proxy = { dst: "10.0.0.5", dev: "e0", proxy: null };
const ofZebra = { ...five, state: ["NOARP"], extern_learn: null, protocol: "zebra" };

describe("a permanent neighbour", () => {
  const bench = new Bench(neighbor, { device: "e0", address: "10.0.0.5", mac });
  const words = `ip neighbour replace 10.0.0.5 dev e0 lladdr ${mac} nud permanent protocol static`;

  test.each<[string, object[], object, string[]]>([
    ["is made, and what was learned gives way", [], {}, [words]],
    ["is there", [five], {}, []],
    ["is there, whoever has set it", [{ ...five, protocol: "boot" }], {}, []],
    ["of another device is another", [{ ...five, dev: "quiet" }], {}, [words]],
    ["is another than a group that the kernel sends to", [{ ...five, state: ["NOARP"] }], {}, [words]],
    ["has another MAC address", [{ ...five, lladdr: "02:00:00:00:00:06" }], {}, [words]],
    ["takes the place of a control plane's", [ofZebra], {}, [words]],
    ["in another spelling of its address", [router], { address: "FD00:0::5", router: true }, []],
    [
      "is a router no more",
      [router],
      { address: "fd00::5" },
      [`ip neighbour replace fd00::5 dev e0 lladdr ${mac} nud permanent protocol static`],
    ],
    [
      "is a router",
      [{ ...router, router: undefined }],
      { address: "fd00::5", router: true },
      [`ip neighbour replace fd00::5 dev e0 lladdr ${mac} nud permanent router protocol static`],
    ],
    // Of IPv4 the kernel keeps the word, and it says nothing.
    ["of IPv4 has no routers", [{ ...five, router: null }], {}, []],
  ])("%s", (_, lasting, more, steps) => expect(bench.steps(host(lasting), { ...more })).toEqual(steps));

  test("is taken away, and not what a control plane has set since", () => {
    expect(bench.removal(host([five]))).toEqual(["ip neighbour del 10.0.0.5 dev e0"]);
    expect(bench.removal(host([ofZebra]))).toEqual([]);
  });

  test("that a control plane has set counts as somebody else's", () => {
    expect(bench.look(host([ofZebra]))).toMatchObject({ args: { mac: undefined }, facts: { protocol: "zebra" } });
    expect(bench.look(host([{ ...five, state: ["NOARP"] }]))).toBeUndefined();
  });

  test("of the host's own namespace is compared with the one by which we are reached", () => {
    expect(bench.plan(host()).map((step) => step.neighbors)).toEqual([[{ address: "10.0.0.5", device: "e0", mac }]]);
    const inside = bench.plan({ "links@blue": links, netns: netns("blue") }, { namespace: "blue" });
    expect(inside.map((step) => step.neighbors)).toEqual([undefined]);
  });

  test("on a device that does no ARP is what makes it reach somebody", () =>
    expect(bench.steps(host(), { device: "quiet" })).toEqual([words.replace("e0", "quiet")]));

  test.each<[string, object, RegExp, number]>([
    ["a device that is not there", { device: "gone" }, /there is no device gone on the host/, 0],
    ["lo", { device: "lo" }, /lo has no neighbours with MAC addresses/, 0],
    ["a tunnel of layer 3", { device: "tun0" }, /tun0 has no neighbours with MAC addresses/, 0],
    ["IPv6 where that is off", { address: "fd00::5" }, /e0 has no IPv6/, 1],
  ])("refuses %s", (_, more, text, ipv6) => expect(() => bench.steps(host([], [], ipv6), { ...more })).toThrow(text));
});

describe("a proxy entry", () => {
  const bench = new Bench(neighbor, { device: "e0", address: "10.0.0.5", proxy: true });

  test("stands beside a permanent one of its address", () => {
    const words = ["ip neighbour replace proxy 10.0.0.5 dev e0 protocol static"];
    expect(bench.steps(host([five]))).toEqual(words);
    expect(bench.steps(host([], [{ ...proxy, dev: undefined }]))).toEqual(words);
    expect(bench.steps(host([], [proxy]))).toEqual([]);
    expect(bench.removal(host([five], [proxy]))).toEqual(["ip neighbour del proxy 10.0.0.5 dev e0"]);
  });

  test("says of IPv6 that it is a router", () => {
    const six = { ...proxy, dst: "fd00::5" };
    expect(bench.steps(host([], [six]), { address: "fd00::5", router: true })).toEqual([
      "ip neighbour replace proxy fd00::5 dev e0 router protocol static",
    ]);
    expect(bench.steps(host([], [{ ...six, router: null }]), { address: "fd00::5", router: true })).toEqual([]);
  });

  test("is refused where nobody would be answered", () =>
    expect(() => bench.steps(host(), { device: "quiet" })).toThrow(/quiet answers no ARP/));
});

test("all that somebody has set is listed, and nothing that made itself", () => {
  const group = { dst: "ff02::16", dev: "e0", lladdr: "33:33:00:00:00:16", state: ["NOARP"] };
  const lasting = [five, router, ofZebra, group, { ...five, dst: "10.0.0.7", lladdr: "ff:ff:ff:ff:ff:ff" }];
  const onTunnel = { dst: "0.0.0.0", dev: "tun0", lladdr: "08", state: ["PERMANENT"] };
  const sections = [...neighbor.observe({ device: "e0", address: "10.0.0.5" } as never)];
  const seen = answers(sections, host([...lasting, onTunnel], [{ ...proxy, dst: "fd00::9" }]));
  expect(neighbor.list?.(seen)).toEqual([
    { device: "e0", address: "10.0.0.5", mac },
    { device: "e0", address: "fd00::5", mac },
    { device: "e0", address: "fd00::9", proxy: true },
  ]);
});

test("what a routing daemon has set is told as its own", () => {
  const found = (protocol?: string) => ({ args: {}, facts: { protocol }, marks: [] });
  const makers = [undefined, "static", "boot", "zebra"].map((protocol) => neighbor.maker?.(found(protocol)));
  expect(makers).toEqual([undefined, undefined, undefined, "zebra"]);
});

test("two resources of one entry claim the same; a proxy entry is another", () => {
  const claims = (more: object) =>
    neighbor.claims(new Bench(neighbor, { device: "e0", address: "fd00::5" }).want({ ...more }));
  expect(claims({ mac })).toEqual(claims({ mac: "02:00:00:00:00:06", address: "FD00::5" }));
  expect(claims({ mac })).not.toEqual(claims({ proxy: true }));
});
