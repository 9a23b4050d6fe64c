import { chmodSync, writeFileSync } from "node:fs";
import type { PoolOptions } from "../../provider/host/pool";
import { Hosts } from "./helpers/hosts";
import { atOnceMs, failure, timed } from "./helpers/sandbox";
import type { ServerOptions } from "./helpers/server";
import { loginShells } from "./helpers/shells";

const box = new Hosts();
const host = (options: Partial<ServerOptions> = {}) => box.inProcess(options);
const pool = (options: PoolOptions = {}) => box.pool(options);
afterEach(() => box.clean());
afterAll(() => box.remove());

/** A folder with programs that take the place of the host's. */
function programs(scripts: Record<string, string>): string {
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(box.path(name), `#!/bin/sh\n${text}\n`);
    chmodSync(box.path(name), 0o755);
  }
  return box.folder;
}

describe.each(loginShells)("login shell %s", (_, shell) => {
  test("is left behind for sh, with a PATH and a locale of our own", async () => {
    const { to } = await host({
      shell,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "de_DE.UTF-8", HOME: box.folder, LEFT_BEHIND: "1" },
    });
    const session = await pool().acquire(to);
    const [path, locale, others] = await session.run([
      { argv: ["sh", "-c", "echo $PATH"] },
      { argv: ["sh", "-c", "echo $LC_ALL"] },
      { argv: ["sh", "-c", "echo left:$LEFT_BEHIND home:$HOME"] },
    ]);
    expect(path?.stdout).toBe("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
    expect(locale?.stdout).toBe("C\n");
    expect(others?.stdout).toBe("left: home:/\n");
    expect(session.facts.sshConnection).toEqual({
      clientAddress: "127.0.0.1",
      clientPort: 1,
      serverAddress: "127.0.0.1",
      serverPort: 2,
    });
  });
});

