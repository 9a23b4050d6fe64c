import { describe as described } from "../../provider/discover/describe";
import { ovsPort } from "../../provider/kinds/ovs-port";
import { empty, type Recording, recorded, rowOf, trial, without } from "./recorded/ovs";

const qos = {
  type: "linux-htb",
  maxRate: 1000000,
  queues: [
    { id: 7, minRate: 1000, dscp: 10 },
    { id: 0, maxRate: 5000 },
  ],
};
const system = {
  ...{ bridge: "br-int", name: "kva", tag: 7, transient: true, qos },
  interface: { externalIds: { "iface-id": "u" }, ofportRequest: 77, ingressPolicing: { rate: 1000, burst: 100 } },
};
const internal = {
  ...{ bridge: "br-int", name: "q0", type: "internal", namespace: "kns", tag: 5 },
  ...{ addresses: ["10.98.0.1/24"], interface: { mtu: 1400 } },
};
const bond = {
  ...{ bridge: "br-int", name: "bond0", type: "bond" },
  bond: { members: ["kve", "kvc"], mode: "balance-slb", lacp: "active", lacpTime: "fast" },
};
const identity = { bridge: "br-int", name: "q0", type: "internal", namespace: "kns" };
const on = (change?: (recording: Recording) => void) => trial(ovsPort, recorded(change));
const vsctl = "ovs-vsctl --timeout=30";
const mark = `'external_ids:hostnet-mark="hostnet:00ff:aaaa"'`;
const link = (recording: Recording, name: string) => recording.links.find(({ ifname }) => ifname === name) ?? {};

