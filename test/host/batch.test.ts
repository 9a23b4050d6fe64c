import { MachineBatcher, machine as machineOf } from "../../provider/host/batch";
import type { Machine } from "../../provider/host/types";
import type { Section, Step } from "../../provider/model/command";
import { HostnetError } from "../../provider/model/errors";
import { done, facts, lost, ScriptedSession } from "./helpers/exec-session";

const section = (key: string, more: Partial<Section> = {}): Section => ({ key, argv: ["show", key], ...more });
const step = (name: string): Step => ({ argv: ["ip", "link", "set", "dev", name, "up"] });
const sysctl = (key: string): Step => ({ argv: ["sysctl", "-qw", `${key}=1`] });
const echo = (session = new ScriptedSession(({ argv }) => done(argv.slice(1).join(" ")))) => session;
const over = (session: ScriptedSession) => MachineBatcher.open(async () => session);
const failing = (name: string) =>
  new ScriptedSession(({ argv, stdin = "" }) => {
    const lines = stdin.split("\n");
    const at = argv.includes("-batch") ? lines.findIndex((line) => line.includes(` ${name} `)) : -1;
    if (at >= 0) return { exitCode: 1, stdout: "", stderr: `no\nCommand failed -:${at + 1}\n` };
    return argv.includes(name) || argv.includes(`${name}=1`) ? { exitCode: 2, stdout: "", stderr: "no\n" } : done("ok");
  });

afterEach(() => void jest.useRealTimers());

