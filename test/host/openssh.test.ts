import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { opensshTransport } from "../../provider/host/openssh";
import type { Target } from "../../provider/host/target";
import { startAgent } from "./helpers/agent";
import { fingerprintOf, Hosts } from "./helpers/hosts";
import { makeKey } from "./helpers/keys";
import { atOnceMs, failure, timed, until } from "./helpers/sandbox";
import { inTypeScript } from "./helpers/script";
import { describeSshd, freePort } from "./helpers/sshd";
import { target } from "./helpers/target";

const box = new Hosts();
afterEach(() => box.clean());
afterAll(() => box.remove());

/** How often it was dialled, beside the once by which its start is seen. */
const dials = ({ count }: { count(pattern: RegExp): number }) => count(/Connection from/) - 1;

const on = [{ argv: ["echo", "on"] }];
const answer = [{ exitCode: 0, stdout: "on\n", stderr: "" }];

/** A real sshd, and a target for it by the system's ssh, which reads none of the user's own config. */
async function host(config: string[] = []) {
  const { sshd, to } = await box.sshd({ config });
  const sshConfigPath = box.path("ssh_config");
  writeFileSync(sshConfigPath, "");
  return { sshd, to: { ...to, transport: "openssh" as const, sshConfigPath, identitiesOnly: true } };
}

const run = async (to: Target) => (await box.pool().acquire(to)).run(on);
const fails = (to: Target) => failure(box.pool().acquire(to));
/** Folders of this transport that hold a key: those of other processes hold other ones. */
const foldersWith = (key: string) =>
  readdirSync(tmpdir()).filter((name) => {
    try {
      return (
        name.startsWith("hostnet-ssh-") && readFileSync(join(tmpdir(), name, "hostnet-target-key"), "utf8") === key
      );
    } catch {
      return false;
    }
  });
const hostLine = () => box.hostKey.publicKey.split(" ").slice(0, 2).join(" ");

test("a machine of the user's that has no ssh is told so", async () => {
  const pool = box.pool({ transports: { openssh: opensshTransport("no-such-ssh") } });
  const error = await failure(pool.acquire(target({ transport: "openssh" })));
  expect(error).toMatchObject({ code: "UNREACHABLE" });
  expect(error.message).toMatch(/no-such-ssh cannot be started on this machine \(ENOENT\).*\n.*openssh-client/);
});

