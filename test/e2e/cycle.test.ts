import { onOneHost } from "./helpers/declare";
import { footprint, mustOnHost, onHost } from "./helpers/lab";
import { createStack, type Stack } from "./helpers/stack";

/** One host's life: made, quiet, changed in place, drifted, mended, replaced in order, taken away without a trace. */
const program = (
  options: { address?: string; mtu?: number; stp?: boolean; namespace?: string; forward?: boolean; own?: boolean } = {},
) =>
  onOneHost(
    "n1",
    `
const blue = new hostnet.Namespace("cy-blue", { host, name: ${JSON.stringify(options.namespace ?? "cy-blue")} });
const br = new hostnet.LinuxBridge("cy-br", { host, addresses: ["10.71.0.254/24"]${options.stp ? ", stp: true, forwardDelay: 4" : ""} });
const cable = new hostnet.VethPair("cable", {
  a: { name: "eth0", namespace: blue, addresses: ["${options.address ?? "10.71.0.1"}/24", "fd71::1/64"]${options.mtu ? `, mtu: ${options.mtu}` : ""} },
  b: { name: "cy-port", bridge: br${options.mtu ? `, mtu: ${options.mtu}` : ""} },
});
new hostnet.Route("cy-default", { namespace: blue, to: "default", via: "10.71.0.254" }, { dependsOn: cable });
${options.own === false ? "" : `new hostnet.Dummy("cy-own", { host, addresses: ["10.71.255.1/32"] });`}
${options.forward === false ? "" : `new hostnet.Sysctl("forward", { host, key: "net.ipv4.ip_forward", value: 1 });`}
new hostnet.ConnectivityCheck("gateway", { namespace: blue, to: "10.71.0.254", triggers: [cable.id] }, { dependsOn: cable });
`,
  );

let stack: Stack;
let before: unknown;

beforeAll(async () => {
  before = await footprint("n1");
  stack = await createStack({ program: program() });
}, 900_000);

afterAll(() => stack?.dispose(), 900_000);

const ping = (namespace: string, to: string) => onHost("n1", `ip netns exec ${namespace} ping -c 2 -i 0.2 -W 2 ${to}`);

it("previews without touching the host", async () => {
  const preview = await stack.preview();
  expect(preview).toMatchObject({ create: 8, update: 0, delete: 0 });
  expect(await footprint("n1")).toEqual(before);
}, 900_000);

it("makes what is declared, as the host's own tools show it", async () => {
  expect(await stack.up()).toMatchObject({ create: 8, failed: 0 });
  const shown = await mustOnHost(
    "n1",
    "ip -br link show dev cy-br; ip -n cy-blue -br address show dev eth0; ip -n cy-blue route show default; bridge link show dev cy-port; sysctl net.ipv4.ip_forward",
  );
  expect(shown).toMatch(/^cy-br\s+UP/m);
  expect(shown).toMatch(/^eth0@\S+\s+UP\s+10\.71\.0\.1\/24 fd71::1\/64/m);
  expect(shown).toMatch(/^default via 10\.71\.0\.254 dev eth0/m);
  expect(shown).toMatch(/cy-port.* master cy-br .*state forwarding/);
  expect(shown).toMatch(/ip_forward = 1/);
  expect((await ping("cy-blue", "10.71.0.254")).exitCode).toBe(0);
  expect((await ping("cy-blue", "10.71.0.77")).exitCode).not.toBe(0);
  expect((await ping("cy-blue", "10.71.255.1")).exitCode).toBe(0);
}, 900_000);

it("is quiet the second time, and after a refresh", async () => {
  expect(await stack.up()).toMatchObject({ same: 8, create: 0, update: 0, delete: 0, replace: 0 });
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ same: 8, update: 0, replace: 0 });
}, 900_000);

it("shows exactly the changed properties and changes them in place", async () => {
  const index = await mustOnHost("n1", "cat /sys/class/net/cy-port/ifindex");
  stack.write(program({ mtu: 1400, stp: true }));
  const preview = await stack.preview();
  const changed = preview.resources
    .filter(({ op }) => op !== "same")
    .map(({ name, op, diffs }) => ({ name, op, diffs }));
  expect(changed).toEqual([
    { name: "cy-br", op: "update", diffs: ["forwardDelay", "stp"] },
    { name: "cable", op: "update", diffs: ["a.mtu", "b.mtu"] },
  ]);
  expect(await stack.up()).toMatchObject({ update: 2, replace: 0 });
  expect(await mustOnHost("n1", "cat /sys/class/net/cy-port/ifindex")).toBe(index);
  expect(
    await mustOnHost(
      "n1",
      "ip -d link show cy-br | grep -o 'forward_delay [0-9]*\\|stp_state [0-9]'; cat /sys/class/net/cy-port/mtu",
    ),
  ).toBe("forward_delay 400\nstp_state 1\n1400\n");
}, 900_000);

