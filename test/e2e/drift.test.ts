import type { Footprint } from "../../tools/footprint";
import { onOneHost } from "./helpers/declare";
import { hostnet } from "./helpers/hostnet";
import { footprint, mustOnHost } from "./helpers/lab";
import { createStack, type Stack } from "./helpers/stack";

/** What somebody does to devices that is more than a changed value: all of it is named, and mended, and nothing else. */
const program = `
const ns = new hostnet.Namespace("df-ns", { host });
const gone = new hostnet.Namespace("df-gone", { host });
const br = new hostnet.LinuxBridge("df-br", { host });
new hostnet.LinuxBridge("df-other", { host });
new hostnet.LinuxBridge("df-kind", { host });
new hostnet.LinuxBridge("df-deleted", { host });
new hostnet.VethPair("df-port", { host, a: { name: "df-port", bridge: br }, b: { name: "eth0", namespace: ns } });
new hostnet.VethPair("df-inside", { host, a: { name: "df-inside" }, b: { name: "eth0", namespace: gone } });
const up = new hostnet.VethPair("df-up", { host, a: { name: "df-up" }, b: { name: "df-down" } });
new hostnet.Vlan("df-vlan", { host, parent: up.a.name, vlanId: 7 });
new hostnet.Tap("df-moved", { host });
new hostnet.Tap("df-renamed", { host });
const left = new hostnet.OvsBridge("df-left", { host });
new hostnet.OvsBridge("df-right", { host });
const plug = new hostnet.VethPair("df-plug", { host, a: { name: "df-plug" }, b: { name: "df-jack" } });
new hostnet.OvsPort("df-plug", { bridge: left, name: plug.a.name, tag: 5 });
`;

const tampering = `
set -e
ip link del df-deleted
ip netns del df-gone
ip link del df-up
ip link del df-kind; ip link add df-kind type dummy
ip link set df-moved netns df-ns
ip link set df-renamed down; ip link set df-renamed name df-called
ip link set df-port master df-other
ovs-vsctl del-port df-plug -- add-port df-right df-plug tag=5
udevadm settle
`;

/** By host: each resource, what is said of it, and of what property. */
const expected = [
  ["LinuxBridge", "df-deleted", "gone"],
  ["LinuxBridge", "df-kind", "foreign"],
  ["Namespace", "df-gone", "gone"],
  ["OvsPort", "df-plug", "foreign"],
  ["Tap", "df-moved", "gone"],
  ["Tap", "df-renamed", "gone"],
  ["VethPair", "df-inside", "gone"],
  ["VethPair", "df-port", "changed", "a.bridge"],
  ["VethPair", "df-up", "gone"],
  ["Vlan", "df-vlan", "gone"],
];

let stack: Stack;
let before: Footprint;

beforeAll(async () => {
  before = await footprint("n1");
  stack = await createStack({ program: onOneHost("n1", program) });
  await stack.up();
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

it("is silent, with exit code 0, while all is as declared", async () => {
  const { exitCode, stdout } = await hostnet(stack, "drift", "--stack", stack.name);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "17 resources are as declared." });
}, 900_000);

it("names each thing that was deleted, replaced, moved, renamed or attached elsewhere, with exit code 1", async () => {
  await mustOnHost("n1", tampering);
  const { exitCode, stdout } = await hostnet(stack, "drift", "--stack", stack.name, "--json");
  expect(exitCode).toBe(1);
  const found = JSON.parse(stdout) as { host: string; kind: string; name: string; what: string; path?: string }[];
  expect(found.map(({ kind, name, what, path }) => [kind, name, what, ...(path ? [path] : [])]).sort()).toEqual(
    expected,
  );
  const { stdout: table } = await hostnet(stack, "drift", "--stack", stack.name);
  expect(table).toMatch(/^HOST +KIND +NAME +PROPERTY +DECLARED +LIVE\n/);
  expect(table).toMatch(/^n1 +VethPair +df-port +a\.bridge +df-br +df-other$/m);
  expect(table).toMatch(/^n1 +Tap +df-moved +\(it is gone\)/m);
}, 900_000);

it("shows it in the picture, with what nobody has declared", async () => {
  const { exitCode, stdout } = await hostnet(stack, "graph", "--stack", stack.name, "--drift", "-f", "dot");
  expect(exitCode).toBe(0);
  const drawn = (id: string) => stdout.split("\n").find((line) => line.startsWith(`"${id}" [`));
  expect(drawn("n1//df-port")).toContain('color="#e67e00"');
  expect(drawn("n1//df-deleted")).toContain('color="#c62828"');
  expect(drawn("n1//df-called")).toContain('color="#0277bd"');
  expect(drawn("n1//df-left")).not.toMatch(/color="#(e67e00|c62828|0277bd)"/);
}, 900_000);

it("is mended by an up, but for what somebody else has in its place", async () => {
  const { all } = await stack.up({ args: ["--refresh"], expectFailure: true });
  expect(all).toMatch(/LinuxBridge df-kind: .*\[FOREIGN\]/);
  await mustOnHost(
    "n1",
    "ip link del df-kind; ip link del df-called; ip -n df-ns link del df-moved; ovs-vsctl --if-exists del-port df-right df-plug",
  );
  await stack.up({ args: ["--refresh"] });
  expect(await hostnet(stack, "drift", "--stack", stack.name)).toMatchObject({ exitCode: 0 });
  expect(await mustOnHost("n1", "ip -br link show df-port master df-br")).toMatch(/df-port/);
}, 900_000);

it("says of a host that does not answer that nobody knows", async () => {
  const { deployment } = await stack.export(["--show-secrets"]);
  const text = JSON.stringify({ deployment }).replace(/"port":\d+/g, '"port":1');
  const { writeFileSync } = await import("node:fs");
  writeFileSync(`${stack.dir}/state.json`, text, { mode: 0o600 });
  const { exitCode, stdout } = await hostnet(stack, "drift", "--state", "state.json", "--json");
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([
    { kind: "Host", what: "unread", why: expect.stringMatching(/\[UNREACHABLE\]/) },
  ]);
}, 900_000);

it("leaves the host as it was", async () => {
  await stack.destroy();
  expect(await footprint("n1")).toEqual(before);
}, 900_000);
