import { writeFileSync } from "node:fs";
import net, { connect, createServer, type Socket } from "node:net";
import { utils } from "ssh2";
import { LockedKey } from "../../provider/host/locked-key";
import { ssh2Transport } from "../../provider/host/ssh2";
import type { Target } from "../../provider/host/target";
import { dialTcp } from "../../provider/host/tcp";
import { startAgent } from "./helpers/agent";
import { fingerprintOf, Hosts } from "./helpers/hosts";
import { makeKey } from "./helpers/keys";
import { atOnceMs, failure, timed, until } from "./helpers/sandbox";
import { freePort } from "./helpers/sshd";

const box = new Hosts();
afterEach(() => box.clean());
afterAll(() => box.remove());

const on = [{ argv: ["echo", "on"] }];
const answer = [{ exitCode: 0, stdout: "on\n", stderr: "" }];

async function works(to: Target): Promise<void> {
  expect(await (await box.pool().acquire(to)).run(on)).toEqual(answer);
}

/** A TCP server that speaks no ssh. */
async function peer(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  box.keep(server, () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as { port: number }).port, sockets };
}

describe("host keys", () => {
  test("a key that is not the pinned one ends it before the login", async () => {
    const { server, to } = await box.inProcess();
    const other = fingerprintOf(makeKey(box.folder, "other").publicKey);
    expect(await failure(box.pool().acquire({ ...to, hostKeys: [other] }))).toMatchObject({
      code: "HOST_KEY_MISMATCH",
    });
    expect(server.seen.auths).toEqual([]);
    // It is asked for a key of another type: a fingerprint does not tell which.
    expect(server.seen.connections).toBe(2);
    const line = makeKey(box.folder, "another").publicKey;
    expect(await failure(box.pool().acquire({ ...to, hostKeys: [line] }))).toMatchObject({ code: "HOST_KEY_MISMATCH" });
    expect(server.seen.connections).toBe(3);
  });

  test("asks also a jump host for its other keys, for all that go through it", async () => {
    const rsa = makeKey(box.folder, "hop-rsa", { type: "rsa" });
    const bastion = await box.inProcess({ hostKey: [box.hostKey.privateKey, rsa.privateKey] });
    const inner = [await box.inProcess(), await box.inProcess()];
    const pool = box.pool();
    const jump = () => [{ ...bastion.to, hostKeys: [fingerprintOf(rsa.publicKey)] }];
    await Promise.all(inner.map(async ({ to }) => (await pool.acquire({ ...to, jumpHosts: jump() })).run(on)));
    expect(bastion.server.seen.connections).toBe(2);
  });

  test("a key that nobody knows does too", async () => {
    const { server, to } = await box.inProcess();
    expect(await failure(box.pool().acquire({ ...to, hostKeys: [] }))).toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    expect(server.seen.auths).toEqual([]);
  });
});

test("TCP_NODELAY is set before the first byte", async () => {
  const dialled = jest.spyOn(net, "connect");
  const { to } = await box.inProcess();
  await works(to);
  expect(dialled.mock.calls).toEqual([[expect.objectContaining({ port: to.port, noDelay: true })]]);
  dialled.mockRestore();
});

test.each([
  [30_000, 2000],
  [1000, 500],
])("each address of a name has time for a far host and a lost packet (%p ms in all)", async (all, each) => {
  const dialled = jest.spyOn(net, "connect");
  const { port } = await peer(() => {});
  (await dialTcp("127.0.0.1", port, performance.now() + all)).destroy();
  const [{ autoSelectFamilyAttemptTimeout: given }] = dialled.mock.lastCall as unknown as [net.TcpNetConnectOpts];
  expect(given).toBeGreaterThan(each / 2);
  expect(given).toBeLessThanOrEqual(each);
  dialled.mockRestore();
});

