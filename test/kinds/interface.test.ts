import { nic } from "../../provider/kinds/interface";
import { features, links, nicPaths, rings } from "./recorded/links";
import { Bench } from "./steps";

const bench = new Bench(nic, { name: "eth1" });
const answer = (more: object = {}, device = "eth1") => ({
  links: [{ ...links.nic, ...more }],
  ipv6: "/proc/sys/net/ipv6/conf/eth1/disable_ipv6:0\n",
  [`features:${device}`]: features,
  [`rings:${device}`]: rings,
});
const fresh = answer();
const before = bench.memory(fresh);

test("sets up what is declared and leaves the rest, alias and MAC too", () => {
  expect(bench.steps(fresh)).toEqual(["ip link set dev eth1 up"]);
  expect(
    bench.steps(fresh, {
      mtu: 9000,
      promisc: true,
      allMulticast: true,
      ringSize: { rx: 128 },
      offloads: { gro: false },
    }),
  ).toEqual([
    "ethtool -G eth1 rx 128",
    "ip link set dev eth1 mtu 9000",
    "ip link set dev eth1 up",
    "ethtool -K eth1 gro off",
    "ip link set dev eth1 promisc on",
    "ip link set dev eth1 allmulticast on",
  ]);
});

test("gives back the permanent neighbours, whosever they are, that another MAC address or ARP costs it", () => {
  const entry = { dst: "10.0.0.9", dev: "eth1", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] };
  const live = { ...answer({ flags: ["UP"] }), "neighbours:lasting": [entry] };
  const back = "ip neighbour replace 10.0.0.9 dev eth1 lladdr 02:00:00:00:00:09 nud permanent protocol static";
  expect(bench.inquired(live, { arp: false })).toEqual({ steps: ["ip link set dev eth1 arp off", back], asked: 1 });
  expect(bench.inquired(live, { mac: "02:00:00:00:00:01" }).steps.at(-1)).toBe(back);
  expect(bench.inquired(live)).toEqual({ steps: [], asked: 0 });
});

test("tells what is there", () => {
  expect(bench.look(fresh)).toMatchObject({
    args: { mtu: 1500, up: false, promisc: false, ringSize: { rx: 256, tx: 256 }, offloads: { gro: true, sg: false } },
    facts: { name: "eth1", mac: "52:54:00:00:00:03" },
    marks: [],
  });
});

const changed = answer({ mtu: 9000, flags: ["BROADCAST", "UP", "PROMISC"] });
const declared = { mtu: 9000, promisc: true };

test("what is declared no more goes back to what it was", () => {
  expect(bench.steps(changed, {}, [declared], before)).toEqual([
    "ip link set dev eth1 mtu 1500",
    "ip link set dev eth1 promisc off",
  ]);
});

test("is given back as it was", () => {
  expect(bench.removal(changed, declared, before)).toEqual([
    "ip link set dev eth1 mtu 1500",
    "ip link set dev eth1 down",
    "ip link set dev eth1 promisc off",
  ]);
  expect(bench.removal(fresh, declared, before)).toEqual([]);
});

test("gives back, with its own MAC address or ARP, the neighbours that these cost it", () => {
  const entry = { dst: "10.0.0.9", dev: "eth1", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] };
  const with_ = (more: object) => ({ ...answer({ flags: ["UP"], ...more }), "neighbours:lasting": [entry] });
  const back = "ip neighbour replace 10.0.0.9 dev eth1 lladdr 02:00:00:00:00:09 nud permanent protocol static";
  const memory = { ...(before as object), up: true, arp: true };
  const mac = "02:00:00:00:00:01";
  expect(bench.removal(with_({ address: mac }), { mac }, memory)).toEqual([
    "ip link set dev eth1 address 52:54:00:00:00:03",
    back,
  ]);
  expect(bench.removal(with_({ flags: ["UP", "NOARP"] }), { arp: false }, memory)).toEqual([
    "ip link set dev eth1 arp on",
    back,
  ]);
  // Somebody has changed it since, and it costs nothing.
  expect(bench.removal(with_({}), { mac }, memory)).toEqual([]);
});

test("gives back a transmit queue of length 0, which `ip` does not print", () => {
  const memory = bench.memory(answer({ txqlen: undefined }));
  expect(bench.removal(answer({ txqlen: 700 }), { txQueueLength: 700 }, memory)).toEqual([
    "ip link set dev eth1 txqueuelen 0",
  ]);
});

