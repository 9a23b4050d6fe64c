import { drift } from "../../provider/drift";
import { udpVpn } from "../../provider/kinds/udp-vpn";
import { tunnelOf } from "../../provider/model/socat";
import { hostAnswers } from "./recorded/services";
import { Bench, mark } from "./steps";

const args = { name: "vpn0", namespace: "blue", local: "10.9.0.1", remote: "10.9.0.2", port: 5555 };
const bench = new Bench(udpVpn, { ...args, addresses: ["10.9.7.1/24"] });
const name = "hostnet-vpn:blue:vpn0";
const udp = "UDP4-DATAGRAM:10.9.0.2:5555,bind=10.9.0.1:5555,range=10.9.0.2/32";
const tun = "TUN,tun-name=vpn0,tun-type=tun,iff-no-pi";

/** What `ip -j -d address show` has of a TUN that `ip tuntap` made, and of one that a process made for itself. */
const device = (persist: boolean) => ({
  ...{ ifname: "vpn0", ifindex: 3, flags: persist ? ["UP", "LOWER_UP"] : ["NOARP"], mtu: persist ? 1472 : 1500 },
  ...{ operstate: "UP", link_type: "none", txqlen: 500, ifalias: persist ? mark : undefined },
  linkinfo: { info_kind: "tun", info_data: { type: "tun", pi: false, persist } },
});

test("both ends of socat in one namespace, in the two of device and sockets, or with the device on the host", () => {
  expect(tunnelOf({ ...args, underlayNamespace: "blue" })).toEqual({
    argv: ["socat", "-b", "65536", udp, tun],
    namespace: "blue",
  });
  expect(tunnelOf(args)).toMatchObject({
    argv: expect.arrayContaining([
      udp,
      "EXEC:ip netns exec blue socat -b 65536 - TUN\\,tun-name=vpn0\\,tun-type=tun\\,iff-no-pi,so-type=5",
    ]),
    namespace: undefined,
    child: { argv: ["socat", "-b", "65536", "-", tun], namespace: "blue" },
  });
  expect(tunnelOf({ ...args, namespace: undefined, underlayNamespace: "red" })).toMatchObject({
    namespace: undefined,
    child: { argv: ["socat", "-b", "65536", "-", udp], namespace: "red" },
  });
  expect(tunnelOf({ ...args, local: "fd09::1", remote: "fd09::2", remotePort: 7 }).argv).toContain(
    "UDP6-DATAGRAM:[fd09::2]:7,bind=[fd09::1]:5555,range=[fd09::2]/128",
  );
});

test("the device stays when its process ends, and is marked at once", () => {
  expect(bench.steps({ netns: [{ name: "blue" }] }).slice(0, 4)).toEqual([
    "ip netns exec blue ip tuntap add dev vpn0 mode tun",
    `ip netns exec blue ip link set dev vpn0 alias ${mark}`,
    "ip netns exec blue ip link set dev vpn0 up",
    "ip netns exec blue ip address add 10.9.7.1/24 dev vpn0",
  ]);
});

test("one that the process made by itself, after it was deleted, is made anew", () => {
  const unit = `# Made by pulumi-hostnet. ${mark}\nExecStart=/usr/bin/env socat x\n`;
  const seen = hostAnswers(name, { [`${name}.service`]: unit }, "socat x", { "links@blue": [device(false)] });
  expect(bench.look(seen)?.marks).toEqual([mark]);
  expect(bench.steps(seen).slice(0, 2)).toEqual([
    "ip netns exec blue ip link del dev vpn0",
    "ip netns exec blue ip tuntap add dev vpn0 mode tun",
  ]);
});

test("a TAP of that name is somebody else's", () => {
  const tap = device(true);
  tap.linkinfo.info_data.type = "tap";
  const seen = { netns: [{ name: "blue" }], "links@blue": [tap] };
  expect(() => bench.steps(seen)).toThrow(/is a TAP, not a TUN/);
});

test("a device of another kind in its place shows, and is neither written to nor deleted", () => {
  const unit = `# Made by pulumi-hostnet. ${mark}\nExecStart=/usr/bin/env socat x\n`;
  const dummy = { ...device(false), linkinfo: { info_kind: "dummy" }, link_type: "ether" };
  const seen = hostAnswers(name, { [`${name}.service`]: unit }, "socat x", { "links@blue": [dummy] });
  const found = bench.look(seen);
  expect(found?.marks).toEqual([mark]);
  const shown = drift(udpVpn, bench.want(), found as never, { mark, owner: "a1b2", was: [] });
  expect(shown).toMatchObject({ name: "vpn0", running: false });
  expect(() => bench.steps(seen)).toThrow(/vpn0 is there already and is dummy, not a TUN.*\[FOREIGN\]/);
  expect(bench.removal(seen).join()).not.toMatch(/ip link del|vpn0$/);
});