describe("login", () => {
  test("with a key that is given as text", async () => {
    const { to } = await box.inProcess();
    await works({ ...to, privateKeyPaths: [], privateKey: box.key.privateKey.trim() });
  });

  test.each(["ed25519", "rsa", "ecdsa"])(
    "with an encrypted %s key, which a thread decrypts once and signs with",
    async (type) => {
      const locked = makeKey(box.folder, `locked-${type}`, { passphrase: "correct horse", type });
      const { to } = await box.inProcess({ authorized: [locked.publicKey] });
      const here = jest.spyOn(utils, "parseKey");
      const threads = jest.spyOn(LockedKey, "unlock");
      // The time to decrypt counts, and this machine may be busy.
      const patient = { ...to, connectTimeoutMs: 60_000 };
      const encrypted = { ...patient, privateKeyPaths: [locked.path], passphrase: "correct horse" };
      await works(encrypted);
      await works(encrypted);
      expect(here.mock.calls.filter(([text]) => String(text).includes("PRIVATE KEY"))).toEqual([]);
      expect(threads).toHaveBeenCalledTimes(1);
      jest.restoreAllMocks();
      const wrong = await failure(box.pool().acquire({ ...encrypted, passphrase: "wrong" }));
      expect(wrong).toMatchObject({ code: "AUTH", message: expect.stringContaining("cannot be decrypted") });
      expect(wrong.message).not.toContain("wrong");
    },
    60_000,
  );

  test("with a key that takes long to decrypt holds up nobody else", async () => {
    // 80 rounds of bcrypt instead of ssh-keygen's 16: seconds.
    const slow = makeKey(box.folder, "slow", { passphrase: "x", rounds: 80 });
    const { to } = await box.inProcess({ authorized: [slow.publicKey] });
    let [last, longest] = [performance.now(), 0];
    const ticks = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 10);
    const [, ms] = await timed(() =>
      works({ ...to, privateKeyPaths: [slow.path], passphrase: "x", connectTimeoutMs: 60_000 }),
    );
    clearInterval(ticks);
    expect(longest).toBeLessThan(ms / 2);
  }, 60_000);

  test("is not tried where there is no key, and says what was looked for", async () => {
    const { server, to } = await box.inProcess();
    const error = await failure(box.pool().acquire({ ...to, privateKeyPaths: ["/no/such/key"] }));
    expect(error).toMatchObject({ code: "AUTH", message: expect.stringContaining("/no/such/key is not there") });
    expect(server.seen.auths).toEqual([]);
  });

  test("that is refused is not tried again in this process, by whomever", async () => {
    const { server, to } = await box.inProcess({ authorized: [] });
    const pool = box.pool();
    const error = await failure(pool.acquire(to));
    expect(error).toMatchObject({ code: "AUTH", message: expect.stringContaining(box.key.path) });
    expect(await failure(pool.acquire({ ...to, name: "again" }))).toMatchObject({ code: "AUTH" });
    expect(server.seen.connections).toBe(1);
  });

  test("takes the named key of an agent that holds nine", async () => {
    const others = Array.from({ length: 8 }, (_, index) => makeKey(box.folder, `other${index}`));
    const agent = await startAgent(box, [...others.map(({ path }) => path), box.key.path]);
    const { server, to } = await box.inProcess();
    // Its file has only the public half: the agent alone can sign.
    const named = box.path("named");
    writeFileSync(named, box.key.publicKey);
    for (const identitiesOnly of [true, false]) {
      await works({ ...to, privateKeyPaths: [named], agentSocket: agent, identitiesOnly });
    }
    expect(server.seen.auths).toHaveLength(2);
  });

  test("takes the named key of an agent, of which only the public half is on disk, beside where the key would be", async () => {
    const agentSocket = await startAgent(box, [makeKey(box.folder, "other").path, box.key.path]);
    const { server, to } = await box.inProcess();
    writeFileSync(box.path("half.pub"), box.key.publicKey);
    await works({ ...to, privateKeyPaths: [box.path("half")], agentSocket, identitiesOnly: true });
    expect(server.seen.auths).toHaveLength(1);
  });

  test("offers only named keys of an agent with identitiesOnly, and five at most without", async () => {
    const others = Array.from({ length: 8 }, (_, index) => makeKey(box.folder, `other${index}`));
    const agent = await startAgent(
      box,
      others.map(({ path }) => path),
    );
    const { server, to } = await box.inProcess();
    await works({ ...to, agentSocket: agent, identitiesOnly: true });
    expect(server.seen.auths).toHaveLength(1);
    await works({ ...to, agentSocket: agent });
    expect(server.seen.auths).toHaveLength(1 + 5);
  });

  test("goes on to the key files where no agent answers", async () => {
    const { to } = await box.inProcess();
    await works({ ...to, agentSocket: box.path("no-agent") });
  });
});