test("what somebody has changed since is left", () => {
  const others = answer({ mtu: 1400, flags: ["BROADCAST", "UP", "PROMISC"] });
  expect(bench.removal(others, { mtu: 9000 }, before)).toEqual(["ip link set dev eth1 down"]);
});

test("gives back bridge and IPv6, and takes its own addresses away", () => {
  const address = { family: "inet", local: "10.0.0.1", prefixlen: 24, scope: "global" };
  const live = {
    ...answer({ master: "br0", flags: ["UP"], addr_info: [address] }),
    ipv6: "/proc/sys/net/ipv6/conf/eth1/disable_ipv6:1\n",
  };
  expect(bench.removal(live, { bridge: "br0", up: true }, before)).toEqual([
    "sysctl -qw net/ipv6/conf/eth1/disable_ipv6=0",
    "ip link set dev eth1 nomaster",
    "ip link set dev eth1 down",
  ]);
  expect(bench.removal(answer({ addr_info: [address] }), { addresses: ["10.0.0.1/24"] }, before)).toEqual([
    "ip address del 10.0.0.1/24 dev eth1",
  ]);
});

describe("an address that was there before", () => {
  const info = (local: string) => ({ family: "inet", local, prefixlen: 24, scope: "global", label: "eth1" });
  const [own, foreign] = [info("10.0.0.1"), info("10.9.0.1")];
  const had = answer({ flags: ["UP"], addr_info: [own, foreign] });
  const exact = { addresses: ["10.0.0.1/24"], addressesExact: true };
  const alone = answer({ flags: ["UP"], addr_info: [own] });
  const back = "ip address add 10.9.0.1/24 dev eth1";

  test("stays when it was declared too, and comes back when an exact list had taken it away", () => {
    const memory = bench.memory(had, exact);
    expect(bench.steps(had, exact, [], memory)).toEqual(["ip address del 10.9.0.1/24 dev eth1"]);
    expect(bench.removal(alone, exact, memory)).toEqual([back]);
    expect(bench.steps(alone, { addresses: ["10.0.0.1/24"] }, [exact], memory)).toEqual([back]);
    expect(bench.steps(alone, {}, [{ addresses: ["10.0.0.1/24"] }], memory)).toEqual([]);
    // Somebody has taken it away since: that is not ours to undo.
    expect(bench.removal(alone, { addresses: ["10.0.0.1/24"] }, memory)).toEqual([]);
  });

  test("is the resource's own where that has taken it over", () => {
    const memory = bench.memory(had, exact, true);
    expect(bench.removal(alone, exact, memory)).toEqual([
      "ip address add 10.9.0.1/32 dev eth1",
      "ip address del 10.0.0.1/24 dev eth1",
      back,
      "ip address del 10.9.0.1/32 dev eth1",
    ]);
  });
});

test("goes back to the bridge that it was in, or to none where that is gone", () => {
  const memory = bench.memory(answer({ master: "br9" }));
  const live = answer({ master: "br0", flags: ["UP"] });
  const both = { ...live, links: [...live.links, { ...links.bridge, ifname: "br9" }] };
  const want = { bridge: "br0", ipv6: true };
  const kept = { ipv6: true };
  expect(bench.steps(both, kept, [want], memory)).toEqual(["ip link set dev eth1 master br9"]);
  expect(bench.steps(live, kept, [want], memory)).toEqual(["ip link set dev eth1 nomaster"]);
  expect(bench.removal(both, want, memory)).toEqual(["ip link set dev eth1 master br9", "ip link set dev eth1 down"]);
  expect(bench.removal(live, want, memory)).toEqual(["ip link set dev eth1 nomaster", "ip link set dev eth1 down"]);
});

