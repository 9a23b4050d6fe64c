import { fdbEntry } from "../../provider/kinds/fdb-entry";
import { Bench } from "./steps";

const mac = "02:00:00:00:00:05";
const everybody = "00:00:00:00:00:00";

const link = (ifname: string, more: object = {}) => ({ ifindex: 1, ifname, flags: ["UP"], addr_info: [], ...more });
const port = { master: "br", linkinfo: { info_slave_kind: "bridge" } };
const links = (filters: 0 | 1) => [
  link("br", { linkinfo: { info_kind: "bridge", info_data: { vlan_filtering: filters } } }),
  link("p0", port),
  link("p1", port),
  link("alone"),
  link("vx", { linkinfo: { info_kind: "vxlan", info_data: { id: 7, port: 8472 } } }),
];
const portvlans = [{ ifname: "p0", vlans: [{ vlan: 1 }, { vlan: 7 }] }];
const host = (fdb: object[], filters: 0 | 1 = 0) => ({ links: links(filters), fdb, portvlans });

// `bridge -j fdb show` of iproute2 6.1.
const static5 = { mac, ifname: "p0", flags: [], master: "br", state: "static" };
const learned = { ...static5, ifname: "p1", state: "" };
const to = (dst: string, more: object = {}) => ({
  mac: everybody,
  ifname: "vx",
  dst,
  flags: ["self"],
  state: "permanent",
  ...more,
});

describe("at a bridge's port", () => {
  const bench = new Bench(fdbEntry, { device: "p0", mac });
  const words = `bridge fdb replace ${mac} dev p0 master static`;

  test.each<[string, object[], object, string[]]>([
    ["it is made", [], {}, [words]],
    ["what was learned gives way", [learned], {}, [words]],
    ["it is there", [static5], {}, []],
    ["in another VLAN it is another", [{ ...static5, vlan: 7 }], {}, [words]],
    ["it is made sticky", [static5], { sticky: true }, [`${words} sticky`]],
    ["and no more", [{ ...static5, flags: ["sticky"] }], {}, [words]],
  ])("%s", (_, fdb, more, steps) => expect(bench.steps(host(fdb), { ...more })).toEqual(steps));

  test("with a VLAN, on a bridge that filters them", () => {
    expect(bench.steps(host([], 1), { vlan: 7 })).toEqual([`${words} vlan 7`]);
    expect(bench.steps(host([{ ...static5, vlan: 7 }], 1), { vlan: 7 })).toEqual([]);
    expect(bench.removal(host([{ ...static5, vlan: 7 }], 1), { vlan: 7 })).toEqual([
      `bridge fdb del ${mac} dev p0 master vlan 7`,
    ]);
  });

  test.each<[string, ReturnType<typeof host>, object, RegExp]>([
    ["a device that is not there", host([]), { device: "gone" }, /there is no device gone on the host/],
    ["no port", host([]), { device: "alone" }, /alone is not a port of a bridge/],
    ["no VLAN where the bridge filters", host([], 1), {}, /br filters VLANs/],
    ["a VLAN that the port is not in", host([], 1), { vlan: 8 }, /p0 is not in VLAN 8/],
    ["somebody's entry at another port", host([{ ...static5, ifname: "p1" }]), {}, /p1.* has a static entry for it/],
    ["a device's own address", host([{ ...static5, state: "permanent" }]), {}, /p0.* has the address itself/],
  ])("refuses %s", (_, seen, more, text) => expect(() => bench.steps(seen, { ...more })).toThrow(text));
});

describe("of a VXLAN", () => {
  const bench = new Bench(fdbEntry, { device: "vx", mac: everybody, remote: "10.0.0.2" });
  const words = (verb: string, more = "") =>
    `bridge fdb ${verb} ${everybody} dev vx dst 10.0.0.2 ${more}self permanent`;
  const two = to("10.0.0.2");

  test.each<[string, object[], object, string[]]>([
    ["one end more is added to the others", [to("10.0.0.1")], {}, [words("append")]],
    ["it is there", [to("10.0.0.1"), two], {}, []],
    ["the VXLAN's own port and number are not printed", [two], { port: 8472, vni: 7 }, []],
    ["another port is another entry", [two], { port: 4800 }, [words("append", "port 4800 "), words("del")]],
    [
      "back to the VXLAN's own",
      [to("10.0.0.2", { port: 4800, vni: 9 })],
      {},
      [words("append"), words("del", "port 4800 vni 9 ")],
    ],
  ])("%s", (_, fdb, more, steps) => expect(bench.steps(host(fdb), { ...more })).toEqual(steps));

  test("what an update that was broken off has left is taken away, and nobody else's", () => {
    const left = [to("10.0.0.2", { port: 4800 }), to("10.0.0.2", { port: 4801 }), two];
    expect(bench.steps(host(left), {}, [{ port: 4800 }])).toEqual([words("del", "port 4800 ")]);
    expect(bench.steps(host(left), {})).toEqual([]);
  });

  test("a unicast address has one end", () => {
    const found = [to("10.0.0.9", { mac })];
    expect(bench.steps(host(found), { mac })).toEqual([`bridge fdb replace ${mac} dev vx dst 10.0.0.2 self permanent`]);
    expect(bench.look(host(found), { mac })?.args).toMatchObject({ remote: "10.0.0.9" });
    expect(bench.look(host([to("10.0.0.2", { mac, state: "" })]), { mac })).toBeUndefined();
  });

  test("is taken away with what the kernel has of it", () => {
    expect(bench.removal(host([to("10.0.0.1"), to("10.0.0.2", { vni: 9 })]), { vni: 9 })).toEqual([
      words("del", "vni 9 "),
    ]);
  });
});

test("two resources of one entry claim the same, of two ends they do not", () => {
  const claims = (more: object) => new Bench(fdbEntry, { device: "vx", mac, ...more }).want() as never;
  const [a, b] = [fdbEntry.claims(claims({ remote: "10.0.0.1" })), fdbEntry.claims(claims({ remote: "10.0.0.2" }))];
  expect(a).toEqual(b);
  const [c, d] = ["10.0.0.1", "10.0.0.2"].map((remote) => fdbEntry.claims(claims({ mac: everybody, remote })));
  expect(c).not.toEqual(d);
});
