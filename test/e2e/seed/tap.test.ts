import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onOneHost } from "../helpers/declare";
import { hosts, mustOnHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/**
 * The row TUN/TAP of the seed: a program run as the declared owner reads frames from the TAP and packets from the TUN
 * and writes back, bytes compared; another user may not open them; a TUN is no port of a bridge.
 */
const [machine] = hosts();
const node = machine?.name ?? "";
const reader = readFileSync(join(__dirname, "tap.py"), "utf8");

const program = (more = "") =>
  onOneHost(
    node,
    `
    const namespace = new hostnet.Namespace("e2e-tap", { host });
    new hostnet.Tap("frames/e2e-tap0", { namespace, owner: "ops", mtu: 1400 });
    const tun = new hostnet.Tap("packets/e2e-tun0", { namespace, mode: "tun", owner: "ops", addresses: ["10.90.0.1/24"] });
    ${more}`,
  );

let stack: Stack;
beforeAll(async () => {
  stack = await createStack({ program: program() });
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

test("a TUN in a bridge is refused in preview", async () => {
  stack.write(program(`new hostnet.Tap("port", { host, mode: "tun", bridge: "br0" });`));
  const { all } = await stack.preview({ expectFailure: true });
  expect(all).toMatch(/bridge: .*no Ethernet frames/);
}, 900_000);

test("a TUN as the device of a BridgePort is refused in preview", async () => {
  stack.write(program(`new hostnet.BridgePort("port", { host, namespace, device: tun, bridge: "br0" });`));
  const { all } = await stack.preview({ expectFailure: true });
  expect(all).toMatch(/BridgePort 'port' and Tap 'packets\/e2e-tun0' both declare bridge of device e2e-tun0/);
}, 900_000);

test("the owner's program has the bytes, both ways; a stranger's may not open the device", async () => {
  stack.write(program());
  expect(await stack.up()).toMatchObject({ failed: 0 });
  const said = await mustOnHost(node, "ip netns exec e2e-tap python3 - e2e-tap0 e2e-tun0 ops nobody", {
    stdin: reader,
  });
  const { frames, packets, refused } = JSON.parse(said);
  expect(frames.seen).toEqual(frames.sent);
  expect(packets.seen).toEqual(packets.sent);
  expect(packets.ends).toEqual(["10.90.0.2", "10.90.0.1", "10.90.0.2"]);
  expect(refused).toEqual({ "e2e-tap0": "Operation not permitted", "e2e-tun0": "Operation not permitted" });
  // What the program said when it opened them is no drift.
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });
}, 900_000);
