import { canonicalAddress, contains } from "../../provider/model/scalars";
import { disjoint, except, isHost, linkLocal, nth, overlap } from "../../provider/neutron/addresses";
import { tunnelMtu } from "../../provider/neutron/mtu";
import { guestMac, instanceDevices, portId, tapMac, tunnelPort, uuidOf } from "../../provider/neutron/names";

it("calls a port by its own name where that fits, else by eleven characters of a UUID made of it", () => {
  expect(portId("web1")).toBe("web1");
  expect(portId("exactly-11c")).toBe("exactly-11c");
  expect(portId("frontend-web1")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{2}$/);
  expect(portId("blue/web1")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{2}$/);
  expect(portId("frontend-web1")).not.toBe(portId("frontend-web2"));
  const longest = Object.values(instanceDevices(portId("a-name-of-many-characters"))).map((name) => name.length);
  expect(Math.max(...longest)).toBeLessThanOrEqual(15);
});

it("makes UUIDs of RFC 9562, always the same of one text", () => {
  expect(uuidOf("a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(uuidOf("a")).toBe(uuidOf("a"));
  expect(uuidOf("a")).not.toBe(uuidOf("b"));
});

it("calls tunnels as Neutron does, within 15 characters for IPv6 too, whatever its spelling", () => {
  expect(tunnelPort("gre", "10.199.0.1")).toBe("gre-0ac70001");
  expect(tunnelPort("vxlan", "fd00::1")).toMatch(/^vxlan-[0-9a-f]{8}$/);
  expect(tunnelPort("vxlan", "fd00:0::1")).toBe(tunnelPort("vxlan", canonicalAddress("fd00::1")));
});

it("gives a guest a MAC that another name does not have, and its TAP a different one", () => {
  expect(guestMac("fa:16:3e", "web1")).toMatch(/^fa:16:3e(:[0-9a-f]{2}){3}$/);
  expect(guestMac("fa:16:3e", "web1")).not.toBe(guestMac("fa:16:3e", "web2"));
  expect(tapMac("fa:16:3e:01:02:03")).toBe("fe:16:3e:01:02:03");
});

// The numbers are Neutron's, and were seen with `ping -M do` on real tunnels (reference/linux.md, section 6).
it.each([
  ["gre", "10.199.0.1", 1458],
  ["vxlan", "10.199.0.1", 1450],
  ["gre", "fd00::1", 1438],
  ["vxlan", "fd00::1", 1430],
] as const)("leaves guests of %s from %s %i bytes of 1500", (type, address, mtu) => {
  expect(tunnelMtu(type, 1500, address)).toBe(mtu);
});

it("counts addresses of both families", () => {
  expect(nth("10.0.0.0/24", 1)).toBe("10.0.0.1");
  expect(nth("10.0.0.0/16", 257)).toBe("10.0.1.1");
  expect(nth("fd00:1::/64", 1)).toBe("fd00:1::1");
});

it("tells a host's address from the network's own and from others", () => {
  expect([0, 1, 254, 255].map((n) => isHost("10.0.0.0/24", nth("10.0.0.0/24", n)))).toEqual([false, true, true, false]);
  expect(isHost("10.0.0.0/24", "10.0.1.1")).toBe(false);
  expect(isHost("10.0.0.0/31", "10.0.0.0")).toBe(true);
  expect(isHost("fd00:1::/64", "fd00:1::ffff")).toBe(true);
  expect(contains("10.0.0.0/24", "fd00::1")).toBe(false);
});

it("sees when two networks have addresses in common", () => {
  expect(overlap("10.0.0.0/24", "10.0.0.128/25")).toBe(true);
  expect(overlap("10.0.0.128/25", "10.0.0.0/24")).toBe(true);
  expect(overlap("10.0.0.0/24", "10.0.1.0/24")).toBe(false);
  expect(overlap("10.0.0.0/24", "fd00::/64")).toBe(false);
});

it("makes the link-local address that a kernel makes of a MAC", () => {
  expect(linkLocal("fa:16:3e:01:02:03")).toBe("fe80::f816:3eff:fe01:203");
});

// nft 1.0.6 takes no intervals that overlap into a set: `conflicting intervals specified`, or `File exists`.
it.each([
  [
    "keeps what has nothing in common",
    ["10.0.0.10", "10.0.0.11", "10.0.0.16/28"],
    ["10.0.0.10", "10.0.0.11", "10.0.0.16/28"],
  ],
  [
    "drops what a wider one contains",
    ["10.0.0.10", "10.0.0.0/28", "10.0.0.11", "10.0.1.1/32"],
    ["10.0.0.0/28", "10.0.1.1/32"],
  ],
  ["drops the same in another spelling", ["10.0.0.10", "10.0.0.10/32"], ["10.0.0.10"]],
  ["joins two that have a part in common", ["10.0.0.100-10.0.0.200", "10.0.0.192/26"], ["10.0.0.100-10.0.0.255"]],
  ["joins two by a third", ["10.0.0.1-10.0.0.5", "10.0.0.8-10.0.0.9", "10.0.0.5-10.0.0.8"], ["10.0.0.1-10.0.0.9"]],
  ["knows all of IPv6", ["fd00::10", "fe80::1", "fd00::/64", "::/0"], ["::/0"]],
])("%s", (_, all, few) => {
  expect(disjoint(all)).toEqual(few);
});

it("takes addresses out of a range", () => {
  expect(except("10.0.0.3-10.0.0.9", ["10.0.0.1", "10.0.0.10"])).toEqual(["10.0.0.3-10.0.0.9"]);
  expect(except("10.0.0.1-10.0.0.9", ["10.0.0.5", "10.0.0.1"])).toEqual(["10.0.0.2-10.0.0.4", "10.0.0.6-10.0.0.9"]);
  expect(except("10.0.0.1-10.0.0.4", ["10.0.0.2", "10.0.0.3"])).toEqual(["10.0.0.1", "10.0.0.4"]);
  expect(except("10.0.0.1-10.0.0.1", ["10.0.0.1"])).toEqual([]);
});
