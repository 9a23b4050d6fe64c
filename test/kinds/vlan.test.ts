import { vlan } from "../../provider/kinds/vlan";
import { netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(vlan, { name: "v5", parent: "eth1", vlanId: 5 });
const seen = (more: object = {}) => ({ links: [links.nic, { ...links.vlan, flags: ["UP"], ifalias: mark, ...more }] });

test("is made with all that was said of it, and without a MAC: it has the parent's", () => {
  const all = { protocol: "802.1ad", reorderHeader: false, looseBinding: true, egressQosMap: { 5: 1, 6: 0 } };
  expect(bench.steps({ links: [links.nic] }, { ...all, ingressQosMap: { 1: 5, 2: 6 } })).toEqual([
    "ip link add link eth1 name v5 type vlan protocol 802.1ad id 5 reorder_hdr off loose_binding on ingress-qos-map 1:5 2:6 egress-qos-map 5:1",
    `ip link set dev v5 alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev v5 up",
  ]);
});

test("is born in its namespace on a parent of the host", () => {
  expect(bench.steps({ netns: netns("blue"), links: [links.nic] }, { namespace: "blue" })[0]).toMatch(
    /^ip link add link eth1 index \d+ name v5 netns blue type vlan protocol 802\.1Q id 5$/,
  );
  const inside = { namespace: "blue", parentNamespace: "blue" };
  expect(bench.steps({ netns: netns("blue") }, inside)[0]).toBe(
    "ip netns exec blue ip link add link eth1 name v5 type vlan protocol 802.1Q id 5",
  );
});

test("is done when it is there", () => {
  expect(bench.steps(seen(), { reorderHeader: true, gvrp: false })).toEqual([]);
  expect(bench.steps(seen(), { ingressQosMap: { 1: 5, 3: 0 }, egressQosMap: { 6: 2, 5: 1 } })).toEqual([]);
});

test("changes flags and maps in place, and takes away what is mapped otherwise", () => {
  expect(bench.steps(seen(), { mvrp: true, ingressQosMap: { 2: 6 }, egressQosMap: { 5: 3 } })).toEqual([
    "ip link set dev v5 type vlan mvrp on ingress-qos-map 2:6 1:0 egress-qos-map 5:3 6:0",
  ]);
});

test("what is declared no more goes back to the kernel's default, MAC and MTU to the parent's", () => {
  const before = { reorderHeader: false, egressQosMap: { 5: 1 }, mac: "02:00:00:00:00:05", mtu: 1400 };
  const live = seen({ mtu: 1400, address: "02:00:00:00:00:05" });
  expect(bench.steps(live, {}, [before])).toEqual([
    "ip link set dev v5 type vlan egress-qos-map 5:0 6:0",
    "ip link set dev v5 address 52:54:00:00:00:03",
    "ip link set dev v5 mtu 1500",
  ]);
});

test("of another parent, or with another tag, it is made anew", () => {
  expect(bench.look(seen({ link: "eth0", link_index: 9 }))?.broken).toBe("it is not on eth1");
  expect(bench.look(seen(), { vlanId: 6 })).toMatchObject({ broken: "its vlanId is 5", args: { vlanId: 5 } });
  expect(bench.steps(seen(), { vlanId: 6 }).slice(0, 2)).toEqual([
    "ip link del dev v5",
    "ip link add link eth1 name v5 type vlan protocol 802.1Q id 6",
  ]);
});

test("two of one tag on one parent claim the same, whatever their names", () => {
  const claim = (args: object) => vlan.claims(bench.want({ ...args })).at(-1);
  expect(claim({ name: "v6" })).toBe(claim({}));
  expect(claim({ protocol: "802.1ad" })).not.toBe(claim({}));
  expect(claim({ parent: "eth2" })).not.toBe(claim({}));
});
