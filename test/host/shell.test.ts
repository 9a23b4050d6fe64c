import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type ChildChannel, spawnChannel } from "../../provider/host/child";
import { renderCommand } from "../../provider/host/render";
import { Shell } from "../../provider/host/shell";
import { path } from "../../provider/host/transport";
import type { Command } from "../../provider/model/command";
import type { HostnetError } from "../../provider/model/errors";
import { atOnceMs, failure, Sandbox, timed, until } from "./helpers/sandbox";

const box = new Sandbox();
afterEach(() => box.clean());
afterAll(() => box.remove());

const environment = { PATH: path, LC_ALL: "C" };

async function open(): Promise<{ shell: Shell; channel: ChildChannel }> {
  const channel = box.keep(await spawnChannel("/bin/sh", [], environment), ({ kill }) => kill());
  return { shell: new Shell(channel), channel };
}

function batch(...commands: (string[] | Command)[]) {
  const parts = commands.map((command) => renderCommand(Array.isArray(command) ? { argv: command } : command));
  return { parts, timeoutMs: 30_000 };
}

const sh = (script: string) => ["sh", "-c", script];

test("each command has its own status, output and errors", async () => {
  const { shell } = await open();
  const results = await shell.run(batch(sh("echo out; echo err >&2; exit 7"), ["printf", "%s", "a\nb"], ["true"]));
  expect(results).toEqual([
    { exitCode: 7, stdout: "out\n", stderr: "err\n" },
    { exitCode: 0, stdout: "a\nb", stderr: "" },
    { exitCode: 0, stdout: "", stderr: "" },
  ]);
});

test("a program that is not there is a result, not the end", async () => {
  const { shell } = await open();
  const [missing, next] = await shell.run(batch(["no-such-program"], ["echo", "on"]));
  expect(missing).toMatchObject({ exitCode: 127, stderr: expect.stringContaining("not found") });
  expect(next?.stdout).toBe("on\n");
});

test("batches that come while one runs wait for their turn", async () => {
  const { shell } = await open();
  const done: number[] = [];
  const runs = [0, 1, 2].map(async (number) => {
    await shell.run(batch(sh(`sleep 0.${2 - number}`), ["echo", String(number)]));
    done.push(number);
  });
  await Promise.all(runs);
  expect(done).toEqual([0, 1, 2]);
});

test("a program reads what it is given, and nothing of what we send besides", async () => {
  const { shell } = await open();
  const results = await shell.run(batch(["cat"], { argv: ["cat"], stdin: "no newline" }, sh("read x; echo got $x")));
  expect(results.map(({ stdout }) => stdout)).toEqual(["", "no newline", "got\n"]);
});

test("a program that does not read its input does no harm", async () => {
  const { shell } = await open();
  const input = { argv: ["true"], stdin: "x".repeat(300_000) };
  expect(await shell.run(batch(input, ["echo", "on"]))).toEqual([
    { exitCode: 0, stdout: "", stderr: "" },
    { exitCode: 0, stdout: "on\n", stderr: "" },
  ]);
});

test("text that looks like our marks is output", async () => {
  const { shell } = await open();
  const mark = "\n0123456789abcdef0123456789abcdef 1 0\n";
  const [result] = await shell.run(batch(["printf", "%s", mark]));
  expect(result?.stdout).toBe(mark);
});

test("what a daemon prints after its command ended does not get into the next batch", async () => {
  const { shell } = await open();
  const printed = box.path("printed");
  await shell.run(batch(sh(`(sleep 0.1; echo late; echo late >&2; touch '${printed}') & true`)));
  await until("the daemon has printed", () => existsSync(printed));
  expect(await shell.run(batch(["echo", "on"]))).toEqual([{ exitCode: 0, stdout: "on\n", stderr: "" }]);
});

test("output that is no text stays where it belongs", async () => {
  const { shell } = await open();
  const [bytes, next] = await shell.run(batch(["head", "-c", "100000", "/dev/urandom"], ["echo", "on"]));
  expect(bytes?.exitCode).toBe(0);
  expect(next?.stdout).toBe("on\n");
});

