import { spawnSync } from "node:child_process";
import { localTransport } from "../../provider/host/local";
import { Pool, type PoolOptions } from "../../provider/host/pool";
import { atOnceMs, failure, Sandbox, timed, until } from "./helpers/sandbox";
import { target } from "./helpers/target";

const box = new Sandbox();
afterEach(() => box.clean());
afterAll(() => box.remove());

const to = target({ transport: "local" });
const pool = (options: PoolOptions = {}) => box.keep(new Pool(options), (kept) => kept.closeAll());

test("the machine itself is a host without ssh", async () => {
  const session = await pool().acquire(to);
  expect(await session.run([{ argv: ["echo", "on"] }], { lock: true })).toMatchObject([{ stdout: "on\n" }]);
  expect(session.facts.sshConnection).toBeUndefined();
  expect(session.facts.hostKeyFingerprint).toBeUndefined();
  expect(session.counters).toMatchObject({ connections: 1, channels: 1 });
});

test("our own environment is not passed on, what is given is", async () => {
  process.env.HOSTNET_TEST_SECRET = "s3cret";
  const local = localTransport({ GIVEN: "yes" });
  const session = await pool({ transports: { local } }).acquire(to);
  delete process.env.HOSTNET_TEST_SECRET;
  const [env] = await session.run([{ argv: ["env"] }]);
  expect(env?.stdout).not.toContain("s3cret");
});

test("slow commands have a shell of their own", async () => {
  const session = await pool().acquire(to);
  const order: string[] = [];
  const wait = { argv: ["sh", "-c", `while [ ! -e '${box.path("quick")}' ]; do sleep 0.02; done`] };
  const slow = session.run([wait], { slow: true }).then(() => order.push("slow"));
  await session.run([{ argv: ["touch", box.path("quick")] }]).then(() => order.push("quick"));
  await slow;
  expect(order).toEqual(["quick", "slow"]);
});

test("a command that hangs is ended with all it started, and the next acquire begins anew", async () => {
  const sessions = pool();
  const session = await sessions.acquire(to);
  const mark = `${31_000 + Math.floor(Math.random() * 900)}`;
  const [error, ms] = await timed(() => failure(session.run([{ argv: ["sleep", mark] }], { timeoutMs: 1000 })));
  expect(error).toMatchObject({ code: "TIMEOUT", message: expect.stringContaining(`step: sleep ${mark}`) });
  expect(ms).toBeLessThan(atOnceMs);
  expect(await (await sessions.acquire(to)).run([{ argv: ["echo", "on"] }])).toMatchObject([{ stdout: "on\n" }]);
  const left = () => spawnSync("pgrep", ["-f", `sleep ${mark}`], { encoding: "utf8" }).stdout;
  await until("it is ended", () => left() === "");
});

test("a session that is closed says so", async () => {
  const session = await pool().acquire(to);
  await session.close();
  expect(await failure(session.run([{ argv: ["true"] }]))).toMatchObject({ code: "CONNECTION_LOST" });
});

test("of the commands that stop at a failure none runs after one; the others do", async () => {
  const session = await pool().acquire(to);
  const commands = [["true"], ["false"], ["echo", "never"], ["echo", "always"]].map((argv) => ({ argv }));
  const stopped = await session.run(commands, { writes: 3, lock: true });
  expect(stopped).toEqual([
    { exitCode: 0, stdout: "", stderr: "" },
    { exitCode: 1, stdout: "", stderr: "" },
    { exitCode: -1, stdout: "", stderr: "" },
    { exitCode: 0, stdout: "always\n", stderr: "" },
  ]);
  const [tolerated, on] = await session.run([{ argv: ["false"], mayFail: true }, { argv: ["echo", "on"] }], {
    writes: 2,
  });
  expect([tolerated?.exitCode, on?.stdout]).toEqual([0, "on\n"]);
  const touched = `${box.folder}/never`;
  await session.run([{ argv: ["false"] }, { argv: ["touch", touched] }], { writes: 2 });
  const [there] = await session.run([{ argv: ["test", "-e", touched] }]);
  expect(there?.exitCode).toBe(1);
});
