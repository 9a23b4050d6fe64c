import { drift } from "../../provider/drift";
import { udpVpn } from "../../provider/kinds/udp-vpn";
import { isMarking } from "../../provider/model/mark";
import { tunnelOf } from "../../provider/model/socat";
import { tunnelIn } from "../../provider/model/socat-line";
import { otherTunnels } from "../../provider/model/vpn-others";
import { answers } from "./answers";
import { hostAnswers } from "./recorded/services";
import { Bench, mark, texts } from "./steps";

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

test.each([
  ["made by the process itself, after it was deleted", [device(false)]],
  ["deleted or renamed, while the process is there", []],
])("a device %s is made anew, with the process ended, which would make it too", (_title, links) => {
  const unit = `# Made by pulumi-hostnet. ${mark}\nExecStart=/usr/bin/env socat x\n`;
  const seen = hostAnswers(name, { [`${name}.service`]: unit }, "socat x", { "links@blue": links });
  expect(bench.look(seen)?.marks).toEqual([mark]);
  const steps = bench.steps(seen);
  const made = steps.indexOf("ip netns exec blue ip tuntap add dev vpn0 mode tun");
  expect(steps[0]).toBe(`systemctl stop ${name}.service`);
  expect(steps.slice(1, made)).toEqual(links.map(() => expect.stringMatching(/sh -c .*ip link del dev "\$0"' vpn0$/)));
  expect(steps.slice(made)).toContain(`systemctl restart ${name}.service`);
});

test("IPv6 is on before an IPv6 address comes, and again when `ipv6: false` is declared no more", () => {
  const ipv6 = "/proc/sys/net/ipv6/conf/vpn0/disable_ipv6:1\n";
  const seen = { netns: [{ name: "blue" }], "links@blue": [device(true)], "ipv6@blue": ipv6 };
  const on = "ip netns exec blue sysctl -qw net/ipv6/conf/vpn0/disable_ipv6=0";
  expect(bench.steps(seen)).not.toContain(on);
  expect(bench.steps(seen, { addresses: ["fd07::1/64"] }).slice(0, 2)).toEqual([
    on,
    "ip netns exec blue ip address add fd07::1/64 dev vpn0 nodad",
  ]);
  expect(bench.steps(seen, {}, [{ ipv6: false }])).toContain(on);
});

test("a TAP of that name is somebody else's", () => {
  const tap = device(true);
  tap.linkinfo.info_data.type = "tap";
  const seen = { netns: [{ name: "blue" }], "links@blue": [tap] };
  expect(() => bench.steps(seen)).toThrow(/is a TAP, not a TUN.*\n *next: Choose another name/);
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

describe("somebody else's socat", () => {
  const folder = `/run/pulumi-hostnet/services/${name}`;
  const line = `socat ${udp} TUN:10.9.7.1/24,tun-name=vpn0,iff-no-pi,up`;
  const context = { mark, owner: "a1b2", was: [] };
  const underlay = { underlayNamespace: "blue" };
  /** A host on which it runs inside blue, and what else it answers. */
  const host = (line: string, more: object = {}) => ({
    ...{ netns: [{ name: "blue" }], "netns-inodes": "4026532246 -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n" },
    ...{ units: "", cgroups: "/sys/fs/cgroup/user.slice/user-0.slice/session-3.scope/cgroup.procs:77\n" },
    processes: [
      `     77       1 4026532246 Wed Nov 25 11:00:39 2026 ${line}`,
      "    200     150 4026531840 Wed Nov 25 11:00:40 2026 ps -ww -eo pid=,ppid=,netns=,lstart=,args=\n",
    ].join("\n"),
    "links@blue": [
      {
        ...{ ...device(false), mtu: 1500, txqlen: 99, flags: ["UP", "LOWER_UP", "NOARP"] },
        addr_info: [{ family: "inet", local: "10.9.7.1", prefixlen: 24, scope: "global" }],
      },
    ],
    ...more,
  });
  const seenOf = (byKey: object) =>
    answers([...(udpVpn.survey?.(undefined, answers([], {})) ?? []), ...udpVpn.observe(bench.want())], byKey as never);
  const adopting = (byKey: object) => {
    const want = bench.want(underlay);
    const seen = seenOf(byKey);
    return udpVpn.converge(want, udpVpn.find(want, seen), { ...context, adopts: true, seen });
  };

  test("is listed and found with its device, wherever it runs", () => {
    const seen = seenOf(host(line));
    const named = { ...args, underlayNamespace: "blue" };
    expect(udpVpn.list?.(seen, "blue")).toEqual([named]);
    expect(udpVpn.list?.(seen, undefined)).toEqual([]);
    const found = bench.look(host(line), underlay);
    expect(found).toMatchObject({ marks: [undefined], restarts: "socat[77]", facts: { pid: 77, mtu: 1500 } });
    expect(found?.args).toMatchObject({ ...named, addresses: ["10.9.7.1/24"], txQueueLength: 99, running: true });
  });

  test.each([
    [`UDP4-DATAGRAM:10.9.0.2:5555,range=10.9.0.2/32,bind=10.9.0.1:5555 TUN,iff-no-pi,tun-type=tun,tun-name=vpn0`, {}],
    [`TUN,tun-name=vpn0,iff-no-pi ${udp.toLowerCase()}`, {}],
    [`-b 9000 ${udp} ${tun}`, {}],
    [
      "UDP6-DATAGRAM:[fd09::2]:7,bind=[fd09::1]:5555,range=[fd09::2]/128 TUN,tun-name=vpn0,iff-no-pi",
      { local: "fd09::1", remote: "fd09::2", remotePort: 7 },
    ],
    [`EXEC:ip netns exec red socat - ${udp.replace(/[,:]/g, "\\$&")},so-type=5 ${tun}`, { underlayNamespace: "red" }],
  ])("may say the same in other words: %s", (words, more) => {
    const said = tunnelIn(words, "blue");
    expect(said?.why).toBeUndefined();
    expect(said?.args).toMatchObject({ ...args, underlayNamespace: "blue", ...more });
  });

  test("is what a UdpVpn itself writes, in all of its forms", () => {
    for (const more of [{}, { underlayNamespace: "blue" }, { namespace: undefined, underlayNamespace: "red" }]) {
      const want = { ...args, ...more };
      const { argv, namespace } = tunnelOf(want);
      expect(tunnelIn(argv.slice(1).join(" "), namespace)?.args).toMatchObject(want);
    }
  });

  test.each([
    [`-u ${udp} ${tun}`, "no UdpVpn can say -u"],
    [`-b 4096 ${udp} ${tun}`, "no UdpVpn can say -b"],
    [`OPENSSL:10.9.0.2:5555 ${tun}`, "no UdpVpn can say OPENSSL:10.9.0.2:5555"],
    [`${udp},reuseaddr ${tun}`, "no UdpVpn can say reuseaddr"],
    [`${udp.replace(/,range.*/, "")} ${tun}`, "it goes without range=10.9.0.2/32, which a UdpVpn would say"],
    [`${udp} ${tun.replace(",iff-no-pi", "")}`, "it goes without iff-no-pi, which a UdpVpn would say"],
    [`${udp} ${tun.replace("type=tun", "type=tap")}`, "no UdpVpn can say tun-type=tap"],
    [`${udp} TUN,iff-no-pi`, expect.stringMatching(/tun-name/)],
    [udp.replace(/10.9.0.2/g, "224.0.0.9").concat(" ", tun), expect.stringMatching(/^no UdpVpn can be so: remote/)],
  ])("that says more, or less, is not listed: %s", (words, why) => {
    expect(tunnelIn(words, "blue")).toEqual({ why });
    expect(udpVpn.list?.(seenOf(host(`socat ${words}`)), "blue")).toEqual([]);
  });

  test("a service of ours is listed, also where its command line has words with spaces", () => {
    const { argv } = tunnelOf(args);
    const word = (text: string) => (text.includes(" ") ? `"${text.replaceAll("\\", "\\\\")}"` : text);
    const unit = `# Made by pulumi-hostnet. ${mark}\nExecStart=/usr/bin/env ${argv.map(word).join(" ")}\n`;
    const seen = seenOf(hostAnswers(name, { [`${name}.service`]: unit }, "socat x", { "links@blue": [device(true)] }));
    expect(udpVpn.list?.(seen, "blue")).toEqual([args]);
    expect(udpVpn.list?.(seen, undefined)).toEqual([]);
  });

  test("for something else is nobody's business; systemd's is systemd's", () => {
    expect(otherTunnels(seenOf(host("socat TCP-LISTEN:80 TCP:10.9.0.2:80")))).toEqual([]);
    const cgroups = "/sys/fs/cgroup/system.slice/vpn.service/cgroup.procs:77\n";
    expect(otherTunnels(seenOf(host(line, { cgroups })))).toMatchObject([{ why: "systemd's vpn.service runs it" }]);
  });

  test("is taken for foreign before anything is written", () => {
    expect(() => bench.steps(host(line), underlay)).toThrow(/socat\[77\] does it already.*\[FOREIGN\]/);
    expect(bench.removal(host(line), underlay)).toEqual([]);
  });

  test("once it is ours nothing is to be done but to mark it", () => {
    const down = { "links@blue": [{ ...device(false), flags: ["NOARP"] }] };
    expect(bench.look(host(line, down), underlay)?.args.up).toBe(false);
    const found = udpVpn.asOurs?.(bench.look(host(line), underlay) as never);
    const steps = udpVpn.converge({ ...found?.args } as never, found, context);
    expect(steps.filter((step) => !isMarking(step, mark))).toEqual([]);
    const other = udpVpn.converge({ ...found?.args, mtu: 1400 } as never, found, context);
    expect(texts(other.filter((step) => !isMarking(step, mark))).join()).toMatch(/mtu 1400/);
  });

  test("is ended when all is written; then the device is made, and ours is started", () => {
    expect(texts(adopting(host(line))).map((text) => text.replace(/'is\(\)[\s\S]*?' sh/, "END"))).toEqual([
      `install -d -m 711 ${folder}`,
      `install -m 600 /dev/stdin ${folder}/predecessor`,
      `install -d -m 711 ${folder}`,
      `install -d -m 700 ${folder}/data`,
      `install -m 600 /dev/stdin ${folder}/${name}.service`,
      `sh -c END '' '' root 77 '${line}'`,
      "ip netns exec blue ip tuntap add dev vpn0 mode tun",
      `ip netns exec blue ip link set dev vpn0 alias ${mark}`,
      "ip netns exec blue ip link set dev vpn0 up",
      "ip netns exec blue ip address add 10.9.7.1/24 dev vpn0",
      `ln -sfn ${folder}/${name}.service /run/systemd/system/${name}.service`,
      `systemctl restart ${name}.service`,
      `install -m 600 /dev/stdin ${folder}/applied`,
      `rm -f ${folder}/predecessor`,
    ]);
  });

  test("a device that stays is kept, with what is on it", () => {
    const kept = { ...device(true), ifalias: undefined, txqlen: 99 };
    const steps = texts(adopting(host(line, { "links@blue": [kept] }))).join("\n");
    expect(steps).toMatch(/ alias hostnet:/);
    expect(steps).not.toMatch(/tuntap|link del/);
  });

  test("cut off before it is ended, its device stays with it when ours is taken away", () => {
    const [, record] = adopting(host(line));
    const services = `${record?.argv.at(-1)}:${record?.stdin}`;
    const seen = host(line, { services });
    expect(bench.look(seen, underlay)).toMatchObject({ marks: [mark], restarts: "socat[77]" });
    expect(bench.removal(seen, underlay).join()).not.toMatch(/link del/);
    expect(bench.steps(seen, underlay).filter((text) => text.startsWith("sh -c"))).toHaveLength(1);
  });

  test("cut off when it is ended, the next run makes the device as it was", () => {
    const services = adopting(host(line))
      .flatMap(({ argv, stdin = "" }) =>
        stdin
          ? stdin
              .trimEnd()
              .split("\n")
              .map((text) => `${argv.at(-1)}:${text}\n`)
          : [],
      )
      .filter((text) => !text.startsWith(`${folder}/applied`))
      .join("");
    const seen = host("sleep 1", { services, "links@blue": [] });
    expect(bench.look(seen, underlay)?.marks).toEqual([mark]);
    expect(bench.steps(seen, underlay).slice(1, 2)).toEqual(["ip netns exec blue ip tuntap add dev vpn0 mode tun"]);
    expect(bench.steps(seen, underlay).at(-1)).toBe(`rm -f ${folder}/predecessor`);
    expect(udpVpn.list?.(seenOf(seen), "blue")).toHaveLength(1);
    const described = udpVpn.asOurs?.(bench.look(seen, underlay) as never);
    expect(described?.args).toMatchObject({ addresses: ["10.9.7.1/24"], running: true });
    const steps = udpVpn.converge({ ...described?.args } as never, described, context);
    expect(steps.filter((step) => !isMarking(step, mark))).toEqual([]);
  });
});
