import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { MachineBatcher, machine as machineOf } from "../../provider/host/batch";
import { Job, plan } from "../../provider/host/merge";
import { closeAll } from "../../provider/host/pool";
import type { Command, Step } from "../../provider/model/command";
import { facts, inScratch, ScriptedSession } from "./helpers/exec-session";

/** What the real `ip` does with a batch, in throw-away namespaces. */
const root = process.getuid?.() === 0;
if (!root) console.warn("SKIPPED: test/host/batch-ip.test.ts makes network namespaces and needs root");

const ip = (text: string, namespace?: string): Step => ({ argv: ["ip", ...text.split(" ")], namespace });
const bridge = (name: string) => ip(`link add name ${name} type bridge`);
const links = { key: "links", argv: ["ip", "-j", "link"] };

(root ? describe : describe.skip)("the real ip", () => {
  const scratch = `hnt-${randomBytes(4).toString("hex")}`;
  const other = `${scratch}-b`;
  let session: ScriptedSession;
  let machine: MachineBatcher;

  beforeEach(async () => {
    execFileSync("ip", ["netns", "add", scratch]);
    session = new ScriptedSession(await inScratch(scratch), facts({ tools: { ip: "ip" } }));
    machine = await MachineBatcher.open(async () => session);
  });
  afterEach(() => {
    for (const name of [scratch, other]) {
      try {
        execFileSync("ip", ["netns", "del", name], { stdio: "ignore" });
      } catch {}
    }
  });

  const write = (...lists: Step[][]) => Promise.all(lists.map((steps) => machine.write(steps, [links])));
  const names = (written: Awaited<ReturnType<MachineBatcher["write"]>> | undefined) =>
    written?.seen
      .json<{ ifname: string }[]>("links")
      .map(({ ifname }) => ifname)
      .filter((name) => name !== "lo")
      .sort();

  test("all well: one process for all", async () => {
    const written = await write([bridge("a"), ip("link set dev a up")], [bridge("b")], [bridge("c")]);
    expect(written.map(({ failure }) => failure)).toEqual([undefined, undefined, undefined]);
    expect(names(written[0])).toEqual(["a", "b", "c"]);
    expect(session.counters).toMatchObject({ roundTrips: 1, commands: 2 });
  });

  test("the kernel refuses a line: that resource stops, the others are made", async () => {
    const [a, b, c] = await write(
      [bridge("a"), ip("link set dev a up")],
      [ip("link add name bad type veth peer name a"), bridge("never")],
      [bridge("c"), ip("link set dev c up")],
    );
    expect([a?.failure, c?.failure]).toEqual([undefined, undefined]);
    expect(b?.failure?.step).toEqual(ip("link add name bad type veth peer name a"));
    expect(b?.failure?.result.stderr).toBe("RTNETLINK answers: File exists\n");
    expect(names(c)).toEqual(["a", "c"]);
    expect(session.counters.roundTrips).toBe(2);
  });

  test("a line that ip cannot parse ends the batch without a number: the same", async () => {
    const bad = ip("address add 10.0.0.1/99 dev b");
    const [a, b, c] = await write([bridge("a")], [bridge("b"), bad, ip("link set dev b up")], [bridge("c")]);
    expect([a?.failure, c?.failure]).toEqual([undefined, undefined]);
    expect(b?.failure?.step).toEqual(bad);
    expect(b?.failure?.result.stderr).toMatch(/any valid prefix is expected/);
    expect(names(c)).toEqual(["a", "b", "c"]);
  });

  test("bad lines in two resources: each has its own error", async () => {
    const bad = (name: string) => ip(`link set dev ${name} mtu 99999999999`);
    const [a, b] = await write([bridge("a"), bad("a")], [bridge("b"), bad("nope")]);
    expect(a?.failure?.result.stderr).toMatch(/mtu|Invalid|invalid/);
    expect(b?.failure?.step).toEqual(bad("nope"));
    expect(names(b)).toEqual(["a", "b"]);
  });

  test("a namespace that is not there: all who wanted it fail together", async () => {
    const [a, b, c] = await write([ip("link set dev lo up", other)], [ip("link set dev lo up", other)], [bridge("c")]);
    expect([a, b].map((one) => one?.failure?.result.stderr)).toEqual(
      Array(2).fill(expect.stringMatching(/Cannot open network namespace/)),
    );
    expect(c?.failure).toBeUndefined();
    expect(names(c)).toEqual(["c"]);
    // One in which both fail, and one for those who were behind them.
    expect(session.counters.roundTrips).toBe(2);
  });

  test("a namespace, its loopback and a veth into it, each of other resources after it", async () => {
    await write([ip(`netns add ${other}`), ip("link set dev lo up", other)], [bridge("a")]);
    const [veth] = await write([
      ip(`link add name va type veth peer name vb netns ${other}`),
      ip("link set dev va up"),
      ip("link set dev vb up", other),
    ]);
    expect(veth?.failure).toBeUndefined();
    expect(names(veth)).toEqual(["a", "va"]);
  });

  test("a veth pair made anew: ip would remember the old peer's index", async () => {
    const pair = ip("link add name va type veth peer name vb");
    const address = ip("address add 10.0.0.1/24 dev vb");
    const [written] = await write([pair, address, ip("link del dev va"), pair, address]);
    expect(written?.failure).toBeUndefined();
    expect(session.counters).toMatchObject({ roundTrips: 1, commands: 4 });
  });

  describe("many devices deleted together", () => {
    const del = (name: string) => [ip(`link del dev ${name}`)];
    const kinds = [
      "name a type bridge",
      "name b type veth peer name b-peer",
      "name c type vxlan id 7 dstport 4789 dev lo",
      "link bystander name d type macvlan",
      "name e type bridge",
    ];
    const all = ["a", "b", "c", "d", "e"];
    beforeEach(async () => {
      for (const words of ["name bystander type bridge", ...kinds]) await machine.write([ip(`link add ${words}`)], []);
      await machine.write([ip("link set dev b-peer master bystander")], []);
      session.runs.length = 0;
    });
    /** The groups of those that are left. */
    const groups = (written: Awaited<ReturnType<MachineBatcher["write"]>> | undefined) =>
      Object.fromEntries(
        (written?.seen.json<{ ifname: string; group: string }[]>("links") ?? [])
          .filter(({ ifname }) => ifname !== "lo")
          .map(({ ifname, group }) => [ifname, group]),
      );

    test("go with one command, and nothing else goes", async () => {
      const written = await write(...all.map(del));
      expect(written.map(({ failure }) => failure)).toEqual(Array(5).fill(undefined));
      expect(groups(written[0])).toEqual({ bystander: "default" });
      expect(session.words.map((words) => words.length)).toEqual([2]);
    });

    test("one of which is not there any more: the others go, and that one is to blame", async () => {
      const written = await write(...[...all, "gone"].map(del));
      expect(written.map(({ failure }) => failure?.result.stderr)).toEqual([
        ...Array(5).fill(undefined),
        'Cannot find device "gone"\n',
      ]);
      expect(groups(written[5])).toEqual({ bystander: "default" });
    });

    test("one of which the kernel keeps: the others go, and it stays as it was", async () => {
      const written = await write(...[...all, "lo"].map(del));
      expect(written.map(({ failure }) => failure?.result.stderr)).toEqual([
        ...Array(5).fill(undefined),
        "RTNETLINK answers: Operation not supported\n",
      ]);
      expect(written[5]?.seen.json<{ group: string }[]>("links")[0]).toMatchObject({ ifname: "lo", group: "default" });
    });

    test.each([
      ["a stranger is in the group", "bystander", (group: string) => group],
      ["one of them is in a group of somebody's", "c", () => "7"],
    ])("%s: nothing goes, and all stay as they were", async (_, device, groupOf) => {
      const [planned] = plan(all.map((name) => new Job(del(name))));
      const command = planned?.command as Command;
      const group = groupOf(command.argv[4] as string);
      await machine.write([ip(`link set dev ${device} group ${group}`)], []);
      const run = await inScratch(scratch);
      expect((await run(command)).exitCode).toBe(1);
      const left = Object.fromEntries([...all, "b-peer", "bystander"].map((name) => [name, "default"]));
      expect(groups(await machine.write([], [links]))).toEqual({ ...left, [device]: group });
    });
  });

  test("machine(): the same through a real shell, one machine for all who name the same connection", async () => {
    const connection = (name: string) => ({
      ...{ name, address: "here", transport: "local" as const, become: "none" as const },
      ...{ commandTimeout: 30, identity: "machineId" as const },
    });
    try {
      const [one, two] = await Promise.all([machineOf(connection("one")), machineOf(connection("two"))]);
      const bad = { ...ip("address add 10.0.0.1/99 dev a"), namespace: scratch };
      const inside = (step: Step) => ({ ...step, namespace: scratch });
      const question = { ...links, namespace: scratch };
      const [a, b] = await Promise.all([
        one.write([inside(bridge("a")), bad, inside(bridge("never"))], [question]),
        two.write([inside(bridge("b")), inside(ip("link set dev b up"))], [question]),
      ]);
      expect(a.failure?.step).toEqual(bad);
      expect(a.failure?.result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/any valid prefix/) });
      expect(b.failure).toBeUndefined();
      expect(names(b)).toEqual(["a", "b"]);
      await expect(two.write([{ argv: ["nft", "\0"] }], [])).rejects.toMatchObject({
        code: "INVALID",
        details: { host: "two" },
      });
    } finally {
      await closeAll();
    }
  });
});
