import { onOneHost } from "../helpers/declare";
import { mustOnHost, onHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/** lldpd in two namespaces joined by a cable: each names the other's declared system and port. */
const program = onOneHost(
  "n1",
  `
const [a, b, c] = ["ll-a", "ll-b", "ll-c"].map((name) => new hostnet.Namespace(name, { host }));
const cable = new hostnet.VethPair("cable", { a: { name: "ll-pa", namespace: a }, b: { name: "ll-pb", namespace: b } });
const alone = new hostnet.VethPair("alone", { a: { name: "ll-pc", namespace: c }, b: { name: "ll-pd", namespace: c } });
const say = { portId: "ifname", txInterval: 1 };
for (const [namespace, devices] of [[a, ["ll-pa"]], [b, ["ll-pb"]], [c, ["ll-pc"]]]) {
  new hostnet.Lldp(devices[0], { namespace, devices, ...say, systemName: "sys-" + devices[0] }, { dependsOn: [cable, alone] });
}
`,
);

const socket = (namespace: string) => `/run/pulumi-hostnet/services/hostnet-lldp:${namespace}/data/socket`;
const neighbors = (namespace: string) => mustOnHost("n1", `lldpcli -u ${socket(namespace)} show neighbors summary`);
const heard = (namespace: string, name: string) =>
  onHost(
    "n1",
    `for i in $(seq 60); do lldpcli -u ${socket(namespace)} show neighbors | grep -q ${name} && exit; sleep 0.5; done; exit 1`,
  );

let stack: Stack;
beforeAll(async () => {
  stack = await createStack({ program });
  expect(await stack.up()).toMatchObject({ failed: 0 });
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

it("names the peer's declared system and port, on both ends; nobody where nobody is", async () => {
  expect((await heard("ll-a", "sys-ll-pb")).exitCode).toBe(0);
  expect((await heard("ll-b", "sys-ll-pa")).exitCode).toBe(0);
  expect(await neighbors("ll-a")).toMatch(/SysName:\s+sys-ll-pb[\s\S]*PortID:\s+ifname ll-pb/);
  expect(await neighbors("ll-b")).toMatch(/SysName:\s+sys-ll-pa[\s\S]*PortID:\s+ifname ll-pa/);
  expect(await neighbors("ll-c")).not.toMatch(/SysName/);
}, 900_000);

it("is in its namespace, and comes back when it is killed", async () => {
  const pid = async () => (await mustOnHost("n1", "systemctl show -P MainPID hostnet-lldp:ll-a.service")).trim();
  const before = await pid();
  const inside = await mustOnHost("n1", `readlink /proc/${before}/ns/net; stat -Lc 'net:[%i]' /run/netns/ll-a`);
  const [own, namespace] = inside.trim().split("\n");
  expect(own).toBe(namespace);
  await mustOnHost("n1", `kill -9 ${before}`);
  expect((await heard("ll-a", "sys-ll-pb")).exitCode).toBe(0);
  expect(await pid()).not.toBe(before);
}, 900_000);

it("a namespace with a foreign process in it is not deleted, and the process is named", async () => {
  await mustOnHost(
    "n1",
    "systemd-run --collect --unit ll-foreign ip netns exec ll-c sleep 7777; for i in $(seq 300); do ip netns pids ll-c | xargs -r ps -o comm= | grep -qx sleep && exit; sleep 0.1; done; exit 1",
  );
  const result = await stack.destroy({ expectFailure: true });
  expect(result.all).toMatch(/processes run in namespace ll-c: sleep \(pid \d+\).*IN_USE/);
  expect(await mustOnHost("n1", "ip netns list")).toMatch(/ll-c/);
  await mustOnHost("n1", "systemctl stop ll-foreign");
  await stack.destroy();
  const left = await mustOnHost(
    "n1",
    "ip netns list; ls /run/systemd/system /run/pulumi-hostnet; pgrep -a lldpd || true",
  );
  expect(left).not.toMatch(/ll-|lldp/);
}, 900_000);
