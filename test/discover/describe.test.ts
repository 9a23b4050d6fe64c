import { describe as described } from "../../provider/discover/describe";
import type { Kind } from "../../provider/kind";
import { kinds } from "../../provider/kinds";
import { answers } from "../kinds/answers";
import { recorded, rowOf } from "../kinds/recorded/ovs";

/** What a program says of the first object of a kind that a host lists, without its name. */
function said(kind: string, links: object[]) {
  const spec = kinds[kind] as Kind;
  const byKey = { links, ipv6: "/proc/sys/net/ipv6/conf/eth0/disable_ipv6:0\n" };
  const all = { key: "links", argv: [] };
  const [identity = {}] = spec.list?.(answers([all], byKey)) ?? [];
  const want = { up: true, ...identity };
  const found = spec.find(want, answers([all, ...spec.observe(want)], byKey));
  if (!found) throw new Error(`no ${kind}`);
  return described(spec, identity, found as never);
}

const link = (ifname: string, more: object = {}) => ({
  ...{ ifindex: 2, ifname, flags: ["UP"], mtu: 1500, operstate: "UP", txqlen: 1000, link_type: "ether", addr_info: [] },
  ...{ address: "02:00:00:00:00:01", ...more },
});
const slave = (kind: string) => ({ master: "bond0", linkinfo: { info_slave_kind: kind } });

test("a NIC's own MAC address is not said, one that it was given is; a bond's member has the bond's, as its MTU", () => {
  expect(said("Interface", [link("eth0")]).args).toEqual({ name: "eth0" });
  const given = link("eth0", { permaddr: "52:54:00:00:00:01", flags: ["UP", "NOARP"], txqlen: 500 });
  expect(said("Interface", [given]).args).toEqual({
    ...{ name: "eth0", mac: "02:00:00:00:00:01", arp: false, txQueueLength: 500 },
  });
  const member = link("eth0", { permaddr: "52:54:00:00:00:01", mtu: 1450, ...slave("bond") });
  expect(said("Interface", [member]).args).toEqual({ name: "eth0" });
  expect(said("Interface", [link("eth0", { mtu: 1450 })]).args).toEqual({ name: "eth0", mtu: 1450 });
});

test("a dummy has any MTU; a value that no program can say is told", () => {
  const dummy = (mtu: number) => said("Dummy", [link("d0", { mtu, linkinfo: { info_kind: "dummy" } })]);
  expect(dummy(100000)).toMatchObject({ args: { mtu: 100000 }, unsaid: [], steps: [] });
  expect(dummy(60)).toMatchObject({ unsaid: ["mtu 60"], steps: [] });
  expect(dummy(60).args).not.toHaveProperty("mtu");
  // What takes it from another is not asked for it.
  const vlan = { info_kind: "vlan", info_data: { protocol: "802.1Q", id: 7, flags: [] } };
  const on = [link("eth0", { mtu: 100000 }), link("eth0.7", { mtu: 100000, link: "eth0", linkinfo: vlan })];
  expect(said("Vlan", on).unsaid).toEqual([]);
});

test("a VLAN's MAC address is said where it is not its parent's", () => {
  const vlan = (address: string) =>
    said("Vlan", [
      link("eth0"),
      link("eth0.7", {
        ...{
          address,
          link: "eth0",
          linkinfo: { info_kind: "vlan", info_data: { protocol: "802.1Q", id: 7, flags: [] } },
        },
      }),
    ]).args;
  expect(vlan("02:00:00:00:00:01")).not.toHaveProperty("mac");
  expect(vlan("02:00:00:00:00:07")).toHaveProperty("mac", "02:00:00:00:00:07");
});

test("a bond is said with its members, and with what is refused until something after it is said", () => {
  const data = { mode: "active-backup", arp_interval: 200, arp_ip_target: ["10.0.0.1"], miimon: 0 };
  const bond = link("bond0", { linkinfo: { info_kind: "bond", info_data: data } });
  const { args } = said("Bond", [bond, link("eth0", slave("bond")), link("eth1", slave("bond")), link("eth2")]);
  expect(args).toMatchObject({ members: ["eth0", "eth1"], arpInterval: 200, arpIpTargets: ["10.0.0.1"] });
});

test("quality of service is said as a whole", () => {
  const seen = recorded((recording) => {
    for (const { rows } of recording.ovsdb) for (const row of rows) row.external_ids = ["map", []];
    rowOf(recording, "Port", "kva").tag = ["set", []];
  });
  const spec = kinds.OvsPort as Kind;
  const identity = { bridge: "br-int", name: "kva" };
  const found = spec.find({ ...identity, type: "system" }, seen);
  const { args, steps } = described(spec, identity, found as never);
  expect(args.qos).toMatchObject({ type: "linux-htb", maxRate: 1000000, queues: [{ id: 0 }, { id: 7 }] });
  expect(steps).toEqual([]);
});