describeSshd("the system's ssh", () => {
  test("runs commands, over one connection", async () => {
    const { sshd, to } = await host();
    const session = await box.pool().acquire(to);
    const big = { argv: ["head", "-c", "5000000", "/dev/zero"] };
    expect((await session.run([...on, big])).map(({ stdout }) => stdout.length)).toEqual([3, 5_000_000]);
    expect(await session.run(on, { slow: true })).toEqual(answer);
    expect(session.counters).toMatchObject({ connections: 1, channels: 1 });
    expect(session.facts.sshConnection).toMatchObject({ serverAddress: "127.0.0.1", serverPort: to.port });
    expect(sshd.count(/Accepted publickey/)).toBe(1);
  });

  test("checks pinned keys, as lines and as fingerprints", async () => {
    const { to } = await host();
    const other = makeKey(box.folder, "other").publicKey.split(" ").slice(0, 2).join(" ");
    expect(await run({ ...to, hostKeys: [hostLine()] })).toEqual(answer);
    expect(await run({ ...to, hostKeys: [other, box.pin] })).toEqual(answer);
    expect(await fails({ ...to, hostKeys: [other] })).toMatchObject({ code: "HOST_KEY_MISMATCH" });
    expect(await fails({ ...to, hostKeys: [`SHA256:${"A".repeat(43)}`] })).toMatchObject({ code: "HOST_KEY_MISMATCH" });
  });

  test("asks for the host's other keys where a fingerprint is pinned, also of a jump host", async () => {
    const own = makeKey(box.folder, "own", { type: "ecdsa" });
    const { sshd, to } = await host([`HostKey ${own.path}`]);
    const hostKeys = [fingerprintOf(own.publicKey)];
    expect(await run({ ...to, hostKeys })).toEqual(answer);
    expect(dials(sshd)).toBe(2);
    const { to: inner } = await host();
    expect(await run({ ...inner, jumpHosts: [{ ...to, hostKeys }] })).toEqual(answer);
    expect(await fails({ ...to, hostKeys: [`SHA256:${"A".repeat(43)}`] })).toMatchObject({ code: "HOST_KEY_MISMATCH" });
    expect(dials(sshd)).toBe(7);
  });

  test("checks known_hosts where nothing is pinned", async () => {
    const { to } = await host();
    const known = box.path("known");
    const asked = { ...to, hostKeys: [], knownHostsPaths: [known] };
    writeFileSync(known, "");
    expect(await fails(asked)).toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    writeFileSync(known, `[127.0.0.1]:${to.port} ${hostLine()}\n`);
    expect(await run(asked)).toEqual(answer);
    const other = makeKey(box.folder, "other").publicKey;
    writeFileSync(known, `[127.0.0.1]:${to.port} ${other}\n`);
    expect(await fails(asked)).toMatchObject({ code: "HOST_KEY_MISMATCH" });
    expect(readFileSync(known, "utf8")).toBe(`[127.0.0.1]:${to.port} ${other}\n`);
  });

  test("logs in with a literal key, or by an agent, and says when it is refused", async () => {
    const { sshd, to } = await host();
    expect(await run({ ...to, privateKeyPaths: [], privateKey: box.key.privateKey.trim() })).toEqual(answer);
    // The connection is still open, and the key is soon on no disk any more.
    await until("the key is on no disk", () => foldersWith(box.key.privateKey).length === 0);
    const agentSocket = await startAgent(box, [makeKey(box.folder, "first").path, box.key.path]);
    writeFileSync(box.path("named.pub"), box.key.publicKey);
    expect(await run({ ...to, privateKeyPaths: [box.path("named.pub")], agentSocket })).toEqual(answer);
    const stranger = { ...to, privateKeyPaths: [makeKey(box.folder, "stranger").path] };
    const pool = box.pool();
    expect(await failure(pool.acquire(stranger))).toMatchObject({ code: "AUTH" });
    const dialled = dials(sshd);
    expect(await failure(pool.acquire(stranger))).toMatchObject({ code: "AUTH" });
    expect(dials(sshd)).toBe(dialled);
  });

  test.each([
    ["is told to end by SIGTERM", "SIGTERM", ""],
    ["is told to end by SIGINT", "SIGINT", ""],
    ["ends by itself", 7, "process.exit(7)"],
    [
      "deals with SIGTERM itself",
      8,
      'process.on("SIGTERM", () => process.exit(8)); process.kill(process.pid, "SIGTERM")',
    ],
  ])("leaves no key behind when the process %s while it logs in", async (_, end, ending) => {
    const program = box.path("ssh-that-hangs");
    writeFileSync(program, "#!/bin/sh\nexec cat >/dev/null\n", { mode: 0o755 });
    const folder = mkdtempSync(box.path("tmp-"));
    const script = inTypeScript(`
      const { Pool } = require(${JSON.stringify(require.resolve("../../provider/host/pool"))});
      const { opensshTransport } = require(${JSON.stringify(require.resolve("../../provider/host/openssh"))});
      const pool = new Pool({ transports: { openssh: opensshTransport(${JSON.stringify(program)}) } });
      void pool.acquire(${JSON.stringify(target({ transport: "openssh", privateKey: "secret" }))});
      const { readdirSync } = require("node:fs");
      const look = setInterval(() => {
        const [made] = readdirSync(${JSON.stringify(folder)});
        if (!made || !readdirSync(${JSON.stringify(folder)} + "/" + made).some((name) => name.endsWith("-key"))) return;
        clearInterval(look);
        ${ending || 'process.stdout.write("key")'}
      }, 10);`);
    const child = spawn(process.execPath, ["-e", script], { env: { ...process.env, TMPDIR: folder } });
    child.stdout.once("data", () => child.kill(end as NodeJS.Signals));
    const [status, signal] = await once(child, "exit");
    expect(signal ?? status).toBe(end);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("goes by jump hosts with keys and pins of their own, and by the user's ProxyCommand", async () => {
    const [bastion, { to }] = [await host(), await host()];
    expect(await run({ ...to, jumpHosts: [bastion.to] })).toEqual(answer);
    expect(bastion.sshd.count(/Accepted publickey/)).toBe(1);
    const wrong = { ...bastion.to, hostKeys: [`SHA256:${"A".repeat(43)}`] };
    expect(await fails({ ...to, jumpHosts: [wrong] })).toMatchObject({ code: expect.stringMatching(/^HOST_KEY/) });
    const { port } = bastion.to;
    const proxy = `ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i ${box.key.path}`;
    writeFileSync(box.path("ssh_config"), `Host inner\n  ProxyCommand ${proxy} -p ${port} -W %h:%p 127.0.0.1\n`);
    expect(await run({ ...to, alias: "inner", proxyCommand: "ssh …" })).toEqual(answer);
    expect(bastion.sshd.count(/Accepted publickey/)).toBe(2);
  });

  test("goes straight where no jump host is left, whatever the user's config says, also to the first jump host", async () => {
    const [bastion, { to }] = [await host(), await host()];
    writeFileSync(to.sshConfigPath, "Host *\n  ProxyJump 127.0.0.2:1\n");
    expect(await run(to)).toEqual(answer);
    expect(await run({ ...to, jumpHosts: [bastion.to] })).toEqual(answer);
    writeFileSync(to.sshConfigPath, "Host *\n  ProxyCommand false\n");
    expect(await run(to)).toEqual(answer);
  });

  test("goes to the first jump host by the ProxyCommand that the user's config has for that", async () => {
    const [outer, bastion, { to }] = [await host(), await host(), await host()];
    const seen = box.path("seen");
    const ssh = `ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i ${box.key.path}`;
    const proxyCommand = `sh -c 'echo %n %%n >${seen}; exec ${ssh} -p ${outer.to.port} -W %h:%p 127.0.0.1'`;
    expect(await run({ ...to, jumpHosts: [{ ...bastion.to, alias: "bastion", proxyCommand }] })).toEqual(answer);
    expect(readFileSync(seen, "utf8")).toBe("bastion %n\n");
    expect([outer, bastion].map(({ sshd }) => sshd.count(/Accepted publickey/))).toEqual([1, 1]);
  });

  test("shows a jump host the certificate that the user's config has for it", async () => {
    const authority = makeKey(box.folder, "authority");
    const { path } = makeKey(box.folder, "certified");
    const { sshd, to } = await host();
    const bastion = await box.sshd({ authorizedKeys: [], config: [`TrustedUserCAKeys ${authority.path}.pub`] });
    const signed = spawnSync("ssh-keygen", ["-q", "-s", authority.path, "-I", "i", "-n", to.user, `${path}.pub`]);
    expect(signed.status).toBe(0);
    // Beside its key ssh would find it by itself.
    renameSync(`${path}-cert.pub`, box.path("a-cert.pub"));
    const hop = { ...bastion.to, alias: "bastion", privateKeyPaths: [path], identitiesOnly: true };
    expect(await fails({ ...to, jumpHosts: [hop] })).toMatchObject({ code: "AUTH" });
    writeFileSync(to.sshConfigPath, `Host bastion\n  CertificateFile ${box.path("a-cert.pub")}\n`);
    expect(await run({ ...to, jumpHosts: [hop] })).toEqual(answer);
    expect([sshd, bastion.sshd].map((one) => one.count(/Accepted publickey/))).toEqual([1, 1]);
  });

  test("dials a host behind a jump host again until it listens", async () => {
    const [bastion, { to }] = [await host(), await host()];
    const closed = await freePort();
    const real = opensshTransport();
    let dials = 0;
    const connect: typeof real.connect = (way, deadline) =>
      real.connect(++dials < 3 ? { ...way, port: closed } : way, deadline);
    const pool = box.pool({ transports: { openssh: { connect } } });
    const session = await pool.acquire({ ...to, jumpHosts: [bastion.to], connectTimeoutMs: 20_000 });
    expect(await session.run(on)).toEqual(answer);
    expect(dials).toBe(3);
  });

  test.each([
    ["may not forward", ["AllowTcpForwarding no"], "127.0.0.1", /administratively prohibited/],
    ["does not know the host's name", [], "no-such-host.invalid", /not known|resolution/],
  ])("asks a jump host once that %s, and says so", async (_, config, address, message) => {
    const [bastion, { to }] = [await host(config), await host()];
    const connect = jest.fn(opensshTransport().connect);
    const pool = box.pool({ transports: { openssh: { connect } } });
    const error = await failure(pool.acquire({ ...to, address, jumpHosts: [bastion.to] }));
    expect(error).toMatchObject({ code: "UNREACHABLE", message: expect.stringMatching(message) });
    // Where no DNS answers, the name may be known in a moment.
    if (!/Temporary failure/.test(error.message)) expect(connect).toHaveBeenCalledTimes(1);
  });

  test("runs our shell where the user's config has a RemoteCommand for a login by hand", async () => {
    const { to } = await host();
    writeFileSync(to.sshConfigPath, "Host *\n  RemoteCommand tmux new -A\n");
    expect(await run(to)).toEqual(answer);
  });

  test("is dialled again where the host hangs up before the login, as a sshd does that is being restarted", async () => {
    const { sshd, to } = await host();
    let calls = 0;
    const front = createServer((socket) => {
      socket.on("error", () => {});
      if (++calls < 3) return socket.write("SSH-2.0-hangs-up\r\n", () => socket.destroy());
      const onward = connect(sshd.port, "127.0.0.1").on("error", () => {});
      return socket.pipe(onward).pipe(socket);
    });
    await once(front.listen(0, "127.0.0.1"), "listening");
    box.keep(front, () => front.close());
    expect(await run({ ...to, port: (front.address() as AddressInfo).port, connectTimeoutMs: 20_000 })).toEqual(answer);
    expect(calls).toBe(3);
  });

  test("says what a host offers that ssh does not take", async () => {
    const { to } = await host(["KexAlgorithms diffie-hellman-group1-sha1"]);
    expect((await fails(to)).message).toMatch(
      /no matching key exchange method found\. Their offer: diffie-hellman-group1/,
    );
  });

  test("fails in time where nobody listens", async () => {
    const { to } = await host();
    const [error, ms] = await timed(async () => fails({ ...to, port: await freePort(), connectTimeoutMs: 600 }));
    expect(error).toMatchObject({ code: "UNREACHABLE", message: expect.stringContaining("Connection refused") });
    expect(ms).toBeLessThan(atOnceMs);
  });

  test("that is killed in a batch fails it at once", async () => {
    const { sshd, to } = await host();
    const session = await box.pool().acquire(to);
    const running = failure(session.run([{ argv: ["sleep", "20"] }]));
    setTimeout(() => sshd.killSessions(), 200);
    const [error, ms] = await timed(() => running);
    expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    expect(ms).toBeLessThan(atOnceMs);
  });
});