describe("OvsPort", () => {
  it("is proven when all is as declared", () => {
    for (const args of [system, internal, bond]) {
      expect(on().converge(args)).toEqual([]);
      expect(on().drift(args)).toStrictEqual({});
    }
  });

  it("makes a system port with its quality of service in one transaction", () => {
    const id = `${mark} 'external_ids:hostnet-port="kva"'`;
    expect(on(empty).converge({ ...system, interface: undefined })).toEqual([
      [
        `${vsctl} -- add-port br-int kva -- set Port kva tag=7 other_config:transient=true ${mark}`,
        `set Port kva qos=@qos-kva`,
        `--id=@qos-kva create QoS 'type="linux-htb"' ${id} 'other_config:"max-rate"="1000000"' queues:7=@qos-kva-7 queues:0=@qos-kva-0`,
        `--id=@qos-kva-7 create Queue ${id} dscp=10 'other_config:min-rate="1000"'`,
        `--id=@qos-kva-0 create Queue ${id} 'other_config:max-rate="5000"'`,
      ].join(" -- "),
    ]);
  });

  it("gives back the permanent neighbours, whosever they are, that another MAC address costs its device", () => {
    const entry = { dst: "10.98.0.9", dev: "q0", lladdr: "02:00:00:00:00:09", state: ["PERMANENT"] };
    const seen = on((recording) => {
      Object.assign(recording, { "neighbours:lasting@kns": [entry], "neighbours:proxy@kns": [] });
    });
    const { steps, asked } = seen.inquired({ ...internal, interface: { mac: "02:00:00:00:00:01", mtu: 1400 } });
    expect(asked).toBe(1);
    expect(steps.slice(1)).toEqual([
      "ip netns exec kns ip link set dev q0 address 02:00:00:00:00:01",
      "ip netns exec kns ip neighbour replace 10.98.0.9 dev q0 lladdr 02:00:00:00:00:09 nud permanent protocol static",
    ]);
    expect(seen.inquired(internal)).toEqual({ steps: [], asked: 0 });
    expect(seen.inquired(bond)).toEqual({ steps: [], asked: 0 });
  });

  it("leaves the MAC address and MTU that `ip` has set on a device to it, and writes those where they are others", () => {
    const byIp = (recording: Recording) => {
      Object.assign(rowOf(recording, "Interface", "q0"), { mac: ["set", []], mtu_request: ["set", []] });
      const device = recording["links@kns"].find(({ ifname }) => ifname === "q0");
      Object.assign(device as object, { address: "fa:16:3e:00:00:02", mtu: 1450 });
    };
    const said = { ...internal, interface: { mac: "fa:16:3e:00:00:02", mtu: 1450 } };
    expect(on(byIp).converge(said)).toEqual([]);
    expect(on(byIp).converge({ ...said, interface: { mac: "02:00:00:00:00:01", mtu: 1400 } })[0]).toBe(
      `${vsctl} -- set Interface q0 mtu_request=1400 'mac="02:00:00:00:00:01"'`,
    );
    const found = on(byIp).find(internal) as never;
    expect(described(ovsPort as never, identity, found).args).toMatchObject({ interface: said.interface });
    const usual = (recording: Recording) => {
      byIp(recording);
      Object.assign(recording["links@kns"].find(({ ifname }) => ifname === "q0") as object, { mtu: 1500 });
    };
    expect(described(ovsPort as never, identity, on(usual).find(internal) as never).args.interface).toEqual({
      mac: "fa:16:3e:00:00:02",
    });
  });

  it("shows a foreign address where the set is exact, and nothing else", () => {
    const foreign = (recording: Recording) => {
      const device = recording["links@kns"].find(({ ifname }) => ifname === "q0");
      const info = { family: "inet", local: "10.97.0.1", prefixlen: 24, scope: "global", label: "q0" };
      (device?.addr_info as object[] | undefined)?.push(info);
    };
    expect(on(foreign).drift({ ...internal, addressesExact: true })).toStrictEqual({
      addresses: ["10.98.0.1/24", "10.97.0.1/24"],
    });
  });

  it("makes an internal port in the host's namespace, and moves it in the next round", () => {
    expect(on(empty).converge(internal)).toEqual([
      `${vsctl} -- add-port br-int q0 -- set Interface q0 type=internal -- set Port q0 tag=5 ${mark} -- set Interface q0 mtu_request=1400 'mac="02:da:c1:06:80:ac"'`,
      "udevadm settle --timeout=10",
    ]);
    const newborn = (recording: Recording) => {
      recording.links.push({
        ...recording["links@kns"].find(({ ifname }) => ifname === "q0"),
        flags: [],
        addr_info: [],
      });
      recording["links@kns"] = [];
    };
    expect(on(newborn).converge(internal)).toEqual([
      "ip link set dev q0 alias hostnet:00ff:aaaa",
      "ip link set dev q0 netns kns",
      "ip netns exec kns ip link set dev q0 up",
      "ip netns exec kns ip address add 10.98.0.1/24 dev q0",
    ]);
  });

  it("may have an MTU that is too small for IPv6: there is none to switch off then", () => {
    const made = on(empty).converge({ ...internal, namespace: undefined, addresses: [], interface: { mtu: 1279 } });
    expect(made.join("\n")).toMatch(/mtu_request=1279[\s\S]*up$/);
    expect(made.join("\n")).toMatch(/sysctl -eqw /);
  });

  it("makes a bond", () => {
    expect(on(empty).converge(bond)).toEqual([
      `${vsctl} -- add-bond br-int bond0 kve kvc -- set Port bond0 bond_mode=balance-slb lacp=active other_config:lacp-time=fast ${mark}`,
    ]);
  });

  it("updates what differs", () => {
    expect(on().converge({ ...system, tag: 9, trunks: [3, 1], vlanMode: "native-untagged" }, [system])).toEqual([
      `${vsctl} -- set Port kva tag=9 trunks=1,3 vlan_mode=native-untagged`,
    ]);
    expect(on().converge({ ...bond, bond: { ...bond.bond, members: ["kvc", "new"] } }, [bond])).toEqual([
      `${vsctl} -- add-bond-iface bond0 new -- del-bond-iface bond0 kve`,
    ]);
    // ovs-vswitchd does not reach a device in another namespace: `ip` does the rest.
    expect(on().converge({ ...internal, interface: { mtu: 1300, mac: "02:00:00:00:00:01" } }, [internal])).toEqual([
      `${vsctl} -- set Interface q0 mtu_request=1300 'mac="02:00:00:00:00:01"'`,
      "ip netns exec kns ip link set dev q0 address 02:00:00:00:00:01",
      "ip netns exec kns ip link set dev q0 mtu 1300",
    ]);
  });

  it("replaces quality of service by new rows, and never leaves old ones", () => {
    const [argv] = on().converge({ ...system, qos: { type: "linux-codel" } }, [system]);
    expect(argv).toMatch(/set Port kva qos=@qos-kva -- --id=@qos-kva create QoS 'type="linux-codel"'/);
    expect(argv?.match(/--if-exists destroy (QoS|Queue) [0-9a-f-]{36}/g)).toHaveLength(3);
    const orphaned = (recording: Recording) => {
      rowOf(recording, "Port", "kva").qos = ["set", []];
    };
    expect(
      on(orphaned)
        .converge({ ...system, qos: undefined })
        .join(),
    ).toMatch(/destroy QoS .*destroy Queue .*destroy Queue/);
  });

  it("takes the rows of quality of service along with a port that is taken over, and no others", () => {
    const unmarked = (change: (recording: Recording) => void = () => {}) =>
      on((recording) => {
        for (const { rows } of recording.ovsdb) for (const row of rows) row.external_ids = ["map", []];
        change(recording);
      });
    const bare = { bridge: "br-int", name: "kva", qos };
    const ids = `${mark} 'external_ids:hostnet-port="kva"'`;
    const taken = unmarked().converge(bare)[0];
    expect(
      taken?.match(/set (QoS|Queue) [0-9a-f-]{36} .*?(?= -- |$)/g)?.map((text) => text.slice(-ids.length)),
    ).toEqual([...[ids, ids, ids]]);
    expect(taken).not.toMatch(/create|destroy/);
    // Another port has the same: neither is changed nor deleted by us.
    const shared = unmarked((recording) => {
      rowOf(recording, "Port", "q0").qos = rowOf(recording, "Port", "kva").qos;
    });
    expect(shared.converge(bare)[0]).toMatch(/create QoS/);
    expect(unmarked().converge({ ...bare, qos: { ...qos, maxRate: 1 } })[0]).toMatch(/create QoS/);
  });

  it("sweeps the rows of a port that is gone, its own only, and none while the port is there", () => {
    const [argv, ...more] = on((recording) => without(recording, "Port", "kva")).sweep(system);
    expect(argv).toMatch(/^ovs-vsctl --timeout=30 -- --if-exists destroy QoS /);
    expect(argv?.match(/destroy (QoS|Queue)/g)).toEqual(["destroy QoS", "destroy Queue", "destroy Queue"]);
    expect(more).toEqual([]);
    expect(on((recording) => without(recording, "Port", "kva")).sweep(internal)).toEqual([]);
    expect(on().sweep(system)).toEqual([]);
  });

  it("takes back what is no longer declared", () => {
    const [argv] = on().converge({ bridge: "br-int", name: "kva" }, [system]);
    expect(argv).toMatch(/remove Port kva other_config transient -- clear Port kva tag/);
    expect(argv).toMatch(/remove Interface kva external_ids iface-id -- clear Interface kva ofport_request/);
    expect(argv).toMatch(/set Interface kva ingress_policing_rate=0 ingress_policing_burst=0 -- clear Port kva qos --/);
    const bare = { ...bond, bond: { members: ["kvc", "kve"] } };
    expect(on().converge(bare, [bond])).toEqual([
      `${vsctl} -- remove Port bond0 other_config lacp-time -- clear Port bond0 bond_mode lacp`,
    ]);
  });

  it("shows drift of what is declared", () => {
    const changed = (recording: Recording) => {
      Object.assign(rowOf(recording, "Port", "kva"), { tag: 8 });
      Object.assign(rowOf(recording, "Interface", "kva"), { ingress_policing_rate: 5 });
    };
    expect(on(changed).drift(system)).toStrictEqual({
      tag: 8,
      interface: { ...system.interface, ingressPolicing: { rate: 5, burst: 100 } },
    });
    const inside = (recording: Recording) => Object.assign(recording["links@kns"][1] ?? {}, { mtu: 1280 });
    expect(on(inside).drift(internal)).toStrictEqual({ interface: { mtu: 1280 } });
  });

  it("says what is wrong with a port whose device is not there", () => {
    const gone = (recording: Recording) => {
      recording.links = recording.links.filter(({ ifname }) => ifname !== "kva");
    };
    expect(() => on(gone).converge(system)).toThrow(
      /port kva of bridge br-int: could not open network device kva \(No such device\) \[NOT_CONVERGED\][\s\S]*Declare it/,
    );
    expect(on(gone).drift(system)).toStrictEqual({ bridge: undefined });
  });

  it("waits until ovs-vswitchd has noticed a device that was made again", () => {
    const again = (recording: Recording) => Object.assign(link(recording, "kva"), { ifindex: 999 });
    expect(on(again).find(system)?.pending).toBe("ovs-vswitchd to take kva in");
    const ghost = (recording: Recording) => recording.links.push({ ...link(recording, "kva"), ifname: "ghost" });
    expect(on((recording) => void ghost(recording)).find({ bridge: "br-int", name: "ghost" })?.pending).toMatch(
      /ghost/,
    );
  });

  it("makes an internal port anew whose device went with its namespace, in two transactions", () => {
    const gone = (recording: Recording) => {
      recording["links@kns"] = [];
    };
    expect(on(gone).find(internal)?.broken).toBe("the device of port q0 is gone");
    expect(on(gone).converge(internal)).toEqual([`${vsctl} -- del-port br-int q0`]);
  });

  it("replaces the dead device that a restart of ovs-vswitchd leaves in the namespace", () => {
    const restarted = (recording: Recording) => {
      recording.links.push({ ...recording["links@kns"][1], ifalias: undefined, flags: [], addr_info: [] });
    };
    expect(on(restarted).drift(internal)).toStrictEqual({ bridge: undefined });
    expect(on(restarted).converge(internal).slice(0, 3)).toEqual([
      "ip netns exec kns ip link del dev q0",
      "ip link set dev q0 alias hostnet:00ff:aaaa",
      "ip link set dev q0 netns kns",
    ]);
  });

  it("leaves a port of somebody else's", () => {
    expect(on().find({ bridge: "br-int", name: "ghost" })?.marks).toEqual([undefined]);
    expect(() => on().converge({ bridge: "br-tun", name: "ghost" })).toThrow(
      /of type system of bridge br-int \[FOREIGN\]/,
    );
    const device = (recording: Recording) => without(recording, "Port", "q0");
    expect(on(device).converge(internal)).toEqual(["ip netns exec kns ip link del dev q0"]);
    const other = (recording: Recording) => {
      without(recording, "Port", "q0");
      Object.assign(recording["links@kns"][1] ?? {}, { ifalias: undefined });
    };
    expect(() => on(other).converge(internal)).toThrow(
      /device q0 is there already and is not of Open vSwitch \[FOREIGN\]/,
    );
  });

  it("goes with its rows, in two transactions", () => {
    expect(on().remove({ bridge: "br-int", name: "bond0", type: "bond", bond: bond.bond })).toEqual([
      `${vsctl} -- del-port br-int bond0`,
    ]);
    const [first, second] = on().remove(system) ?? [];
    expect(first).toMatch(/^ovs-vsctl --no-wait --timeout=30 -- clear Port kva qos -- --if-exists destroy QoS /);
    expect(second).toBe(`${vsctl} -- del-port br-int kva`);
  });

  it("claims names and devices", () => {
    expect(on().claims(internal)).toEqual([
      "Open vSwitch port q0",
      "device q0 in namespace kns",
      "addresses of device q0 in namespace kns",
    ]);
    expect(on().claims(bond)).toContain("bridge of device kve");
    const numbered = { ...internal, interface: { ofportRequest: 7 } };
    expect(on().claims(numbered)).toContain(`OpenFlow port 7 of bridge ${internal.bridge}`);
  });

  it("refuses what cannot be", () => {
    const refuse = (args: object) =>
      on()
        .refusal({ bridge: "br-int", name: "p", ...args })
        .join();
    expect(refuse({ name: "a-name-of-16-char" })).toMatch(/^name: must be 1 to 15/);
    expect(refuse({ tag: 4096 })).toMatch(/^tag: must be a whole number from 0 to 4095.*4096/);
    expect(refuse({ up: true })).toMatch(/^up: must not be given with type system/);
    expect(refuse({ namespace: "n" })).toMatch(/^namespace: must not be given with type system/);
    expect(refuse({ interface: { mac: "02:00:00:00:00:01" } })).toMatch(/^interface.mac: /);
    expect(refuse({ type: "bond" })).toMatch(/^bond: is required/);
    expect(refuse({ type: "bond", bond: { members: ["a"] } })).toMatch(/^bond.members: must have at least two/);
    expect(refuse({ type: "bond", bond: { members: ["a", "b"] }, interface: {} })).toMatch(/^interface: /);
    expect(refuse({ tag: 1, trunks: [2] })).toMatch(/^trunks: .*native/);
    expect(refuse({ tag: 1, vlanMode: "trunk" })).toMatch(/^tag: /);
    expect(refuse({ type: "internal", namespace: "n", qos: { type: "linux-htb" } })).toMatch(/^qos: .*VethPair/);
    expect(refuse({ otherConfig: { transient: true } })).toMatch(/^otherConfig.transient: .*`transient`/);
    expect(refuse({ name: "br-int" })).toMatch(/^name: .*OvsBridge/);
  });
});
