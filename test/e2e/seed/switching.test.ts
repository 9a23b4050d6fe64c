import { capture } from "../helpers/capture";
import { onOneHost } from "../helpers/declare";
import { footprint, mustOnHost, onHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/**
 * Rows of seed.md that need one host and no Open vSwitch: network namespaces, veth pairs, namespaces on a bridge, the
 * Linux bridge. What is looked at is looked at by the host's own tools.
 */
const program = onOneHost(
  "n1",
  `
const middle = new hostnet.Namespace("bridge", { host });
const switches = { br: ["net0", "net1"], other: ["net2", "net3"] };
for (const [name, ports] of Object.entries(switches)) {
  const br = new hostnet.LinuxBridge("bridge/" + name, { namespace: middle });
  for (const port of ports) {
    const namespace = new hostnet.Namespace(port, { host });
    new hostnet.VethPair("cable-" + port, {
      a: { name: "eth0", namespace, addresses: ["10.61.0." + (1 + Number(port.slice(3))) + "/24"] },
      b: { name: "bridge-" + port, namespace: middle, bridge: br },
    });
  }
}
`,
);

let stack: Stack;
let before: unknown;
beforeAll(async () => {
  before = await footprint("n1");
  stack = await createStack({ program });
  await stack.up();
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

const ping = async (from: string, to: string) =>
  (await onHost("n1", `ip netns exec ${from} ping -c 2 -i 0.2 -W 2 ${to}`)).exitCode === 0;

it("network namespaces: neither sees the other's devices, routes, neighbours and rules", async () => {
  await mustOnHost(
    "n1",
    `ip -n net0 link add name only0 type bridge; ip -n net0 route add 203.0.113.0/24 dev lo; ip -n net0 rule add priority 77 from 203.0.113.9;
     ip -n net0 neigh add 10.61.0.99 lladdr 02:00:00:00:00:99 dev eth0`,
  );
  const seen = (namespace: string) =>
    mustOnHost(
      "n1",
      `for what in link route neigh rule; do ip -n ${namespace} $what show | grep -cE 'only0|203.0.113|02:00:00:00:00:99' || true; done`,
    );
  expect(await seen("net0")).toBe("1\n1\n1\n1\n");
  expect(await seen("net1")).toBe("0\n0\n0\n0\n");
  await mustOnHost(
    "n1",
    "ip -n net0 link del dev only0; ip -n net0 route del 203.0.113.0/24; ip -n net0 rule del priority 77; ip -n net0 neigh del 10.61.0.99 dev eth0",
  );
}, 900_000);

it("veth pairs: what enters one end leaves the other, and nothing does once an end is down", async () => {
  const crossing = () =>
    capture(
      "n1",
      [{ device: "bridge-net0", namespace: "bridge", direction: "in", filter: "arp host 10.61.0.200" }],
      "ip netns exec net0 arping -c 1 -w 2 -I eth0 10.61.0.200",
    );
  expect((await crossing())[0]).toHaveLength(1);
  await mustOnHost("n1", "ip -n net0 link set dev eth0 down");
  expect(await ping("net0", "10.61.0.2")).toBe(false);
  await mustOnHost("n1", "ip -n net0 link set dev eth0 up");
}, 900_000);

it("namespaces on a bridge: net0 reaches net1 through `br`, which nobody sees outside of its namespace", async () => {
  expect(await ping("net0", "10.61.0.2")).toBe(true);
  expect(await mustOnHost("n1", "ip -n bridge -br link show type bridge")).toMatch(/^br\s+UP/m);
  expect(await mustOnHost("n1", "bridge -n bridge link show")).toMatch(/bridge-net0.* master br .*state forwarding/);
  expect((await onHost("n1", "ip link show dev br")).exitCode).not.toBe(0);
  expect((await onHost("n1", "ip -n net0 link show dev br")).exitCode).not.toBe(0);
  await mustOnHost("n1", "ip -n bridge link set dev bridge-net1 nomaster");
  expect(await ping("net0", "10.61.0.2")).toBe(false);
  await mustOnHost("n1", "ip -n bridge link set dev bridge-net1 master br");
  expect(await ping("net0", "10.61.0.2")).toBe(true);
}, 900_000);

it("Linux bridge: a broadcast is seen once on each port of its own and never on the other's; MACs are learned", async () => {
  const ports = ["net0", "net1", "net2", "net3"];
  const seen = () =>
    capture(
      "n1",
      ports.map((port) => ({
        ...{ device: `bridge-${port}`, namespace: "bridge" },
        filter: "icmp and dst 10.61.0.255",
      })),
      "ip netns exec net0 ping -b -c 1 -W 1 -p 6d61726b 10.61.0.255",
    );
  expect((await seen()).map((packets) => packets.length)).toEqual([1, 1, 0, 0]);
  // The control: once a port of the other bridge joins this one, it sees the broadcast too.
  await mustOnHost("n1", "ip -n bridge link set dev bridge-net2 master br");
  expect((await seen()).map((packets) => packets.length)).toEqual([1, 1, 1, 0]);
  await mustOnHost("n1", "ip -n bridge link set dev bridge-net2 master other");

  await ping("net0", "10.61.0.2");
  for (const port of ["net0", "net1"]) {
    const mac = (await mustOnHost("n1", `ip netns exec ${port} cat /sys/class/net/eth0/address`)).trim();
    const learned = await mustOnHost("n1", `bridge -n bridge fdb show br br | grep ${mac}`);
    expect(learned).toMatch(new RegExp(`^${mac} dev bridge-${port} master br`, "m"));
  }
}, 900_000);

it("is mended by `up --refresh` after all that, quiet, and gone after `destroy`", async () => {
  await mustOnHost("n1", "ip -n bridge link set dev bridge-net3 nomaster");
  const { resources } = await stack.up({ args: ["--refresh"] });
  expect(resources.filter(({ op }) => op === "update").map(({ name, diffs }) => [name, diffs])).toEqual([
    ["cable-net3", ["b.bridge"]],
  ]);
  expect(await ping("net2", "10.61.0.4")).toBe(true);
  await stack.destroy();
  expect(await footprint("n1")).toEqual(before);
}, 900_000);
