import { copyFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onOneHost } from "./helpers/declare";
import { footprint, host, mustOnHost, onHost } from "./helpers/lab";
import { createStack, type Stack } from "./helpers/stack";

/** What is not ours is never touched, and nothing that is ours is ever lost. */
let stack: Stack;
let before: unknown;

beforeAll(async () => {
  before = await footprint("n1");
  stack = await createStack({ program: onOneHost("n1", "") });
}, 900_000);

afterAll(async () => {
  await stack?.dispose();
  await onHost("n1", "for each in $(ls /sys/class/net | grep ^ow-); do ip link del $each; done");
}, 900_000);

const bridge = (name: string, args = "{ host, name: 'ow-br' }") =>
  onOneHost("n1", `new hostnet.LinuxBridge(${JSON.stringify(name)}, ${args});`);
const alias = async () => (await mustOnHost("n1", "cat /sys/class/net/ow-br/ifalias")).trim();
const index = () => mustOnHost("n1", "cat /sys/class/net/ow-br/ifindex");

it("refuses a device that somebody else made, and leaves it as it is", async () => {
  await mustOnHost("n1", "ip link add name ow-br type bridge forward_delay 700");
  stack.write(bridge("one", "{ host, name: 'ow-br', forwardDelay: 4 }"));
  const { all } = await stack.up({ expectFailure: true });
  expect(all).toMatch(/n1: LinuxBridge ow-br: is there already and carries no mark of ours \[FOREIGN\]/);
  expect(all).toMatch(/adopt: true/);
  expect(await mustOnHost("n1", "ip -d link show ow-br")).toMatch(/DOWN[\s\S]*forward_delay 700/);
}, 900_000);

it("takes it over when told to", async () => {
  const made = await index();
  stack.write(bridge("one", "{ host, name: 'ow-br', forwardDelay: 4, adopt: true }"));
  const { all } = await stack.up();
  expect(all).toContain("n1: LinuxBridge ow-br was there already; it is taken over");
  expect(await mustOnHost("n1", "ip -d link show ow-br")).toMatch(/forward_delay 400/);
  expect(await index()).toBe(made);
  expect(await alias()).toMatch(/^hostnet:[0-9a-f]{16}:[0-9a-f]{12}$/);
}, 900_000);

it("survives a resource renamed in the program: the new one takes over, the old one's delete leaves it", async () => {
  const [made, mark] = [await index(), await alias()];
  stack.write(bridge("renamed"));
  expect(await stack.up()).toMatchObject({ create: 1, delete: 1 });
  expect(await index()).toBe(made);
  expect(await alias()).not.toBe(mark);
  for (const name of ["again", "renamed"]) {
    stack.write(bridge(name));
    expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 1, delete: 1 });
  }
  expect(await index()).toBe(made);
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 0, update: 0, delete: 0 });
}, 900_000);

it("survives --target-replace, and a renamed stack", async () => {
  const urn = (await stack.export()).deployment.resources.find((resource: { type: string }) =>
    resource.type.endsWith("LinuxBridge"),
  ).urn;
  await stack.up({ args: ["--target-replace", urn] });
  expect((await onHost("n1", "ip link show ow-br")).exitCode).toBe(0);
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });
}, 900_000);

it.each([
  ["replaced", "--target-replace", onOneHost],
  [
    "renamed in the program",
    "--refresh",
    (...program: Parameters<typeof onOneHost>) => onOneHost(...program).replace('Host("n1"', 'Host("n1-anew"'),
  ],
])(
  "survives a Host that is %s: what is on it changes its owner, old values come along",
  async (_, option, declared) => {
    const key = "net.ipv4.conf.ow-br.rp_filter";
    const file = "/proc/sys/net/ipv4/conf/ow-br/rp_filter";
    const rest = `const br = new hostnet.LinuxBridge("renamed", { host, name: "ow-br" });
    new hostnet.Sysctl("filter", { host, key: "${key}", value: 2 }, { dependsOn: br });`;
    const old = await mustOnHost("n1", `cat ${file}`);
    expect(old).not.toBe("2\n");
    stack.write(onOneHost("n1", rest));
    await stack.up();
    const [made, mark] = [await index(), await alias()];
    stack.write(declared("n1", rest));
    const host = (await stack.export()).deployment.resources.find(({ type }: { type: string }) =>
      type.endsWith("Host"),
    );
    await stack.up({ args: option === "--refresh" ? [option] : [option, host.urn] });
    expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 0, delete: 0, replace: 0 });
    expect(await index()).toBe(made);
    expect(await alias()).not.toBe(mark);
    stack.write(declared("n1", 'new hostnet.LinuxBridge("renamed", { host, name: "ow-br" });'));
    expect(await stack.up()).toMatchObject({ delete: 1, update: 0 });
    expect(await mustOnHost("n1", `cat ${file}`)).toBe(old);
    expect(await mustOnHost("n1", "ls /run/pulumi-hostnet | wc -l")).toBe("1\n");
    stack.write(bridge("renamed"));
    await stack.up();
  },
  900_000,
);

