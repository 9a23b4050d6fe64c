import { bond } from "../../provider/kinds/bond";
import { netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(bond, { name: "b0", mac: "02:00:00:00:00:06" });
const recorded = { ...links.bond, flags: ["MASTER", "UP"], ifalias: mark };
const data = links.bond.linkinfo.info_data;
const live = (more: object = {}) => ({ ...recorded, linkinfo: { info_kind: "bond", info_data: { ...data, ...more } } });
const member = (ifname: string, more: object = {}) => ({ ...links.nic, ifname, flags: ["UP"], ...more });
const args = { mode: "active-backup" };

test("is done when it is there", () => {
  const asks = { arpInterval: 100, arpIpTargets: ["10.0.0.1", "10.0.0.2"], nsIp6Targets: ["FD00::1"], primary: "e1" };
  const usual = {
    arpValidate: "none",
    useCarrier: true,
    numPeerNotifications: 1,
    failOverMac: "none",
    allMembersActive: false,
  };
  expect(bench.steps({ links: [live()] }, { ...args, ...asks, ...usual })).toEqual([]);
  expect(bench.look({ links: [live()] }, { mode: "802.3ad" })?.broken).toBe("its mode is active-backup");
});

test("what is declared no more goes back to the kernel's default; there is no word for no primary", () => {
  const before = { ...args, primary: "e1", arpIpTargets: ["10.0.0.1"], arpInterval: 100 };
  expect(bench.steps({ links: [live()] }, args, [before])).toEqual([
    "ip link set dev b0 type bond arp_interval 0 arp_ip_target ''",
    "tee /sys/class/net/b0/bonding/primary",
  ]);
  const lacp = live({ mode: "802.3ad", miimon: 50 });
  expect(bench.steps({ links: [lacp] }, { mode: "802.3ad" }, [{ mode: "802.3ad", miimon: 50 }])).toEqual([
    "ip link set dev b0 type bond miimon 100",
  ]);
});

test("is made with all that was said of it; members come in a second round", () => {
  const all = { mode: "802.3ad", miimon: 100, lacpRate: "fast", xmitHashPolicy: "layer3+4", members: ["eth1"] };
  expect(bench.steps({ links: [] }, all)).toEqual([
    "ip link add name b0 address 02:00:00:00:00:06 type bond mode 802.3ad miimon 100 xmit_hash_policy layer3+4 lacp_rate fast",
    `ip link set dev b0 alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev b0 up",
  ]);
});

test("a member joins while it is down; one that is declared no more leaves, and is up again", () => {
  const devices = { links: [live(), member("e1"), member("e2", { flags: [] }), member("e3", { master: "b0" })] };
  expect(bench.steps(devices, { ...args, members: ["e1", "e2"] }, [{ ...args, members: ["e3"] }])).toEqual([
    "ip link set dev e3 nomaster",
    "ip link set dev e3 up",
    "ip link set dev e1 down",
    "ip link set dev e1 master b0",
    "ip link set dev e2 master b0",
  ]);
  const joined = { links: [live(), member("e1", { master: "b0" }), member("e9", { master: "b0" })] };
  expect(bench.steps(joined, { ...args, members: ["e1"] })).toEqual([]);
  expect(bench.removal(joined, { ...args, members: ["e1"] })).toEqual(["ip link del dev b0", "ip link set dev e1 up"]);
});

test("with `failOverMac: active` it has its active member's MAC address, and none of its own", () => {
  const active = { ...args, failOverMac: "active", mac: undefined };
  const there = { links: [{ ...live({ fail_over_mac: "active" }), address: "52:54:00:00:00:02" }] };
  expect(bench.steps(there, active)).toEqual([]);
  expect(bench.steps({ links: [] }, active)[0]).toBe(
    "ip link add name b0 type bond mode active-backup fail_over_mac active",
  );
  expect(bench.refusals({ ...args, failOverMac: "active" }).join()).toMatch(
    /^mac: must not be given with `failOverMac/,
  );
  expect(bench.refusals({ ...active, mac: "kernel" })).toEqual([]);
  expect(bench.refusals({ ...args, failOverMac: "follow" })).toEqual([]);
});

test("somebody else's port is not taken; a device that is not there is said", () => {
  const taken = { links: [live(), member("e1", { master: "br9" })] };
  expect(() => bench.steps(taken, { ...args, members: ["e1"] })).toThrow(/e1 is a port of br9 already/);
  expect(() => bench.steps(taken, { ...args, members: ["e2"] })).toThrow(/there is no device e2 on the host/);
});

test("the delays go before the monitoring that they hang on", () => {
  const before = { ...args, miimon: 100, updelay: 200 };
  const one = { links: [live({ miimon: 100, updelay: 200 })] };
  expect(bench.steps(one, args, [before])).toEqual(["ip link set dev b0 type bond updelay 0"]);
  const two = { links: [live({ miimon: 100 })] };
  expect(bench.steps(two, args, [before])).toEqual(["ip link set dev b0 type bond miimon 0"]);
});

test("delays of 0 need not be said where it is made: without `miimon` the kernel refuses them", () => {
  const made = bench.steps({ links: [] }, { updelay: 0, downdelay: 0, peerNotifyDelay: 0 })[0];
  expect(made).toBe("ip link add name b0 address 02:00:00:00:00:06 type bond mode balance-rr");
});

test("the delays need `miimon` where the kernel does not have one by itself", () => {
  expect(bench.refusals({ mode: "802.3ad", updelay: 200 })).toEqual([]);
  expect(bench.refusals({ mode: "balance-alb", updelay: 250 }).join()).toMatch(
    /^updelay: .*multiple of `miimon` \(100\)/,
  );
  expect(bench.refusals({ mode: "balance-rr", updelay: 200 }).join()).toMatch(/^updelay: needs `miimon`/);
});

test("goes down for what the kernel takes only then, and is up again", () => {
  const lacp = { links: [live({ mode: "802.3ad", ad_lacp_rate: "slow" })] };
  expect(bench.steps(lacp, { mode: "802.3ad", lacpRate: "fast" })).toEqual([
    "ip link set dev b0 down",
    "ip link set dev b0 type bond lacp_rate fast",
    "ip link set dev b0 up",
  ]);
});

describe("what is lost when it goes down, whosever it is, is given back", () => {
  const six = (local: string, more: object = {}) => ({
    family: "inet6",
    local,
    prefixlen: 64,
    scope: "global",
    ...more,
  });
  const down = (link: object) => ({ ...links.nic, flags: [], ...link });
  const vlan = (flags: string[] = []) => ({ linkinfo: { info_kind: "vlan", info_data: { id: 5, flags } } });
  const lacp = { ...live({ mode: "802.3ad", ad_lacp_rate: "slow" }), ifindex: 7 };
  const parent = {
    ...lacp,
    addr_info: [six("fd00::2"), six("fd00::1", { noprefixroute: true }), six("fd01::1", { dynamic: true })],
  };
  const host = {
    netns: netns("blue"),
    links: [
      parent,
      down({ ifname: "b0.5", link: "b0", flags: ["UP"], ...vlan(), addr_info: [six("fd05::1")] }),
      down({ ifname: "b0.6", link: "b0", ...vlan() }),
      down({ ifname: "b0.7", link: "b0", flags: ["UP"], ...vlan(["LOOSE_BINDING"]), addr_info: [six("fd07::1")] }),
    ],
    "links@blue": [
      down({ ifname: "b8", link_index: 7, link_netnsid: 0, flags: ["UP"], ...vlan(), addr_info: [six("fd08::1")] }),
    ],
    netnsids: [{ nsid: 1, name: "blue" }],
    "netnsids@blue": [{ nsid: 0 }],
    routes4: [
      {
        dst: "10.9.0.0/16",
        gateway: "10.1.0.9",
        dev: "b0",
        protocol: "4",
        scope: "0",
        metric: 7,
        metrics: [{ mtu: 1400 }],
      },
      { dst: "10.1.0.0/24", dev: "b0", protocol: "2", scope: "253" },
      { dst: "10.8.0.0/16", dev: "eth0", protocol: "3", scope: "253" },
    ],
    routes6: [
      { dst: "default", gateway: "fe80::1", dev: "b0", protocol: "9", metric: 1024 },
      {
        dst: "fd09::/32",
        metric: 1024,
        protocol: "3",
        nexthops: [
          { gateway: "fd00::8", dev: "b0", weight: 1 },
          { gateway: "fd00::9", dev: "b0", weight: 2 },
        ],
      },
    ],
    "routes4@blue": [{ dst: "default", gateway: "10.6.0.9", dev: "b8", protocol: "3", scope: "0" }],
    "routes6@blue": [],
    "neighbours:lasting": [
      { dst: "10.1.0.9", dev: "b0", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] },
      { dst: "10.1.0.8", dev: "b0", lladdr: "02:00:00:00:00:08", extern_learn: null, state: ["NOARP"] },
      { dst: "10.8.0.9", dev: "eth0", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] },
    ],
    "neighbours:proxy": [{ dst: "fd00::7", dev: "b0", router: null, proxy: null }],
    "neighbours:lasting@blue": [{ dst: "fd08::9", dev: "b8", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] }],
  };

  const planned = (more: object, answer: Record<string, unknown> = host) =>
    bench.inquired(answer, { mode: "802.3ad", ...more }).steps;

  test("with that of the VLANs that go with it", () => {
    expect(planned({ lacpRate: "fast" })).toEqual([
      "ip link set dev b0 down",
      "ip link set dev b0 type bond lacp_rate fast",
      "ip link set dev b0 up",
      "ip link set dev b0.6 down",
      "ip address replace fd00::1/64 scope global dev b0 nodad noprefixroute",
      "ip address replace fd00::2/64 scope global dev b0 nodad",
      "ip address replace fd05::1/64 scope global dev b0.5 nodad",
      "ip netns exec blue ip address replace fd08::1/64 scope global dev b8 nodad",
      "ip route replace unicast 10.9.0.0/16 table main metric 7 proto static scope global mtu 1400 via 10.1.0.9 dev b0",
      "ip route replace unicast fd09::/32 table main metric 1024 proto boot nexthop via fd00::8 dev b0 weight 1 nexthop via fd00::9 dev b0 weight 2",
      "ip netns exec blue ip route replace unicast default table main metric 0 proto boot scope global via 10.6.0.9 dev b8",
      "ip neighbour replace 10.1.0.9 dev b0 lladdr 02:00:00:00:00:09 nud permanent protocol static",
      "ip neighbour replace proxy fd00::7 dev b0 router protocol static",
      "ip netns exec blue ip neighbour replace fd08::9 dev b8 lladdr 02:00:00:00:00:09 nud permanent protocol static",
    ]);
  });

  test("on a host without namespaces", () => {
    const steps = planned({ lacpRate: "fast" }, { ...host, netns: [] });
    expect(steps.slice(0, 3)).toEqual([
      expect.stringMatching(/down$/),
      expect.any(String),
      expect.stringMatching(/up$/),
    ]);
    expect(steps.join()).not.toMatch(/blue/);
  });

  test("but for what is to be down", () => {
    expect(planned({ lacpRate: "fast", up: false }).join("; ")).not.toMatch(/replace| up(;|$)/);
    expect(planned({ lacpRate: "slow" })).toEqual([]);
  });
});

test("claims each member's place as a port", () => {
  expect(bond.claims(bench.want({ members: ["e1", "e2"] }))).toEqual([
    "device b0",
    "bridge of device e1",
    "bridge of device e2",
  ]);
});