describe("round trips", () => {
  test("observe is one, shared by all who ask in one tick, each question once", async () => {
    const session = echo();
    const machine = await over(session);
    const [a, b] = await Promise.all([
      machine.observe([section("x"), section("y")]),
      machine.observe([section("y"), section("z")]),
    ]);
    expect(session.words).toEqual([["show x", "show y", "show z"]]);
    expect([a?.text("x"), b?.text("z")]).toEqual(["x", "z"]);
    expect(session.runs[0]?.options.lock).toBe(false);
  });

  test("one question under two keys is asked once, and both are answered", async () => {
    const session = echo();
    const machine = await over(session);
    const same = section("x", { key: "also-x" });
    const [a, b] = await Promise.all([machine.observe([section("x"), section("y")]), machine.observe([same])]);
    expect(session.words).toEqual([["show x", "show y"]]);
    expect([a?.text("x"), a?.text("y"), b?.text("also-x")]).toEqual(["x", "y", "x"]);
  });

  test("whoever asks before the tick ends is in the batch", async () => {
    const session = echo();
    const machine = await over(session);
    const later = async (ticks: number) => {
      for (let tick = 0; tick < ticks; tick++) await null;
      await machine.observe([section("x")]);
    };
    await Promise.all([later(0), later(5), later(50)]);
    expect(session.counters.roundTrips).toBe(1);
  });

  test("write and verify is one, for all who write, with the lock held", async () => {
    const session = echo();
    const machine = await over(session);
    const written = await Promise.all(
      ["a", "b", "c"].map((name) => machine.write([step(name), sysctl(name)], [section("x"), section(name)])),
    );
    expect(session.counters.roundTrips).toBe(1);
    expect(session.words[0]).toEqual([
      "ip -br -batch -",
      "sysctl -qw a=1 b=1 c=1",
      "show x",
      "show a",
      "show b",
      "show c",
    ]);
    expect(session.runs[0]?.options).toMatchObject({ lock: true, writes: 2 });
    expect(written.map(({ failure, seen }) => [failure, seen.text("x")])).toEqual(Array(3).fill([undefined, "x"]));
  });

  test("a look while nobody writes holds the lock, and so do those who share its batch", async () => {
    const session = echo();
    const machine = await over(session);
    await Promise.all([machine.observe([section("x")]), machine.observe([section("y")], { whileNobodyWrites: true })]);
    expect(session.words).toEqual([["show x", "show y"]]);
    expect(session.runs[0]?.options.lock).toBe(true);
    await machine.observe([section("x")]);
    expect(session.runs[1]?.options.lock).toBe(false);
  });

  test("100 resources: two round trips, to observe and to write", async () => {
    const session = echo();
    const machine = await over(session);
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await machine.observe([section("links")]);
        await machine.write([step(`d${index}`)], [section("links")]);
      }),
    );
    expect(session.counters).toMatchObject({ roundTrips: 2, commands: 3 });
  });

  const write = (machine: Machine) => machine.write([step("a")], []);
  const lastLook = (machine: Machine) => machine.observe([section("a")], { last: true });
  const look = (machine: Machine) => machine.observe([section("a")]);
  test.each<[string, number, (machine: Machine) => Promise<unknown>, number, number]>([
    ["after a write", 1, write, 0, 10],
    ["after a last look", 1, lastLook, 0, 4],
    ["not as long, when that was cheap", 2, lastLook, 0, 10],
    ["longer, when that took its time", 1, lastLook, 100, 10],
    ["but not after a look, since who goes on comes at once", 2, look, 0, 4],
  ])("who comes a little later is waited for %s", async (_, roundTrips, act, tookMs, laterMs) => {
    jest.useFakeTimers();
    const session = echo();
    const machine = await over(session);
    session.gate = new Promise((resolve) => setTimeout(resolve, tookMs));
    const acted = act(machine);
    await jest.advanceTimersByTimeAsync(1000);
    await acted;
    session.gate = Promise.resolve();
    const first = machine.observe([section("b")]);
    await jest.advanceTimersByTimeAsync(laterMs);
    const second = machine.observe([section("c")]);
    await jest.advanceTimersByTimeAsync(1000);
    await Promise.all([first, second]);
    expect(session.counters.roundTrips).toBe(1 + roundTrips);
  });

  test("what arrives while a batch is in flight becomes the next one", async () => {
    jest.useFakeTimers();
    const session = echo();
    const machine = await over(session);
    let open: () => void = () => {};
    session.gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = machine.observe([section("a")]);
    await jest.advanceTimersByTimeAsync(5);
    const later = [machine.observe([section("a")])];
    await jest.advanceTimersByTimeAsync(5);
    later.push(machine.observe([section("b")]));
    expect(session.counters.roundTrips).toBe(1);
    open();
    await jest.advanceTimersByTimeAsync(1000);
    await Promise.all([first, ...later]);
    // Asked again: the first answer to `a` was read before the second call was made.
    expect(session.words).toEqual([["show a"], ["show a", "show b"]]);
  });

  test("questions may ride with the writes of others", async () => {
    const session = echo();
    const machine = await over(session);
    await Promise.all([machine.observe([section("x")]), machine.write([step("a")], [section("y")])]);
    expect(session.words).toEqual([["ip link set dev a up", "show x", "show y"]]);
  });

  test("nothing to do and nothing to ask is no round trip", async () => {
    const session = echo();
    const machine = await over(session);
    expect((await machine.write([], [])).failure).toBeUndefined();
    expect(session.counters.roundTrips).toBe(0);
  });

  test("caps: the rest waits for the next batch, and reads after its last step", async () => {
    const session = echo();
    const machine = await over(session);
    const steps = Array.from({ length: 4500 }, (_, index) => step(`d${index}`));
    const [, other] = await Promise.all([machine.write(steps, [section("x")]), machine.observe([section("y")])]);
    expect(other?.text("y")).toBe("y");
    const sent = session.runs.map(({ commands }) =>
      commands.map(({ stdin, argv }) => stdin?.split("\n").length ?? argv[1]),
    );
    expect(sent).toEqual([[4000], [4000], [1000, "x", "y"]]);
  });
});

