import { ovsBridge } from "../../provider/kinds/ovs-bridge";
import { mapChanges } from "../../provider/model/ovs-columns";
import { empty, type Recording, recorded, rowOf, trial, without } from "./recorded/ovs";

const declared = {
  ...{ name: "br-int", datapathType: "netdev", failMode: "secure", protocols: ["OpenFlow13", "OpenFlow10"] },
  ...{ controllers: ["ptcp:6654:127.0.0.1"], mtu: 1400, datapathId: "0000000000000abc" },
  ...{ otherConfig: { "mac-aging-time": 600 }, externalIds: { "bridge-id": "x y" }, addresses: ["10.99.0.1/24"] },
};
const on = (change?: (recording: Recording) => void) => trial(ovsBridge, recorded(change));
const vsctl = "ovs-vsctl --timeout=30";

describe("OvsBridge", () => {
  it("is made in one transaction, and then its device is set up", () => {
    expect(on(empty).converge({ name: "br-int", failMode: "secure" })).toEqual([
      `${vsctl} -- add-br br-int -- set Bridge br-int fail_mode=secure 'other_config:hwaddr="02:0e:ff:12:90:50"' 'external_ids:hostnet-mark="hostnet:00ff:aaaa"'`,
      `ip link set dev br-int alias hostnet:00ff:aaaa`,
      "udevadm settle --timeout=10",
      "sysctl -eqw net/ipv6/conf/br-int/disable_ipv6=1",
      "ip link set dev br-int up",
    ]);
    const newborn = (recording: Recording) => {
      const device = recording.links.find(({ ifname }) => ifname === "br-int");
      Object.assign(device ?? {}, { flags: [], addr_info: [], ifalias: undefined });
    };
    expect(on(newborn).converge({ ...declared, addresses: undefined })).toEqual([
      "ip link set dev br-int alias hostnet:00ff:aaaa",
      "sysctl -eqw net/ipv6/conf/br-int/disable_ipv6=1",
      "ip link set dev br-int up",
    ]);
  });

  it("gives back the permanent neighbours that another MAC address costs its device, once it has that", () => {
    const entry = { dst: "10.99.0.9", dev: "br-int", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] };
    const seen = on((recording) => {
      Object.assign(recording, { "neighbours:lasting": [entry], "neighbours:proxy": [] });
    });
    const { steps, asked } = seen.inquired({ ...declared, mac: "02:00:00:00:00:01" });
    expect(asked).toBe(1);
    expect(steps).toEqual([
      expect.stringContaining('other_config:hwaddr="02:00:00:00:00:01"'),
      "ip neighbour replace 10.99.0.9 dev br-int lladdr 02:00:00:00:00:09 nud permanent protocol static",
    ]);
    expect(seen.inquired(declared)).toEqual({ steps: [], asked: 0 });
  });

  it("may have an MTU that is too small for IPv6: there is none to switch off then", () => {
    const made = on(empty).converge({ name: "br-int", mtu: 1279 });
    expect(made.join("\n")).toMatch(/mtu_request=1279[\s\S]*up$/);
    expect(made.join("\n")).toMatch(/sysctl -eqw /);
  });

  it("is proven when all is as declared", () => {
    expect(on().converge(declared)).toEqual([]);
    expect(on().drift(declared)).toStrictEqual({});
  });

  it("shows a foreign address where the set is exact, and nothing else", () => {
    const foreign = (recording: Recording) => {
      const device = recording.links.find(({ ifname }) => ifname === "br-int");
      const info = { family: "inet", local: "10.98.0.1", prefixlen: 24, scope: "global", label: "br-int" };
      (device?.addr_info as object[] | undefined)?.push(info);
    };
    expect(on(foreign).drift({ ...declared, addressesExact: true })).toStrictEqual({
      addresses: ["10.99.0.1/24", "10.98.0.1/24"],
    });
  });

  it("does nothing to a device that Open vSwitch makes anew, and shows what is wrong on it all the same", () => {
    const down = (recording: Recording) => {
      const device = recording.links.find(({ ifname }) => ifname === "br-int");
      Object.assign(device ?? {}, { flags: [] });
    };
    const other = { ...declared, datapathType: "system" };
    expect(on(down).converge(other)).toEqual([`${vsctl} -- set Bridge br-int datapath_type=system`]);
    expect(on(down).drift(other)).toStrictEqual({ datapathType: "netdev", up: false });
  });

  it("is another bridge in another datapath: Open vSwitch makes the devices of all its ports anew, without addresses", () => {
    const replaces = (was: object, want: object) =>
      ovsBridge.replaces?.({ name: "b", ...was } as never, { name: "b", ...want } as never);
    expect(replaces({}, { datapathType: "netdev" })).toEqual(["datapathType"]);
    expect(replaces({ datapathType: "netdev" }, {})).toEqual(["datapathType"]);
    expect(replaces({}, { datapathType: "system" })).toEqual([]);
  });

  it("shows the live values in the words of the arguments", () => {
    const found = on().find(declared);
    expect(found?.args).toMatchObject({
      ...declared,
      protocols: ["OpenFlow10", "OpenFlow13"],
      otherConfig: { "mac-aging-time": "600" },
      mac: "02:0e:ff:12:90:50",
      // The link-local one is the kernel's.
      addresses: ["10.99.0.1/24"],
      up: true,
    });
    expect(found?.facts).toMatchObject({
      datapathId: "0000000000000abc",
      ports: ["bond0", "ghost", "kva", "patch-tun", "q0"],
    });
    expect(found?.marks).toEqual(["hostnet:00ff:aaaa"]);
  });

  it("updates what differs, and nothing else", () => {
    const other = { ...declared, failMode: "standalone", rstp: true, controllers: [], mac: "02:00:00:00:00:01" };
    expect(on().converge(other, [declared])).toEqual([
      `${vsctl} -- set Bridge br-int fail_mode=standalone rstp_enable=true 'other_config:hwaddr="02:00:00:00:00:01"' -- del-controller br-int`,
    ]);
  });

  it("takes back what is no longer declared, and leaves the keys of others", () => {
    const theirs = (recording: Recording) => {
      const row = rowOf(recording, "Bridge", "br-int");
      (row.other_config as [string, [string, string][]])[1].push(["forward-bpdu", "true"]);
    };
    // The device keeps the MTU when the request is taken back: the usual one is asked for first.
    expect(on(theirs).converge({ name: "br-int", datapathType: "netdev" }, [declared])).toEqual([
      `${vsctl} -- remove Bridge br-int other_config datapath-id mac-aging-time -- remove Bridge br-int external_ids bridge-id -- clear Bridge br-int fail_mode protocols -- set Interface br-int mtu_request=1500 -- del-controller br-int`,
      "sysctl -eqw net/ipv6/conf/br-int/disable_ipv6=1",
      "ip address del 10.99.0.1/24 dev br-int",
    ]);
    const usual = (recording: Recording) => {
      Object.assign(recording.links.find(({ ifname }) => ifname === "br-int") ?? {}, { mtu: 1500 });
      rowOf(recording, "Interface", "br-int").mtu_request = 1500;
    };
    expect(on(usual).converge({ ...declared, mtu: undefined }, [declared])).toEqual([
      `${vsctl} -- clear Interface br-int mtu_request`,
    ]);
  });

  it("takes its own MAC back with `mac: kernel`, not somebody else's", () => {
    expect(on().converge({ ...declared, mac: "kernel" }, [declared])).toEqual([
      `${vsctl} -- remove Bridge br-int other_config hwaddr`,
    ]);
    const theirs = (recording: Recording) => {
      rowOf(recording, "Bridge", "br-int").other_config = ["map", [["hwaddr", "02:11:11:11:11:11"]]];
    };
    const some = { name: "br-int", mac: "kernel", addresses: ["10.99.0.1/24"] };
    expect(on(theirs).converge(some)).toEqual([]);
  });

  it("shows drift of what is declared", () => {
    const changed = (recording: Recording) => {
      Object.assign(rowOf(recording, "Bridge", "br-int"), { fail_mode: "standalone", external_ids: ["map", []] });
    };
    expect(on(changed).drift(declared)).toStrictEqual({ failMode: "standalone", externalIds: {} });
  });

  it("leaves the marks in its external ids to whom they belong, sets of flows among them", () => {
    const set = { "hostnet-flows-base": "hostnet:0ff0:bbbb" };
    const marked = (recording: Recording) => {
      const ids = Object.entries({ "bridge-id": "x y", "hostnet-mark": "hostnet:00ff:aaaa", ...set });
      rowOf(recording, "Bridge", "br-int").external_ids = ["map", ids];
    };
    expect(on(marked).find(declared)?.args).toMatchObject({ externalIds: { "bridge-id": "x y" } });
    // A stack that was imported before may have it among what it declared.
    const row = { map: () => ({ a: "b", ...set }) } as unknown as Parameters<typeof mapChanges>[3];
    expect(mapChanges("external_ids", {}, [{ a: "b", ...set }], row)).toEqual([{ column: "external_ids", key: "a" }]);
  });

  it("waits for ovs-vswitchd: for the bridge, and for the MTU that somebody else changed", () => {
    const busy = (recording: Recording) => {
      rowOf(recording, "Interface", "br-int").ofport = ["set", []];
      Object.assign(recording.ovsdb[0]?.rows[0] ?? {}, { next_cfg: 999 });
    };
    expect(on(busy).find(declared)?.pending).toBe("ovs-vswitchd to set up br-int");
    const lowered = (recording: Recording) => {
      Object.assign(recording.links.find(({ ifname }) => ifname === "br-int") ?? {}, { mtu: 1280 });
    };
    expect(on(lowered).find(declared)?.pending).toBe("ovs-vswitchd to set the MTU of br-int to 1400: it is 1280");
  });

  it("says what is missing when the kernel has no datapath", () => {
    const dead = (recording: Recording) => {
      rowOf(recording, "Interface", "br-int").ofport = ["set", []];
      recording.links = [];
    };
    expect(() => on(dead).converge(declared)).toThrow(
      /could not set up br-int \[MISSING_FEATURE\][\s\S]*modprobe openvswitch/,
    );
    expect(on(dead).drift(declared)).toStrictEqual({ up: undefined });
  });

  it("says what to do when Open vSwitch does not run", () => {
    const stopped = (recording: Recording) => {
      recording.vswitchd = "";
    };
    expect(() => on(stopped).find(declared)).toThrow(/ovs-vswitchd does not run \[READ_FAILED\][\s\S]*systemctl start/);
  });

  it("does not touch a device of that name that is not its", () => {
    const taken = (recording: Recording) => without(recording, "Bridge", "br-int");
    expect(on(taken).find(declared)?.marks).toEqual([undefined]);
    expect(() => on(taken).converge(declared)).toThrow(/not of an Open vSwitch bridge \[FOREIGN\]/);
  });

  it("goes only when all its ports are ours", () => {
    expect(() => on().remove(declared)).toThrow(/has ports that are not ours: ghost \[IN_USE\]/);
    expect(on((recording) => without(recording, "Port", "ghost")).remove(declared)).toEqual([
      `${vsctl} -- del-br br-int`,
    ]);
  });

  it("refuses what cannot be", () => {
    const refuse = (args: object) =>
      on()
        .refusal({ name: "br", ...args })
        .join();
    expect(refuse({ name: "a-name-of-16-char" })).toMatch(/^name: must be 1 to 15 .*a-name-of-16-char/);
    expect(refuse({ name: "ovs-system" })).toMatch(/^name: .*devices of its own/);
    expect(refuse({ mtu: 67 })).toMatch(/^mtu: must be 68 to 65535.*67/);
    expect(refuse({ stp: true, rstp: true })).toMatch(/^rstp: /);
    expect(refuse({ otherConfig: { hwaddr: "02:00:00:00:00:01" } })).toMatch(/^otherConfig.hwaddr: .*`mac`/);
    expect(refuse({ externalIds: { "hostnet-mark": "x" } })).toMatch(/^externalIds.hostnet-mark: /);
    expect(refuse({ externalIds: { "hostnet-flows-a": "x" } })).toMatch(/^externalIds.hostnet-flows-a: /);
    expect(refuse({ controllers: ["192.0.2.1"] })).toMatch(/^controllers\[0\]: must be tcp:/);
    expect(refuse({ datapathId: "0".repeat(16) })).toMatch(/^datapathId: must be 16 hex digits/);
  });
});
