import { reboot } from "../../../lab";
import { capture } from "../helpers/capture";
import { footprint, host, mustOnHost, onHost, removeNetnsFolder } from "../helpers/lab";
import { endedPings, keepPinging, type Pinger, stopPings } from "../helpers/pings";
import { createStack, type Stack } from "../helpers/stack";
import { cloudProgram, floatingIp, outsideIp, routerIp, type Variant, webRules } from "./neutron-cloud";
import {
  arrived,
  asExpected,
  ask,
  hangUp,
  keepTalking,
  makeOutside,
  removeOutside,
  type Sent,
  startGuests,
  startMachines,
  stopGuests,
  stopMachines,
} from "./neutron-guests";

/** Rows of seed.md: VM port, VLAN and tunnel id, compute node, network node, qDHCP, qRouter, on one cloud of two hosts. */
const underlay = host("n1").interfaces.underlay;
const nodes = ["n1", "n2"];

let stack: Stack;
let before: unknown[];
let macs: Record<string, string>;

/** A hundred and fifty resources: minutes on a busy machine. */
const timeoutMs = 800_000;
const up = (...args: string[]) => stack.up({ args, timeoutMs });

const both = () => Promise.all(nodes.map(footprint));
const vary = (variant: Variant) => stack.write(cloudProgram(variant));
const quiet = { create: 0, update: 0, delete: 0, replace: 0, failed: 0 };
const trimmed = async (node: string, command: string) => (await mustOnHost(node, command)).trim();

beforeAll(async () => {
  await Promise.all(nodes.map((node) => onHost(node, "modprobe -r br_netfilter")));
  before = await both();
  await makeOutside();
  stack = await createStack({ program: cloudProgram() });
  expect(await up()).toMatchObject({ failed: 0 });
  macs = (await stack.outputs()).macs;
  await startGuests();
}, 900_000);

afterAll(async () => {
  await stopPings("n1");
  await stopGuests();
  await stack?.dispose();
  if ((await onHost("n1", "ip netns list | grep -w outside")).exitCode === 0) await removeOutside();
}, 900_000);

it("looks as an operator of Neutron expects it, and everything in Open vSwitch works", async () => {
  const ports = (node: string, bridge: string) => trimmed(node, `ovs-vsctl list-ports ${bridge} | sort | xargs`);
  expect(await ports("n1", "br-tun")).toBe("gre-0ac70002 patch-int");
  expect(await ports("n2", "br-tun")).toBe("gre-0ac70001 patch-int");
  expect(await ports("n1", "br-int")).toBe(
    "patch-tun qvoblue1 qvoblue3 qvodhcp1 qvoloner qvomuted qvoopen1 qvored1 qvovm1 qvovm2",
  );
  expect(await ports("n2", "br-ex")).toBe(`${host("n2").interfaces.external} phy-br-ex`);
  expect(await trimmed("n1", "ls /sys/class/net/qbrblue1/brif | xargs")).toBe("qvbblue1 tapblue1");
  expect(await trimmed("n2", "ip netns list | cut -d' ' -f1 | grep ^q | sort | xargs")).toBe(
    "qdhcp-blue qrouter-blue-router qrouter-red-router",
  );
  expect(await trimmed("n1", "ovs-vsctl get port qvoblue1 tag")).toBe("11");
  expect(await trimmed("n2", "ovs-vsctl get port qvoblue2 tag")).toBe("12");
  for (const node of nodes) {
    const said = await mustOnHost(
      node,
      "ovs-vsctl -f csv -d bare --no-headings --columns=name,error,ofport list interface",
    );
    for (const line of said.trim().split("\n")) expect(line).toMatch(/^[\w-]+,,\d+$/);
    expect(await trimmed(node, "ovs-dpctl show")).toMatch(/^system@ovs-system:/);
  }
}, 900_000);

it("is quiet the second time, and a refresh finds nothing", async () => {
  expect(await up("--refresh")).toMatchObject(quiet);
}, 900_000);

