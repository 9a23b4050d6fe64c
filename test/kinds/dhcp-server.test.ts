import { fateOf } from "../../provider/drift";
import { dhcpServer } from "../../provider/kinds/dhcp-server";
import type { Step } from "../../provider/model/command";
import { otherServers } from "../../provider/model/dhcp-others";
import { isMarking } from "../../provider/model/mark";
import { answers } from "./answers";
import { hostAnswers } from "./recorded/services";
import { Bench, mark, texts } from "./steps";

const bench = new Bench(dhcpServer, {
  ...{ name: "d", namespace: "blue", device: "dh0", range: "10.0.1.100-10.0.1.120", gateway: "10.0.1.1" },
  reservations: [{ mac: "02:00:00:00:00:11", address: "10.0.1.50", hostname: "cc" }],
});
const name = "hostnet-dhcp:blue:d";
const folder = `/run/pulumi-hostnet/services/${name}`;
const context = { mark, owner: "a1b2", was: [] };
const links = {
  "links@blue": [{ ifname: "dh0", ifindex: 7, flags: ["UP"], mtu: 1500, operstate: "UP", link_type: "ether" }],
};

/** What the steps have written, by the path below the folder. */
const written = (steps: Step[]) =>
  Object.fromEntries(
    steps.flatMap(({ argv, stdin }) => {
      const path = argv.at(-1) ?? "";
      return argv[0] === "install" && stdin !== undefined ? [[path.slice(folder.length + 1), stdin]] : [];
    }),
  );

/** A host on which nothing of it is yet. */
const bare = { ...links, netns: [{ name: "blue" }], units: "" };

/** The host after `up`, as it then answers. */
function running(change: (files: Record<string, string>) => void = () => {}, more: object = {}) {
  const files = written(bench.plan(bare));
  const argv = /^ExecStart=\/usr\/bin\/env ip netns exec blue (.*)$/m.exec(files[`${name}.service`] ?? "")?.[1] ?? "";
  files["data/pid"] = "189\n";
  files["data/leases"] = "1795608048 02:00:00:00:00:11 10.0.1.50 cc 01:02:00:00:00:00:11\n";
  change(files);
  return hostAnswers(name, files, argv, { ...links, ...more });
}

test("a new one is written, readable to itself only, and started; systemd reads no other unit for it", () => {
  expect(bench.steps(bare)).toEqual([
    "dnsmasq --test --conf-file=/dev/stdin",
    `install -d -m 711 ${folder}`,
    `install -d -m 700 -o nobody ${folder}/data`,
    `install -m 600 /dev/stdin ${folder}/${name}.service`,
    `install -m 600 -o nobody /dev/stdin ${folder}/data/hosts`,
    `install -m 600 -o nobody /dev/stdin ${folder}/data/options`,
    `ln -sfn ${folder}/${name}.service /run/systemd/system/${name}.service`,
    `systemctl restart ${name}.service`,
    `install -m 600 /dev/stdin ${folder}/applied`,
  ]);
  const silent = written(bench.plan(bare, { gateway: undefined }));
  // Without the line dnsmasq would tell its own address.
  expect(silent["data/options"]).toMatch(/^option:router$/m);
  expect(written(bench.plan(bare))["data/options"]).toBe(
    "# Made by pulumi-hostnet.\noption:router,10.0.1.1\noption:dns-server\n",
  );
});

test("is proven when it runs as declared, and tells its leases", () => {
  const found = bench.look(running());
  expect(bench.steps(running())).toEqual([]);
  expect(found?.args).toMatchObject({ running: true, range: "10.0.1.100-10.0.1.120", gateway: "10.0.1.1" });
  expect(found?.facts).toEqual({
    pid: 189,
    since: "2026-11-25T11:00:39.000Z",
    leases: [{ mac: "02:00:00:00:00:11", address: "10.0.1.50", hostname: "cc", expires: "2026-11-25T12:00:48.000Z" }],
  });
});

