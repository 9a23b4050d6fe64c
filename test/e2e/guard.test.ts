import { onOneHost } from "./helpers/declare";
import { footprint, host, mustOnHost, onHost } from "./helpers/lab";
import { createStack, type Stack } from "./helpers/stack";

/** What our own SSH connection needs is left alone; a card that is chosen by what it is; rows that nobody refers to. */
let stack: Stack;
let before: unknown;

beforeAll(async () => {
  before = await footprint("n1");
  stack = await createStack({ program: onOneHost("n1", "") });
}, 900_000);

afterAll(() => stack?.dispose(), 900_000);

const { management, external } = host("n1").interfaces;

it("refuses routes and neighbours that would lead our packets another way, devices and addresses that they need", async () => {
  // `0 0 10.0.2.15:22 10.0.2.2:40312`
  const connections = await mustOnHost("n1", "ss -Htn state established sport = :22");
  const [, server = "", client = ""] = /([\d.]+):22\s+([\d.]+):\d+/.exec(connections) ?? [];
  const prefix = (await mustOnHost("n1", `ip -br address show dev ${management}`)).match(/\/\d+/)?.[0];
  const ours = await footprint("n1");
  stack.write(
    onOneHost(
      "n1",
      `new hostnet.Route("longer", { host, to: "${client}", device: "${external}" });
       new hostnet.Route("sink", { host, to: "${client}", type: "blackhole", table: "local" });
       new hostnet.Neighbor("client", { host, device: "${management}", address: "${client}", mac: "02:00:00:00:00:66" });
       new hostnet.Interface("nic", { host, name: "${management}", up: false });
       new hostnet.Address("own", { host, device: "${management}", address: "${server}${prefix}", adopt: true });
       new hostnet.Route("other", { host, to: "198.51.100.0/24", type: "blackhole" });`,
    ),
  );
  const { all, resources } = await stack.up({ expectFailure: true, args: ["--continue-on-error"] });
  const lost = `our SSH connection to ${client}.*would lose its way back \\[MANAGEMENT_PATH\\]`;
  expect(all).toMatch(new RegExp(`n1: Route ${client}/32: by the route to ${client}/32 in table main ${lost}`));
  expect(all).toMatch(new RegExp(`by the route to ${client}/32 in table local ${lost}`));
  expect(all).toMatch(new RegExp(`our SSH connection goes by ${client} on ${management}, which has .*MANAGEMENT_PATH`));
  expect(all).toMatch(new RegExp(`n1: Interface ${management}: the change touches ${management}.*MANAGEMENT_PATH`));
  expect(resources.filter(({ failed }) => !failed).map(({ name }) => name)).toEqual(
    expect.arrayContaining(["own", "other"]),
  );
  stack.write(onOneHost("n1", ""));
  const refused = await stack.up({ expectFailure: true, args: ["--continue-on-error"] });
  expect(refused.all).toMatch(
    new RegExp(`from ${client} to ${server}, needs address ${server}${prefix} \\[MANAGEMENT_PATH\\]`),
  );
  const [urn] = (await stack.export()).deployment.resources.flatMap((one: { urn: string; type: string }) =>
    one.type.endsWith(":Address") ? [one.urn] : [],
  );
  await stack.run(["state", "delete", urn, "--yes"]);
  await stack.destroy();
  expect(await footprint("n1")).toEqual(ours);
}, 900_000);

it("gives children of a card that is chosen by its MAC address the name that it has, and is quiet", async () => {
  const mac = (await mustOnHost("n1", `cat /sys/class/net/${external}/address`)).trim();
  stack.write(
    onOneHost(
      "n1",
      `const uplink = new hostnet.Interface("uplink", { host, selector: { mac: "${mac}" } });
       new hostnet.Macvlan("gu-mv", { parent: uplink });`,
    ),
  );
  expect(await stack.preview()).toMatchObject({ create: 3 });
  expect(await stack.up()).toMatchObject({ failed: 0 });
  expect(await mustOnHost("n1", "ip -br link show gu-mv")).toMatch(new RegExp(`^gu-mv@${external} `));
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });
}, 900_000);

it("sweeps the queues of a port that was deleted behind our back, with the next `up` and with destroy", async () => {
  stack.write(
    onOneHost(
      "n1",
      `const bridge = new hostnet.OvsBridge("gu-ovs", { host });
       const pair = new hostnet.VethPair("pair", { host, a: { name: "gu-a" }, b: { name: "gu-b" } });
       new hostnet.OvsPort("port", { bridge, name: pair.a.name, qos: { type: "linux-htb", maxRate: 1000000, queues: [{ id: 0, maxRate: 5000 }] } });`,
    ),
  );
  await stack.up();
  const rows = async () =>
    (await mustOnHost("n1", "ovs-vsctl --bare --columns=_uuid list QoS; ovs-vsctl --bare --columns=_uuid list Queue"))
      .split("\n")
      .filter(Boolean);
  const first = await rows();
  expect(first).toHaveLength(2);
  await mustOnHost("n1", "ovs-vsctl del-port gu-a");
  expect(await rows()).toEqual(first);
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ failed: 0 });
  const second = await rows();
  expect(second).toHaveLength(2);
  expect(second.some((row) => first.includes(row))).toBe(false);
  await mustOnHost("n1", "ovs-vsctl del-port gu-a");
  await stack.destroy();
  expect(await rows()).toEqual([]);
  expect((await onHost("n1", "ip link show gu-mv")).exitCode).toBe(1);
  expect(await footprint("n1")).toEqual(before);
}, 900_000);