/** What every guest reaches and what it does not, by TCP: the server says who it is, and whom it hears. */
async function everyPath() {
  const timeout = "timeout";
  await Promise.all([
    asExpected("n1", [
      // Tenants with equal addresses, each over the tunnel to its own.
      ["blue1", "10.0.0.11", 8080, "blue2 10.0.0.10"],
      ["red1", "10.0.0.11", 8080, "red2 10.0.0.10"],
      // A router between two networks of a tenant; the other tenant's leads elsewhere.
      ["blue1", "10.0.1.11", 8080, "green2 10.0.0.10"],
      ["red1", "10.0.1.11", 8080, timeout],
      // Outside sees the floating IP, or the router's address; what comes to the floating IP is seen in the guest.
      ["blue1", outsideIp, 8080, `outside ${floatingIp}`],
      ["red1", outsideIp, 8080, `outside ${routerIp.red}`],
      ["outside", floatingIp, 8080, `blue1 ${outsideIp}`],
      ["outside", floatingIp, 22, timeout],
      // The security group, on one node and over the tunnel: members, anybody, nobody.
      ["blue3", "10.0.0.10", 22, "blue1 10.0.0.12"],
      ["blue1", "10.0.0.11", 22, "blue2 10.0.0.10"],
      ["loner", "10.0.0.10", 22, timeout],
      ["loner", "10.0.0.10", 8080, "blue1 10.0.0.30"],
      ["blue1", "10.0.0.30", 8080, timeout],
      ["loner", "10.0.0.30", 8080, "loner 10.0.0.30"],
      // The same by IPv6, on one node and over the tunnel.
      ["blue3", "fd00:100::10", 22, "blue1 fd00:100::12"],
      ["blue1", "fd00:100::11", 22, "blue2 fd00:100::10"],
      ["loner", "fd00:100::10", 22, timeout],
      ["loner", "fd00:100::10", 8080, "blue1 fd00:100::30"],
      ["blue1", "fd00:100::30", 8080, timeout],
      // A group that lets out TCP 8080 only.
      ["muted", "10.0.0.11", 8080, "blue2 10.0.0.31"],
      ["muted", "10.0.0.11", 8081, timeout],
      ["loner", "10.0.0.11", 8081, "blue2 10.0.0.30"],
    ]),
    asExpected("n2", [["blue2", outsideIp, 8080, `outside ${routerIp.blue}`]]),
  ]);
}

it("VLAN and tunnel id, qRouter, VM port: every path that is to be there is, and no other", everyPath, 900_000);

it("VM port: guests that open a TAP, ours and one that their own program makes, are reached over the tunnel", async () => {
  const pinged = async () => {
    // What nobody answered for before is asked anew: a packet that waits for that answer is lost with it.
    await mustOnHost("n2", "ip -n blue2 neighbour flush all");
    return Promise.all(
      ["10.0.0.40", "10.0.0.41"].map(async (to) => {
        const { exitCode } = await onHost("n2", `ip netns exec blue2 ping -c 2 -i 0.3 -W 2 ${to}`);
        return exitCode === 0;
      }),
    );
  };
  const { vm1 = "", vm2 = "" } = macs;
  // As libvirt does when it starts a guest.
  await mustOnHost("n1", "ip tuntap add dev tapvm2 mode tap && ip link set dev tapvm2 mtu 1458 master qbrvm2 up");
  expect(await pinged()).toEqual([false, false]);
  await startMachines("n1", [
    ["tapvm1", vm1, "10.0.0.40"],
    ["tapvm2", vm2, "10.0.0.41"],
  ]);
  expect(await pinged()).toEqual([true, true]);
  // What the group does not let in does not come to them.
  const [heard = []] = await capture(
    "n1",
    [{ device: "tapvm1", filter: "tcp port 22 or tcp port 8080" }],
    "ip netns exec loner timeout 2 bash -c 'exec 3<>/dev/tcp/10.0.0.40/22' ; ip netns exec loner timeout 2 bash -c 'exec 3<>/dev/tcp/10.0.0.40/8080'; true",
  );
  expect(heard.join("\n")).toMatch(/10\.0\.0\.40\.(8080|http-alt): Flags \[S\]/);
  expect(heard.join("\n")).not.toMatch(/10\.0\.0\.40\.(22|ssh): /);
  expect(await up("--refresh")).toMatchObject(quiet);
  await stopMachines("n1");
  await mustOnHost("n1", "ip link del dev tapvm2");
  expect(await up("--refresh")).toMatchObject(quiet);
}, 900_000);

