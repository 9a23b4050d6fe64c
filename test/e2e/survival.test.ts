import { reboot, reset } from "../../lab";
import { onOneHost } from "./helpers/declare";
import { mustOnHost, onHost } from "./helpers/lab";
import { createStack, type Stack } from "./helpers/stack";

/** A host that is rebooted, and one that is replaced by a fresh machine at the same address: a plain `up` rebuilds both. */
const program = onOneHost(
  "n2",
  `
const blue = new hostnet.Namespace("sv-blue", { host });
const ovs = new hostnet.OvsBridge("sv-ovs", { host, mac: "02:00:00:00:05:01" });
const cable = new hostnet.VethPair("cable", {
  a: { name: "eth0", namespace: blue, addresses: ["10.72.0.1/24"] },
  b: { name: "sv-port" },
});
new hostnet.OvsPort("port", { bridge: ovs, name: cable.b.name, tag: 7 });
new hostnet.Sysctl("forward", { host, key: "net.ipv4.ip_forward", value: 1 });
`,
);

let stack: Stack;
beforeAll(async () => {
  stack = await createStack({ program });
  await stack.up();
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

const whole = async () => {
  const shown = await mustOnHost(
    "n2",
    "ip -n sv-blue -br address show dev eth0; echo tag $(ovs-vsctl get port sv-port tag); ovs-vsctl get interface sv-port ofport error; sysctl -n net.ipv4.ip_forward",
  );
  expect(shown).toMatch(/10\.72\.0\.1\/24/);
  expect(shown).toMatch(/^tag 7$/m);
  expect(shown).toMatch(/^[1-9]\d*\n\[\]\n1$/m);
};

it("is there before", whole, 900_000);

it("is rebuilt by a plain `up` after a reboot, with the same MAC", async () => {
  const mac = await mustOnHost("n2", "ip netns exec sv-blue cat /sys/class/net/eth0/address");
  await reboot(["n2"]);
  expect((await onHost("n2", "ip netns list | grep sv-blue")).exitCode).toBe(1);
  const result = await stack.up();
  expect(result).toMatchObject({ failed: 0, same: 0 });
  expect(result.resources.find(({ kind }) => kind === "Host")?.op).toBe("update");
  await whole();
  expect(await mustOnHost("n2", "ip netns exec sv-blue cat /sys/class/net/eth0/address")).toBe(mac);
  expect(await stack.up()).toMatchObject({ update: 0, create: 0, replace: 0 });
}, 900_000);

it("is made anew on a fresh machine at the same address, and the old one counts as gone", async () => {
  await reset("n2", { hostKey: "keep" });
  const result = await stack.up();
  expect(result.failed).toBe(0);
  expect(result.resources.find(({ kind }) => kind === "Host")?.op).toBe("update");
  await whole();
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ update: 0, create: 0, replace: 0, delete: 0 });
}, 900_000);
