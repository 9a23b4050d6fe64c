import { ovsTunnel } from "../../provider/kinds/ovs-tunnel";
import { empty, type Recording, recorded, rowOf, trial } from "./recorded/ovs";

const declared = {
  ...{ bridge: "br-tun", name: "gre0a", type: "gre", local: "192.0.2.1", remote: "192.0.2.2", key: "flow" },
  ...{ dontFragment: false, tos: "inherit", ttl: 64 },
};
const bare = { bridge: "br-tun", name: "gre0a", type: "gre", remote: "192.0.2.2" };
const on = (change?: (recording: Recording) => void) => trial(ovsTunnel, recorded(change));
const vsctl = "ovs-vsctl --timeout=30";
const add = `${vsctl} -- add-port br-tun gre0a -- set Port gre0a 'external_ids:hostnet-mark="hostnet:00ff:aaaa"' -- set Interface gre0a`;

describe("OvsTunnel", () => {
  it("is made in one transaction", () => {
    expect(on(empty).converge(declared)).toEqual([
      `${add} type=gre 'options:local_ip="192.0.2.1"' 'options:remote_ip="192.0.2.2"' options:key=flow options:df_default=false options:tos=inherit options:ttl=64`,
    ]);
    expect(on(empty).converge({ ...bare, type: "vxlan", remote: "flow", dstPort: 4790, extensions: "gbp" })).toEqual([
      `${add} type=vxlan options:remote_ip=flow options:dst_port=4790 options:exts=gbp`,
    ]);
    // GRE over IPv6 is a type of its own.
    expect(on(empty).converge({ ...bare, remote: "FD00:0::2", key: 5, tag: 4 })).toEqual([
      `${vsctl} -- add-port br-tun gre0a -- set Port gre0a tag=4 'external_ids:hostnet-mark="hostnet:00ff:aaaa"' -- set Interface gre0a type=ip6gre 'options:remote_ip="fd00::2"' options:key=5`,
    ]);
  });

  it("is proven when all is as declared", () => {
    expect(on().converge(declared)).toEqual([]);
    expect(on().drift(declared)).toStrictEqual({});
    expect(on().list()).toEqual([{ name: "gre0a", bridge: "br-tun", type: "gre", remote: "192.0.2.2" }]);
  });

  it("updates in place and takes back", () => {
    expect(on().converge({ ...declared, remote: "192.0.2.3", checksum: true, dontFragment: true }, [declared])).toEqual(
      [
        `${vsctl} -- remove Interface gre0a options df_default -- set Interface gre0a 'options:remote_ip="192.0.2.3"' options:csum=true`,
      ],
    );
    expect(on().converge(bare, [declared])).toEqual([
      `${vsctl} -- remove Interface gre0a options local_ip key df_default tos ttl`,
    ]);
    expect(on().converge({ ...declared, local: undefined, remote: "fd00::2" }, [declared])).toEqual([
      `${vsctl} -- remove Interface gre0a options local_ip -- set Interface gre0a type=ip6gre 'options:remote_ip="fd00::2"'`,
    ]);
  });

  it("is made anew for another extension, which ovs-vswitchd refuses in place", () => {
    const vxlan = (recording: Recording) =>
      void Object.assign(rowOf(recording, "Interface", "gre0a"), { type: "vxlan" });
    const args = { ...bare, type: "vxlan", extensions: "gbp" };
    expect(on(vxlan).converge(args)).toEqual([`${vsctl} -- del-port br-tun gre0a`]);
  });

  it("shows drift of what is declared", () => {
    const changed = (recording: Recording) => {
      rowOf(recording, "Interface", "gre0a").options = [
        "map",
        [
          ["remote_ip", "192.0.2.9"],
          ["key", "5"],
          ["ttl", "64"],
        ],
      ];
    };
    expect(on(changed).drift(declared)).toStrictEqual({
      ...{ local: undefined, remote: "192.0.2.9", key: 5, dontFragment: true, tos: undefined },
    });
  });

  it("names the cause when Open vSwitch cannot make it", () => {
    const failed = (error: string) => (recording: Recording) =>
      void Object.assign(rowOf(recording, "Interface", "gre0a"), { error, ofport: -1 });
    expect(() => on(failed("could not add network device gre0a to ofproto (File exists)")).converge(declared)).toThrow(
      /tunnel gre0a of bridge br-tun: could not add .* \[CONFLICT\][\s\S]*same type, addresses and key/,
    );
    expect(() => on(failed("Address family not supported by protocol")).converge(declared)).toThrow(/vport-gre/);
    expect(on(failed("x")).drift(declared)).toStrictEqual({ bridge: undefined });
  });

  it("is not proven beside another's tunnel that Open vSwitch cannot tell from it: one of them is dead, without an error", () => {
    const twin =
      (ids: string[][], options: string[][] = []) =>
      (recording: Recording) => {
        const [bridges, ports, interfaces] = [1, 2, 3].map((at) => recording.ovsdb[at]?.rows ?? []);
        const bridge = bridges?.find(({ name }) => name === "br-tun") ?? {};
        const [, all] = bridge.ports as [string, unknown[]];
        bridge.ports = ["set", [...all, ["uuid", "p1"]]];
        const [iface, port] = [rowOf(recording, "Interface", "gre0a"), rowOf(recording, "Port", "gre0a")];
        const given = [...(iface.options as [string, string[][]])[1], ...options];
        ports?.push({
          ...port,
          _uuid: ["uuid", "p1"],
          name: "gre0b",
          interfaces: ["uuid", "i1"],
          external_ids: ["map", ids],
        });
        interfaces?.push({ ...iface, _uuid: ["uuid", "i1"], name: "gre0b", options: ["map", given] });
      };
    expect(() => on(twin([])).converge(declared)).toThrow(
      /tunnel gre0a of bridge br-tun: gre0b has its type, addresses and key.* \[CONFLICT\]/,
    );
    expect(on(twin([])).drift(declared)).toStrictEqual({ bridge: undefined });
    // Two of ours change places, or are refused in preview.
    expect(on(twin([["hostnet-mark", "hostnet:00ff:bbbb"]])).converge(declared)).toEqual([]);
    expect(on(twin([], [["packet_type", "legacy_l3"]])).converge(declared)).toEqual([]);
    expect(on(twin([], [["remote_ip", "192.0.2.3"]])).converge(declared)).toEqual([]);
  });

  it("goes, and leaves what is not its", () => {
    expect(on().remove(declared)).toEqual([`${vsctl} -- del-port br-tun gre0a`]);
    expect(() => on().converge({ ...bare, name: "ghost" })).toThrow(/port ghost .* of type system .* \[FOREIGN\]/);
  });

  it("claims what Open vSwitch tells tunnels apart by", () => {
    expect(on().claims({ ...declared, key: 5 })).toEqual([
      "Open vSwitch port gre0a",
      "gre tunnel from 192.0.2.1 to 192.0.2.2 with key 5 for legacy_l2",
    ]);
    // One number is for one port of a bridge, of whatever kind.
    expect(
      on()
        .claims({ ...declared, ofportRequest: 7 })
        .at(-1),
    ).toBe("OpenFlow port 7 of bridge br-tun");
    const vxlan = { ...bare, type: "vxlan" };
    // A device of the kernel's for all of them, of both families.
    expect(on().claims(vxlan).slice(2)).toEqual([
      "shared (vxlan tunnels of Open vSwitch) UDP port 4789 over IPv4",
      "shared (vxlan tunnels of Open vSwitch) UDP port 4789 over IPv6",
    ]);
    expect(on().claims(vxlan)[1]).toBe("vxlan tunnel from any to 192.0.2.2 with key 0 at UDP port 4789 for legacy_l2");
    expect(on().claims({ ...vxlan, key: 0, dstPort: 4789 })[1]).toBe(on().claims(vxlan)[1]);
    expect(on().claims({ ...vxlan, packetType: "legacy_l3" })[1]).not.toBe(on().claims(vxlan)[1]);
  });

  it("refuses what cannot be", () => {
    const refuse = (args: object) =>
      on()
        .refusal({ ...bare, ...args })
        .join();
    expect(refuse({ name: "a-name-of-16-char" })).toMatch(/^name: must be 1 to 15/);
    expect(refuse({ remote: "010.0.0.1" })).toMatch(/^remote: must be an IPv4 or IPv6 address/);
    expect(refuse({ type: "vxlan", key: 2 ** 24 })).toMatch(/^key: must be less than 2\^24/);
    expect(refuse({ key: 1, inKey: 2 })).toMatch(/^key: must not be given together/);
    expect(refuse({ local: "flow" })).toMatch(/^local: must be an address unless remote is flow/);
    expect(refuse({ local: "fd00::1" })).toMatch(/^local: must be of the same IP version/);
    expect(refuse({ tos: 3 })).toMatch(/^tos: must be a multiple of 4/);
    expect(refuse({ ttl: 0 })).toMatch(/^ttl: must be a whole number from 1 to 255/);
    expect(refuse({ dstPort: 4789 })).toMatch(/^dstPort: must not be given with type gre/);
    expect(refuse({ type: "geneve", sequence: true })).toMatch(/^sequence: must not be given with type geneve/);
  });
});