/** What a guest must not send. The same from a port without port security arrives. */
async function noSpoofing() {
  const qbr = await trimmed("n1", "cat /sys/class/net/qbrblue1/address");
  const everyone = "ff:ff:ff:ff:ff:ff";
  const nobody = "fa:16:3e:ff:00:01";
  const { blue2 = "" } = macs;
  const framesOf = (guest: "blue1" | "open1", last: number): Sent[] => {
    const { [guest]: own = "" } = macs;
    const address = `10.0.0.${last}`;
    return [
      [guest, "udp", `own-udp-${guest}`, own, blue2, address, "10.0.0.11"],
      [guest, "udp", `broadcast-${guest}`, own, everyone, address, "255.255.255.255"],
      [guest, "arp", `own-arp-${guest}`, own, address, "10.0.0.11"],
      [guest, "udp", `false-mac-${guest}`, nobody, blue2, address, "10.0.0.11"],
      [guest, "udp", `false-ip-${guest}`, own, blue2, "10.0.0.77", "10.0.0.11"],
      [guest, "arp", `false-arp-${guest}`, own, "10.0.0.77", "10.0.0.11"],
      [guest, "udp6", `own-udp6-${guest}`, own, blue2, `fd00:100::${last}`, "fd00:100::11"],
      [guest, "udp6", `false-ip6-${guest}`, own, blue2, "fd00:100::77", "fd00:100::11"],
      [guest, "dhcp_offer", `dhcp-offer-${guest}`, own, address],
      [guest, "router_advertisement", `router-advert-${guest}`, own],
    ];
  };
  const sent = [...framesOf("blue1", 10), ...framesOf("open1", 32)];
  const { blue2: came = {}, red2: other = {} } = await arrived("n2", ["blue2", "red2"], sent);
  const expected = Object.fromEntries(
    sent.map(([guest, , text]) => [text, guest === "blue1" && /^(false|dhcp|router)/.test(text) ? 0 : 3]),
  );
  expect(came).toEqual(expected);
  // Broadcasts of a tenant do not come to another.
  expect(new Set(Object.values(other))).toEqual(new Set([0]));
  // No guest makes itself a router of the host.
  for (const node of nodes) expect(await mustOnHost(node, "ip -6 route show default")).toBe("");

  // Nothing that a guest sends is for the host: neither to its addresses nor to those of its bridges.
  const { blue1 = "" } = macs;
  const toHost: Sent[] = [["blue1", "udp", "to-the-host", blue1, qbr, "10.0.0.10", "10.199.0.1"]];
  expect((await arrived("n1", [], toHost)).host).toEqual({ "to-the-host": 0 });
  const arping = (to: string) =>
    trimmed("n1", `ip netns exec blue1 arping -c 2 -w 3 -I eth0 ${to} | sed -n 's/^Received \\([0-9]*\\).*/\\1/p'`);
  expect([await arping("10.199.0.1"), await arping("10.0.0.11")]).toEqual(["0", "2"]);
}

it(
  "VM port: spoofed MAC, IP, ARP, DHCP offer and router advertisement are dropped; nothing comes to the host",
  noSpoofing,
  900_000,
);