describe("failures of steps", () => {
  test("stop their resource, and nobody else", async () => {
    const session = failing("b");
    const machine = await over(session);
    const written = await Promise.all(
      ["a", "b", "c"].map((name) => machine.write([step(name), sysctl(`later.${name}`)], [section("x")])),
    );
    expect(written.map(({ failure }) => failure)).toEqual([
      undefined,
      { step: step("b"), result: { exitCode: 1, stdout: "", stderr: "no\n" } },
      undefined,
    ]);
    expect(written.map(({ seen }) => seen.text("x"))).toEqual(["ok", "ok", "ok"]);
    expect(session.runs.map(({ commands }) => commands.map(({ argv, stdin }) => stdin ?? argv.join(" ")))).toEqual([
      [
        "link set dev a up\nlink show dev lo\nlink set dev b up\nlink show dev lo\nlink set dev c up\n",
        "sysctl -qw later.a=1 later.b=1 later.c=1",
        "show x",
      ],
      ["ip link set dev c up", "sysctl -qw later.a=1 later.c=1", "show x"],
    ]);
    expect(session.runs[0]?.results.map(({ exitCode }) => exitCode)).toEqual([1, -1, 0]);
  });

  test("what a busy kernel refuses is done a moment later, and then read", async () => {
    let refusals = 2;
    const session = new ScriptedSession(({ argv }) =>
      argv[0] === "ip" && refusals-- > 0
        ? { exitCode: 2, stdout: "", stderr: "RTNETLINK answers: Device or resource busy\n" }
        : done(argv.slice(1).join(" ")),
    );
    const { failure, seen } = await (await over(session)).write([step("a")], [section("x")]);
    expect([failure, seen.text("x")]).toEqual([undefined, "x"]);
    expect(session.counters.roundTrips).toBe(3);
  });

  test("a failure among more steps than a batch holds: the answer is read all the same", async () => {
    const session = failing("d3");
    const machine = await over(session);
    const steps = Array.from({ length: 2500 }, (_, index) => step(`d${index}`));
    const { failure, seen } = await machine.write(steps, [section("x")]);
    expect(failure?.step).toEqual(step("d3"));
    expect(seen.text("x")).toBe("ok");
    expect(session.counters.roundTrips).toBe(2);
  });

  test("who has failed does not wait for the others' further round trips", async () => {
    const session = failing("b");
    const machine = await over(session);
    const order: string[] = [];
    await Promise.all(
      ["a", "b", "c"].map((name) => machine.write([step(name)], [section("x")]).then(() => order.push(name))),
    );
    expect(order).toEqual(["a", "b", "c"]);
    expect(session.counters.roundTrips).toBe(2);
  });

  test("sysctl: the culprit is found by running each alone", async () => {
    const session = failing("b");
    const machine = await over(session);
    const written = await Promise.all(["a", "b", "c"].map((key) => machine.write([sysctl(key)], [section("x")])));
    expect(written.map(({ failure }) => failure?.step)).toEqual([undefined, sysctl("b"), undefined]);
    expect(session.words).toEqual([
      ["sysctl -qw a=1 b=1 c=1", "show x"],
      ["sysctl -qw a=1", "sysctl -qw b=1", "sysctl -qw c=1", "show x"],
      ["sysctl -qw c=1", "show x"],
    ]);
  });

  test("udevadm is left out where there is no udev", async () => {
    const session = new ScriptedSession(() => done(), facts({ tools: { ip: "/sbin/ip" } }));
    const machine = await over(session);
    const written = await machine.write([step("a"), { argv: ["udevadm", "settle"] }, sysctl("a")], []);
    expect(written.failure).toBeUndefined();
    expect(session.words).toEqual([["ip link set dev a up", "sysctl -qw a=1"]]);
  });
});

