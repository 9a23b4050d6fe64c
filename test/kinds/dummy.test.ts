import { dummy } from "../../provider/kinds/dummy";
import { answers, netns } from "./answers";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(dummy, { name: "d0", mac: "02:00:00:00:00:07" });
// As `ip` 6.1 prints one that is up.
const recorded = { ...links.dummy, flags: ["BROADCAST", "NOARP", "UP", "LOWER_UP"], operstate: "UNKNOWN" };
const seen = (more: object = {}) => ({ links: [{ ...recorded, ifalias: mark, ...more }] });

test("is made after its module, which is not to make a dummy0 of its own; without ARP nothing is to be switched off", () => {
  const made = [
    "modprobe dummy numdummies=0",
    "ip link add name d0 address 02:00:00:00:00:07 mtu 9000 type dummy",
    `ip link set dev d0 alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev d0 up",
    "ip address add 10.255.0.1/32 dev d0",
  ];
  const args = { mtu: 9000, addresses: ["10.255.0.1/32"] };
  expect(bench.steps({ links: [] }, args)).toEqual(made);
  expect(bench.steps({ links: [] }, { ...args, arp: false })).toEqual(made);
  // What cannot load modules, as a container, may have it nevertheless.
  expect(bench.plan({ links: [] })[0]).toMatchObject({ mayFail: true });
});

test("its module is loaded on the host, also for one in a namespace", () => {
  expect(bench.steps({ netns: netns("blue") }, { namespace: "blue", arp: true })).toEqual([
    "modprobe dummy numdummies=0",
    "ip netns exec blue ip link add name d0 address 02:00:00:00:00:07 type dummy",
    `ip netns exec blue ip link set dev d0 alias ${mark}`,
    "ip netns exec blue ip link set dev d0 arp on",
    "ip netns exec blue ip link set dev d0 up",
  ]);
});

test("is done when it is there; ARP that is declared no more goes off", () => {
  expect(bench.steps(seen())).toEqual([]);
  expect(bench.look(seen())?.args).toMatchObject({ arp: false, mtu: 1500, up: true });
  const answering = seen({ flags: ["BROADCAST", "UP"] });
  expect(bench.steps(answering)).toEqual([]);
  expect(bench.steps(answering, {}, [{ arp: true }])).toEqual(["ip link set dev d0 arp off"]);
});

test("is found wherever it is, a dummy0 too, and takes no other device for one", () => {
  const there = [{ ...recorded, ifname: "dummy0" }, recorded, links.gretap];
  const found = dummy.list?.(answers(dummy.observe(bench.want()), { links: there }));
  expect(found?.map(({ name }) => name)).toEqual(["dummy0", "d0"]);
  expect(bench.refusals({ name: "dummy0" })).toEqual([]);
  const mine = { links: [{ ...links.gretap, ifname: "d0", ifalias: mark }] };
  expect(() => bench.steps(mine)).toThrow(/d0 is there already and is gretap, not dummy.*\[FOREIGN\]/);
});
