import { macvlan } from "../../provider/kinds/macvlan";
import { netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(macvlan, { name: "eth0", namespace: "blue", parent: "eth1", mac: "02:00:00:00:00:02" });
const device = { ...links.macvlan, flags: ["UP"], ifalias: mark };
const seen = (more: object = {}) => ({
  netns: netns("blue"),
  links: [links.nic],
  "links@blue": [{ ...device, ...more }],
});
const none = { netns: netns("blue"), links: [links.nic], "links@blue": [] };

test("is born in its namespace from the parent's, with an index of its own", () => {
  expect(bench.steps(none, { mode: "source", sources: ["02:00:00:00:00:0B"], broadcastQueueLength: 7 })).toEqual([
    "ip link add link eth1 index 737249470 name eth0 netns blue address 02:00:00:00:00:02 type macvlan mode source macaddr set 02:00:00:00:00:0b bcqueuelen 7",
    `ip netns exec blue ip link set dev eth0 alias ${mark}`,
    "ip netns exec blue ip link set dev eth0 up",
  ]);
});

test("in the parent's namespace the kernel gives the index", () => {
  const root = { namespace: undefined, name: "m0" };
  expect(bench.steps({ links: [] }, root)[0]).toBe(
    "ip link add link eth1 name m0 address 02:00:00:00:00:02 type macvlan mode bridge",
  );
  expect(bench.steps(none, { parentNamespace: "blue" })[0]).toBe(
    "ip netns exec blue ip link add link eth1 name eth0 address 02:00:00:00:00:02 type macvlan mode bridge",
  );
});

test("is done when it is there; the order of its sources does not count", () => {
  const two = (...macs: string[]) => ({
    linkinfo: { info_kind: "macvlan", info_data: { mode: "source", bcqueuelen: 1000, macaddr_data: macs } },
  });
  const live = seen(two("02:00:00:00:00:0b", "02:00:00:00:00:0a"));
  expect(bench.steps(live, { mode: "source", sources: ["02:00:00:00:00:0a", "02:00:00:00:00:0b"] })).toEqual([]);
  expect(bench.steps(live, { mode: "source", sources: [] })).toEqual([
    "ip netns exec blue ip link set dev eth0 type macvlan mode source macaddr flush",
  ]);
});

test("names the mode with every change: ip takes a flag only beside its mode", () => {
  expect(bench.steps(seen(), { mode: "source", nodst: true })).toEqual([
    "ip netns exec blue ip link set dev eth0 type macvlan mode source flag nodst",
  ]);
  expect(bench.steps(seen(), { mode: "bridge" }, [{ mode: "source", sources: ["02:00:00:00:00:0b"] }])).toEqual([
    "ip netns exec blue ip link set dev eth0 type macvlan mode bridge",
  ]);
});

test("a MAC of its own would be given to the parent of a passthru device: it has none", () => {
  expect(bench.steps(none, { mac: undefined })[0]).toMatch(/ address 02:/);
  expect(bench.steps(none, { mac: undefined, mode: "passthru" })[0]).not.toMatch(/ address /);
});

test("goes back to the parent's MTU", () => {
  const live = { ...seen({ mtu: 1400 }), links: [{ ...links.nic, mtu: 9000 }] };
  expect(bench.steps(live, { mode: "source" }, [{ mtu: 1400, mode: "source" }])).toEqual([
    "ip netns exec blue ip link set dev eth0 mtu 9000",
  ]);
});

test("is made anew when it is on another parent; of a macvlan as parent the kernel takes what is below", () => {
  expect(bench.steps(seen({ link_index: 99 }), { mode: "source" })[0]).toBe("ip netns exec blue ip link del dev eth0");
  const nested = { ...seen(), links: [links.nic, { ...links.macvlan, ifname: "m1", link_index: 3 }] };
  expect(bench.steps(nested, { mode: "source", parent: "m1" })).toEqual([]);
});

test("from and to passthru is another device; passthru is alone on its parent", () => {
  const replaces = (was: string, mode: string) => macvlan.replaces?.(bench.want({ mode: was }), bench.want({ mode }));
  expect(replaces("bridge", "source")).toEqual([]);
  expect(replaces("bridge", "passthru")).toEqual(["mode"]);
  expect(replaces("passthru", "private")).toEqual(["mode"]);
  expect(macvlan.claims(bench.want()).at(-1)).toBe("shared the macvlan devices on device eth1");
  expect(macvlan.claims(bench.want({ mode: "passthru" })).at(-1)).toBe("the macvlan devices on device eth1");
});
