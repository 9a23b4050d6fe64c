import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reset, status, up } from "../../lab";
import { macOf } from "../../lab/identity";
import { withLock } from "../../lab/lock";
import { requireTools } from "../../lab/packages";
import { machineFiles } from "../../lab/paths";
import { choosePort, portIsFree } from "../../lab/ports";

let folder: string;
const saved = { cache: process.env.XDG_CACHE_HOME, state: process.env.XDG_STATE_HOME };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostnet-lab-test-"));
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  process.env.XDG_STATE_HOME = join(folder, "state");
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  for (const [name, value] of [["XDG_CACHE_HOME", saved.cache] as const, ["XDG_STATE_HOME", saved.state] as const]) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

test("a lab that is down has no machines, and says how to bring it up", async () => {
  expect(await status()).toEqual([]);
  await expect(reset("n1")).rejects.toThrow('No machine "n1" runs in the lab (the lab is down: hostnet lab up).');
  await expect(up({ hosts: 5 })).rejects.toThrow("The lab has 1 to 4 hosts, not 5.");
});

test("status has what a script needs to log in, and knows a machine that has died", async () => {
  const files = machineFiles("n2");
  await mkdir(files.folder, { recursive: true });
  await writeFile(files.port, "22102");
  await writeFile(files.ready, "");
  expect(await status()).toEqual([
    {
      name: "n2",
      address: "127.0.0.1",
      port: 22102,
      user: "ops",
      privateKeyPath: join(folder, "cache/pulumi-hostnet/lab/id_ed25519"),
      knownHostsPath: join(folder, "state/pulumi-hostnet/lab/known_hosts"),
      interfaces: { management: "eth0", underlay: "eth1", external: "eth2" },
      running: false,
    },
  ]);
});

test("a missing tool is named with its package, why, and how to install it", () => {
  const wanted = [
    { package: "coreutils", command: "true", why: "is everywhere" },
    { package: "qemu-none", command: "qemu-system-none", why: "runs nothing" },
  ];
  expect(() => requireTools(wanted)).toThrow(
    /qemu-none: runs nothing \(qemu-system-none\)\n.*apt-get install --no-install-recommends qemu-none$/s,
  );
  expect(() => requireTools(wanted.slice(0, 1))).not.toThrow();
});

test("ports: that of before, or the usual one, if it is free, else another that no other machine would choose", async () => {
  expect(await choosePort(0, undefined, async () => true)).toBe(22101);
  expect(await choosePort(0, 22105, async () => true)).toBe(22105);
  expect(await choosePort(0, 22105, async (port) => port !== 22105)).toBe(22101);
  expect(await choosePort(1, undefined, async (port) => port !== 22102)).toBe(22106);
  await expect(choosePort(0, 22105, async () => false)).rejects.toThrow("No free port");

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  expect(await portIsFree(port)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await portIsFree(port)).toBe(true);
});

test("MACs are unicast, differ by NIC and by machine, and stay", () => {
  const one = { name: "n1", machineId: "", uuid: "6f0a…1", hostKey: "" };
  const macs = [0, 1, 2].flatMap((nic) => [macOf(one, nic), macOf({ ...one, uuid: "6f0a…2" }, nic)]);
  expect(new Set(macs).size).toBe(6);
  for (const mac of macs) expect(mac).toMatch(/^52:54(:[0-9a-f]{2}){4}$/);
  expect(macOf(one, 1)).toBe(macOf(one, 1));
});

test("a lock lets one in at a time, tells the other that it waits, and is freed by a failure", async () => {
  const file = join(folder, "lock");
  const order: string[] = [];
  const waiting: string[] = [];
  let entered = () => {};
  const first = new Promise<void>((resolve) => {
    entered = resolve;
  });
  let tell = () => {};
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const failing = withLock(
    file,
    () => waiting.push("first"),
    async () => {
      entered();
      await told;
      order.push("first");
      throw new Error("broken");
    },
  );
  const failed = expect(failing).rejects.toThrow("broken");
  await first;
  await withLock(
    file,
    () => {
      waiting.push("second");
      tell();
    },
    async () => order.push("second"),
  );
  await failed;
  expect(order).toEqual(["first", "second"]);
  // On a busy machine also the first may have waited: for flock itself.
  expect(waiting).toContain("second");
});
