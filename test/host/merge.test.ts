import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Job, needed, plan, settle } from "../../provider/host/merge";
import { recordEpoch } from "../../provider/ledger";
import type { Command, Result, Step } from "../../provider/model/command";
import { udevSettled } from "../../provider/model/udev";

const words = (text: string, namespace?: string): Step => ({ argv: text.split(" "), namespace });
const jobs = (...lists: Step[][]) => lists.map((steps) => new Job(steps));
const lines = (command: Command) => (command.stdin ?? "").split("\n").filter((line, index) => line && index % 2 === 0);
const texts = (list: Job[]) => plan(list).map(({ command }) => [command.argv.join(" "), ...lines(command)].join("; "));
const result = (exitCode: number, stderr = "", stdout = ""): Result => ({ exitCode, stdout, stderr });
const skipped = result(-1);

const add = (name: string) => words(`ip link add name ${name} type bridge`);
const up = (name: string, namespace?: string) => words(`ip link set dev ${name} up`, namespace);
const vs = (rest: string) => words(`ovs-vsctl --timeout=30 -- ${rest}`);
const del = (name: string, namespace?: string) => words(`ip link del dev ${name}`, namespace);
const settleUdev = words("udevadm settle");

describe("plan", () => {
  test("a single step stays as it is", () => {
    expect(plan(jobs([add("a")]))[0]?.command).toEqual({ argv: add("a").argv });
  });

  test("ip: all of one namespace in one batch, markers between", () => {
    const [planned, ...rest] = plan(jobs([add("a"), up("a")], [add("b")]));
    expect(rest).toEqual([]);
    expect(planned?.command.argv).toEqual(["ip", "-br", "-batch", "-"]);
    expect(planned?.command.stdin).toBe(
      "link add name a type bridge\nlink show dev lo\nlink set dev a up\nlink show dev lo\nlink add name b type bridge\n",
    );
  });

  test("ip: namespaces, address families and `netns` apart", () => {
    const made = [words("ip netns add n1"), up("lo", "n1")];
    const other = [words("ip netns add n2"), up("lo", "n2")];
    const route = [words("ip -6 route add default via fe80::1 dev a")];
    expect(
      plan(jobs(made, other, route, [add("a")])).map(({ command }) => [command.argv.join(" "), command.namespace]),
    ).toEqual([
      ["ip -br -batch -", undefined],
      ["ip -6 route add default via fe80::1 dev a", undefined],
      ["ip link add name a type bridge", undefined],
      ["ip link set dev lo up", "n1"],
      ["ip link set dev lo up", "n2"],
    ]);
  });

  test.each([
    ["a space", ["ip", "link", "set", "dev", "a", "alias", "two words"]],
    ["a quote", ["ip", "link", "set", "dev", "a", "alias", '"']],
    ["a comment", ["ip", "link", "set", "dev", "a", "alias", "#x"]],
    ["a backslash", ["ip", "link", "set", "dev", "a", "alias", "\\"]],
    ["a newline", ["ip", "link", "set", "dev", "a", "alias", "x\nlink"]],
    ["no characters", ["ip", "link", "set", "dev", "a", "alias", ""]],
    ["an option", ["ip", "-batch", "/x"]],
    ["netns exec", ["ip", "netns", "exec", "n", "true"]],
  ])("ip: a step with %s goes alone", (_, argv) => {
    const odd = { argv, stdin: undefined };
    const planned = plan(jobs([odd], [add("b")], [add("c")]));
    expect(planned.map(({ parts }) => parts.length).sort()).toEqual([1, 2]);
    expect(planned.find(({ parts }) => parts.length === 1)?.command).toEqual({ ...odd, namespace: undefined });
  });

  test("ip: a step that reads something goes alone", () => {
    expect(plan(jobs([{ ...add("a"), stdin: "x" }], [add("b")]))).toHaveLength(2);
  });

  test("ip: what is made after a deletion goes into another batch", () => {
    const again = [words("ip link del dev va"), words("ip link add name va type veth peer name vb"), up("vb")];
    expect(texts(jobs(again, [words("ip link del dev x")]))).toEqual([
      "ip -br -batch -; link del dev va; link del dev x",
      "ip -br -batch -; link add name va type veth peer name vb; link set dev vb up",
    ]);
    const sets = [words("ip link del vlan1 type vlan"), words("ip link add name va type bridge"), up("va")];
    expect(plan(jobs(sets))).toHaveLength(2);
  });

  test("ip: many devices of one namespace are deleted as a group, whatever else there is to do", () => {
    const list = jobs(...["a", "b", "c", "d"].map((name) => [del(name)]), [up("x")], [del("e", "n")], [del("a/b")]);
    const planned = plan(list);
    const group = planned[0]?.command;
    expect(group?.argv.slice(0, 2)).toEqual(["sh", "-c"]);
    expect(group?.argv.slice(3)).toEqual(["sh", expect.stringMatching(/^12\d{8}$/), "a", "b", "c", "d"]);
    expect(group?.namespace).toBeUndefined();
    expect(planned.slice(1).map(({ command }) => [command.argv.join(" "), command.namespace])).toEqual([
      ["ip -br -batch -", undefined],
      ["ip link del dev e", "n"],
    ]);
  });

  test("ip: three are not worth a group", () => {
    expect(texts(jobs([del("a")], [del("b")], [del("c")]))).toEqual([
      "ip -br -batch -; link del dev a; link del dev b; link del dev c",
    ]);
  });

  test("entries of the ledger: all are written by one process, and taken away by one", () => {
    const entry = (name: string) => recordEpoch(name, `token of ${name}'s`);
    const many = Array.from({ length: 50 }, (_, i) => [entry(`aa${i}`), words(`rm -f f${i}`)]);
    expect(plan(jobs(...many)).map(({ command, parts }) => [command.argv[0], parts.length])).toEqual([
      ["sh", 50],
      ["rm", 50],
    ]);
    const huge = { ...entry("bb"), stdin: "x".repeat(90_000) };
    expect(plan(jobs([huge], [huge], [entry("cc")])).map(({ parts }) => parts.length)).toEqual([1, 2]);
    expect(plan(jobs([entry("aa")]))[0]?.command).toEqual(entry("aa"));
  });

  test("entries of the ledger are what `install` would write, byte by byte and with its mode", () => {
    const root = mkdtempSync(join(tmpdir(), "hostnet-merge-"));
    const texts = ["it's \\n %s $HOME\n", "no newline", "\n\n", ""];
    const steps = texts.map((stdin, i): Step => {
      const { argv } = recordEpoch(`${i}`, "");
      return { argv: argv.map((word) => word.replace(/^\/run/, root)), stdin };
    });
    const run = () => {
      for (const { command } of plan(jobs(...steps.map((step) => [step])))) {
        const [program = "", ...args] = command.argv;
        expect(spawnSync(program, args, { input: command.stdin }).status).toBe(0);
      }
      const paths = steps.map(({ argv }) => argv.at(-1) as string);
      expect(paths.map((path) => readFileSync(path, "utf8"))).toEqual(texts);
      expect(paths.map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600, 0o600, 0o600]);
    };
    run();
    run();
    const folders = ["pulumi-hostnet", "pulumi-hostnet/0"].map((name) => join(root, name));
    expect(folders.map((path) => statSync(path).mode & 0o777)).toEqual([0o755, 0o755]);
    rmSync(root, { recursive: true });
  });

  test("sysctl: all keys of one namespace in one command", () => {
    expect(
      texts(jobs([words("sysctl -qw a=1 b=2")], [words("sysctl -qw c=3")], [words("sysctl -qw a=1", "n")])),
    ).toEqual(["sysctl -qw a=1 b=2 c=3", "sysctl -qw a=1"]);
  });

  test("ovs-vsctl: one transaction", () => {
    expect(texts(jobs([vs("add-br a -- set Bridge a x=y")], [vs("add-br b")]))).toEqual([
      "ovs-vsctl --timeout=31 -- add-br a -- set Bridge a x=y -- add-br b",
    ]);
  });

  test("ovs-vsctl: a transaction of many has longer, as ovs-vswitchd makes one port after the other", () => {
    const ports = Array.from({ length: 200 }, (_, i) => [vs(`add-port br p${i}`)]);
    expect(plan(jobs(...ports)).map(({ command }) => command.argv[1])).toEqual(["--timeout=229"]);
  });

  test("ovs-vsctl: many ports are deleted in one transaction, beside the forgetting of each", () => {
    const ports = Array.from({ length: 50 }, (_, i) => [vs(`--if-exists del-port br${i} p${i}`), words(`rm -f f${i}`)]);
    const vsctl = texts(jobs(...ports)).filter((text) => text.startsWith("ovs-vsctl"));
    expect(vsctl).toHaveLength(1);
    expect(vsctl[0]?.match(/ -- --if-exists del-port /g)).toHaveLength(50);
  });

  test("ovs-ofctl: one bundle a bridge, and each alone when it is refused", () => {
    const flows = (bridge: string, line: string): Step => ({
      argv: ["ovs-ofctl", "--bundle", "add-flows", bridge, "-"],
      stdin: `${line}\n`,
    });
    const list = jobs([flows("a", "add x")], [flows("b", "add y")], [flows("a", "add z")]);
    const planned = plan(list);
    expect(planned.map(({ command }) => [command.argv[3], command.stdin])).toEqual([
      ["a", "add x\nadd z\n"],
      ["b", "add y\n"],
    ]);
    settle(planned, [result(1, "ovs-ofctl: -:2: unknown keyword z"), result(0)]);
    expect(plan(list).map(({ command }) => command.stdin)).toEqual(["add x\n", "add z\n"]);
  });

  test("systemctl: units are started together, and each alone when one fails", () => {
    const of = (unit: string) => [words("install -d x"), words(`systemctl restart ${unit}`)];
    const list = jobs(of("a"), of("b"), [words("systemctl stop c")]);
    const planned = plan(list);
    expect(planned.map(({ command }) => command.argv.join(" "))).toEqual([
      ...["install -d x", "install -d x", "systemctl restart a b", "systemctl stop c"],
    ]);
    settle(planned, [result(0), result(0), result(1, "Job for b.service failed"), result(0)]);
    expect(texts(list)).toEqual(["systemctl restart a", "systemctl restart b"]);
  });

  test("ovs-vsctl: other options, and two rows of one name, apart", () => {
    const qos = (port: string) => vs(`set Port ${port} qos=@q -- --id=@q create QoS type=linux-htb`);
    const planned = plan(jobs([qos("a")], [qos("b")], [words("ovs-vsctl --no-wait -- add-br c")]));
    expect(planned).toHaveLength(3);
  });

  test("udevadm settle: last, and once for all", () => {
    const list = jobs(
      [add("a"), settleUdev, words("sysctl -qw x=1")],
      [up("lo", "n"), up("lo", "m"), add("b"), settleUdev, words("sysctl -qw y=1")],
    );
    expect(texts(list).slice(-2)).toEqual(["udevadm settle", "sysctl -qw x=1 y=1"]);
    expect(texts(list).filter((text) => text === "udevadm settle")).toHaveLength(1);
  });

  test("udevadm settle waits, however many want it, for the one who comes to it later", () => {
    const list = jobs([settleUdev], [settleUdev], [settleUdev], [add("a"), settleUdev]);
    expect(texts(list)).toEqual(["ip link add name a type bridge", "udevadm settle"]);
  });

  test("unknown programs run alone, also twice the same", () => {
    const install = { argv: ["install", "/dev/stdin", "f"], stdin: "x" };
    expect(plan(jobs([install], [install])).map(({ parts }) => parts.length)).toEqual([1, 1]);
  });

  test("the fullest bucket first", () => {
    expect(texts(jobs([words("sysctl -qw a=1")], [add("a")], [add("b")]))[0]).toMatch(/^ip/);
  });

  test("of equals the one that has most still to do, so that the others meet it later", () => {
    expect(texts(jobs([words("sysctl -qw a=1")], [add("b"), words("sysctl -qw b=1")]))).toEqual([
      "ip link add name b type bridge",
      "sysctl -qw a=1 b=1",
    ]);
  });

  test("no more than the limits; the rest stays", () => {
    const list = jobs(
      Array.from({ length: 10 }, (_, i) => add(`a${i}`)),
      [words("sysctl -qw a=1")],
    );
    const planned = plan(list, { steps: 4, bytes: 1e6 });
    expect(planned.flatMap(({ parts }) => parts)).toHaveLength(4);
    expect(plan(list, { steps: 99, bytes: 1 }).flatMap(({ parts }) => parts)).toHaveLength(1);
  });

  test("property: every step once, each resource's in order", () => {
    const pool: Step[] = [
      ...["a", "b", "c"].map(add),
      up("lo", "n1"),
      ...["a", "b", "c", "d", "e"].map((name) => del(name)),
      words("ip netns add n1"),
      words("sysctl -qw a=1"),
      vs("add-br x"),
      settleUdev,
      { argv: ["nft", "-f", "-"], stdin: "x" },
    ];
    const list = fc.array(fc.array(fc.constantFrom(...pool), { maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(list, (lists) => {
        const all = jobs(...lists);
        const planned = plan(all);
        for (const job of all) {
          const mine = planned.flatMap(({ parts }) => parts.filter((part) => part.job === job).map(({ step }) => step));
          expect(mine).toEqual(job.steps);
        }
        settle(
          planned,
          planned.map(() => result(0)),
        );
        expect(all.every((job) => job.finished && !job.failure)).toBe(true);
      }),
    );
  });
});

describe("settle", () => {
  test("ip fails at a line: before it done, that resource stopped, the rest to come", () => {
    const list = jobs([add("a"), up("a")], [add("b"), up("b")], [add("c")]);
    const planned = plan(list);
    // Lines: a, marker, a up, marker, b (5).
    settle(planned, [result(2, "RTNETLINK answers: File exists\nCommand failed -:5\n")]);
    expect(list.map((job) => [job.done, job.finished])).toEqual([
      [2, true],
      [0, true],
      [0, false],
    ]);
    expect(list[1]?.failure).toEqual({ step: add("b"), result: result(2, "RTNETLINK answers: File exists\n") });
    expect(texts(list)).toEqual(["ip link add name c type bridge"]);
  });

  test("ip gives up without a line: the markers tell how far it came", () => {
    const list = jobs([add("a")], [words("ip address add 10.0.0.1/99 dev a")], [add("c")]);
    settle(plan(list), [result(1, "Error: any valid prefix …\n", "lo  UNKNOWN\n")]);
    expect(list.map(({ done, failure }) => [done, failure !== undefined])).toEqual([
      [1, false],
      [0, true],
      [0, false],
    ]);
  });

  test("a busy kernel: that step again, three times at most, and what comes after it", () => {
    const list = jobs([add("a"), up("a")], [add("b")]);
    const refuse = () =>
      settle(plan(list), [result(2, "RTNETLINK answers: Device or resource busy\nCommand failed -:1\n")]);
    expect([refuse(), refuse(), refuse()]).toEqual([true, true, true]);
    expect(list.map((job) => [job.done, job.failure])).toEqual([
      [0, undefined],
      [0, undefined],
    ]);
    expect(texts(list)[0]).toContain("link add name a type bridge; link set dev a up");
    expect(refuse()).toBe(false);
    expect(list[0]?.failure?.step).toEqual(add("a"));
  });

  test("ip fails at a marker: progress, and nobody's fault", () => {
    const list = jobs([add("a")], [add("b")]);
    settle(plan(list), [result(1, 'Cannot find device "lo"\nCommand failed -:2\n')]);
    expect(list.map(({ done, failure }) => [done, failure])).toEqual([
      [1, undefined],
      [0, undefined],
    ]);
  });

  test.each([
    ["no namespace", result(255, 'Cannot open network namespace "n": No such file or directory\n')],
    ["no program", result(127, "sh: ip: not found\n")],
    ["killed", result(137)],
  ])("ip did not start (%s): all fail", (_, failed) => {
    const list = jobs([up("a", "n"), up("c", "n")], [up("b", "n")]);
    settle(plan(list), [failed]);
    expect(list.map(({ done, failure }) => [done, failure?.result])).toEqual([
      [0, failed],
      [0, failed],
    ]);
  });

  test.each([
    ["sysctl", words("sysctl -qw a=1"), words("sysctl -qw b=1"), "sysctl: cannot stat /proc/sys/b"],
    ["ovs-vsctl", vs("add-br a"), vs("add-br b"), "ovs-vsctl: cannot create a bridge named b"],
  ])("%s fails: nothing counts, then each alone", (_, a, b, stderr) => {
    const list = jobs([a], [b]);
    settle(plan(list), [result(1, stderr)]);
    expect(list.every((job) => job.done === 0 && !job.finished)).toBe(true);
    const again = plan(list);
    expect(again.map(({ command }) => command.argv)).toEqual([a.argv, b.argv]);
    settle(again, [result(0), result(1, stderr)]);
    expect(list.map(({ failure }) => failure?.step)).toEqual([undefined, b]);
  });

  test("a group that cannot be deleted: nothing counts, then one by one in one batch, with the one to blame", () => {
    const list = jobs(...["a", "b", "c", "d"].map((name) => [del(name)]));
    settle(plan(list), [result(1, 'Cannot find device "b"\n')]);
    expect(list.every((job) => job.done === 0 && !job.finished)).toBe(true);
    expect(texts(list)).toEqual(["ip -br -batch -; link del dev a; link del dev b; link del dev c; link del dev d"]);
    settle(plan(list), [result(1, 'Cannot find device "b"\nCommand failed -:3\n')]);
    expect(list.map(({ done, failure }) => [done, failure?.step])).toEqual([
      [1, undefined],
      [0, del("b")],
      [0, undefined],
      [0, undefined],
    ]);
    expect(texts(list)).toEqual(["ip -br -batch -; link del dev c; link del dev d"]);
  });

  test("a group whose shell was killed: all fail; of a few, as of any batch", () => {
    const [four, three] = [4, 3].map((count) => jobs(...Array.from({ length: count }, (_, i) => [del(`d${i}`)])));
    for (const list of [four, three] as Job[][]) {
      settle(plan(list), [result(137)]);
      expect(list.every((job) => job.failure)).toBe(true);
    }
  });

  test("ovs-vsctl without a database: all fail at once, none waits again", () => {
    const list = jobs([vs("add-br a")], [vs("add-br b")]);
    settle(plan(list), [result(1, "ovs-vsctl: unix:/x: database connection failed (No such file or directory)")]);
    expect(list.every((job) => job.failure)).toBe(true);
  });

  test("what was skipped is still to do", () => {
    const list = jobs([{ argv: ["false"] }], [{ argv: ["true"] }]);
    settle(plan(list), [result(1), skipped]);
    expect(list.map(({ done, finished }) => [done, finished])).toEqual([
      [0, true],
      [0, false],
    ]);
  });

  test("a shared command that fails fails for all", () => {
    const list = jobs([settleUdev], [settleUdev]);
    settle(plan(list), [result(1, "Timed out")]);
    expect(list.every((job) => job.failure)).toBe(true);
  });
});

test("a host without udev needs no settle; every other missing program fails by itself", () => {
  expect(needed([settleUdev, words("ethtool x")], {})).toEqual([words("ethtool x")]);
  expect(needed([settleUdev], { udevadm: "/bin/udevadm" })).toEqual([settleUdev]);
});

test("all wait for udev once, and go on when something else keeps it busy", () => {
  const [planned, ...others] = plan([new Job([udevSettled]), new Job([udevSettled])]);
  expect(others).toEqual([]);
  expect(planned?.command).toMatchObject({ argv: ["udevadm", "settle", "--timeout=10"], mayFail: true });
});