test("100 MB of output arrive whole", async () => {
  const { shell } = await open();
  const size = 100 * 1024 * 1024;
  const [result] = await shell.run({ ...batch(sh(`head -c ${size} /dev/zero | tr '\\0' x`)), timeoutMs: 150_000 });
  expect(result?.stdout.length).toBe(size);
}, 160_000);

test("more than 128 MB is an error of that command, and errors beyond 1 MB are dropped", async () => {
  const { shell } = await open();
  const [big, loud, next] = await shell.run({
    ...batch(sh("head -c 140000000 /dev/zero"), sh("head -c 2000000 /dev/zero >&2"), ["echo", "on"]),
    timeoutMs: 150_000,
  });
  expect([big?.exitCode, big?.stdout.length]).toEqual([1, 128 * 1024 * 1024]);
  expect(big?.stderr).toContain("more than 128 MB");
  expect([loud?.exitCode, loud?.stderr.length]).toEqual([0, 1024 * 1024]);
  expect(next?.stdout).toBe("on\n");
}, 160_000);

test("3000 commands are one batch", async () => {
  const { shell } = await open();
  const commands = Array.from({ length: 3000 }, (_, index) => ["echo", `it's ${index}`]);
  const results = await shell.run(batch(...commands));
  expect(results.map(({ stdout }) => stdout)).toEqual(commands.map(([, text]) => `${text}\n`));
});

test("500 KB of input are one batch", async () => {
  const { shell } = await open();
  const stdin = "link set 'x' up\n".repeat(32_000);
  const [result] = await shell.run(batch({ argv: ["md5sum"], stdin }, ["true"]));
  expect(result?.stdout).toMatch(/^[0-9a-f]{32} /);
  expect((await shell.run(batch({ argv: ["cat"], stdin })))[0]?.stdout).toBe(stdin);
});

test("a subshell that is killed loses its batch, and the shell goes on", async () => {
  const { shell } = await open();
  const lost = await failure(shell.run(batch(["true"], sh("kill -9 $PPID; sleep 1"), ["true"])));
  expect(lost).toMatchObject({ code: "CONNECTION_LOST", message: expect.stringContaining("middle of a batch") });
  expect(await shell.run(batch(["echo", "on"]))).toHaveLength(1);
});

test("a shell that dies in a batch fails it at once, and all that wait", async () => {
  const { shell, channel } = await open();
  const running = failure(shell.run(batch(["sleep", "60"])));
  const waiting = failure(shell.run(batch(["true"])));
  setTimeout(() => channel.kill(), 50);
  const [errors, ms] = await timed(() => Promise.all([running, waiting]));
  expect(ms).toBeLessThan(atOnceMs);
  errors.push(await failure(shell.run(batch(["true"]))));
  const told = errors.map((error) => [error.code, (error as HostnetError).details.nothingRan]);
  const never = ["CONNECTION_LOST", true];
  expect(told).toEqual([["CONNECTION_LOST", undefined], never, never]);
});

test("a command that hangs meets the deadline, is named, and ends the shell", async () => {
  const { shell } = await open();
  // It is there, and the deadline is the command's alone.
  await shell.run(batch(["true"]));
  const show = (index: number) => ["true", "sleep 30", "true"][index] ?? "";
  const hung = shell.run({ ...batch(["true"], ["sleep", "30"], ["true"]), timeoutMs: 1000, show });
  const [error, ms] = await timed(() => failure(hung));
  expect(error).toMatchObject({ code: "TIMEOUT", details: { step: "sleep 30" } });
  expect(ms).toBeLessThan(atOnceMs);
  expect(shell.dead).toBeDefined();
});

test("a shell that stops reading meets the deadline too", async () => {
  const channel = box.keep(await spawnChannel("/bin/sleep", ["30"], environment), ({ kill }) => kill());
  const shell = new Shell(channel);
  const error = failure(shell.run({ ...batch({ argv: ["cat"], stdin: "x".repeat(5_000_000) }), timeoutMs: 300 }));
  expect(await error).toMatchObject({ code: "TIMEOUT" });
});