it("VM port: the control of the host's silence: without the port's firewall the packet comes to the host", async () => {
  const { blue1 = "" } = macs;
  const qbr = await trimmed("n1", "cat /sys/class/net/qbrblue1/address");
  const chain = "bridge neutron-tapblue1 to-host";
  const rule = await trimmed("n1", `nft list chain ${chain} | sed -n 's/^\\t\\t\\(iifname.*\\)/\\1/p'`);
  await mustOnHost(
    "n1",
    `nft flush chain ${chain}; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.qbrblue1.rp_filter=0`,
  );
  const { host: came } = await arrived(
    "n1",
    [],
    [["blue1", "udp", "to-the-host", blue1, qbr, "10.0.0.10", "10.199.0.1"]],
  );
  expect(came?.["to-the-host"]).toBe(3);
  await mustOnHost("n1", `nft add rule ${chain} ${rule.replaceAll('"', '\\"')}`);
}, 900_000);

it("VM port: all of it again with br_netfilter on and everybody's FORWARD chain closed", async () => {
  const on =
    "modprobe br_netfilter && sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1";
  const close =
    "nft 'add table ip others; add chain ip others forward { type filter hook forward priority 0; policy drop; }'";
  await Promise.all(nodes.map((node) => mustOnHost(node, `${on} && ${close}`)));
  try {
    await everyPath();
    await noSpoofing();
  } finally {
    await Promise.all(nodes.map((node) => mustOnHost(node, "nft delete table ip others; modprobe -r br_netfilter")));
  }
}, 900_000);

/** udhcpc tells all that it was told, and gives itself the address. */
const dhcpScript = `#!/bin/sh
[ "$1" = deconfig ] && exit
ip address replace "$ip/24" dev "$interface"
env`;

async function leases() {
  for (const [node, guest] of [
    ["n1", "dhcp1"],
    ["n2", "dhcp2"],
  ] as const) {
    await mustOnHost(node, "cat >/tmp/guest-dhcp && chmod 755 /tmp/guest-dhcp", { stdin: dhcpScript });
    const client = `ip netns exec ${guest} busybox udhcpc -i eth0 -f -n -q -t 5 -T 3 -O mtu -s /tmp/guest-dhcp 2>&1 >/tmp/guest-said`;
    const filter = "udp port 67 or udp port 68";
    const [heard = [], wire = []] = await capture(
      node,
      [
        { device: "eth0", namespace: guest, direction: "in", filter },
        { device: underlay, filter: "ip proto 47" },
      ],
      client,
    );
    const said = await mustOnHost(node, "cat /tmp/guest-said");
    expect(said).toMatch(/^serverid=10\.0\.0\.2$/m);
    expect(said).toMatch(/^mtu=1458$/m);
    expect(said).toMatch(/^router=10\.0\.0\.1$/m);
    const address = /^ip=(10\.0\.0\.1[0-2]\d)$/m.exec(said)?.[1];
    const mac = macs[guest] ?? "";
    const held = await mustOnHost("n2", "cat /run/pulumi-hostnet/services/hostnet-dhcp:qdhcp-blue:blue-v4/data/leases");
    expect(held).toContain(`${mac} ${address} `);
    // Old clients take no offer with a bad checksum.
    expect(heard.length).toBeGreaterThan(0);
    for (const packet of heard) expect(packet).toMatch(/\[udp sum ok\]/);
    // From the compute node it went by the tunnel.
    const tunnelled = wire.filter((packet) => packet.includes("BOOTP/DHCP") && packet.includes(mac)).join("\n");
    if (node === "n1") expect(tunnelled).toMatch(/key=0x64[\s\S]*BOOTP\/DHCP, Reply/);
    // And so does the rest: the address is good for something.
    expect(await ask(node, [[guest, "10.0.0.11", 8080]])).toEqual([`blue2 ${address}`]);
  }
}

it("qDHCP: a guest on each node gets its lease from the network node, with the tunnel's MTU", leases, 900_000);

