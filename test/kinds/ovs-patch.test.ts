import { ovsPatch } from "../../provider/kinds/ovs-patch";
import { empty, type Recording, recorded, rowOf, trial, without } from "./recorded/ovs";

const declared = { a: { bridge: "br-int", name: "patch-tun" }, b: { bridge: "br-tun", name: "patch-int", tag: 9 } };
const on = (change?: (recording: Recording) => void) => trial(ovsPatch, recorded(change));
const vsctl = "ovs-vsctl --timeout=30";
const mark = `'external_ids:hostnet-mark="hostnet:00ff:aaaa"'`;
const plugA = `add-port br-int patch-tun -- set Port patch-tun ${mark} -- set Interface patch-tun type=patch 'options:peer="patch-int"'`;

describe("OvsPatch", () => {
  it("makes both ends in one transaction", () => {
    expect(on(empty).converge(declared)).toEqual([
      `${vsctl} -- ${plugA} -- add-port br-tun patch-int -- set Port patch-int tag=9 ${mark} -- set Interface patch-int type=patch 'options:peer="patch-tun"'`,
    ]);
  });

  it("is proven when all is as declared", () => {
    expect(on().converge(declared)).toEqual([]);
    expect(on().drift(declared)).toStrictEqual({});
    expect(on().find(declared)?.marks).toEqual(["hostnet:00ff:aaaa", "hostnet:00ff:aaaa"]);
    expect(on().list()).toContainEqual({ a: declared.b, b: declared.a });
  });

  it("updates a tag in place, and takes it back", () => {
    expect(
      on().converge({ a: { ...declared.a, tag: 3 }, b: { bridge: "br-tun", name: "patch-int" } }, [declared]),
    ).toEqual([`${vsctl} -- set Port patch-tun tag=3 -- clear Port patch-int tag`]);
  });

  it("mends a half", () => {
    const half = (recording: Recording) => without(recording, "Port", "patch-tun");
    expect(on(half).find(declared)?.broken).toBe("only port patch-int is there");
    expect(on(half).converge(declared)).toEqual([`${vsctl} -- ${plugA}`]);
    expect(on(half).drift(declared)).toStrictEqual({ a: {} });
  });

  it("mends a plug that was pulled", () => {
    const pulled = (recording: Recording) => {
      rowOf(recording, "Interface", "patch-int").options = ["map", [["peer", "elsewhere"]]];
      rowOf(recording, "Interface", "patch-tun").error = "No usable peer 'patch-int' exists in 'netdev' datapath.";
    };
    expect(on(pulled).converge(declared)).toEqual([
      `${vsctl} -- set Interface patch-int type=patch 'options:peer="patch-tun"'`,
    ]);
    expect(Object.keys(on(pulled).drift(declared))).toStrictEqual(["a", "b"]);
  });

  it("says why a cable does not work", () => {
    const dead = (recording: Recording) => {
      rowOf(recording, "Interface", "patch-tun").error = "No usable peer 'patch-int' exists in 'netdev' datapath.";
    };
    expect(() => on(dead).converge(declared)).toThrow(/No usable peer[\s\S]*same `datapathType`/);
    // ovs-vswitchd forgets that error at the next change.
    const apart = (recording: Recording) => {
      rowOf(recording, "Bridge", "br-tun").datapath_type = "system";
    };
    expect(() => on(apart).converge(declared)).toThrow(/br-int is in datapath netdev, br-tun is in datapath system/);
  });

  it("leaves a port of somebody else's, and moves one of ours in two transactions", () => {
    const ghost = { a: { bridge: "br-int", name: "ghost" }, b: declared.b };
    expect(() => on().converge(ghost)).toThrow(
      /port ghost is there already and is a port of type system .*\[FOREIGN\]/,
    );
    const moved = { a: { ...declared.a, bridge: "br-tun" }, b: declared.b };
    expect(on().converge(moved)).toEqual([`${vsctl} -- del-port br-int patch-tun`]);
  });

  it("goes at both ends", () => {
    expect(on().remove(declared)).toEqual([`${vsctl} -- del-port br-int patch-tun -- del-port br-tun patch-int`]);
    const half = (recording: Recording) => without(recording, "Port", "patch-tun");
    expect(on(half).remove(declared)).toEqual([`${vsctl} -- del-port br-tun patch-int`]);
  });

  it("refuses what cannot be", () => {
    const refuse = (a: object, b: object = {}) =>
      on()
        .refusal({ a: { ...declared.a, ...a }, b: { ...declared.b, ...b } })
        .join();
    expect(refuse({ name: "patch-int" })).toMatch(/^b.name: must differ from a.name/);
    expect(refuse({ name: "br-int" })).toMatch(/^a.name: must not be the bridge's/);
    expect(refuse({ name: "x".repeat(65) })).toMatch(/^a.name: must be 1 to 64/);
    expect(refuse({ name: "x".repeat(64) })).toBe("");
    expect(refuse({}, { tag: -1 })).toMatch(/^b.tag: /);
    expect(on().claims(declared)).toEqual(["Open vSwitch port patch-tun", "Open vSwitch port patch-int"]);
  });
});
