import { greTunnel } from "../../provider/kinds/gre-tunnel";
import { netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(greTunnel, { name: "g0", local: "10.0.0.1", remote: "10.0.0.2", mac: "02:00:00:00:00:01" });
const up = { ...links.gretap, flags: ["BROADCAST", "MULTICAST", "UP"], ifalias: mark };
const seen = (more: object = {}) => ({ links: [{ ...up, ...more }] });
const data = (more: object) => ({
  linkinfo: { info_kind: "gretap", info_data: { ...links.gretap.linkinfo.info_data, ...more } },
});
const mtu = (address: string, value: number) => ({ ...links.nic, mtu: value, addr_info: [{ local: address }] });

test("is made with all that was said of it", () => {
  expect(bench.steps({ links: [] }, { key: 5, ttl: 64, tos: 32, checksum: true, dontFragment: false })).toEqual([
    "ip link add name g0 address 02:00:00:00:00:01 type gretap local 10.0.0.1 remote 10.0.0.2 ikey 5 okey 5 csum ttl 64 tos 0x20 nopmtudisc",
    `ip link set dev g0 alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev g0 up",
  ]);
});

test("is of the type of its addresses and layer; at layer 3 it has no MAC", () => {
  const first = (args: object) => bench.steps({ links: [] }, { mac: undefined, ...args })[0];
  const six = { local: "FD00::1", remote: "fd00::2" };
  expect(first({ layer: 3 })).toBe("ip link add name g0 type gre local 10.0.0.1 remote 10.0.0.2");
  expect(first({ layer: 3, ...six })).toBe("ip link add name g0 type ip6gre local fd00::1 remote fd00::2");
  expect(first(six)).toMatch(/^ip link add name g0 address 02:\S+ type ip6gretap local fd00::1 remote fd00::2$/);
});

test("reads the key from the address that ip makes of it, and is done when it is there", () => {
  const found = bench.look(seen());
  expect(found?.args).toMatchObject({ key: 5, ttl: "inherit", tos: 0, dontFragment: true, checksum: false });
  expect(bench.steps(seen(), { key: 5 })).toEqual([]);
  expect(bench.steps(seen(data({ ikey: "255.255.255.255" })), { inKey: 4294967295, outKey: 5 })).toEqual([]);
});

test("changes in place only what differs", () => {
  expect(bench.steps(seen(), { remote: "10.0.0.9", outKey: 7, ttl: 9 })).toEqual([
    "ip link set dev g0 type gretap remote 10.0.0.9 okey 7 ttl 9",
  ]);
});

test("is made anew when it is bound to another device", () => {
  expect(bench.look(seen(data({ link: "d0" })), { key: 5, device: "d0" })?.broken).toBeUndefined();
  expect(bench.look(seen(data({ link: "d0" })), { key: 5, device: "d1" })?.broken).toBe("its device is d0");
});

test("what is declared no more goes back to the kernel's default", () => {
  expect(bench.steps(seen(), {}, [{ key: 5 }])).toEqual(["ip link set dev g0 type gretap noikey nookey"]);
  expect(bench.steps(seen(), { inKey: 5 }, [{ key: 5 }])).toEqual(["ip link set dev g0 type gretap nookey"]);
  // 9000 of the underlay, less outer IP, GRE, key and Ethernet.
  const jumbo = { links: [{ ...up, mtu: 1400 }, mtu("10.0.0.1", 9000)] };
  expect(bench.steps(jumbo, { key: 5 }, [{ key: 5, mtu: 1400 }])).toEqual(["ip link set dev g0 mtu 8958"]);
});

test("ends the ignoring of DF before it sets DF: the kernel refuses both in one command", () => {
  const ignoring = seen(data({ pmtudisc: undefined, ignore_df: true }));
  expect(bench.steps(ignoring, {}, [{ dontFragment: false, ignoreDf: true }])).toEqual([
    "ip link set dev g0 type gretap nopmtudisc noignore-df",
    "ip link set dev g0 type gretap pmtudisc noignore-df",
  ]);
});

test("names the encapsulation with every change: ip 6.1 swaps its ports' bytes otherwise", () => {
  const encap = { type: "fou", sport: 0, dport: 5555, csum: false, csum6: false, remcsum: false };
  const words = "encap fou encap-sport auto encap-dport 5555 noencap-csum noencap-remcsum";
  const live = seen(data({ encap }));
  expect(bench.steps(live, { encapsulation: { type: "fou", port: 5555 } })).toEqual([]);
  expect(bench.steps(live, { encapsulation: { type: "fou", port: 5555 }, ttl: 9 })).toEqual([
    // Netlink does not load it, and says "Invalid argument".
    "modprobe fou",
    `ip link set dev g0 type gretap ttl 9 ${words}`,
  ]);
  expect(bench.steps(live, { ttl: 9 })).toEqual([`ip link set dev g0 type gretap ttl 9 ${words}`]);
  expect(bench.steps(live, {}, [{ encapsulation: { type: "fou", port: 5555 } }])).toEqual([
    "ip link set dev g0 type gretap encap none",
  ]);
});

describe("with the host's underlay", () => {
  const args = { namespace: "blue", underlay: "host" };
  const none = { netns: netns("blue"), links: [], "links@blue": [] };
  const born = "hn-38e8246bc0";

  test("is born there under another name, marked, and moved", () => {
    expect(bench.steps(none, args)).toEqual([
      `ip link add name ${born} address 02:00:00:00:00:01 type gretap local 10.0.0.1 remote 10.0.0.2`,
      `ip link set dev ${born} alias ${mark}`,
      `ip link set dev ${born} netns blue name g0`,
      `ip netns exec blue ip link set dev g0 alias ${mark}`,
      "ip netns exec blue ip link set dev g0 up",
    ]);
  });

  test("what an interrupted birth has left is made anew, and taken away", () => {
    const left = { ...none, links: [{ ...links.gretap, ifname: born }] };
    expect(bench.steps(left, args)[0]).toBe(`ip link del dev ${born}`);
    expect(bench.removal(left, args)).toEqual([`ip link del dev ${born}`]);
  });

  test("is made anew when its underlay is its own namespace", () => {
    expect(bench.steps({ ...none, "links@blue": [{ ...up, link_netnsid: 0 }] }, args)).toEqual([]);
    expect(bench.steps({ ...none, "links@blue": [up] }, args)[0]).toBe("ip netns exec blue ip link del dev g0");
  });
});

test("what the kernel refuses in place replaces the tunnel", () => {
  const replaces = (was: object, now: object) => greTunnel.replaces?.(bench.want({ ...was }), bench.want({ ...now }));
  expect(replaces({}, { remote: "10.0.0.9" })).toEqual([]);
  expect(replaces({}, { local: "fd00::1", remote: "fd00::2" })).toEqual(["local", "remote"]);
  const three = { layer: 3, mac: undefined };
  expect(replaces(three, { ...three, remote: undefined })).toEqual(["remote"]);
});

test("two of the same ends and key claim the same, whatever their names", () => {
  const claim = (args: object) => greTunnel.claims(bench.want({ ...args })).at(-1);
  expect(claim({ name: "g1", key: 5 })).toBe(claim({ inKey: 5, outKey: 6 }));
  expect(claim({ key: 5 })).not.toBe(claim({}));
  expect(claim({ namespace: "blue" })).not.toBe(claim({}));
  expect(claim({ namespace: "blue", underlay: "host" })).toBe(claim({}));
});
