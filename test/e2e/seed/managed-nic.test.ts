import { reboot } from "../../../lab";
import { onOneHost } from "../helpers/declare";
import { footprint, host, mustOnHost, onHost } from "../helpers/lab";
import { createStack, type Stack } from "../helpers/stack";

/**
 * A network node whose external NIC is systemd-networkd's, with an address and a route, as an operator has it: br-ex
 * takes them over, and gives them back. Somebody outside, n1, counts what is lost.
 */
const nic = host("n2").interfaces.external;
const outside = host("n1").interfaces.external;
const program = (more = "") =>
  onOneHost(
    "n2",
    `
const cloud = new hostnet.neutron.Cloud("cloud", {});
const public_ = { bridge: "br-ex", interface: "${nic}"${more} };
new hostnet.neutron.NetworkNode("network", { cloud, host, tunnelAddress: "10.199.0.2", physicalNetworks: { public: public_ } });
`,
  );
/** An address that the program itself gives br-ex, beside networkd's. */
const declared = `, addresses: ["192.0.2.77/24"]`;

const file = "/etc/systemd/network/20-external.network";
const text = `[Match]
Name=${nic}

[Network]
Address=203.0.113.2/24
IPv6AcceptRA=no

[Route]
Destination=198.51.100.0/24
Gateway=203.0.113.1
`;

/** Waits until networkd says so of the NIC. */
const isNow = (state: string) =>
  `for try in $(seq 300); do networkctl list --no-legend ${nic} | grep -qw ${state} && exit; sleep 0.2; done; echo not ${state} >&2; exit 1`;
const given = `cat >${file} && networkctl reload; ${isNow("configured")}`;

const interfacesFile = "/etc/network/interfaces.d/external";

/** What networkd sets on a device that it manages, and leaves so. */
const touched = `net.ipv4.conf.${nic}.promote_secondaries net.ipv6.conf.${nic}.accept_ra`;

let settings: string;
let stack: Stack;
beforeAll(async () => {
  settings = await mustOnHost("n2", `sysctl ${touched} | tr -d ' ' | xargs`);
  await mustOnHost("n1", `ip address replace 203.0.113.1/24 dev ${outside} && ip link set ${outside} up`);
  await mustOnHost("n1", "ip address replace 198.51.100.1/32 dev lo");
  await mustOnHost("n2", given, { stdin: text });
  stack = await createStack({ program: program() });
}, 900_000);
afterAll(async () => {
  await stack?.dispose();
  await onHost(
    "n1",
    `ip address del 203.0.113.1/24 dev ${outside}; ip address del 198.51.100.1/32 dev lo; ip link set ${outside} down`,
  );
  await onHost(
    "n2",
    `rm -f ${file} ${interfacesFile}; networkctl reload; (${isNow("unmanaged")}); ip address flush dev ${nic}; ip link set ${nic} down; sysctl -qw ${settings}`,
  );
}, 900_000);

/** Whom n1 reaches at the address, by which device of n2 it is, and that n2 finds its way by the route. */
async function reachable(device: string): Promise<void> {
  expect((await onHost("n1", "ping -c 3 -i 0.3 -W 2 203.0.113.2")).stdout).toMatch(/[123] received/);
  const at = await mustOnHost("n2", "ip -4 -br address show to 203.0.113.2; ip route show 198.51.100.0/24");
  expect(
    at
      .trim()
      .replace(/ +/g, " ")
      .split("\n")
      .map((line) => line.trim()),
  ).toEqual([
    expect.stringMatching(new RegExp(`^${device} \\S+ 203\\.0\\.113\\.2/24$`)),
    `198.51.100.0/24 via 203.0.113.1 dev ${device} proto static`,
  ]);
  expect((await onHost("n2", "ping -c 2 -i 0.3 -W 2 198.51.100.1")).exitCode).toBe(0);
}

/**
 * For how long at a time n1 got no answer while something was done: less than `seconds`, or a quarter of what it all took
 * where the machine is so slow that each of its steps takes as long.
 */
async function silence(work: () => Promise<unknown>, seconds: number): Promise<void> {
  const log = "/run/mn-ping";
  await mustOnHost(
    "n1",
    `systemd-run --collect --unit mn-ping -p KillSignal=INT sh -c 'exec ping -D -i 0.05 203.0.113.2 >${log}'`,
  );
  const begun = Date.now();
  await work();
  const took = (Date.now() - begun) / 1000;
  await mustOnHost("n1", "sleep 1; systemctl stop mn-ping");
  const said = await mustOnHost("n1", `cat ${log}; rm ${log}`);
  const times = [...said.matchAll(/^\[([\d.]+)\] \d+ bytes from/gm)].map(([, time]) => Number(time));
  expect(times.length).toBeGreaterThan(20);
  const longest = Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  console.log(
    `silent for ${longest.toFixed(2)} s of ${took.toFixed(2)}: ${/\d+ packets transmitted.*/.exec(said)?.[0]}`,
  );
  expect(longest).toBeLessThan(Math.max(seconds, took / 4));
}

const ours = () => mustOnHost("n2", "ls /etc/systemd/network | grep hostnet || true");
/**
 * Some time for whoever would take the addresses away, and then until networkd is through with every device; but for
 * br-ex, of which networkd 257 says until the next boot that it is at it (decision 0022).
 */
const settle = () =>
  mustOnHost(
    "n2",
    "sleep 4; for try in $(seq 300); do networkctl list --no-legend | grep -v ' br-ex ' | grep -Ewq 'pending|initialized|configuring' || exit 0; sleep 0.2; done; networkctl list >&2; exit 1",
  );