it("changes a device's only IPv4 address, and all routes through it stay", async () => {
  const routes = () => mustOnHost("n1", "ip -n cy-blue route show via 10.71.0.254");
  await mustOnHost("n1", "ip -n cy-blue route add 10.99.0.0/16 via 10.71.0.254");
  const had = await routes();
  stack.write(program({ address: "10.71.0.3", mtu: 1400, stp: true }));
  expect(await stack.up()).toMatchObject({ update: 1, replace: 0 });
  expect(await routes()).toBe(had);
  expect(await mustOnHost("n1", "ip -n cy-blue -br -4 address show dev eth0")).toMatch(/ UP +10\.71\.0\.3\/24 *$/m);
  await mustOnHost("n1", "ip -n cy-blue route del 10.99.0.0/16");
}, 900_000);

it("takes removed arguments back to the kernel's defaults", async () => {
  stack.write(program());
  expect(await stack.up()).toMatchObject({ update: 2 });
  expect(
    await mustOnHost(
      "n1",
      "ip -d link show cy-br | grep -o 'forward_delay [0-9]*\\|stp_state [0-9]'; cat /sys/class/net/cy-port/mtu",
    ),
  ).toBe("forward_delay 1500\nstp_state 0\n1500\n");
}, 900_000);

it("names drift of any kind and mends just that; what others added stays", async () => {
  await mustOnHost(
    "n1",
    "ip -n cy-blue address del 10.71.0.1/24 dev eth0; ip address add 10.71.9.9/32 dev cy-br; ip link set cy-port nomaster; ip link set cy-own down; sysctl -qw net.ipv4.ip_forward=0",
  );
  const preview = await stack.preview({ args: ["--refresh"] });
  const mended = preview.resources.filter(({ op }) => op === "update" || op === "create");
  expect(mended.map(({ name }) => name).sort()).toEqual(["cable", "cy-default", "cy-own", "forward"]);
  expect(mended.find(({ name }) => name === "cable")?.diffs.join()).toMatch(/a\.addresses.*b\.bridge/);
  expect(mended.find(({ name }) => name === "forward")?.diffs).toEqual(["value"]);
  await stack.up({ args: ["--refresh"] });
  expect((await ping("cy-blue", "10.71.0.254")).exitCode).toBe(0);
  expect(await mustOnHost("n1", "ip -br address show cy-br; sysctl -n net.ipv4.ip_forward")).toMatch(
    /10\.71\.9\.9\/32[\s\S]*\n1\n$/,
  );
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ update: 0, create: 0 });
}, 900_000);

it("replaces a namespace and all that is in it, children first", async () => {
  stack.write(program({ namespace: "cy-green" }));
  const result = await stack.up();
  const order = result.resources.filter(({ op }) => op === "delete-replaced").map(({ name }) => name);
  expect(order.indexOf("cable")).toBeLessThan(order.indexOf("cy-blue"));
  expect(order).toEqual(expect.arrayContaining(["cy-default", "cable", "cy-blue"]));
  expect((await ping("cy-green", "10.71.0.254")).exitCode).toBe(0);
  expect((await onHost("n1", "ip netns list | grep -w cy-blue")).exitCode).toBe(1);
}, 900_000);

it("gives a sysctl its old value back, takes an address of the host's own away, and leaves the host as it was", async () => {
  expect((await ping("cy-green", "10.71.255.1")).exitCode).toBe(0);
  stack.write(program({ namespace: "cy-green", forward: false, own: false }));
  await stack.up();
  expect(await mustOnHost("n1", "sysctl -n net.ipv4.ip_forward")).toBe("0\n");
  expect((await ping("cy-green", "10.71.255.1")).exitCode).not.toBe(0);
  await mustOnHost("n1", "ip address del 10.71.9.9/32 dev cy-br");
  await stack.destroy();
  expect(await footprint("n1")).toEqual(before);
}, 900_000);