describe("a host that does not answer", () => {
  test("because nothing listens is tried again until the time is over", async () => {
    const to = (await box.inProcess()).to;
    const refused = { ...to, port: await freePort(), connectTimeoutMs: 700 };
    const dial = jest.fn(ssh2Transport().connect);
    const pool = box.pool({ transports: { ssh2: { connect: dial } } });
    const [error, ms] = await timed(() => failure(pool.acquire(refused)));
    expect(error).toMatchObject({ code: "UNREACHABLE", message: expect.stringContaining("connection refused") });
    expect(dial.mock.calls.length).toBeGreaterThan(1);
    expect(ms).toBeLessThan(atOnceMs);
  });

  test.each([
    ["says nothing", () => {}, /no answer in time/],
    ["hangs after its banner", (socket: Socket) => socket.write("SSH-2.0-hang\r\n"), /no answer in time/],
    ["is something else", (socket: Socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), /./],
  ])("because it %s fails in time", async (_, onSocket, message) => {
    const { port } = await peer(onSocket);
    const { to } = await box.inProcess();
    const [error, ms] = await timed(() => failure(box.pool().acquire({ ...to, port, connectTimeoutMs: 400 })));
    expect(error).toMatchObject({ code: "UNREACHABLE", message: expect.stringMatching(message) });
    expect(ms).toBeLessThan(atOnceMs);
  });

  test("and drops us before the handshake (MaxStartups) is tried again", async () => {
    const { server, to } = await box.inProcess();
    let calls = 0;
    const { port } = await peer((socket) => {
      if (++calls < 3) return socket.destroy();
      const onward = connect(server.port, "127.0.0.1");
      onward.on("error", () => {});
      return socket.pipe(onward).pipe(socket);
    });
    await works({ ...to, port });
    expect(calls).toBe(3);
  });

  test("because its name is not known is not tried again", async () => {
    const { to } = await box.inProcess();
    const dial = jest.fn(ssh2Transport().connect);
    const pool = box.pool({ transports: { ssh2: { connect: dial } } });
    const error = await failure(pool.acquire({ ...to, address: "no-such-host.invalid", connectTimeoutMs: 5000 }));
    expect(error.message).toMatch(/name is not known|cannot be looked up/);
    // Where no DNS answers, the name may be known in a moment.
    if (/is not known/.test(error.message)) expect(dial).toHaveBeenCalledTimes(1);
  });
});

describe("a connection that breaks", () => {
  test("in a batch fails it at once with an unknown outcome, and the next acquire dials anew", async () => {
    const { server, to } = await box.inProcess();
    const pool = box.pool();
    const session = await pool.acquire(to);
    const running = failure(session.run([{ argv: ["sleep", "20"] }]));
    setTimeout(() => server.cut(), 100);
    const [error, ms] = await timed(() => running);
    expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    expect(ms).toBeLessThan(atOnceMs);
    expect(await failure(session.run(on))).toMatchObject({ code: "CONNECTION_LOST" });
    const next = await pool.acquire(to);
    expect(await next.run(on)).toEqual(answer);
    expect(next.counters.connections).toBe(2);
  });

  test.each([
    [1, "is dialled once more", 2],
    [2, "is no fault of the shell's", 2],
  ])("%i times before the shell has answered %s", async (times, _, dials) => {
    let left = times;
    const cutting = await box.inProcess({
      rewrite: (line) => {
        if (left-- <= 0) return line;
        cutting.server.cut();
        return "exec sleep 1";
      },
    });
    const ending = box.pool().acquire(cutting.to);
    if (times === 1) expect(await (await ending).run(on)).toEqual(answer);
    else expect(await failure(ending)).toMatchObject({ code: "CONNECTION_LOST" });
    expect(cutting.server.seen.connections).toBe(dials);
  });

  test("silently is found by keepalives", async () => {
    const { server, to } = await box.inProcess();
    let silent = false;
    const { port } = await peer((socket) => {
      const onward = connect(server.port, "127.0.0.1");
      onward.on("error", () => {});
      socket.on("data", (data) => silent || onward.write(data));
      onward.on("data", (data: Buffer) => silent || socket.write(data));
    });
    const pool = box.pool({ transports: { ssh2: ssh2Transport({ keepaliveMs: 50 }) } });
    const session = await pool.acquire({ ...to, port });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await session.run(on)).toEqual(answer);
    silent = true;
    const [error, ms] = await timed(() => failure(session.run(on)));
    expect(error).toMatchObject({
      code: "CONNECTION_LOST",
      cause: expect.objectContaining({ message: expect.stringContaining("keepalives") }),
    });
    expect(ms).toBeLessThan(atOnceMs);
  });

  test("while 8 MB are written into it still fails in time", async () => {
    const { to } = await box.inProcess({
      onExec: (_command, channel) => {
        channel.once("data", () => setTimeout(() => channel.close(), 50));
      },
    });
    const transport = ssh2Transport();
    const connection = await transport.connect(to, performance.now() + 20_000);
    const channel = await connection.open("x", 20_000);
    channel.stdin.on("error", () => {});
    channel.stdout.resume();
    channel.stderr.resume();
    for (let count = 0; count < 8; count++) channel.stdin.write(Buffer.alloc(1 << 20));
    await channel.closed;
    await connection.close();
    // An ended client throws at once, which must not get out.
    expect(await failure(connection.open("x", 20_000))).toMatchObject({ code: "CONNECTION_LOST" });
  });
});