/** A command that holds the lock from when `has` exists until `may` does; other test files use the same lock. */
const holding = (has: string, may: string, then = "true") =>
  sh(`touch "${has}"; while [ ! -e "${may}" ]; do sleep 0.05; done; ${then}`);

test("writes wait for each other across shells, a daemon does not keep the lock, and reads do not care", async () => {
  const [one, two, three] = [await open(), await open(), await open()];
  const locked = (...argv: string[]) => ({
    parts: [renderCommand({ argv }, true)],
    timeoutMs: 30_000,
    lockSeconds: 20,
  });
  // It outlives the wait for the lock: were it kept, the next write would fail.
  const [daemon] = await one.shell.run(locked(...sh("sleep 60 >/dev/null 2>&1 & echo $!")));
  box.keep(Number(daemon?.stdout), (pid) => void process.kill(pid));
  // In the order in which the machine does them: the lock is free before the first one's answer is on its way.
  const [has, may, done] = [box.path("first-has"), box.path("first-may-end"), box.path("done")];
  const tell = (what: string) => `echo '${what}' >>'${done}'`;
  const first = one.shell.run(locked(...holding(has, may, tell("first write"))));
  await Promise.race([first, until("the lock is held", () => existsSync(has))]);
  const write = two.shell.run(locked(...sh(tell("second write"))));
  await three.shell.run(batch(sh(tell("read"))));
  writeFileSync(may, "");
  await Promise.all([first, write]);
  expect(readFileSync(done, "utf8").split("\n")).toEqual(["read", "first write", "second write", ""]);
}, 40_000);

test("writes that have begun go on to their end when nobody is there any more, and reads do not", async () => {
  const { shell, channel } = await open();
  const [begun, cut, first, second, read] = ["begun", "cut", "first", "second", "read"].map((name) => box.path(name));
  // As `ip -batch`, each prints before it is through: SIGPIPE. With sudo's use_pty there is SIGHUP as well.
  const wait = `touch '${begun}'; while [ ! -e '${cut}' ]; do sleep 0.05; done; kill -HUP 0`;
  const scripts = [
    `${wait}; echo said; touch '${first}'`,
    `echo said; touch '${second}'`,
    `echo said; touch '${read}'`,
  ];
  const run = failure(
    shell.run({
      parts: scripts.map((script) => renderCommand({ argv: sh(script) }, true)),
      timeoutMs: 30_000,
      lockSeconds: 20,
      writes: 2,
    }),
  );
  await until("the batch has begun", () => existsSync(begun as string));
  for (const stream of [channel.stdin, channel.stdout, channel.stderr]) stream.destroy();
  writeFileSync(cut as string, "");
  expect(await run).toMatchObject({ code: "CONNECTION_LOST" });
  await until("the second write is done", () => existsSync(second as string));
  // The lock is free once the rest is over.
  await (await open()).shell.run({ ...batch(["true"]), lockSeconds: 20 });
  expect([first, read].map((file) => existsSync(file as string))).toEqual([true, false]);
}, 40_000);

test("a lock that is not had in time runs nothing and says so", async () => {
  const [one, two] = [await open(), await open()];
  const locked = (seconds: number, ...argv: string[]) => ({
    parts: [renderCommand({ argv }, true)],
    timeoutMs: 30_000,
    lockSeconds: seconds,
  });
  const [has, may] = [box.path("holder-has"), box.path("holder-may-end")];
  const holder = one.shell.run(locked(20, ...holding(has, may)));
  await until("the lock is held", () => existsSync(has));
  const file = box.path("must-not-be");
  expect(await failure(two.shell.run(locked(0.3, "touch", file)))).toMatchObject({
    code: "TIMEOUT",
    message: expect.stringContaining("nothing was run"),
    details: { nothingRan: true },
  });
  expect((await two.shell.run(batch(["test", "-e", file])))[0]?.exitCode).toBe(1);
  writeFileSync(may, "");
  await holder;
}, 40_000);
