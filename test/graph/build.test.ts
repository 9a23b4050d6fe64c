import { layoutOf } from "../../provider/graph/build";
import type { Node } from "../../provider/graph/layout";
import { kindNames, samplesOf } from "../laws/samples";
import { cloud, drawn } from "./network";

const nodesOf = (layout: ReturnType<typeof layoutOf>) =>
  new Map(
    layout.hosts.flatMap(({ places }) =>
      places.flatMap(({ nodes }) => nodes.map((node): [string, Node] => [node.id, node])),
    ),
  );
const wiresOf = (layout: ReturnType<typeof layoutOf>) =>
  layout.wires.map(({ from, to, as, label }) => [from, as, to, ...(label ? [label] : [])].join(" ")).sort();
const texts = (node: Node | undefined) => node?.lines.map(({ text }) => text);

test("two nodes: guests behind ports with their tags, a patch cable, and one tunnel that both ends declare", () => {
  const { drawn: resources, on } = cloud(2, 1);
  const layout = layoutOf(resources, on);
  expect(layout.hosts.map(({ name, places }) => [name, places.map(({ namespace }) => namespace)])).toEqual([
    ["n1", [undefined, "guest1"]],
    ["n2", [undefined, "guest1"]],
  ]);
  const wires = wiresOf(layout);
  expect(wires.filter((wire) => wire.startsWith("n1/"))).toEqual([
    "n1//br-int cable n1//br-tun",
    "n1//gre-2 port n1//br-tun",
    "n1//gre-2 tunnel n2//gre-1 gre, key 100",
    "n1//port1 port n1//br-int tag 10",
    "n1/guest1/eth0 cable n1//port1",
  ]);
  expect(wires.filter((wire) => wire.includes("tunnel"))).toHaveLength(1);
  const nodes = nodesOf(layout);
  expect(nodes.get("n1//br-int")).toMatchObject({ isBridge: true, kind: "OvsBridge" });
  expect(texts(nodes.get("n1/guest1/eth0"))).toEqual(["10.0.0.1/16"]);
  // The pair and the port on the bridge are one device.
  expect(nodes.get("n1//port1")?.details.map(({ kind }) => kind)).toEqual(["VethPair", "OvsPort"]);
  expect(layout.hosts[0]?.places[1]?.notes.lines.map(({ text }) => text)).toEqual([
    "Route default via 10.0.255.254",
    "Sysctl net.ipv4.ip_forward value 0",
  ]);
});

test("a line begins with what its thing is called, which is never cut off, and says no triggers", () => {
  const chains = Object.fromEntries(
    ["ct-zone", "from-guest", "to-guest", "i-rules", "o-rules"].map((name) => [name, {}]),
  );
  const layout = layoutOf([
    drawn("h", "Firewall", { family: "bridge", name: "neutron-tapblue1", chains }),
    drawn("h", "ConnectivityCheck", { count: 5, to: "10.0.0.1", triggers: ["91a32c2846d8deb3/VethPair/blue/eth0"] }),
  ]);
  expect(layout.hosts[0]?.places[0]?.notes.lines.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Firewall neutron-tapblue1 .*…$/),
    "ConnectivityCheck 10.0.0.1 count 5",
  ]);
});

test("devices on devices, members of a bond, addresses and ports of their own", () => {
  const layout = layoutOf([
    drawn("h", "Macvlan", { name: "mv", parent: "eth0", mode: "private", namespace: "blue" }),
    drawn("h", "Bond", { name: "bond0", members: ["d0", "d1"] }),
    drawn("h", "Vlan", { name: "v9", parent: "bond0", vlanId: 9 }),
    drawn("h", "LinuxBridge", { name: "br0" }),
    drawn("h", "BridgePort", { bridge: "br0", device: "v9", vlans: [{ id: 9 }] }),
    drawn("h", "Address", { device: "br0", address: "10.0.0.1/24" }, { change: "gone" }),
    drawn("h", "Neighbor", { device: "br0", address: "10.0.0.2", mac: "02:00:00:00:00:05" }),
    drawn("h", "GreTunnel", { name: "g1", local: "192.0.2.1", remote: "192.0.2.9", key: 7 }),
  ]);
  expect(wiresOf(layout)).toEqual([
    "h//d0 port h//bond0",
    "h//d1 port h//bond0",
    "h//g1 tunnel outside 192.0.2.9 GreTunnel, key 7",
    "h//v9 parent h//bond0",
    "h//v9 port h//br0 vlans 9",
    "h/blue/mv parent h//eth0",
  ]);
  expect(layout.outside).toEqual(["192.0.2.9"]);
  const nodes = nodesOf(layout);
  // What is only named is drawn, and said not to be declared.
  expect(nodes.get("h//eth0")).toEqual({ id: "h//eth0", name: "eth0", lines: [], details: [] });
  expect(texts(nodes.get("h/blue/mv"))).toEqual(["mode private"]);
  expect(nodes.get("h//br0")?.lines).toEqual([
    { text: "10.0.0.1/24", change: "gone" },
    { text: "Neighbor 10.0.0.2 mac 02:00:00:00:00:05" },
  ]);
  expect(nodes.get("h//br0")?.change).toBe("gone");
});

test("of a pair only the end that has drifted is in colour", () => {
  const pair = { a: { name: "p0" }, b: { name: "p1" } };
  const layout = layoutOf([
    drawn("h", "VethPair", pair, { change: "changed", drift: ["b.mtu: declared 1500, is 1400"], paths: ["b.mtu"] }),
  ]);
  const nodes = nodesOf(layout);
  expect([nodes.get("h//p0")?.change, nodes.get("h//p1")?.change]).toEqual([undefined, "changed"]);
  expect(nodes.get("h//p1")?.details[0]?.drift).toEqual(["b.mtu: declared 1500, is 1400"]);
});

test("a host on which nothing is, is drawn", () => {
  expect(layoutOf([], [{ host: "n9" }]).hosts).toMatchObject([{ name: "n9", places: [{ nodes: [] }] }]);
});

test.each(kindNames.flatMap((name) => samplesOf(name).map((sample, index) => [name, index, sample] as const)))(
  "%s %i is in the picture, and every wire ends at something",
  (name, _, { args }) => {
    const layout = layoutOf([drawn("h", name, args)]);
    const nodes = nodesOf(layout);
    const shown = layout.hosts.flatMap(({ places }) =>
      places.flatMap((place) => [place, place.notes, ...place.nodes].flatMap(({ details }) => details)),
    );
    const onWires = layout.wires.flatMap(({ details }) => details);
    expect([...shown, ...onWires].map(({ kind }) => kind)).toContain(name);
    for (const { from, to } of layout.wires) {
      expect(nodes.has(from)).toBe(true);
      expect(nodes.has(to) || to.startsWith("outside ")).toBe(true);
    }
  },
);
