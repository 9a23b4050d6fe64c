import { bridgePort } from "../../provider/kinds/bridge-port";
import { bridgeVlans, links } from "./recorded/links";
import { Bench } from "./steps";

const bench = new Bench(bridgePort, { device: "kd", bridge: "kb" });
const off = "/proc/sys/net/ipv6/conf/kd/disable_ipv6:1\n";
const { info_slave_kind: _k, info_slave_data: _d, ...dummy } = links.port.linkinfo;
const { master: _m, ...alone } = { ...links.port, linkinfo: dummy };
const free = {
  links: [links.bridge, alone],
  portvlans: [],
  ipv6: "/proc/sys/net/ipv6/conf/kd/disable_ipv6:0\n",
};
const joined = { links: [links.bridge, links.port], portvlans: bridgeVlans, ipv6: off };

test("joins, without IPv6, then gets its options and VLANs", () => {
  const vlans = [{ id: 10, pvid: true, untagged: true }, { id: "20-22" }];
  expect(bench.steps(free, { hairpin: true, flood: false, cost: 7, priority: 32, vlans })).toEqual([
    "sysctl -qw net/ipv6/conf/kd/disable_ipv6=1",
    "ip link set dev kd master kb",
    "ip link set dev kd type bridge_slave cost 7 hairpin on flood off",
    "bridge vlan add vid 10 dev kd pvid untagged",
    "bridge vlan add vid 20-22 dev kd",
    "bridge vlan del vid 1 dev kd",
  ]);
});

test("is done when it is there", () => {
  expect(bench.steps(joined)).toEqual([]);
  expect(
    bench.steps(joined, {
      isolated: true,
      mcastRouter: 1,
      vlans: [{ id: 1, pvid: true, untagged: true }, { id: "20-21" }],
    }),
  ).toEqual([]);
  expect(bench.look(joined)?.facts).toEqual({ master: "kb", state: "disabled", vlans: ["1 pvid untagged", "20-21"] });
});

test("a VLAN of other flags is named again, and nothing else", () => {
  const vlans = [{ id: 1 }, { id: 20, pvid: true }, { id: 21 }];
  expect(bench.steps(joined, { vlans })).toEqual([
    "bridge vlan add vid 1 dev kd",
    "bridge vlan add vid 20 dev kd pvid",
  ]);
});

test("what is declared no more goes back to what a new port has", () => {
  expect(bench.steps(joined, {}, [{ isolated: true, vlans: [{ id: 20 }], backupPort: "x" }])).toEqual([
    "ip link set dev kd type bridge_slave isolated off",
    "bridge vlan del vid 20-21 dev kd",
  ]);
});

test("keeps IPv6 where there are addresses", () => {
  const addressed = { ...alone, addr_info: [{ family: "inet", local: "10.0.0.1", prefixlen: 24, scope: "global" }] };
  expect(bench.steps({ ...free, links: [links.bridge, addressed] })).toEqual(["ip link set dev kd master kb"]);
});

test("touches the device, and so may be refused for the sake of our own connection", () => {
  const want = bench.want({ vlans: [] });
  const steps = bridgePort.converge(want, bench.look(free) as never, { mark: "", owner: "", was: [] });
  expect(steps.filter(({ argv }) => argv[0] !== "sysctl").every(({ touches }) => touches?.[0] === "kd")).toBe(true);
});

test("somebody else's port is foreign; a device that is not there is said", () => {
  expect(bench.look({ ...joined, links: [{ ...links.port, master: "br9" }] })?.marks).toEqual(["a port of br9"]);
  expect(() => bench.steps({ links: [], portvlans: [] })).toThrow(/there is no device kd on the host/);
});

describe("given back", () => {
  test("to nobody, with IPv6", () => {
    expect(bench.removal(joined, {}, bench.memory(free))).toEqual([
      "ip link set dev kd nomaster",
      "sysctl -qw net/ipv6/conf/kd/disable_ipv6=0",
    ]);
    expect(bench.removal(free, {}, bench.memory(free))).toEqual([]);
  });

  test("to the bridge that it was in, with its options there", () => {
    const there = { ...joined, links: [{ ...links.port, master: "br9" }] };
    const both = { ...joined, links: [...joined.links, { ...links.bridge, ifname: "br9" }] };
    expect(bench.removal(both, {}, bench.memory(there))).toEqual([
      "ip link set dev kd master br9",
      "ip link set dev kd type bridge_slave cost 100 isolated on",
    ]);
  });

  test("to nobody, where the bridge that it was in is gone", () => {
    const there = { ...joined, links: [{ ...links.port, master: "br9" }] };
    expect(bench.removal(joined, {}, bench.memory(there))).toEqual(["ip link set dev kd nomaster"]);
  });

  test("not when somebody has taken it since", () => {
    const taken = { ...joined, links: [{ ...links.port, master: "br9" }] };
    expect(bench.removal(taken, {}, bench.memory(free))).toEqual([]);
  });
});