test("facts tell of the machine", async () => {
  const { to } = await host();
  const { facts } = await pool().acquire(to);
  expect(facts.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(facts.kernel).toMatch(/^\d+\.\d+/);
  expect(facts.tools.ip).toMatch(/^\/.*\/ip$/);
  expect(facts.versions.ip).toMatch(/^\d+\.\d+/);
  expect(facts.hostKeyFingerprint).toBe(to.hostKeys[0]);
});

test("one connection, one channel and one round trip make a session; each run is one more round trip", async () => {
  const { server, to } = await host();
  const session = await pool().acquire(to);
  expect(session.counters).toEqual({ connections: 1, channels: 1, roundTrips: 1, commands: 0 });
  await session.run([{ argv: ["true"] }, { argv: ["true"] }]);
  expect(session.counters).toEqual({ connections: 1, channels: 1, roundTrips: 2, commands: 2 });
  expect(server.seen.execs).toHaveLength(1);
});

test("what an rc file prints, on both streams and without a newline, is not seen", async () => {
  const noisy =
    "head -c 3000000 /dev/zero >&2; head -c 300000 /dev/zero; printf 'Welcome! 100% $HOME'; printf oops >&2";
  const [rc] = [box.path("noisy")];
  writeFileSync(rc, `#!/bin/sh\n${noisy}\nexec /bin/sh "$@"\n`, { mode: 0o755 });
  const { to } = await host({ shell: [rc] });
  const session = await pool().acquire(to);
  expect(await session.run([{ argv: ["echo", "on"] }])).toEqual([{ exitCode: 0, stdout: "on\n", stderr: "" }]);
  expect(session.facts.sshConnection?.clientAddress).toBe("127.0.0.1");
});

test("a slow rc file is waited for", async () => {
  const rc = box.path("slow");
  writeFileSync(rc, '#!/bin/sh\nsleep 0.4\nexec /bin/sh "$@"\n', { mode: 0o755 });
  const { to } = await host({ shell: [rc] });
  expect(await (await pool().acquire(to)).run([{ argv: ["true"] }])).toHaveLength(1);
});

describe("a login shell that is none", () => {
  test("and never answers fails in time, and what it printed is shown without control characters", async () => {
    const { to } = await host({
      onExec: (_command, channel) => {
        channel.write(`\u001b[31mThis account is restricted\u0007 ${"x".repeat(500)}`);
      },
    });
    const [error, ms] = await timed(() => failure(pool({ startMs: 1500 }).acquire(to)));
    expect(error.message).toContain("[31mThis account is restricted x");
    expect(error.code).toBe("SHELL");
    expect(error.message).toMatch(/^[\n\x20-\x7e]*$/);
    expect(error.message).not.toContain("x".repeat(200));
    expect(ms).toBeLessThan(atOnceMs);
  });

  test("and ends at once is told with its status", async () => {
    const { to } = await host({ shell: ["/bin/sh", "-c", "echo This account is not available; exit 1", "x"] });
    expect(await failure(pool().acquire(to))).toMatchObject({
      code: "SHELL",
      message: expect.stringMatching(/status 1.*This account is not available/),
    });
  });

  test("and refuses exec is told", async () => {
    const { to } = await host({ onExec: (_command, channel) => channel.close() });
    expect(await failure(pool({ startMs: 500 }).acquire(to))).toMatchObject({ code: "SHELL" });
  });
});

describe("sudo", () => {
  /** `id -u` of the bootstrap is read from /proc: a shell that reads another user's is not root. */
  const asUser = (command: string) => command.replace("</proc/self/status", "</dev/null");
  const nobody = (bin: string, options: Partial<ServerOptions> = {}) => host({ bin, rewrite: asUser, ...options });

  const right = "tester ALL=(root) NOPASSWD: ALL";

  test("that cannot resolve the host says so on stderr, and nobody minds", async () => {
    const bin = programs({
      sudo: 'echo "sudo: unable to resolve host vm" >&2; unset SSH_CONNECTION; shift 2; exec "$@"',
    });
    const { to } = await nobody(bin);
    const session = await pool().acquire({ ...to, become: "sudo" });
    expect(await session.run([{ argv: ["echo", "on"] }])).toEqual([{ exitCode: 0, stdout: "on\n", stderr: "" }]);
    expect(session.facts.sshConnection?.serverPort).toBe(2);
  });

  test.each([
    ["asks for a password", 'echo "sudo: a password is required" >&2; exit 1', /password is required/, right],
    [
      "wants a terminal",
      'echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1',
      /must have a tty/,
      "Defaults:tester !requiretty",
    ],
    [
      "does not know the user",
      'echo "sudo: unable to resolve host vm" >&2; echo "joe is not in the sudoers file." >&2; exit 1',
      /not in the sudoers/,
      right,
    ],
  ])("that %s is BECOME, with what to do", async (_, script, message, remedy) => {
    const { to } = await nobody(programs({ sudo: script }));
    const error = await failure(pool().acquire({ ...to, become: "sudo" }));
    expect(error).toMatchObject({ code: "BECOME", message: expect.stringMatching(message) });
    expect(error.message).toContain(`in /etc/sudoers.d: ${remedy}`);
  });

  test("that is not installed is BECOME too", async () => {
    const { to } = await nobody(box.folder, { rewrite: (line) => asUser(line).replace("sudo -n", "no-sudo -n") });
    const error = await failure(pool().acquire({ ...to, become: "sudo" }));
    expect(error).toMatchObject({ code: "BECOME", message: expect.stringContaining("Install sudo") });
  });

  test("is not asked where we are root", async () => {
    writeFileSync(box.path("status"), "Name:\tsh\nUid:\t0\t0\t0\t0\n");
    const { to } = await host({
      bin: programs({ sudo: "exit 1" }),
      rewrite: (line) => line.replace("/proc/self/status", box.path("status")),
    });
    expect(await (await pool().acquire({ ...to, become: "sudo" })).run([{ argv: ["true"] }])).toHaveLength(1);
  });
});

describe("slow commands", () => {
  test("have a shell of their own, which others do not wait for", async () => {
    const { server, to } = await host();
    const session = await pool().acquire(to);
    const order: string[] = [];
    const wait = { argv: ["sh", "-c", `while [ ! -e '${box.path("quick")}' ]; do sleep 0.02; done`] };
    const slow = session.run([wait], { slow: true }).then(() => order.push("slow"));
    await session.run([{ argv: ["touch", box.path("quick")] }]).then(() => order.push("quick"));
    await slow;
    expect(order).toEqual(["quick", "slow"]);
    expect(session.counters.channels).toBe(2);
    await session.run([{ argv: ["true"] }], { slow: true });
    expect(server.seen.execs).toHaveLength(2);
  });

  test("run at once in that shell, whoever asks", async () => {
    const { to } = await host();
    const session = await pool().acquire(to);
    const there = box.path("there");
    const wait = { argv: ["sh", "-c", `while [ ! -e ${there} ]; do sleep 0.02; done; echo came >&2`] };
    const answers = await Promise.all([
      session.run([wait], { slow: true }),
      session.run([{ argv: ["touch", there] }, { argv: ["echo", "on"] }], { slow: true }),
    ]);
    expect(answers.flat().map(({ stdout }) => stdout)).toEqual(["came\n", "", "on\n"]);
    expect(session.counters).toMatchObject({ channels: 2, roundTrips: 3 });
  });

  test("run in the one shell where the host gives one (MaxSessions 1)", async () => {
    const { server, to } = await host({ maxSessions: 1 });
    const session = await pool().acquire(to);
    for (let round = 0; round < 2; round++) {
      expect(await session.run([{ argv: ["echo", "on"] }], { slow: true })).toMatchObject([{ stdout: "on\n" }]);
    }
    expect(session.counters.channels).toBe(1);
    expect(server.seen.connections).toBe(1);
  });

  test("that hang end their own shell only", async () => {
    const { to } = await host();
    const session = await pool().acquire(to);
    // Its shell is there, and the deadline is the command's alone.
    await session.run([{ argv: ["true"] }], { slow: true });
    const hung = failure(session.run([{ argv: ["sleep", "30"] }], { slow: true, timeoutMs: 1000 }));
    expect(await hung).toMatchObject({ code: "TIMEOUT", message: expect.stringContaining("sleep 30") });
    expect(await session.run([{ argv: ["true"] }])).toHaveLength(1);
    expect(await session.run([{ argv: ["true"] }], { slow: true })).toHaveLength(1);
  });
});

test("no command text and no secret is in the exec string: it is always the same", async () => {
  const { server, to } = await host();
  await (await pool().acquire(to)).run([{ argv: ["echo", "s3cret"], stdin: "s3cret" }]);
  await (await pool().acquire(to)).run([{ argv: ["echo", "other"] }]);
  expect(new Set(server.seen.execs).size).toBe(1);
  expect(server.seen.execs.join()).not.toContain("s3cret");
});