it("GRE: the wire has the tenants' keys and nothing of them outside of the tunnel; the MTU is what was promised", async () => {
  const pings = ["blue1", "red1"].map((guest) => `ip netns exec ${guest} ping -c 2 -i 0.3 -W 3 10.0.0.11`);
  const [wrapped = [], bare] = await capture(
    "n1",
    [
      { device: underlay, direction: "out", filter: "ip proto 47" },
      { device: underlay, filter: "not ip proto 47 and net 10.0.0.0/16" },
    ],
    pings.join("; "),
  );
  const echoes = (key: string) =>
    wrapped.filter((packet) => packet.includes(`key=${key},`) && /10\.0\.0\.10 > 10\.0\.0\.11: ICMP echo/.test(packet));
  expect([echoes("0x64").length, echoes("0xc8").length]).toEqual([2, 2]);
  expect(bare).toEqual([]);
  const ping = (size: number) => onHost("n1", `ip netns exec blue1 ping -c 2 -i 0.3 -W 3 -M do -s ${size} 10.0.0.11`);
  expect((await ping(1430)).exitCode).toBe(0);
  expect((await ping(1431)).exitCode).not.toBe(0);
  await mustOnHost("n2", "ip netns exec blue2 iperf3 -s -1 -D -p 8090");
  const said = await mustOnHost("n1", "ip netns exec blue1 iperf3 -c 10.0.0.11 -p 8090 -n 8M -J");
  const { end } = JSON.parse(said) as { end: { sum_received: { bits_per_second: number } } };
  const rate = (end.sum_received.bits_per_second / 1e6).toFixed(0);
  console.info(
    `TCP from guest to guest, two firewalls and a GRE tunnel on the way: ${rate} Mbit/s between emulated hosts`,
  );
}, 900_000);

it("SecurityGroup: an open flow ends within 2 s when its rule goes, and others live", async () => {
  await keepTalking([
    ["blue3", "10.0.0.10", 22, "/tmp/guest-by-rule"],
    ["loner", "10.0.0.10", 8080, "/tmp/guest-other"],
  ]);
  const watch = `while nft list chain bridge neutron-tapblue1 i-rules | grep -q 'proto-dst 22'; do sleep 0.3; done; date +%s.%N >/tmp/guest-gone`;
  await mustOnHost("n1", `systemd-run --quiet --collect --unit guest-watch sh -c "${watch}"`);
  vary({ rules: webRules("") });
  const { resources } = await up();
  // The group is on the ports of its four members on two nodes, and nothing else changes.
  const changed = resources.filter(({ op }) => op !== "same");
  expect(new Set(changed.map(({ kind, op }) => `${op} ${kind}`))).toEqual(new Set(["update Firewall"]));
  await mustOnHost("n1", "sleep 4");
  const last = async (file: string) => Number(await mustOnHost("n1", `tail -n 1 /tmp/guest-${file}`));
  const [gone, byRule, other, now] = [
    await last("gone"),
    await last("by-rule"),
    await last("other"),
    Number(await mustOnHost("n1", "date +%s.%N")),
  ];
  await hangUp();
  expect(byRule).toBeGreaterThan(gone - 20);
  expect(byRule).toBeLessThan(gone + 2);
  expect(other).toBeGreaterThan(now - 3);
  vary({});
  await up();
}, 900_000);

it("qRouter: a floating IP is moved to another router's guest while outside has it in its ARP table: reached within 2 s", async () => {
  const neighbour = () => trimmed("n1", `ip -n outside neighbour show ${floatingIp} | cut -d' ' -f5`);
  expect(await ask("n1", [["outside", floatingIp, 8080]])).toEqual([`blue1 ${outsideIp}`]);
  const old = await neighbour();
  vary({ floating: "red1" });
  await up();
  const begun = Date.now();
  expect(await ask("n1", [["outside", floatingIp, 8080]])).toEqual([`red1 ${outsideIp}`]);
  console.info(
    `the moved floating IP answered ${Date.now() - begun} ms after the deployment, ssh and python among them`,
  );
  expect(await neighbour()).not.toBe(old);
  // Who has lost it goes out under the router's address.
  expect(await ask("n1", [["blue1", outsideIp, 8080]])).toEqual([`outside ${routerIp.blue}`]);
  vary({});
  await up();
  expect(await ask("n1", [["outside", floatingIp, 8080]])).toEqual([`blue1 ${outsideIp}`]);
}, 900_000);