let before: unknown;

it("moves the address and the route to br-ex, and nobody misses them for long", async () => {
  await reachable(nic);
  before = await footprint("n2");
  await silence(() => stack.up(), 1.5);
  await reachable("br-ex");
  expect(await ours()).toBe(`00-hostnet-uplink-br-ex.network\n00-hostnet-uplink-${nic}.network\n`);
}, 900_000);

it.each([
  ["a carrier that came back", `ip link set ${nic} down; sleep 1; ip link set ${nic} up`],
  ["networkctl reconfigure of the NIC", `networkctl reconfigure ${nic}`],
  ["networkctl reconfigure of the bridge", "networkctl reconfigure br-ex"],
  ["networkctl reload", "touch /etc/systemd/network/*; networkctl reload"],
  ["a restart of networkd", "systemctl restart systemd-networkd"],
])(
  "is right after %s",
  async (_, command) => {
    await mustOnHost("n2", command);
    await settle();
    await reachable("br-ex");
  },
  900_000,
);

it("is quiet, and a refresh names what somebody changed", async () => {
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ update: 0, create: 0, replace: 0, delete: 0 });
  await mustOnHost("n2", `sed -i /Address/d /etc/systemd/network/00-hostnet-uplink-br-ex.network`);
  const mended = await stack.up({ args: ["--refresh"] });
  expect(mended.resources.filter(({ op }) => op === "update").map(({ kind, diffs }) => [kind, diffs])).toEqual([
    ["OvsPort", ["addressesToBridge"]],
  ]);
  await reachable("br-ex");
}, 900_000);

it("follows what the operator changes in the file", async () => {
  for (const address of ["203.0.113.3/24", "203.0.113.2/24"]) {
    await mustOnHost("n2", `sed -i 's|^Address=.*|Address=${address}|' ${file}`);
    await stack.up({ args: ["--refresh"] });
    const has = await mustOnHost("n2", `ip -4 -o address show dev br-ex; ip -4 -o address show dev ${nic}`);
    expect([...has.matchAll(/inet (\S+)/g)].map(([, one]) => one)).toEqual([address]);
  }
  await reachable("br-ex");
}, 900_000);

it("gives everything back", async () => {
  await silence(() => stack.destroy(), 5);
  await reachable(nic);
  expect(await ours()).toBe("");
  expect(await mustOnHost("n2", `networkctl status --no-pager ${nic}`)).toMatch(/Address: 203\.0\.113\.2/);
  expect(await footprint("n2")).toEqual(before);
}, 900_000);

it("has its address on br-ex after a reboot, before any `up`, which then rebuilds the rest", async () => {
  const has = () => mustOnHost("n2", "ip -br address show dev br-ex");
  stack.write(program(declared));
  await stack.up();
  await mustOnHost("n2", "networkctl reconfigure br-ex");
  await settle();
  await reachable("br-ex");
  expect(await has()).toMatch(/192\.0\.2\.77/);
  await reboot(["n2"]);
  await settle();
  await reachable("br-ex");
  expect(await has()).not.toMatch(/192\.0\.2\.77/);
  await silence(() => stack.up(), 5);
  await reachable("br-ex");
  expect(await has()).toMatch(/192\.0\.2\.77/);
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ update: 0, create: 0, replace: 0, delete: 0 });
}, 900_000);

it("gives them back also when somebody has deleted the port, and a refresh has seen it", async () => {
  await mustOnHost("n2", `ovs-vsctl del-port br-ex ${nic}`);
  await stack.refresh();
  await stack.destroy();
  await reachable(nic);
  expect(await ours()).toBe("");
}, 900_000);

it("moves nothing when Open vSwitch does not take the NIC in", async () => {
  stack.write(program());
  await mustOnHost("n2", `ip link add mn-busy link ${nic} type macvlan`);
  expect((await stack.up({ expectFailure: true })).all).toMatch(/Open vSwitch did not take eth2 in/);
  await reachable(nic);
  expect(await ours()).toBe("");
  // Nor does it take it in later, when what holds it is gone.
  expect(await mustOnHost("n2", "ip link del mn-busy; sleep 1; ovs-vsctl list-ports br-ex")).not.toMatch(nic);
  await reachable(nic);
  await stack.destroy();
  await reachable(nic);
}, 900_000);

it("is refused where ifupdown would give the NIC its address again, and the NIC stays as it is", async () => {
  await mustOnHost("n2", `rm ${file}; mkdir -p /etc/network/interfaces.d; networkctl reload; ${isNow("unmanaged")}`);
  const stanza = `auto ${nic}\niface ${nic} inet static\n  address 203.0.113.2/24\n`;
  await mustOnHost("n2", `cat >${interfacesFile}; ip address replace 203.0.113.2/24 dev ${nic}`, { stdin: stanza });
  const result = await stack.up({ expectFailure: true });
  expect(result.all).toMatch(/has 203\.0\.113\.2\/24 from ifupdown/);
  expect(result.all).toMatch(/Take its 'iface eth2' out of \/etc\/network\/interfaces and interfaces\.d/);
  expect((await onHost("n1", "ping -c 3 -i 0.3 -W 2 203.0.113.2")).stdout).toMatch(/[123] received/);
  expect(await mustOnHost("n2", "ovs-vsctl list-ports br-ex")).not.toMatch(nic);
  await stack.destroy();
}, 900_000);