test("a reservation interrupts nobody: the process reads it again", () => {
  const reservations = [{ mac: "02:00:00:00:00:12", address: "10.0.1.51" }];
  expect(bench.steps(running(), { reservations }).slice(-3)).toEqual([
    `install -m 600 -o nobody /dev/stdin ${folder}/data/hosts`,
    `systemctl reload ${name}.service`,
    `install -m 600 /dev/stdin ${folder}/applied`,
  ]);
  // systemd has read the unit, and is told to read it again.
  expect(bench.steps(running(), { range: "10.0.1.100-10.0.1.130" }).slice(-3)).toEqual([
    "systemctl daemon-reload",
    `systemctl restart ${name}.service`,
    `install -m 600 /dev/stdin ${folder}/applied`,
  ]);
});

test("what was changed behind our back is named", () => {
  const other = running((files) => {
    files["data/options"] = (files["data/options"] ?? "").replace("router,10.0.1.1", "router,10.0.1.9");
  });
  expect(bench.look(other)?.args).toMatchObject({ running: true, gateway: "10.0.1.9" });
  const elsewhere = running(undefined, { "netns-inodes": "4026532999 -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n" });
  expect(bench.look(elsewhere)?.args).toMatchObject({ running: false, gateway: "10.0.1.1" });
  expect(bench.steps(elsewhere)).toContain(`systemctl restart ${name}.service`);
});

test("a device made anew is listened to by a new process", () => {
  const anew = { "links@blue": [{ ...links["links@blue"][0], ifindex: 8 }] };
  expect(bench.look(running(undefined, anew))?.args).toMatchObject({ running: false });
  expect(() => bench.steps(running(undefined, { "links@blue": [] }))).toThrow(
    /there is no device dh0 in namespace blue/,
  );
});

test("while it comes up it is waited for, and its last words are told", () => {
  const late = running((files) => {
    files["data/pid"] = "77\n";
    files.log = "dnsmasq: unknown interface dh0\n";
  });
  expect(bench.look(late)?.pending).toBe("dnsmasq to come up; its last words: dnsmasq: unknown interface dh0");
});

test("without systemd a loop of our own keeps it running, and ends it", () => {
  const loop = `sh ${folder}/supervise ${folder} ip netns exec blue`;
  const { processes, ...rest } = running();
  const alone = {
    ...rest,
    units: "",
    processes: `${processes.replace(" 189       1 ", " 189     188 ")}\n    188       1 4026531840 Wed Nov 25 11:00:38 2026 ${loop}`,
  };
  const sections = dhcpServer.observe(bench.want());
  const seen = answers(sections, alone);
  const result = seen.result.bind(seen);
  jest.spyOn(seen, "result").mockImplementation((key) => ({ ...result(key), exitCode: key === "units" ? 127 : 0 }));
  const found = dhcpServer.find(bench.want(), seen);
  if (!found) throw new Error("not found");
  expect(dhcpServer.converge(bench.want(), found, context)).toEqual([]);
  expect(dhcpServer.remove(found, bench.want(), context)[0]?.argv).toEqual(["kill", "188", "189"]);
});

test("is taken away with its files", () => {
  expect(bench.removal(running())).toEqual([
    `systemctl stop ${name}.service`,
    `rm -f /run/systemd/system/${name}.service`,
    "find /run/pulumi-hostnet '(' -path /run/pulumi-hostnet/services/hostnet-dhcp:blue:d -o -path '/run/pulumi-hostnet/services/hostnet-dhcp:blue:d/*' -o -path /run/pulumi-hostnet/services -empty ')' -delete",
  ]);
});

