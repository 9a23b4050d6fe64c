import { type Device, differences } from "../../bench/state";
import { linksOf } from "../../bench/workloads";

const links = linksOf(2);
const lo: Device = { ifname: "lo", flags: ["LOOPBACK", "UP"] };
const bridge: Device = { ifname: "br0", flags: ["UP"], linkinfo: { info_kind: "bridge" } };
const near: Device = {
  ifname: "v0a",
  flags: ["UP"],
  linkinfo: { info_kind: "veth" },
  addr_info: [
    { family: "inet", local: "10.200.0.1", prefixlen: 24 },
    { family: "inet6", local: "fe80::1", prefixlen: 64 },
  ],
};
const far: Device = { ifname: "v0b", flags: ["UP"], master: "br0", linkinfo: { info_kind: "veth" } };
const good = [lo, bridge, near, far];

test("the state as declared has no differences", () => {
  expect(differences(links, good, ["lo"])).toEqual([]);
  expect(differences([], [lo], ["lo"])).toEqual([]);
});

test.each<[string, Device[], string]>([
  ["a missing device", [lo, bridge, near], "v0b is missing"],
  ["one that was there before and is gone", [bridge, near, far], "lo is missing"],
  ["one too many", [...good, { ifname: "br1", flags: [] }], "br1 is there"],
  ["another type", [lo, { ...bridge, linkinfo: { info_kind: "veth" } }, near, far], "br0: type is veth, not bridge"],
  ["one that is down", [lo, bridge, { ...near, flags: [] }, far], "v0a: up is false, not true"],
  ["another bridge", [lo, bridge, near, { ...far, master: undefined }], "v0b: master is undefined, not br0"],
  ["no address", [lo, bridge, { ...near, addr_info: [] }, far], "v0a: addresses is , not 10.200.0.1/24"],
])("%s is told", (_what, seen, message) => {
  expect(differences(links, seen, ["lo"])).toEqual([message]);
});