/** Kills the CLI in the middle of an operation, as soon as n1 is so. */
async function killedOnce(isSo: string, operation: "up" | "destroy"): Promise<void> {
  const seen = onHost("n1", `until ${isSo}; do :; done`, { timeoutMs: 300_000 });
  const running = await stack.start(operation);
  expect((await seen).exitCode).toBe(0);
  running.kill("SIGKILL");
  await running.result;
  await stack.run(["cancel", "--yes"]);
}

it("makes no second one when the CLI is killed in mid-create, and goes on with the next up", async () => {
  stack.write(
    onOneHost(
      "n1",
      `new hostnet.LinuxBridge("renamed", { host, name: "ow-br" }); for (let i = 0; i < 20; i++) new hostnet.LinuxBridge("ow-k" + i, { host });`,
    ),
  );
  // As soon as the first is there: the others, and its own mark, are still to be made.
  await killedOnce("ls -d /sys/class/net/ow-k* >/dev/null 2>&1", "up");
  expect(await stack.up()).toMatchObject({ failed: 0 });
  await stack.refresh({ args: ["--clear-pending-creates"] });
  expect(await stack.up()).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });
  expect(await mustOnHost("n1", "ls /sys/class/net | grep -c ^ow-k")).toBe("20\n");
}, 900_000);

it("has all back with the next up when the CLI is killed in mid-delete", async () => {
  await killedOnce("[ $(ls -d /sys/class/net/ow-k* | wc -l) -lt 20 ]", "destroy");
  expect(await stack.up()).toMatchObject({ failed: 0 });
  expect(await mustOnHost("n1", "ls /sys/class/net | grep -c ^ow-")).toBe("21\n");
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });
}, 900_000);

it("finishes what failed half way with the next up", async () => {
  // The port's bridge is not there: the pair is made, joining fails.
  const half = (name: string) =>
    onOneHost(
      "n1",
      `new hostnet.VethPair("half", { host, a: { name: "ow-a", bridge: "${name}" }, b: { name: "ow-b" } });`,
    );
  stack.write(half("ow-missing"));
  const { all } = await stack.up({ expectFailure: true });
  expect(all).toMatch(/n1: VethPair ow-a ow-b: .*ow-missing/);
  await mustOnHost("n1", "ip link add name ow-missing type bridge");
  expect(await stack.up()).toMatchObject({ failed: 0 });
  expect(await mustOnHost("n1", "ip link show ow-a")).toMatch(/master ow-missing/);
  await mustOnHost("n1", "ip link del ow-missing");
}, 900_000);

it("survives a Host that is renamed along with what is on it, also when that is broken off and taken back", async () => {
  const file = "/proc/sys/net/ipv4/conf/ow-br/rp_filter";
  const named = (prefix: string, more = "") =>
    onOneHost(
      "n1",
      `const br = new hostnet.LinuxBridge("${prefix}br", { host, name: "ow-br" });
      const options = { dependsOn: new hostnet.Sysctl("${prefix}s", { host, key: "net.ipv4.conf.ow-br.rp_filter", value: 2 }, { dependsOn: br }) };
      ${more}`,
      { name: "n1" },
    ).replace('Host("n1"', `Host("${prefix}n1"`);
  stack.write(named(""));
  await stack.up();
  const [made, mark] = [await index(), await alias()];
  stack.write(named("x/", `new hostnet.BridgePort("no", { host, bridge: br, device: "ow-no" }, options);`));
  await stack.up({ args: ["--refresh"], expectFailure: true });
  const moved = await alias();
  expect(moved.split(":")[1]).not.toBe(mark.split(":")[1]);
  stack.write(named(""));
  expect(await stack.up()).toMatchObject({ create: 0, delete: 3 });
  expect([await index(), await alias(), await mustOnHost("n1", `cat ${file}`)]).toEqual([made, mark, "2\n"]);
  stack.write(named("x/"));
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 3, delete: 3 });
  expect([await index(), await mustOnHost("n1", `cat ${file}`)]).toEqual([made, "2\n"]);
}, 900_000);

it("is destroyed from another machine, whose key is at another path", async () => {
  const { address, port, user, privateKeyPath, knownHostsPath } = host("n1");
  const folder = mkdtempSync(join(tmpdir(), "hostnet-other-"));
  const key = join(folder, "key");
  copyFileSync(privateKeyPath, key);
  const config = join(folder, "config");
  writeFileSync(
    config,
    `Host ${address}\n  Port ${port}\n  User ${user}\n  IdentityFile ${key}\n  UserKnownHostsFile ${knownHostsPath}\n`,
  );
  stack.write(onOneHost("n1", `new hostnet.Namespace("ow-ns", { host });`, { privateKeyPath: "/nonexistent/key" }));
  const env = { HOSTNET_SSH_CONFIG: config };
  await stack.up({ env });
  await stack.destroy({ env });
  expect(await footprint("n1")).toEqual(before);
}, 900_000);
