import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Client } from "ssh2";
import { ssh2Transport } from "../../provider/host/ssh2";
import { login } from "../../provider/host/ssh2-login";
import { dialTcp } from "../../provider/host/tcp";
import { Hosts } from "./helpers/hosts";
import { atOnceMs, failure, timed } from "./helpers/sandbox";
import { describeSshd } from "./helpers/sshd";

/**
 * Traps of ssh2 and of channels that no other file meets (those of stderr, of writes into what is closed, of an ended
 * client, of keepalives and of host keys are in ssh2.test.ts).
 */
const box = new Hosts();
afterEach(() => box.clean());
afterAll(() => box.remove());

const on = [{ argv: ["echo", "on"] }];
const answer = [{ exitCode: 0, stdout: "on\n", stderr: "" }];

test("a channel that is refused at first is asked for again: sshd gives its slot free later than it closes", async () => {
  const { server, to } = await box.inProcess({ refusedFirst: 3 });
  expect(await (await box.pool().acquire(to)).run(on)).toEqual(answer);
  expect(server.seen.connections).toBe(1);
});

test("a host that runs no command is SHELL, and is not dialled again", async () => {
  const { server, to } = await box.inProcess({ refusesExec: true });
  expect(await failure(box.pool().acquire(to))).toMatchObject({
    code: "SHELL",
    message: expect.stringContaining("the host runs no command"),
  });
  expect(server.seen.connections).toBe(1);
});

test("an error that ssh2 tells after the end harms nobody", async () => {
  const { to } = await box.inProcess();
  const connection = await ssh2Transport().connect(to, performance.now() + 20_000);
  await connection.close();
  const { client } = connection as unknown as { client: Client };
  expect(() => client.emit("error", new Error("late"))).not.toThrow();
});

test("a host that hung up while our keys were read is dialled again: it did answer", async () => {
  const { to } = await box.inProcess();
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  box.keep(server, () => server.close());
  const stream = await dialTcp("127.0.0.1", (server.address() as { port: number }).port, performance.now() + 20_000);
  await once(stream, "close");
  const [error, ms] = await timed(() => failure(login(to, stream, performance.now() + 20_000, undefined, undefined)));
  expect(error).toMatchObject({ code: "UNREACHABLE", details: { cause: { code: "ECONNRESET" } } });
  expect(ms).toBeLessThan(atOnceMs);
});

test("a connection whose peer never confirms the end is closed all the same", async () => {
  const { server, to } = await box.inProcess();
  let deaf = false;
  const ours: Socket[] = [];
  // It takes all and answers nothing any more, and leaves its own half open.
  const proxy = createServer({ allowHalfOpen: true }, (socket) => {
    ours.push(socket.on("error", () => {}));
    const onward = connect(server.port, "127.0.0.1");
    onward.on("error", () => {});
    socket.on("data", (data) => deaf || onward.write(data));
    onward.on("data", (data: Buffer) => deaf || socket.write(data));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  box.keep(proxy, () => {
    for (const socket of ours) socket.destroy();
    proxy.close();
  });
  const { port } = proxy.address() as { port: number };
  const connection = await ssh2Transport().connect({ ...to, port }, performance.now() + 20_000);
  deaf = true;
  const { stream } = connection as unknown as { stream: Socket };
  const [, ms] = await timed(() => connection.close());
  expect(ms).toBeLessThan(atOnceMs);
  expect(stream.destroyed).toBe(true);
});

describeSshd("with a real sshd", () => {
  test("a program left in the background does not hold up the next batch, nor the end", async () => {
    const { to } = await box.sshd();
    const session = await box.pool().acquire(to);
    const [started] = await session.run([{ argv: ["sh", "-c", "sleep 60 & echo started"] }]);
    expect(started?.stdout).toBe("started\n");
    expect(await session.run(on)).toEqual(answer);
    const [, ms] = await timed(() => session.close());
    expect(ms).toBeLessThan(atOnceMs);
  });

  test("one that takes no more logins at the moment (MaxStartups) is dialled until it does", async () => {
    const { sshd, to } = await box.sshd({ config: ["MaxStartups 1:100:1", "LoginGraceTime 2"] });
    // Somebody else holds the one place of those who have not logged in, until the grace time ends it.
    const other = box.keep(connect(to.port, "127.0.0.1"), (socket) => socket.destroy());
    other.on("error", () => {});
    await new Promise((resolve) => other.once("data", resolve));
    expect(await (await box.pool().acquire({ ...to, connectTimeoutMs: 20_000 })).run(on)).toEqual(answer);
    expect(sshd.count(/MaxStartups|past MaxStartups|beginning MaxStartups|drop connection/)).toBeGreaterThan(0);
  }, 30_000);
});
