import { vxlan } from "../../provider/kinds/vxlan";
import { netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(vxlan, { name: "vx", vni: 5, mac: "02:00:00:00:00:05" });
const made = "ip link add name vx address 02:00:00:00:00:05 type vxlan id 5";

test("is made with all that was said of it, on the registered port", () => {
  const all = { local: "10.0.0.1", remote: "10.0.0.2", device: "eth1", sourcePortRange: "40000-50000", ttl: 9 };
  expect(
    bench.steps({ links: [links.nic] }, { ...all, tos: 32, dontFragment: true, learning: false, gbp: true }),
  ).toEqual([
    `${made} local 10.0.0.1 remote 10.0.0.2 dev eth1 dstport 4789 srcport 40000 50000 ttl 9 tos 0x20 df set nolearning gbp`,
    `ip link set dev vx alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev vx up",
  ]);
  expect(bench.steps({ links: [] }, { vni: undefined, external: true, vniFilter: true })[0]).toBe(
    "ip link add name vx address 02:00:00:00:00:05 type vxlan dstport 4789 external vnifilter",
  );
});

test("with the host's underlay it is made there, for its namespace, with an index of its own", () => {
  const seen = { netns: netns("blue"), links: [], "links@blue": [] };
  expect(bench.steps(seen, { namespace: "blue", underlay: "host" })[0]).toMatch(
    /^ip link add index \d+ name vx netns blue address 02:00:00:00:00:05 type vxlan id 5 dstport 4789$/,
  );
  expect(bench.steps(seen, { namespace: "blue" })[0]).toBe(`ip netns exec blue ${made} dstport 4789`);
});

const up = { ...links.vxlan, flags: ["UP"], ifalias: mark };
const as = (info_data: object) => ({ links: [{ ...up, linkinfo: { info_kind: "vxlan", info_data } }] });

test("the device of another place's underlay is not known by name", () => {
  const away = {
    ...up,
    link_netnsid: 0,
    linkinfo: { info_kind: "vxlan", info_data: { ...links.plainVxlan, link: "if9" } },
  };
  const want = { namespace: "blue", underlay: "host", device: "d0" };
  const found = bench.look({ netns: netns("blue"), "links@blue": [away], links: [] }, want);
  expect(found?.args).toMatchObject({ vni: 5, device: undefined });
  expect(found?.broken).toBeUndefined();
});

const full = {
  ...{ local: "10.87.0.1", remote: "10.87.0.2", device: "d0", port: 4790, sourcePortRange: "40000-50000", ttl: 9 },
  ...{ tos: 32, dontFragment: true, learning: false, ageing: 60, maxAddresses: 99, proxy: true, udpChecksum: false },
};

test("is done when it is there", () => {
  expect(bench.steps({ links: [up] }, full)).toEqual([]);
  const usual = {
    ttl: "auto",
    tos: 0,
    dontFragment: false,
    learning: true,
    proxy: false,
    udpChecksum: true,
    gbp: false,
  };
  expect(bench.steps(as(links.plainVxlan), { ...usual, maxAddresses: 0, ageing: 300 })).toEqual([]);
  const { ttl: _, ...inherits } = links.plainVxlan;
  expect(bench.steps(as(inherits), { ttl: "inherit" })).toEqual([]);
});

test("changes in place what the kernel lets; with another number or flag it is made anew", () => {
  expect(bench.steps({ links: [up] }, { ...full, remote: "10.87.0.9", ttl: 5, learning: true })).toEqual([
    "ip link set dev vx type vxlan remote 10.87.0.9 ttl 5 learning",
  ]);
  expect(bench.look({ links: [up] }, { ...full, vni: 6 })?.broken).toBe("its vni is 5");
  expect(bench.look({ links: [up] }, { ...full, device: "d1" })?.broken).toBe("its device is d0");
  expect(bench.look({ links: [up] }, { ...full, proxy: false })?.broken).toBe("its proxy is true");
});

test("what is declared no more goes back to the kernel's default, the MTU to the device's less 50", () => {
  const live = { links: [up, { ...links.nic, ifname: "d0", mtu: 9000 }] };
  expect(bench.steps(live, { device: "d0", port: 4790 }, [{ ...full, mtu: 1430 }])).toEqual([
    "ip link set dev vx type vxlan ttl auto tos 0x0 df unset learning ageing 300",
    "ip link set dev vx mtu 8950",
  ]);
});

test("what `ip` cannot take away, and another family, replaces the device", () => {
  const replaces = (was: object, now: object) => vxlan.replaces?.(bench.want({ ...was }), bench.want({ ...now }));
  expect(replaces({ remote: "10.0.0.2" }, { remote: "10.0.0.3" })).toEqual([]);
  expect(replaces({ remote: "10.0.0.2" }, {})).toEqual(["remote"]);
  expect(replaces({ remote: "10.0.0.2" }, { remote: "fd00::2" })).toEqual(["remote"]);
  expect(replaces({ ttl: 5 }, { ttl: "inherit" })).toEqual(["ttl"]);
});

test("shares its UDP port with its like, of its family", () => {
  const ports = (args: Record<string, unknown>) =>
    vxlan.claims(bench.want(args)).filter((claim) => claim.includes("UDP port"));
  expect(ports({})).toEqual(["shared (VXLAN devices) UDP port 4789 over IPv4"]);
  expect(ports({ local: undefined, remote: "fd00::2", namespace: "blue" })).toEqual([
    "shared (VXLAN devices) UDP port 4789 over IPv6 in namespace blue",
  ]);
  expect(ports({ external: true, vni: undefined })).toHaveLength(2);
  // What it takes in is set on the socket.
  expect(ports({ gbp: true, remoteChecksumRx: true, proxy: true, udpChecksum: false })).toEqual([
    "shared (VXLAN devices with `remoteChecksumRx` and `gbp`) UDP port 4789 over IPv4",
  ]);
});

test("two of one number on one port claim the same, whatever their names", () => {
  const claim = (args: object) => vxlan.claims(bench.want({ ...args })).at(-1);
  expect(claim({ name: "vy", remote: "10.0.0.2" })).toBe(claim({}));
  expect(claim({ port: 4790 })).not.toBe(claim({}));
  expect(claim({ namespace: "blue" })).not.toBe(claim({}));
  expect(claim({ namespace: "blue", underlay: "host" })).toBe(claim({}));
});

test("reads what ip prints of extensions before and since 6.4, and of a type of service that is the inner one's", () => {
  const { vni: _, ...inherits } = { ...links.plainVxlan, tos: "0x1" } as Record<string, unknown>;
  expect(bench.steps(as(inherits), { tos: "inherit" })).toEqual([]);
  for (const printed of [true, null]) {
    expect(bench.look(as({ ...links.plainVxlan, gbp: printed }), { gbp: true })?.broken).toBeUndefined();
  }
  expect(bench.look(as(links.plainVxlan), { gbp: true })?.broken).toBe("its gbp is false");
});
