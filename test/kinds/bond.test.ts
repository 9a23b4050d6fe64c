import { bond } from "../../provider/kinds/bond";
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

test("claims each member's place as a port", () => {
  expect(bond.claims(bench.want({ members: ["e1", "e2"] }))).toEqual([
    "device b0",
    "bridge of device e1",
    "bridge of device e2",
  ]);
});
