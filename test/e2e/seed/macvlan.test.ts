import { declareHost } from "../helpers/declare";
import { footprint, host, mustOnHost, onHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/** Rows of seed.md: macvlan and macvtap on the external NIC of n1; n2's is the outside. */
const nic = host("n1").interfaces.external;
const program = `
const hostnet = require("pulumi-hostnet");
const host = ${declareHost("n1")}, other = ${declareHost("n2")};
new hostnet.Interface("outside", { host: other, name: ${JSON.stringify(nic)}, addresses: ["10.63.0.254/24"] });
const parent = new hostnet.Interface("nic", { host, name: ${JSON.stringify(nic)} });
for (const [name, mode] of [["open1", "bridge"], ["open2", "bridge"], ["shut1", "private"], ["shut2", "private"]]) {
  const namespace = new hostnet.Namespace(name, { host });
  const last = (mode === "bridge" ? 10 : 20) + Number(name.slice(-1));
  new hostnet.Macvlan(name + "/" + name, { parent, namespace, mode, addresses: ["10.63.0." + last + "/24"] });
}
const tap = new hostnet.Macvtap("mvt0", { parent, mode: "bridge", owner: "ops", group: "ops", permissions: "600" });
module.exports = { devicePath: tap.live.devicePath };
`;

let stack: Stack;
let before: unknown[];
const both = () => Promise.all(["n1", "n2"].map(footprint));
beforeAll(async () => {
  before = await both();
  stack = await createStack({ program });
  await stack.up();
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

const ping = async (from: string, to: string) =>
  (await onHost("n1", `ip netns exec ${from} ping -c 2 -i 0.2 -W 3 ${to}`)).exitCode === 0;

it("macvlan: ports of mode bridge reach each other and the outside, private ones the outside only", async () => {
  expect(await ping("open1", "10.63.0.12")).toBe(true);
  expect(await ping("open1", "10.63.0.254")).toBe(true);
  expect(await ping("shut1", "10.63.0.254")).toBe(true);
  expect(await ping("shut2", "10.63.0.254")).toBe(true);
  expect(await ping("shut1", "10.63.0.22")).toBe(false);
  // The control: it is the mode that kept them apart. The kernel wants both ends to be in it.
  await mustOnHost(
    "n1",
    "for ns in shut1 shut2; do ip -n $ns link set dev $ns type macvlan mode bridge; ip -n $ns neigh flush dev $ns; done",
  );
  expect(await ping("shut1", "10.63.0.22")).toBe(true);
  const { resources } = await stack.up({ args: ["--refresh"] });
  const updated = resources.filter(({ op }) => op === "update").map(({ name, diffs }) => [name, diffs]);
  expect(updated.sort()).toEqual([
    ["shut1/shut1", ["mode"]],
    ["shut2/shut2", ["mode"]],
  ]);
  expect(await ping("shut1", "10.63.0.22")).toBe(false);
}, 900_000);

/** Asks by ARP for the outside's address with a frame of its own making, and prints the MAC of the answer. */
const arp = (path: string, mac: string) => `
import os, socket, struct, select, time
fd = os.open("${path}", os.O_RDWR)
own = bytes.fromhex("${mac.replaceAll(":", "")}")
head = bytes(10)  # the vnet header that frames carry by default
ask = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, socket.inet_aton("10.63.0.77"), bytes(6), socket.inet_aton("10.63.0.254"))
os.write(fd, head + b"\\xff" * 6 + own + b"\\x08\\x06" + ask + bytes(18))
end = time.time() + 60
while time.time() < end:
    if not select.select([fd], [], [], 1)[0]: continue
    frame = os.read(fd, 65536)[10:]
    if frame[12:14] == b"\\x08\\x06" and frame[20:22] == b"\\x00\\x02" and frame[28:32] == socket.inet_aton("10.63.0.254"):
        print(frame[6:12].hex(":"), frame[22:28].hex(":")); break
else:
    raise SystemExit("no answer")
`;

async function exchange(user: string) {
  const { devicePath } = (await stack.outputs()) as { devicePath: string };
  const mac = (await mustOnHost("n1", "cat /sys/class/net/mvt0/address")).trim();
  return onHost("n1", `sudo -u ${user} python3 -`, { stdin: arp(devicePath, mac) });
}

it("macvtap: a program reads and writes frames through the device as the declared owner, and nobody else does", async () => {
  const outside = (await mustOnHost("n2", `cat /sys/class/net/${nic}/address`)).trim();
  expect(await exchange("ops")).toMatchObject({ exitCode: 0, stdout: `${outside} ${outside}\n` });
  const refused = await exchange("nobody");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toMatch(/PermissionError: \[Errno 13\]/);
}, 900_000);

it("macvtap: the same after the device was made again", async () => {
  await mustOnHost("n1", "ip link del dev mvt0");
  await stack.up({ args: ["--refresh"] });
  expect(await exchange("ops")).toMatchObject({ exitCode: 0 });
}, 900_000);

it("both hosts are as before after `destroy`", async () => {
  await stack.destroy();
  expect(await both()).toEqual(before);
}, 900_000);