describe("reading", () => {
  test("an interrupted dump is read again within the call", async () => {
    let left = 2;
    const torn = { exitCode: 0, stdout: "[", stderr: "Dump was interrupted and may be inconsistent.\n" };
    const session = new ScriptedSession(({ argv }) => (argv[1] === "x" && left-- > 0 ? torn : done("whole")));
    const seen = await (await over(session)).observe([section("x"), section("y")]);
    expect(seen.text("x")).toBe("whole");
    expect(session.words).toEqual([["show x", "show y"], ["show x"], ["show x"]]);
  });

  test("one that never ends well is an error of the reader", async () => {
    const torn = { exitCode: 0, stdout: "[", stderr: "Dump was interrupted and may be inconsistent.\n" };
    const session = new ScriptedSession(() => torn);
    const seen = await (await over(session)).observe([section("x")]);
    expect(session.counters.roundTrips).toBe(7);
    expect(() => seen.text("x")).toThrow(/READ_FAILED/);
  });

  test("a slow question holds up nobody, and is asked once", async () => {
    let answer: () => void = () => {};
    const session = new ScriptedSession(async ({ argv }) => {
      if (argv[1] === "ping") await new Promise<void>((resolve) => (answer = resolve));
      return done(argv[1]);
    });
    const machine = await over(session);
    const ping = section("ping", { slow: 1 });
    const slow = Promise.all([machine.observe([section("x"), ping]), machine.write([step("a")], [ping])]);
    expect((await machine.observe([section("y")])).text("y")).toBe("y");
    expect((await machine.observe([section("z")])).text("z")).toBe("z");
    answer();
    const [seen, written] = await slow;
    expect([seen.text("x"), seen.text("ping"), written.seen.text("ping")]).toEqual(["x", "ping", "ping"]);
    expect(session.runs.filter(({ options }) => options.slow)).toHaveLength(1);
  });

  test("a slow question has its own time beside what any command may take", async () => {
    const session = echo();
    const machine = await MachineBatcher.open(async () => session, { commandTimeoutMs: 3000 });
    await machine.observe([section("x"), section("ping", { slow: 10 }), section("arping", { slow: 2 })]);
    const limits = session.runs.map(({ options }) => options.timeoutMs);
    expect(limits).toEqual([3150, 13_150, 5150]);
  });

  test("what follows from the question alone is asked once of a machine, when it was answered", async () => {
    let refusals = 1;
    const session = new ScriptedSession(() =>
      refusals-- > 0 ? { exitCode: 1, stdout: "", stderr: "no" } : done("form"),
    );
    const machine = await over(session);
    const pure = section("x", { pure: true });
    for (let round = 0; round < 3; round++) await machine.observe([pure, section(`y${round}`)]);
    expect(session.words).toEqual([["show x", "show y0"], ["show x", "show y1"], ["show y2"]]);
    expect((await machine.observe([{ ...pure, key: "z" }])).text("z")).toBe("form");
  });

  test("two different questions of one name are a defect, and said so", async () => {
    const machine = await over(echo());
    const asked = machine.observe([section("x"), section("x", { argv: ["other"] })]);
    await expect(asked).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

describe("a broken connection", () => {
  const broken = async (error: HostnetError) => {
    const sessions = [echo(), echo()];
    const [first] = sessions as [ScriptedSession];
    const machine = await MachineBatcher.open(
      async () => (first.broken && first.runs.length ? sessions[1] : first) as ScriptedSession,
    );
    first.broken = error;
    return { machine, sessions: sessions as [ScriptedSession, ScriptedSession] };
  };

  test.each([lost(), new HostnetError("TIMEOUT", "late")])(
    "%p: writes are told, reads are read again",
    async (error) => {
      const { machine, sessions } = await broken(error);
      const [written, seen] = await Promise.allSettled([
        machine.write([step("a")], [section("x")]),
        machine.observe([section("y")]),
      ]);
      expect(written).toMatchObject({ status: "rejected", reason: error });
      expect(seen.status).toBe("fulfilled");
      expect(sessions[1].words).toEqual([["show y"]]);
    },
  );

  test("reads are read again once, not for ever", async () => {
    const session = echo();
    session.broken = lost();
    const machine = await over(session);
    await expect(machine.observe([section("x")])).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    expect(session.counters.roundTrips).toBe(2);
  });

  test("a host that cannot be dialled again fails all who wait, at once", async () => {
    const session = echo();
    let dials = 0;
    const machine = await MachineBatcher.open(async () => {
      if (dials++ === 0) return session;
      throw new HostnetError("UNREACHABLE", "no answer");
    });
    const all = [machine.observe([section("x")]), machine.write([step("a")], [])];
    const settled = await Promise.allSettled(all);
    expect(settled.map((one) => (one as PromiseRejectedResult).reason.code)).toEqual(["UNREACHABLE", "UNREACHABLE"]);
    expect(dials).toBe(2);
  });

  test("those who come while it is being dialled do not dial once more", async () => {
    const session = echo();
    let dials = 0;
    const machine = await MachineBatcher.open(async () => {
      if (dials++ === 0) return session;
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new HostnetError("UNREACHABLE", "no answer");
    });
    const first = machine.observe([section("x")]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const settled = await Promise.allSettled([first, machine.observe([section("y")])]);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(dials).toBe(2);
  });

  test("a host that did not answer is not dialled again at once, whoever asks", async () => {
    const host = (name: string) =>
      machineOf({
        ...{ name, address: "127.0.0.1", port: 1, privateKeyPath: "/none", jumpHosts: [], transport: "ssh2" },
        ...{ become: "none", commandTimeout: 5, connectTimeout: 1, identity: "machineId" },
      });
    const [one, two] = [await host("one").catch((e) => e), await host("two").catch((e) => e)];
    expect(one).toMatchObject({ code: "UNREACHABLE", details: { host: "one", cause: { code: "ECONNREFUSED" } } });
    expect(two.details.host).toBe("two");
    expect(two.details.cause).toBe(one.details.cause);
  });

  test("nothing is sent to another machine that answers in its place", async () => {
    const other = new ScriptedSession(() => done(), facts({ machineId: "m2" }));
    let session = echo();
    const machine = await MachineBatcher.open(async () => session);
    session = other;
    await expect(machine.write([step("a")], [])).rejects.toMatchObject({ code: "OTHER_MACHINE" });
    expect(other.counters.roundTrips).toBe(0);
    expect(machine.replaced).toBe(true);
  });

  describe("a new machine id under the same host key", () => {
    const open = (identity?: "machineId" | "hostKey") => {
      const of = (machineId: string) => facts({ machineId, hostKeyFingerprint: "SHA256:x" });
      const sessions = ["m1", "m2"].map((machineId) => new ScriptedSession(() => done(), of(machineId)));
      const [, second] = sessions as [ScriptedSession, ScriptedSession];
      const machine = MachineBatcher.open(async () => sessions.shift() as ScriptedSession, { identity });
      return { machine, second };
    };

    test("is a stateless image that was booted again, where the host key is the identity", async () => {
      const machine = await open("hostKey").machine;
      await machine.observe([section("x")]);
      expect(machine.facts.machineId).toBe("m2");
    });

    test.each(["machineId", undefined] as const)("is the other machine of a pair otherwise (%p)", async (identity) => {
      const { machine, second } = open(identity);
      const writing = (await machine).write([step("a")], []);
      await expect(writing).rejects.toMatchObject({ code: "OTHER_MACHINE" });
      expect(second.counters.roundTrips).toBe(0);
    });
  });

  test("another firmware uuid is another machine, whatever its machine id", async () => {
    const sessions = ["u1", "u2"].map((productUuid) => new ScriptedSession(() => done(), facts({ productUuid })));
    const machine = await MachineBatcher.open(async () => sessions.shift() as ScriptedSession);
    await expect(machine.write([step("a")], [])).rejects.toMatchObject({ code: "OTHER_MACHINE" });
  });

  describe("whether anything of a write may have run", () => {
    const refused = async (write: Promise<unknown>) => {
      const { code, details } = await write.then(
        () => Promise.reject(new Error("it was not refused")),
        (error: HostnetError) => error,
      );
      return [code, details.nothingRan];
    };
    const locked = () => new HostnetError("TIMEOUT", "the lock is held", { nothingRan: true });

    test("not where the session could not be opened", async () => {
      const sessions = [echo()];
      const machine = await MachineBatcher.open(async () => {
        const session = sessions.shift();
        if (!session) throw new HostnetError("UNREACHABLE", "no answer");
        return session;
      });
      expect(await refused(machine.write([step("a")], []))).toEqual(["UNREACHABLE", true]);
    });

    test.each([
      [locked(), ["TIMEOUT", true]],
      [new HostnetError("TIMEOUT", "late"), ["TIMEOUT", false]],
      [lost(), ["CONNECTION_LOST", false]],
      [new HostnetError("INVALID", "not text", { nothingRan: true }), ["INVALID", true]],
    ])("%p of the batch", async (error, answer) => {
      const session = echo();
      session.broken = error;
      const machine = await over(session);
      expect(await refused(machine.write([step("a")], []))).toEqual(answer);
      expect(session.counters.roundTrips).toBe(1);
    });

    test("perhaps, where an earlier batch had steps of it", async () => {
      const session = failing("b");
      const machine = await over(session);
      const run = session.run.bind(session);
      session.run = async (commands, options) => {
        if (session.runs.length === 1) throw locked();
        return run(commands, options);
      };
      const writing = [machine.write([sysctl("a"), sysctl("c")], []), machine.write([sysctl("b")], [])];
      const told = await Promise.all(writing.map(refused));
      expect(told).toEqual(Array(2).fill(["TIMEOUT", false]));
    });

    test("so it has where only a slow question after it could not be asked", async () => {
      const session = echo();
      const run = session.run.bind(session);
      session.run = async (commands, options) => {
        if (options?.slow) throw new HostnetError("INVALID", "not text", { nothingRan: true });
        return run(commands, options);
      };
      const machine = await over(session);
      expect(await refused(machine.write([step("a")], [section("ping", { slow: 1 })]))).toEqual(["INVALID", false]);
    });
  });

  test("what cannot be sent does not take others with it", async () => {
    const session = new ScriptedSession(({ argv }) => done(argv[1]));
    const run = session.run.bind(session);
    session.run = async (commands, options) => {
      if (commands.some(({ argv }) => argv.includes("\0")))
        throw new HostnetError("INVALID", "not text", { nothingRan: true });
      return run(commands, options);
    };
    const machine = await over(session);
    const bad = { argv: ["nft", "\0"] };
    const [good, refused, seen] = await Promise.allSettled([
      machine.write([step("a")], [section("x")]),
      machine.write([bad], [section("x")]),
      machine.observe([section("y")]),
    ]);
    expect([good.status, seen.status]).toEqual(["fulfilled", "fulfilled"]);
    expect(refused).toMatchObject({ status: "rejected", reason: { code: "INVALID" } });
  });
});
