import { capture } from "../helpers/capture";
import { declareHost } from "../helpers/declare";
import { mustOnHost, onHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/** Packets of a TUN in a namespace, over UDP between two hosts. */
const program = (running = true) => `
const hostnet = require("pulumi-hostnet");
const underlay = ["10.76.0.1", "10.76.0.2"];
const hosts = [${declareHost("n1")}, ${declareHost("n2")}];
hosts.forEach((host, index) => {
  const nic = new hostnet.Interface("n" + index + "/eth1", { host, name: "eth1", addresses: [underlay[index] + "/24"] });
  const namespace = new hostnet.Namespace("n" + index + "/uv", { host, name: "uv" });
  new hostnet.UdpVpn("n" + index + "/uv0", {
    namespace, local: underlay[index], remote: underlay[1 - index], port: 5555,
    addresses: ["10.77.0." + (index + 1) + "/24"], running: index === 0 || ${running},
  }, { dependsOn: nic });
});
`;

const ping = (words = "") => onHost("n1", `ip netns exec uv ping -c 3 -i 0.3 -W 2 ${words} 10.77.0.2`);
const service = "hostnet-vpn:uv:uv0.service";
const pid = async (host: string) => (await mustOnHost(host, `systemctl show -P MainPID ${service}`)).trim();
const carrier = (host: string) =>
  mustOnHost(
    host,
    "for i in $(seq 300); do ip -n uv link show dev uv0 | grep -q LOWER_UP && exit; sleep 0.2; done; echo no carrier >&2; exit 1",
  );

let stack: Stack;
beforeAll(async () => {
  stack = await createStack({ program: program() });
  expect(await stack.up()).toMatchObject({ failed: 0 });
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

it("carries packets between two hosts, as UDP and nothing else", async () => {
  // Who is asked answers by the same way.
  const [outer = [], inner] = await capture(
    "n2",
    [
      { device: "eth1", direction: "in", filter: "src host 10.76.0.1 and udp port 5555" },
      { device: "eth1", filter: "icmp" },
    ],
    "ip netns exec uv ping -c 3 -i 0.3 -W 5 10.77.0.1",
  );
  expect(
    outer.filter((packet) => /10\.76\.0\.1\.5555 > 10\.76\.0\.2\.5555:.* UDP, length 84/s.test(packet)),
  ).toHaveLength(3);
  expect(inner).toEqual([]);
}, 900_000);

it("takes packets up to its MTU, which fits the underlay", async () => {
  expect(await ping("-M do -s 1444")).toMatchObject({ exitCode: 0 });
  expect((await ping("-M do -s 1445")).exitCode).not.toBe(0);
}, 900_000);

it.each(["n1", "n2"])(
  "recovers when the process on %s is killed",
  async (host) => {
    const before = await pid(host);
    await mustOnHost(
      host,
      `kill -9 ${before}; for i in $(seq 300); do [ -e /proc/${before} ] || exit 0; sleep 0.1; done; echo it does not end >&2; exit 1`,
    );
    await carrier(host);
    expect(await pid(host)).not.toBe(before);
    expect(await ping()).toMatchObject({ exitCode: 0 });
  },
  900_000,
);

it("drops what others send", async () => {
  const received = async () =>
    Number(await mustOnHost("n2", "ip -n uv -s -j link show dev uv0 | jq .[0].stats64.rx.packets"));
  const before = await received();
  // It begins as IPv4 does (0x45), or the device would not take it in any case.
  const send = "echo Exxxxxxxxxxxxxxxxxxx | socat - UDP:10.76.0.2:5555,bind=10.76.0.9:5555";
  await mustOnHost(
    "n1",
    `ip address add 10.76.0.9/24 dev eth1; for i in $(seq 10); do ${send}; done; ip address del 10.76.0.9/24 dev eth1`,
  );
  // The kernel at the other end sends a router solicitation now and then.
  expect((await received()) - before).toBeLessThan(4);
  expect(await ping()).toMatchObject({ exitCode: 0 });
}, 900_000);

it("carries nothing while one end is declared stopped, and again when it runs", async () => {
  stack.write(program(false));
  expect(await stack.up()).toMatchObject({ update: 1, failed: 0 });
  expect((await ping()).exitCode).not.toBe(0);
  stack.write(program());
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ update: 1, failed: 0 });
  expect(await ping()).toMatchObject({ exitCode: 0 });
}, 900_000);