describe("somebody else's dnsmasq", () => {
  const device = "dh0";
  const addresses = [{ family: "inet", local: "10.0.1.1", prefixlen: 24, scope: "global" }];
  const line = "dnsmasq -i dh0 -p0 --dhcp-range=10.0.1.100,10.0.1.120,2h -O 6,10.0.1.2 -l /tmp/l -x /run/x";
  /** A host on which it runs, and what else it answers. */
  const host = (args: string, more: object = {}) => ({
    ...{ netns: [{ name: "blue" }], "netns-inodes": "4026532246 -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n" },
    ...{ units: "", "dnsmasq.conf": "", cgroups: "/sys/fs/cgroup/system.slice/ssh.service/cgroup.procs:77\n" },
    processes: `     77       1 4026532246 Wed Nov 25 11:00:39 2026 ${args}\n`,
    "links@blue": [{ ...links["links@blue"][0], addr_info: addresses }],
    ...more,
  });
  const seenOf = (byKey: object) =>
    answers(
      [...(dhcpServer.survey?.(undefined, answers([], {})) ?? []), ...dhcpServer.observe(bench.want())],
      byKey as never,
    );
  const listed = (args: string, more: object = {}) => dhcpServer.list?.(seenOf(host(args, more)), "blue");
  const said = (args: string, more: object = {}) => otherServers(seenOf(host(args, more)), "blue")[0];
  const adopting = (byKey: object) => {
    const want = bench.want({ name: device });
    const seen = seenOf(byKey);
    return dhcpServer.converge(want, dhcpServer.find(want, seen), { ...context, adopts: true, seen });
  };

  test("is listed by its device's name, and found with all that its command line says", () => {
    expect(listed(line)).toEqual([{ namespace: "blue", name: device, device, range: "10.0.1.100-10.0.1.120" }]);
    const found = bench.look(host(line));
    expect(found).toMatchObject({ marks: [undefined], restarts: "dnsmasq[77]", facts: { pid: 77, leases: [] } });
    // Nothing was said of a router: it tells its own address.
    expect(found?.args).toMatchObject({ name: "d", leaseTime: 7200, dns: ["10.0.1.2"], gateway: "10.0.1.1" });
  });

  test("may tell either of two addresses as the router, so that it is not known", () => {
    const two = [...addresses, { ...addresses[0], local: "10.0.1.2", secondary: true }];
    const why = said(line, { "links@blue": [{ ...links["links@blue"][0], addr_info: two }] })?.why;
    expect(why).toMatch(/without --dhcp-option=option:router/);
  });

  test("may say the same in other words", () => {
    const words = [
      ...["/usr/sbin/dnsmasq -kzK --conf-file= --interface dh0 --port=0 -I lo --user=root"],
      ...["--dhcp-range=10.0.1.0,static,255.255.255.0,60s --dhcp-option=option:router,10.0.1.9"],
      ...[
        "--dhcp-option=121,10.2.0.0/16,10.0.1.3,0.0.0.0/0,10.0.1.9 --dhcp-option=249,10.2.0.0/16,10.0.1.3,0.0.0.0/0,10.0.1.9",
      ],
      "--dhcp-option=26,1400 -G seven,10.0.1.7,02:00:00:00:00:AA -X 9 -s example.org",
    ].join(" ");
    expect(said(words)?.why).toBeUndefined();
    expect(said(words)?.args).toEqual({
      ...{ namespace: "blue", name: device, device, range: "static", leaseTime: 120, gateway: "10.0.1.9", mtu: 1400 },
      ...{ routes: [{ to: "10.2.0.0/16", via: "10.0.1.3" }], options: {}, domain: "example.org", maxLeases: 9 },
      reservations: [{ mac: "02:00:00:00:00:aa", address: "10.0.1.7", hostname: "seven" }],
      ...{ authoritative: true, running: true },
    });
    const names = line.replace("-p0", "--no-hosts --no-resolv --server=10.9.9.9 --except-interface=lo");
    expect(said(names)?.args?.forwarders).toEqual(["10.9.9.9"]);
  });

  test.each([
    [`${line} --log-dhcp`, "no DhcpServer can say --log-dhcp"],
    [`${line} -q`, "no DhcpServer can say -q"],
    [`${line} --conf-file=/etc/x`, "no DhcpServer can say --conf-file=/etc/x"],
    [`${line} --dhcp-hostsfile=/etc/x`, "no DhcpServer can say --dhcp-hostsfile=/etc/x"],
    [`${line} -i dh1`, "no DhcpServer can say --interface=dh1"],
    [`${line} -O tag:a,42,10.0.1.9`, "no DhcpServer can say --dhcp-option=tag:a,42,10.0.1.9"],
    [`${line} -O 43,a?b`, "no DhcpServer can say --dhcp-option=43,a?b"],
    [`${line} -O 51,9`, "no DhcpServer can be so: options.51 must not be an option that dnsmasq fills in by itself"],
    [`${line} -G 02:00:00:00:00:aa,ignore`, "no DhcpServer can say --dhcp-host=02:00:00:00:00:aa,ignore"],
    [`${line} -F 10.0.1.130,10.0.1.140,1h`, "no DhcpServer can say --dhcp-range=10.0.1.130,10.0.1.140,3600"],
    [
      line.replace("10.0.1.120", "10.0.1.120,255.255.0.0"),
      "no DhcpServer can say --dhcp-range=10.0.1.100,10.0.1.120,255.255.0.0,2h",
    ],
    [
      line.replace("10.0.1.100,10.0.1.120", "10.8.1.100,10.8.1.120"),
      "it goes without --dhcp-option=option:router, which a DhcpServer would say",
    ],
    [
      line.replace("-p0", "--no-hosts --no-resolv --server=10.9.9.9"),
      "it goes without --except-interface=lo, which a DhcpServer would say",
    ],
    ["dnsmasq -p0", "it serves every device: without --interface"],
  ])("that says more, or less, is not listed: %s", (args, why) => {
    expect(said(args)).toMatchObject({ why });
    expect(listed(args)).toEqual([]);
  });

  test("is systemd's, or reads a file beside its command line: it is not listed", () => {
    const unit = { cgroups: "/sys/fs/cgroup/system.slice/libvirtd.service/cgroup.procs:77\n" };
    expect(said(line, unit)?.why).toBe("systemd's libvirtd.service runs it");
    const file = { "dnsmasq.conf": "/etc/netns/blue/dnsmasq.conf:log-dhcp\n" };
    expect(said(line, file)?.why).toBe("it reads /etc/netns/blue/dnsmasq.conf too");
    expect(said(`${line} -C /dev/null`, file)?.why).toBeUndefined();
  });

  test("is taken for foreign before anything is written", () => {
    expect(() => bench.steps(host(line))).toThrow(/dnsmasq\[77\] does it already.*\[FOREIGN\]/);
    expect(bench.removal(host(line))).toEqual([]);
    const fate = fateOf(dhcpServer, bench.want(), bench.look(host(line)) as never, { ...context, adopts: true });
    expect(fate).toMatch(/^; dnsmasq\[77\] is ended and started again as a unit; changed: reservations/);
  });

  test("once it is ours nothing is to be done but to mark it", () => {
    const found = dhcpServer.asOurs?.(bench.look(host(line), { name: device }) as never);
    const steps = dhcpServer.converge({ ...found?.args } as never, found, context);
    expect(steps.filter((step) => !isMarking(step, mark))).toEqual([]);
    const other = dhcpServer.converge({ ...found?.args, maxLeases: 7 } as never, found, context);
    expect(other.filter((step) => !isMarking(step, mark))).not.toEqual([]);
  });

  test("is ended when all is written, its leases go over, and ours is started", () => {
    const all = adopting(host(line));
    const own = folder.replace(":d", ":dh0");
    expect(texts(all).map((text) => text.replace(/'is\(\)[\s\S]*?' sh/, "END"))).toEqual([
      "dnsmasq --test --conf-file=/dev/stdin",
      `install -d -m 711 ${own}`,
      `install -m 600 /dev/stdin ${own}/predecessor`,
      `install -d -m 711 ${own}`,
      `install -d -m 700 -o nobody ${own}/data`,
      `install -m 600 /dev/stdin ${own}/hostnet-dhcp:blue:dh0.service`,
      `install -m 600 -o nobody /dev/stdin ${own}/data/hosts`,
      `install -m 600 -o nobody /dev/stdin ${own}/data/options`,
      `sh -c END /tmp/l ${own}/data/leases nobody 77 '${line}'`,
      `ln -sfn ${own}/hostnet-dhcp:blue:dh0.service /run/systemd/system/hostnet-dhcp:blue:dh0.service`,
      "systemctl restart hostnet-dhcp:blue:dh0.service",
      `install -m 600 /dev/stdin ${own}/applied`,
      `rm -f ${own}/predecessor`,
    ]);
  });

  /** Cut off after so many steps, while the process runs or when it is gone. */
  const cutOff = (count: number, runs: boolean) => {
    const own = folder.replace(":d", ":dh0");
    const services = adopting(host(line))
      .slice(0, count)
      .flatMap(({ argv, stdin = "" }) =>
        stdin
          .trimEnd()
          .split("\n")
          .map((text) => `${argv.at(-1)}:${text}\n`),
      )
      .filter((text) => text.startsWith(own));
    return host(runs ? line : "sleep 1", { services: services.join("") });
  };

  test.each([
    ["only that is known what there is to end", 3, true],
    ["all is written and it still runs", 8, true],
    ["it is ended", 9, false],
    ["ours is started", 12, false],
  ])("cut off when %s, the next run goes on", (_, count, runs) => {
    const seen = cutOff(count, runs);
    // By itself, as what is there bears our mark.
    const found = bench.look(seen, { name: device });
    expect(found).toMatchObject({ marks: [mark], restarts: runs ? "dnsmasq[77]" : undefined });
    const steps = bench.steps(seen, { name: device });
    expect(steps.filter((text) => text.startsWith("sh -c"))).toEqual([expect.stringContaining(`77 '${line}'`)]);
    expect(steps).toContain("systemctl restart hostnet-dhcp:blue:dh0.service");
    expect(steps.at(-1)).toMatch(/^rm -f .*predecessor$/);
    expect(steps.filter((text) => /stdin \S+predecessor$/.test(text))).toEqual([]);
    // A second import describes it as it will be.
    expect(dhcpServer.asOurs?.(found as never).args).toMatchObject({ running: true, range: "10.0.1.100-10.0.1.120" });
    expect(dhcpServer.list?.(seenOf(seen), "blue")?.[0]).toMatchObject({ name: device, device });
  });

  test("a service of ours is listed, whosever it is, and not as somebody else's", () => {
    expect(dhcpServer.list?.(seenOf(running()), "blue")).toEqual([
      { namespace: "blue", name: "d", device, range: "10.0.1.100-10.0.1.120" },
    ]);
    expect(dhcpServer.list?.(seenOf(running()), undefined)).toEqual([]);
    // Known by its name alone it is not known to run as it is told.
    const want = { ...(bench.want() as object), gateway: undefined, reservations: undefined };
    const found = dhcpServer.find(want as never, seenOf(running()));
    expect(found?.args.running).toBe(false);
    expect(dhcpServer.asOurs?.(found as never).args).toMatchObject({ running: true, gateway: "10.0.1.1" });
    // systemd reads its unit again; that is no change.
    const others = { ...context, mark: "hostnet:0:0" };
    const steps = dhcpServer.converge(bench.want(), bench.look(running()), others);
    expect(texts(steps)).toContain("systemctl daemon-reload");
    expect(steps.filter((step) => !isMarking(step, others.mark))).toEqual([]);
  });
});

