import { dhcpServer } from "../../provider/kinds/dhcp-server";
import type { Step } from "../../provider/model/command";
import { answers } from "./answers";
import { hostAnswers } from "./recorded/services";
import { Bench, mark } from "./steps";

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
  const elsewhere = running(undefined, { "netns-inodes": "4026532999 /run/netns/blue\n" });
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
