import { macvtap } from "../../provider/kinds/macvtap";
import { links } from "./recorded/links";
import { Bench, mark } from "./steps";

const bench = new Bench(macvtap, { name: "mt", parent: "eth1", mac: "02:00:00:00:00:03" });
const node = (text: string) => `/dev/tap1 f6:2 0 0 600\n/dev/tap20000000 ${text}\n`;
const seen = (more: object = {}) => ({
  links: [links.nic, { ...links.macvtap, flags: ["UP"], ifalias: mark }],
  tapnodes: node("f6:1 0 0 600"),
  tapnumbers: "/sys/class/macvtap/tap20000000/dev:246:1\n",
  "passwd:libvirt-qemu": "libvirt-qemu:x:64055:104::/:/bin/false\n",
  "group:kvm": "kvm:x:104:\n",
  ...more,
});
const owned = { owner: "libvirt-qemu", group: "kvm", permissions: "0660" };

test("is made with a number of its own, which the device file has; the file comes in a second round", () => {
  expect(bench.steps({ links: [links.nic] }, owned)).toEqual([
    "ip link add link eth1 index 81059971 name mt address 02:00:00:00:00:03 type macvtap mode bridge",
    `ip link set dev mt alias ${mark}`,
    "udevadm settle --timeout=10",
    "ip link set dev mt up",
  ]);
  expect(bench.steps(seen(), owned)).toEqual(["chown 64055:104 /dev/tap20000000", "chmod 660 /dev/tap20000000"]);
  expect(bench.steps(seen({ tapnodes: node("f6:1 64055 104 660") }), owned)).toEqual([]);
});

test("tells the device file, and shows an account as it was declared", () => {
  const found = bench.look(seen({ tapnodes: node("f6:1 64055 7 600") }), owned);
  expect(found?.facts).toMatchObject({ devicePath: "/dev/tap20000000" });
  expect(found?.args).toMatchObject({ owner: "libvirt-qemu", group: 7, permissions: "600" });
  expect(bench.steps(seen({ tapnodes: node("f6:1 64055 7 660") }), owned)).toEqual([
    "chown 64055:104 /dev/tap20000000",
  ]);
});

test("what is declared no more is root's again", () => {
  const live = seen({ tapnodes: node("f6:1 64055 104 660") });
  expect(bench.steps(live, {}, [owned])).toEqual(["chown 0:0 /dev/tap20000000", "chmod 600 /dev/tap20000000"]);
});

test("an account that the host does not know", () => {
  const nobody = () => bench.steps(seen({ "passwd:libvirt-qemu": "" }), owned);
  expect(nobody).toThrow(/the host has no user libvirt-qemu/);
});

test("a device file of that number which is another device's is not its own", () => {
  const taken = bench.look(seen({ tapnodes: node("f6:9 0 0 600") }), {});
  expect(taken?.broken).toMatch(/\/dev\/tap20000000 is another device's/);
  expect(taken?.facts).toMatchObject({ devicePath: undefined });
});