test.each([
  ["10.0.1.1", 24, {}, undefined],
  [
    "10.0.1.1",
    28,
    {},
    /^dh0 has no address in the network of 10\.0\.1\.100-10\.0\.1\.120: nobody there is served until/,
  ],
  ["10.0.1.98", 28, {}, /of 10\.0\.1\.100-/],
  ["fe80::1", 64, {}, /of 10\.0\.1\.100-/],
  ["10.0.1.1", 24, { range: ["10.0.1.100-10.0.1.120", "10.0.2.5-10.0.2.9"] }, /of 10\.0\.2\.5-10\.0\.2\.9:/],
  ["10.0.1.9", 24, { range: "static" }, undefined],
  ["10.0.9.9", 24, { range: "static" }, /of 10\.0\.1\.1:/],
  ["10.0.9.9", 24, { running: false }, undefined],
])("with %s/%i on its device, it says whom it cannot serve (%j)", (local, prefixlen, more, idle) => {
  const [link] = links["links@blue"];
  const seen = running(() => {}, { "links@blue": [{ ...link, addr_info: [{ family: "inet", local, prefixlen }] }] });
  const found = bench.look(seen, more);
  if (idle) expect(found?.idle).toMatch(idle);
  else expect(found?.idle).toBeUndefined();
});

test("a second one on a device is refused beside another stack's, and not beside one of its own that is renamed", () => {
  const there = running();
  const strangers = { ...there, services: there.services.replaceAll(mark, "hostnet:beef:1") };
  const refused = /another stack's DHCP server, d, serves dh0 already \[FOREIGN\]/;
  expect(() => bench.plan(strangers, { name: "e" })).toThrow(refused);
  // Of a Host that was renamed along with it.
  expect(bench.plan(strangers, { name: "e" }, ["beef"])).not.toEqual([]);
  const others = { ...strangers, services: strangers.services.replaceAll("=dh0", "=dh1") };
  for (const seen of [there, others]) expect(bench.plan(seen, { name: "e" })).not.toEqual([]);
});
