import { linuxBridge } from "../../provider/kinds/linux-bridge";
import { netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(linuxBridge, { name: "kb", mac: links.bridge.address });
const off = "/proc/sys/net/ipv6/conf/kb/disable_ipv6:1\n";
const up = { ...links.bridge, flags: ["BROADCAST", "MULTICAST", "UP"], ifalias: mark };
const seen = (more: object = {}, ipv6 = off) => ({ links: [{ ...up, ...more }], ipv6 });
const data = (more: object) => ({
  linkinfo: { info_kind: "bridge", info_data: { ...links.bridge.linkinfo.info_data, ...more } },
});

test("has no IPv6 to be switched off where the host has none for new devices", () => {
  const made = bench.steps({ links: [], ipv6: "/proc/sys/net/ipv6/conf/default/disable_ipv6:1\n" });
  expect(made.join()).not.toMatch(/disable_ipv6/);
});

test("is made with all its options in one command; IPv6 is off before it is up", () => {
  const options = {
    stp: true,
    forwardDelay: 4,
    groupForwardMask: 0x4000,
    mcastLastMemberInterval: 2,
    vlanFiltering: true,
  };
  expect(bench.steps({ links: [], ipv6: "" }, { mtu: 1400, ...options })).toEqual([
    `ip link add name kb address ${links.bridge.address} type bridge stp_state 1 forward_delay 400 group_fwd_mask 16384 vlan_filtering 1 mcast_last_member_interval 200`,
    `ip link set dev kb alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev kb mtu 1400",
    "sysctl -eqw net/ipv6/conf/kb/disable_ipv6=1",
    "ip link set dev kb up",
  ]);
  expect(bench.steps({ netns: netns("blue"), "links@blue": [] }, { namespace: "blue" })[0]).toBe(
    `ip netns exec blue ip link add name kb address ${links.bridge.address} type bridge`,
  );
});

test("is given its MTU after it is made, as another one than it has: else its ports change it", () => {
  const made = bench.steps({ links: [], ipv6: "" }, { mtu: 1500 }).join("\n");
  expect(made).toMatch(/^ip link add name kb address \S+ mtu 1499 type bridge\n[\s\S]*ip link set dev kb mtu 1500\n/);
});

test("reads every option by the name that ip prints", () => {
  const fresh = bench.look(seen())?.args as Record<string, unknown>;
  const differing = Object.entries(linuxBridge.reset).filter(
    ([key, value]) => key in linuxBridge.args.shape && typeof value !== "object" && fresh[key] !== value,
  );
  // 3125 hundredths are no whole number of ticks; vlan_filtering was on when this was recorded.
  expect(differing).toEqual([
    ["bridge", ""],
    ["ipv6", "hangs on others"],
    ["vlanFiltering", false],
    ["mcastStartupQueryInterval", 31.25],
  ]);
  expect(fresh).toMatchObject({ mcastStartupQueryInterval: 31.24, mcastLastMemberCount: 2, groupForwardMask: 0 });
});

test("a time that the kernel has rounded to its ticks is no difference", () => {
  expect(bench.steps(seen(), { mcastStartupQueryInterval: 31.25, forwardDelay: 15.01 })).toEqual([]);
  expect(bench.steps(seen(), { forwardDelay: 15.1 })).toEqual(["ip link set dev kb type bridge forward_delay 1510"]);
});

test("what is declared no more goes back to the kernel's default", () => {
  const live = seen(data({ stp_state: 1, group_fwd_mask: "0x4000", vlan_filtering: 0 }));
  expect(bench.steps(live, {}, [{ stp: true, groupForwardMask: 0x4000, helloTime: 2 }])).toEqual([
    "ip link set dev kb type bridge stp_state 0 group_fwd_mask 0",
  ]);
});

test("has IPv6 as soon as it has an address", () => {
  expect(bench.steps(seen(), { addresses: ["10.0.0.1/24"] })).toEqual([
    "sysctl -qw net/ipv6/conf/kb/disable_ipv6=0",
    "ip address add 10.0.0.1/24 dev kb",
  ]);
});

test("another device of that name is not touched", () => {
  expect(() => bench.steps(seen({ linkinfo: { info_kind: "dummy" } }))).toThrow(
    /kb is there already and is dummy, not bridge/,
  );
  expect(() => bench.steps(seen({ linkinfo: undefined }))).toThrow(
    /is a network card, not bridge \[FOREIGN\]\s+next: Choose another name, or take away what is there/,
  );
});

test("an alias that somebody has written stays", () => {
  expect(bench.steps(seen({ ifalias: "rack 7" }))).toEqual([]);
  expect(bench.steps(seen({ ifalias: "hostnet:a1b2:d4" }))).toEqual([`ip link set dev kb alias ${mark}`]);
});

test("is taken away, in its namespace", () => {
  expect(bench.removal(seen())).toEqual(["ip link del dev kb"]);
});

test("while another bridge is the root, its times are shown: they are neither drift nor written", () => {
  const times = { stp: true, helloTime: 3, maxAge: 30, forwardDelay: 4 };
  const shown = { stp_state: 1, hello_time: 200, max_age: 2000, forward_delay: 1500 };
  expect(bench.steps(seen(data({ ...shown, root_port: 1 })), times)).toEqual([]);
  expect(bench.steps(seen(data({ ...shown, root_port: 0 })), times)).toEqual([
    "ip link set dev kb type bridge forward_delay 400 hello_time 300 max_age 3000",
  ]);
});
