import { onOneHost } from "../helpers/declare";
import { mustOnHost, onHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/** A client in a namespace gets its lease from dnsmasq in another one, and keeps it over a restart of the server. */
const mac = "02:00:00:00:7d:01";
const program = (reservations: object[] = []) =>
  onOneHost(
    "n1",
    `
const server = new hostnet.Namespace("dh-server", { host });
const guest = new hostnet.Namespace("dh-guest", { host });
const cable = new hostnet.VethPair("cable", {
  a: { name: "dh-s", namespace: server, addresses: ["10.75.0.1/24"] },
  b: { name: "dh-c", namespace: guest, mac: "${mac}" },
});
new hostnet.DhcpServer("dh", {
  namespace: server, device: cable.a.name, range: "10.75.0.100-10.75.0.110",
  gateway: "10.75.0.1", mtu: 1458, leaseTime: 600, authoritative: true, reservations: ${JSON.stringify(reservations)},
}, { dependsOn: cable });
`,
  );

const service = "hostnet-dhcp:dh-server:dh";
const leases = () => mustOnHost("n1", `cat /run/pulumi-hostnet/services/${service}/data/leases`);
const pid = async () => (await mustOnHost("n1", `systemctl show -P MainPID ${service}.service`)).trim();

/** Prints what happened and all that the client was told; it gives itself the address, as a renewal comes from it. */
const script = `#!/bin/sh
[ "$1" = deconfig ] && exit
ip address replace "$ip/24" dev "$interface"
echo "$1"
env`;
const client = "ip netns exec dh-guest busybox udhcpc -i dh-c -f -T 2 -O mtu -s /tmp/dh-script";

/** A client that asks once, every two seconds so often. The server first sees for three that nobody has the address. */
const ask = (tries = 15) => onHost("n1", `${client} -t ${tries} -n -q 2>&1`);

let stack: Stack;
beforeAll(async () => {
  await mustOnHost("n1", "cat >/tmp/dh-script && chmod 755 /tmp/dh-script", { stdin: script });
  stack = await createStack({ program: program() });
  expect(await stack.up()).toMatchObject({ failed: 0 });
}, 900_000);
afterAll(async () => {
  await stack?.dispose();
  await onHost("n1", "rm -f /tmp/dh-script");
}, 900_000);

it("gives a lease with its own address as the server's, and the MTU", async () => {
  const { stdout } = await ask();
  expect(stdout).toMatch(/^serverid=10\.75\.0\.1$/m);
  expect(stdout).toMatch(/^mtu=1458$/m);
  expect(stdout).toMatch(/^router=10\.75\.0\.1$/m);
  expect(stdout).toMatch(/^lease=600$/m);
  const address = /^ip=(10\.75\.0\.1\d\d)$/m.exec(stdout)?.[1];
  expect(await leases()).toContain(`${mac} ${address} `);
}, 900_000);

it("starts it again when it is killed, with its leases; a client renews", async () => {
  const held = await leases();
  const before = await pid();
  await mustOnHost("n1", `systemd-run --collect --unit dh-client -p StandardOutput=file:/tmp/dh-log ${client}`);
  await mustOnHost("n1", "for i in $(seq 300); do grep -q ^bound /tmp/dh-log && exit; sleep 0.2; done; exit 1");
  await mustOnHost("n1", `kill -9 ${before}`);
  await mustOnHost(
    "n1",
    `for i in $(seq 300); do pgrep -x dnsmasq | grep -qvx ${before} && exit; sleep 0.2; done; exit 1`,
  );
  expect(await pid()).not.toBe(before);
  expect((await leases()).split(" ")[2]).toBe(held.split(" ")[2]);
  // USR1: renew now.
  await mustOnHost(
    "n1",
    "systemctl kill -s USR1 dh-client; for i in $(seq 600); do [ $(grep -c ^ip= /tmp/dh-log) = 2 ] && exit; sleep 0.1; done; cat /tmp/dh-log >&2; exit 1",
  );
  const log = await mustOnHost("n1", "systemctl stop dh-client; cat /tmp/dh-log; rm /tmp/dh-log");
  expect(log).toMatch(new RegExp(`^renew$[\\s\\S]*^ip=${held.split(" ")[2]}$`, "m"));
}, 900_000);

it("takes a reservation without a restart, and without a loss of leases", async () => {
  const before = await pid();
  const held = await leases();
  stack.write(program([{ mac: "02:00:00:00:7d:02", address: "10.75.0.50" }]));
  expect(await stack.up()).toMatchObject({ update: 1, failed: 0 });
  expect(await pid()).toBe(before);
  expect(await leases()).toBe(held);
}, 900_000);

it("gives nothing while it is stopped; a refresh says so, and mends it", async () => {
  await mustOnHost("n1", `systemctl stop ${service}.service`);
  const { exitCode, stdout } = await ask(3);
  expect(exitCode).not.toBe(0);
  expect(stdout).toMatch(/no lease, failing/);
  const preview = await stack.preview({ args: ["--refresh"] });
  expect(preview).toMatchObject({ update: 1, create: 0, delete: 0, replace: 0 });
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ update: 1, failed: 0 });
  expect((await ask()).stdout).toMatch(/^serverid=10\.75\.0\.1$/m);
}, 900_000);

it("is taken away with its unit, process and leases", async () => {
  await stack.destroy();
  const left = await mustOnHost("n1", "ls /run/pulumi-hostnet /run/systemd/system; pgrep -a dnsmasq || true");
  expect(left).not.toMatch(/hostnet-dhcp|dnsmasq/);
}, 900_000);