/** A network with a DHCP server, a guest in it on each node, and one more of blue's. */
const more = `
const grey = network("grey", 300);
new neutron.Subnet("grey-v4", { network: grey, cidr: "10.0.0.0/24" });
guest("grey1", n1, grey, ["10.0.0.10"]);
guest("grey2", n2, grey, ["10.0.0.11"]);
guest("blue4", n1, blue, ["10.0.0.13"], nobodys);
`;

const pingers: Pinger[] = [
  ["blue1", "10.0.0.11"],
  ["red1", "10.0.0.11"],
];

it("a network and instances come and go while guests ping, and nothing else is touched", async () => {
  const flows = () =>
    Promise.all(
      nodes.map((node) =>
        mustOnHost(
          node,
          "for b in br-int br-tun; do ovs-ofctl --no-stats dump-flows $b | grep -v table=20 | sort; done",
        ),
      ),
    );
  const as = await flows();
  await keepPinging("n1", pingers);
  vary({ more });
  const came = await up();
  const ofNew = /grey|blue4/;
  // Members of the group are in the firewalls that name it, the reservation in blue's DHCP server.
  expect(came.resources.filter(({ op, name }) => op !== "same" && !ofNew.test(name)).map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["DhcpServer"]),
  );
  expect(came).toMatchObject({ delete: 0, replace: 0, failed: 0 });
  expect(await ask("n1", [["blue1", "10.0.0.11", 8080]])).toEqual(["blue2 10.0.0.10"]);
  expect((await onHost("n1", "ip netns exec grey1 ping -c 2 -i 0.3 -W 3 10.0.0.11")).exitCode).toBe(0);
  vary({});
  const went = await up();
  expect(went).toMatchObject({ create: 0, replace: 0, failed: 0 });
  expect(went.resources.filter(({ op, name }) => op === "delete" && !ofNew.test(name))).toEqual([]);
  for (const { sent, received } of await endedPings("n1", pingers)) {
    expect(sent).toBeGreaterThan(50);
    expect(received).toBeGreaterThanOrEqual(sent - 1);
  }
  expect(await flows()).toEqual(as);
}, 900_000);

it("with another tunnel id packets find their way at once: what was learned with the old one is gone", async () => {
  const learned = () => mustOnHost("n1", "ovs-ofctl dump-flows br-tun table=20 | grep -c 'load:0x64->' || true");
  const asked = () => ask("n1", [["blue1", "10.0.0.11", 8080]]);
  expect(await asked()).toEqual(["blue2 10.0.0.10"]);
  expect(Number(await learned())).toBeGreaterThan(0);
  vary({ segment: 101 });
  expect(await up()).toMatchObject({ create: 0, replace: 0, failed: 0 });
  expect(Number(await learned())).toBe(0);
  expect(await asked()).toEqual(["blue2 10.0.0.10"]);
  vary({});
}, 900_000);

it("both nodes rebooted: a plain `up`, and all of it again; the gateway has the MAC that it had", async () => {
  const gateway = () =>
    trimmed(
      "n2",
      "ip -n qrouter-blue-router -br link show | sed -n 's/^\\(q[^@]*\\)@[^ ]* *[A-Z]* *\\([^ ]*\\).*/\\1 \\2/p' | sort",
    );
  const had = await gateway();
  await stopGuests();
  await reboot(nodes);
  expect((await onHost("n2", "ip netns list | grep -c q")).stdout.trim()).toBe("0");
  await makeOutside();
  expect(await up()).toMatchObject({ failed: 0, delete: 0, replace: 0 });
  await startGuests();
  expect(had.split("\n")).toHaveLength(3);
  expect(await gateway()).toBe(had);
  await everyPath();
  await noSpoofing();
  await leases();
  expect(await up("--refresh")).toMatchObject(quiet);
}, 900_000);

it("both hosts are as before after `destroy`", async () => {
  await stopGuests();
  await stack.destroy({ timeoutMs });
  await removeOutside();
  await removeNetnsFolder("n1");
  expect(await both()).toEqual(before);
}, 900_000);