describe("an IPv6 address that was there before", () => {
  const info = { family: "inet6", local: "fd01::1", prefixlen: 64, scope: "global" };
  const up = { flags: ["UP"] };
  const memory = bench.memory(answer({ ...up, addr_info: [info] }));
  const path = "/proc/sys/net/ipv6/conf/eth1/disable_ipv6";
  const on = "sysctl -qw net/ipv6/conf/eth1/disable_ipv6=0";
  const back = "ip address add fd01::1/64 dev eth1 nodad";

  test.each([
    ["down", { up: false }, answer(), ["ip link set dev eth1 up", back]],
    ["without IPv6", { ipv6: false }, { ...answer(up), ipv6: `${path}:1\n` }, [on, back]],
    [
      "a port",
      { bridge: "br0" },
      { ...answer({ ...up, master: "br0" }), ipv6: `${path}:1\n` },
      [on, "ip link set dev eth1 nomaster", back],
    ],
    [
      "below the least MTU of IPv6",
      { mtu: 1000 },
      { ...answer({ ...up, mtu: 1000 }), ipv6: "" },
      ["ip link set dev eth1 mtu 1500", on, back],
    ],
  ])("comes back when the card is no longer %s", (_what, args, live, steps) => {
    expect(bench.removal(live, args, memory)).toEqual(steps);
    expect(bench.steps(live, {}, [args], memory)).toEqual(steps);
    expect(bench.steps(live, args, [args], memory)).toEqual([]);
  });

  test.each([
    [{ up: false }, "ip link set dev eth1 down"],
    [{ ipv6: false }, "sysctl -eqw net/ipv6/conf/eth1/disable_ipv6=1"],
    [{ mtu: 1000 }, "ip link set dev eth1 mtu 1000"],
  ])("goes with IPv6 by %j, also when it was declared before", (args, step) => {
    const was = { addresses: ["fd01::1/64"] };
    expect(bench.steps(answer({ ...up, addr_info: [info] }), args, [was], memory)).toEqual([step]);
  });

  test("stays away where somebody else has taken it away, or IPv6", () => {
    expect(bench.removal(answer(up), { promisc: true }, memory)).toEqual([]);
    const others = { ...answer(), ipv6: `${path}:1\n` };
    expect(bench.removal(others, { up: false }, memory)).toEqual(["ip link set dev eth1 up"]);
    const small = { ...answer({ mtu: 1200 }), ipv6: "" };
    expect(bench.removal(small, { up: false }, memory)).toEqual(["ip link set dev eth1 up"]);
  });
});

describe("chosen by what it is", () => {
  const other = { ...links.nic, ifname: "eth0", ifindex: 2, address: "52:54:00:00:00:01" };
  const seen = (...devices: object[]) => ({ ...answer({}, "*"), links: devices, nicpaths: nicPaths });
  const vlan = { ...links.nic, ifname: "eth1.5", linkinfo: { info_kind: "vlan" } };

  test("by the MAC address that it was made with, hardware only", () => {
    const selector = { mac: "52:54:00:00:00:03" };
    const found = bench.look(seen(other, vlan, links.nic), { name: "uplink", selector });
    expect(found?.facts).toMatchObject({ name: "eth1" });
    expect(found?.args).toMatchObject({ ringSize: { rx: 256 }, offloads: { gro: true } });
    const moved = { ...links.nic, address: "02:00:00:00:00:09", permaddr: "52:54:00:00:00:03" };
    expect(bench.look(seen(other, moved), { selector })?.facts).toMatchObject({ name: "eth1" });
    expect(bench.steps(seen(other, links.nic), { name: "uplink", selector })).toEqual(["ip link set dev eth1 up"]);
  });

  test("by its PCI path", () => {
    const found = bench.look(seen(other, links.nic), { selector: { pciPath: "0000:00:03.0" } });
    expect(found?.facts).toMatchObject({ name: "eth1" });
  });

  test("not there, or there twice", () => {
    const selector = { mac: "52:54:00:00:00:99" };
    expect(() => bench.steps(seen(other), { selector })).toThrow(/no device with MAC address 52:54:00:00:00:99/);
    const twin = { ...links.nic, ifname: "eth9" };
    expect(() => bench.look(seen(links.nic, twin), { selector: { mac: "52:54:00:00:00:03" } })).toThrow(
      /2 devices are there with MAC address 52:54:00:00:00:03: eth1, eth9/,
    );
  });
});

test("a device that a resource of ours has made is that resource's", () => {
  expect(bench.look(answer({ ifalias: "hostnet:a1b2:d4" }))?.marks).toEqual(["hostnet:a1b2:d4"]);
  expect(bench.look(answer({ ifalias: "uplink to rack 7" }))?.marks).toEqual([]);
});
