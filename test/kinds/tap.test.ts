import { tap } from "../../provider/kinds/tap";
import { netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(tap, { name: "t0", mac: "02:00:00:00:00:03" });
const off = "/proc/sys/net/ipv6/conf/t0/disable_ipv6:1\n";
const accounts = { "passwd:nobody": "nobody:x:65534:65534::/:/bin/false\n", "group:7": "lp:x:7:\n" };
const recorded = {
  ...links.tap,
  flags: ["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"],
  address: "02:00:00:00:00:03",
  ifalias: mark,
};
const seen = (more: object = {}) => ({ links: [{ ...recorded, ...more }], ipv6: off, ...accounts });
const owned = { owner: "nobody", group: 7, multiQueue: true, vnetHeader: true, packetInformation: true };

describe("duplicate address detection", () => {
  const info = { family: "inet6", local: "fd00::9", prefixlen: 64, scope: "global", tentative: true };
  const on = (more: object, link: object = {}) => seen({ ...link, addr_info: [{ ...info, ...more }] });

  test("is waited for while the link is there, whosever the address is, until it has failed", () => {
    expect(bench.look(on({}, { operstate: "UP" }))?.pending).toBe("duplicate address detection");
    expect(bench.look(on({}, { operstate: "DOWN" }))?.pending).toBeUndefined();
    expect(bench.look(on({}, { operstate: "UNKNOWN", flags: [] }))?.pending).toBeUndefined();
    expect(bench.look(on({ dadfailed: true }, { operstate: "UP" }))?.pending).toBeUndefined();
  });

  test("of a declared address must not have failed", () => {
    const live = { ...on({ dadfailed: true }, { operstate: "UP" }), ipv6: "" };
    const want = { addresses: [{ address: "fd00::9/64", nodad: false }] };
    expect(() => bench.steps(live, want)).toThrow(/another machine on t0's link has fd00::9\/64/);
    expect(() => bench.steps(live, { addresses: [] })).not.toThrow();
  });
});

test("is made by tuntap, then gets what every link has; IPv6 is off before it is up", () => {
  expect(bench.steps({ links: [] }, { ...owned, mtu: 1400, bridge: "br0" })).toEqual([
    "ip tuntap add name t0 mode tap user nobody group 7 multi_queue vnet_hdr pi",
    `ip link set dev t0 alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev t0 address 02:00:00:00:00:03",
    "ip link set dev t0 mtu 1400",
    "sysctl -eqw net/ipv6/conf/t0/disable_ipv6=1",
    "ip link set dev t0 master br0",
    "ip link set dev t0 up",
  ]);
});

describe("permanent neighbours, whosever they are, are given back", () => {
  const entry = { dst: "10.0.0.9", dev: "t0", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] };
  const tables = {
    "neighbours:lasting": [entry, { ...entry, dev: "t1" }],
    // These stay.
    "neighbours:proxy": [{ dst: "10.0.0.7", dev: "t0", proxy: null }],
  };
  const back = "ip neighbour replace 10.0.0.9 dev t0 lladdr 02:00:00:00:00:09 nud permanent protocol static";

  test.each<[string, Record<string, unknown>, string[]]>([
    ["its MAC address", { mac: "02:00:00:00:00:04" }, ["ip link set dev t0 address 02:00:00:00:00:04", back]],
    [
      "ARP, before an MTU without IPv6",
      { arp: false, mtu: 1000 },
      ["ip link set dev t0 arp off", back, "ip link set dev t0 mtu 1000"],
    ],
  ])("after a change of %s", (_, more, steps) =>
    expect(bench.inquired({ ...seen(), ...tables }, more)).toEqual({ steps, asked: 1 }),
  );

  test("and not asked for otherwise", () =>
    expect(bench.inquired({ ...seen(), ...tables }, { mtu: 1400 })).toEqual({
      steps: ["ip link set dev t0 mtu 1400"],
      asked: 0,
    }));
});

test("below the least MTU of IPv6 there is none to switch off, or on for IPv4 addresses", () => {
  expect(bench.steps({ links: [] }, { mtu: 1000 })).toEqual([
    "ip tuntap add name t0 mode tap",
    `ip link set dev t0 alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev t0 address 02:00:00:00:00:03",
    "ip link set dev t0 mtu 1000",
    "ip link set dev t0 up",
  ]);
  const small = { ...seen({ mtu: 1000 }), ipv6: "" };
  expect(bench.steps(small, { addresses: ["10.0.0.1/24"] })).toEqual(["ip address add 10.0.0.1/24 dev t0"]);
  expect(bench.steps(small, { ipv6: true })).toEqual(["sysctl -qw net/ipv6/conf/t0/disable_ipv6=0"]);
});

test("an MTU below the least one of IPv6 has taken the IPv6 addresses away", () => {
  const addr_info = [{ family: "inet6", local: "fd00::1", prefixlen: 64, scope: "global" }];
  const live = { ...seen({ addr_info }), ipv6: "/proc/sys/net/ipv6/conf/t0/disable_ipv6:0\n" };
  expect(bench.steps(live, { mtu: 1000, addresses: [] }, [{ addresses: ["fd00::1/64"] }])).toEqual([
    "ip link set dev t0 mtu 1000",
  ]);
});

test("a TUN in a namespace has no MAC, and its IPv6 is nobody's business", () => {
  expect(bench.steps({ netns: netns("blue") }, { mac: undefined, mode: "tun", namespace: "blue" })).toEqual([
    "ip netns exec blue ip tuntap add name t0 mode tun",
    `ip netns exec blue ip link set dev t0 alias ${mark}`,
    "ip netns exec blue ip link set dev t0 up",
  ]);
});

test("is done when it is there, whether an account is declared by name or by number", () => {
  expect(bench.steps(seen(), owned)).toEqual([]);
  const asNumber = { ...seen(), "passwd:65534": accounts["passwd:nobody"] };
  expect(bench.steps(asNumber, { ...owned, owner: 65534 })).toEqual([]);
});

test("what a program said when it opened the device is no drift", () => {
  expect(bench.steps(seen(), { vnetHeader: false, packetInformation: false })).toEqual([]);
});

test("`ip` does not print a queue of length 0", () => {
  const { txqlen: _t, ...without } = recorded;
  const empty = { ...seen(), links: [without] };
  expect(bench.steps(empty, { txQueueLength: 0 })).toEqual([]);
  expect(bench.look(empty)?.args).toMatchObject({ txQueueLength: 0 });
  expect(bench.steps({ links: [] }, { txQueueLength: 0 })).toContain("ip link set dev t0 txqueuelen 0");
  expect(bench.refusals({ txQueueLength: 2 ** 31 }).join()).toMatch(/^txQueueLength: .*0 to 2147483647/);
});

describe("an offload that is declared no more", () => {
  // As `ethtool -k` 6.1 prints them of a TAP that nobody has opened.
  const tx = (value: string) =>
    `tx-checksumming: off\n\ttx-checksum-ipv4: off [fixed]\n\ttx-checksum-ip-generic: ${value}\n`;
  const features = (first: string) => ({
    ...seen(),
    "features:t0": `Features for t0:\nrx-checksumming: off [fixed]\n${first}generic-receive-offload: off\nlarge-receive-offload: off [fixed]\n`,
  });
  const was = [{ offloads: { rx: false, tx: false, lro: false } }];

  test("goes back as far as the device can: not what it cannot switch, or has been asked for already", () => {
    expect(bench.steps(features(tx("off [requested on]")), {}, was)).toEqual([]);
    expect(bench.steps(features(tx("off [requested on]")), {}, [...was, { offloads: { gro: false } }])).toEqual([
      expect.stringMatching(/^sh -c .* t0 gro on$/),
    ]);
    expect(bench.look(features(tx("off")), was[0])?.args).toMatchObject({ offloads: { rx: false, tx: false } });
  });

  test("is asked for, though it may have to wait for another one", () => {
    expect(bench.steps(features(tx("off")), {}, was)).toEqual([
      `sh -c 'ethtool -K "$0" "$@" || ethtool -k "$0" | grep -q requested' t0 tx on`,
    ]);
  });

  test("what is declared has to be so", () => {
    expect(bench.steps(features(tx("off [requested on]")), { offloads: { tx: true } })).toEqual([
      "ethtool -K t0 tx on",
    ]);
  });
});

test("made for another owner, in another mode or without queues, it is made anew", () => {
  const other = { ...seen(), "passwd:daemon": "daemon:x:1:1::/:/bin/false\n" };
  expect(bench.look(other, { owner: "daemon" })).toMatchObject({
    broken: "its owner is nobody",
    args: { owner: "nobody" },
  });
  expect(bench.steps(other, { owner: "daemon" }).slice(0, 2)).toEqual([
    "ip link del dev t0",
    "ip tuntap add name t0 mode tap user daemon",
  ]);
  expect(bench.look(seen(), { multiQueue: false })?.broken).toBe("its multiQueue is true");
  const { user: _u, ...open } = links.tap.linkinfo.info_data;
  const everybodys = seen({ linkinfo: { info_kind: "tun", info_data: open } });
  expect(bench.look(everybodys, { owner: "nobody" })?.broken).toBe("its owner is null");
  expect(bench.look(seen(), { mac: undefined, mode: "tun" })?.broken).toBe("its mode is tap");
});

test("a TUN is no port: it claims that place for itself", () => {
  const port = "bridge of device t0";
  expect(tap.claims(bench.want())).not.toContain(port);
  expect(tap.claims(bench.want({ mac: undefined, mode: "tun" }))).toContain(port);
});