test("5 MB on stderr that nobody asked for do not stop stdout", async () => {
  const { to } = await box.inProcess();
  const script = "head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero; echo end";
  const [result] = await (await box.pool().acquire(to)).run([{ argv: ["sh", "-c", script] }]);
  expect(result?.stdout.length).toBe(5_000_004);
});

test("a batch of 3000 commands and 1 MB goes through one channel", async () => {
  const { to } = await box.inProcess();
  const commands = Array.from({ length: 3000 }, (_, index) => ({ argv: ["echo", `${index}`.padEnd(300, ".")] }));
  const results = await (await box.pool().acquire(to)).run(commands);
  expect(results.map(({ stdout }) => stdout)).toEqual(commands.map(({ argv }) => `${argv[1]}\n`));
});

test("a channel that the host refuses for good is SHELL", async () => {
  const { to } = await box.inProcess({ maxSessions: 0 });
  const [error, ms] = await timed(() => failure(box.pool({ openMs: 4000 }).acquire(to)));
  expect(error).toMatchObject({ code: "SHELL", message: expect.stringContaining("opens no channel") });
  expect(ms).toBeLessThan(atOnceMs);
});

test("a ProxyCommand is not passed over in silence", async () => {
  const { to } = await box.inProcess();
  const error = await failure(box.pool().acquire({ ...to, proxyCommand: "nc %h %p" }));
  expect(error.message).toContain('transport: "openssh"');
});

describe("jump hosts", () => {
  test("carry the connection, are each verified, and are logged in to once for all behind them", async () => {
    const [bastion, one, two] = [await box.inProcess(), await box.inProcess(), await box.inProcess()];
    const pool = box.pool();
    const behind = [one, two].map(({ to }) => ({ ...to, jumpHosts: [{ ...bastion.to, name: "bastion" }] }));
    const sessions = await Promise.all(behind.map((to) => pool.acquire(to)));
    for (const session of sessions) expect(await session.run(on)).toEqual(answer);
    expect(bastion.server.seen.connections).toBe(1);
    await pool.closeAll();
    await until("the bastion's connection is closed", () => bastion.server.open() === 0);
  });

  test("in a row carry it too", async () => {
    const [first, second, last] = [await box.inProcess(), await box.inProcess(), await box.inProcess()];
    await works({ ...last.to, jumpHosts: [first.to, second.to] });
    expect(first.server.seen.connections).toBe(1);
  });

  test("with a wrong key are named", async () => {
    const [bastion, inner] = [await box.inProcess(), await box.inProcess()];
    const jumpHosts = [{ ...bastion.to, hostKeys: [fingerprintOf(makeKey(box.folder, "other").publicKey)] }];
    const error = await failure(box.pool().acquire({ ...inner.to, jumpHosts }));
    expect(error).toMatchObject({ code: "HOST_KEY_MISMATCH", message: expect.stringContaining("jump host 127.0.0.1") });
    expect(inner.server.seen.connections).toBe(0);
  });

  test("that break end what they carry", async () => {
    const [bastion, inner] = [await box.inProcess(), await box.inProcess()];
    const session = await box.pool().acquire({ ...inner.to, jumpHosts: [bastion.to] });
    const running = failure(session.run([{ argv: ["sleep", "20"] }]));
    setTimeout(() => bastion.server.cut(), 100);
    const [error, ms] = await timed(() => running);
    expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    expect(ms).toBeLessThan(atOnceMs);
  });

  test("that cannot reach the host say so", async () => {
    const [bastion, inner] = [await box.inProcess(), await box.inProcess()];
    const to = { ...inner.to, port: await freePort(), jumpHosts: [bastion.to] };
    expect(await failure(box.pool().acquire({ ...to, connectTimeoutMs: 300 }))).toMatchObject({ code: "UNREACHABLE" });
  });

  test("whose host does not listen yet are asked again until it does", async () => {
    const [bastion, inner] = [await box.inProcess(), await box.inProcess()];
    const closed = await freePort();
    const real = ssh2Transport();
    let dials = 0;
    const connect: typeof real.connect = (to, deadline) =>
      real.connect(++dials < 3 ? { ...to, port: closed } : to, deadline);
    const to = { ...inner.to, jumpHosts: [bastion.to], connectTimeoutMs: 20_000 };
    const session = await box.pool({ transports: { ssh2: { connect } } }).acquire(to);
    expect(await session.run(on)).toEqual(answer);
    expect(dials).toBe(3);
  });
});
