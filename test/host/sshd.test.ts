import { ssh2Transport } from "../../provider/host/ssh2";
import { fingerprintOf, Hosts } from "./helpers/hosts";
import { makeKey } from "./helpers/keys";
import { atOnceMs, failure, timed } from "./helpers/sandbox";
import { describeSshd } from "./helpers/sshd";

const box = new Hosts();
afterEach(() => box.clean());
afterAll(() => box.remove());

/** How often it was dialled, beside the once by which its start is seen. */
const dials = ({ count }: { count(pattern: RegExp): number }) => count(/Connection from/) - 1;

const on = [{ argv: ["echo", "on"] }];
const answer = [{ exitCode: 0, stdout: "on\n", stderr: "" }];

describeSshd("ssh2 with a real sshd", () => {
  test("is one login and one session, with the addresses that sshd sees, and keepalives are answered", async () => {
    const { sshd, to } = await box.sshd({ config: ["MaxSessions 1"] });
    const pool = box.pool();
    const sessions = await Promise.all(Array.from({ length: 20 }, () => pool.acquire(to)));
    expect(await sessions[0]?.run(on)).toEqual(answer);
    // MaxSessions 1 gives no second shell: the first one takes it.
    expect(await sessions[7]?.run(on, { slow: true })).toEqual(answer);
    expect(sessions[0]?.counters).toEqual({ connections: 1, channels: 1, roundTrips: 3, commands: 2 });
    expect(sessions[0]?.facts.sshConnection).toMatchObject({ serverAddress: "127.0.0.1", serverPort: to.port });
    expect(sshd.count(/Accepted publickey/)).toBe(1);
  });

  test("whose session is killed in a batch fails it at once, and is dialled anew", async () => {
    const { sshd, to } = await box.sshd();
    const pool = box.pool();
    const session = await pool.acquire(to);
    const running = failure(session.run([{ argv: ["sleep", "20"] }]));
    setTimeout(() => sshd.killSessions(), 100);
    const [error, ms] = await timed(() => running);
    expect(error).toMatchObject({ code: "CONNECTION_LOST" });
    expect(ms).toBeLessThan(atOnceMs);
    expect(await (await pool.acquire(to)).run(on)).toEqual(answer);
  });

  test("takes RSA and ECDSA keys, of the user and of the host", async () => {
    const [user, own] = [
      makeKey(box.folder, "user-rsa", { type: "rsa" }),
      makeKey(box.folder, "host-ecdsa", { type: "ecdsa" }),
    ];
    const { to } = await box.sshd({ hostKeyPath: own.path, authorizedKeys: [user.publicKey] });
    const hostKeys = [own.publicKey.split(" ").slice(0, 2).join(" ")];
    expect(await (await box.pool().acquire({ ...to, hostKeys, privateKeyPaths: [user.path] })).run(on)).toEqual(answer);
  });

  test("asks for the type of key that is pinned, where the host has several", async () => {
    const own = makeKey(box.folder, "second", { type: "ecdsa" });
    const { to } = await box.sshd({ config: [`HostKey ${own.path}`] });
    const hostKeys = [own.publicKey.split(" ").slice(0, 2).join(" ")];
    expect((await box.pool().acquire({ ...to, hostKeys })).facts.hostKeyFingerprint).not.toBe(box.pin);
  });

  test("asks for its other keys where a fingerprint is pinned, each type once", async () => {
    const [ecdsa, rsa] = ["ecdsa", "rsa"].map((type) => makeKey(box.folder, `own-${type}`, { type }));
    const config = [ecdsa, rsa].map((one) => `HostKey ${one?.path}`);
    const { sshd, to } = await box.sshd({ config });
    const hostKeys = [fingerprintOf(rsa?.publicKey ?? "")];
    const session = await box.pool().acquire({ ...to, hostKeys });
    expect(session.facts.hostKeyFingerprint).toBe(hostKeys[0]);
    expect(dials(sshd)).toBe(3);
    const wrong = await failure(box.pool().acquire({ ...to, hostKeys: [`SHA256:${"A".repeat(43)}`] }));
    expect(wrong).toMatchObject({ code: "HOST_KEY_MISMATCH" });
    expect(dials(sshd)).toBe(6);
    expect(sshd.count(/Accepted publickey/)).toBe(1);
  });

  test("that have no other key than the one that does not fit are asked once more, and it is what is said", async () => {
    const { sshd, to } = await box.sshd();
    const wrong = await failure(box.pool().acquire({ ...to, hostKeys: [`SHA256:${"A".repeat(43)}`] }));
    expect(wrong.message).toContain(`ssh-ed25519 ${box.pin}, is not the one that hostKey pins [HOST_KEY_MISMATCH]`);
    expect(dials(sshd)).toBe(2);
  });

  test("leaves at most five tries behind, which sshd's MaxAuthTries takes", async () => {
    const strangers = Array.from({ length: 7 }, (_, index) => makeKey(box.folder, `stranger${index}`).path);
    const { to } = await box.sshd();
    expect(await failure(box.pool().acquire({ ...to, privateKeyPaths: strangers }))).toMatchObject({
      code: "AUTH",
      message: expect.stringContaining("All configured authentication methods failed"),
    });
  });

  test.each([
    ["internal-sftp", /does not answer|ended/, 1500],
    ["/bin/false", /ended with status 1/, 20_000],
  ])("that forces the command %s is SHELL", async (command, message, startMs) => {
    const { to } = await box.sshd({ config: [`ForceCommand ${command}`] });
    expect(await failure(box.pool({ startMs }).acquire(to))).toMatchObject({
      code: "SHELL",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["may not forward", ["AllowTcpForwarding no"], "127.0.0.1"],
    ["does not know the host's name", [], "no-such-host.invalid"],
  ])("as a jump host that %s is asked once", async (_, config, address) => {
    const [{ to: bastion }, { to }] = [await box.sshd({ config }), await box.sshd()];
    const connect = jest.fn(ssh2Transport().connect);
    const pool = box.pool({ transports: { ssh2: { connect } } });
    const error = await failure(pool.acquire({ ...to, address, jumpHosts: [bastion] }));
    expect(error).toMatchObject({ code: "UNREACHABLE" });
    // Where no DNS answers, the name may be known in a moment.
    if (!/Temporary failure/.test(error.message)) expect(connect).toHaveBeenCalledTimes(1);
  });
});
