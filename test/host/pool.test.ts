import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { localTransport } from "../../provider/host/local";
import type { PoolOptions } from "../../provider/host/pool";
import { targetKey } from "../../provider/host/target-key";
import type { Connection, Transport } from "../../provider/host/transport";
import { HostnetError } from "../../provider/model/errors";
import { Hosts } from "./helpers/hosts";
import { failure } from "./helpers/sandbox";
import { inTypeScript } from "./helpers/script";
import { target } from "./helpers/target";

const box = new Hosts();
afterEach(() => box.clean());
afterAll(() => box.remove());

const to = target({ transport: "local" });
const on = [{ argv: ["echo", "on"] }];

/** A pool whose dials are counted, and fail as they are told to before they come through. */
function counted(options: PoolOptions & { failures?: HostnetError[]; dialMs?: number } = {}) {
  const { failures = [], dialMs = 0, ...rest } = options;
  const dials = { made: 0, now: 0, most: 0 };
  const real = localTransport();
  const local: Transport = {
    connect: async (...args): Promise<Connection> => {
      dials.made++;
      dials.most = Math.max(dials.most, ++dials.now);
      await new Promise((go) => setTimeout(go, dialMs));
      dials.now--;
      const error = failures.shift();
      if (error) throw error;
      return real.connect(...args);
    },
  };
  return { dials, pool: box.pool({ transports: { local }, ...rest }) };
}

const transient = () =>
  new HostnetError("UNREACHABLE", "refused", { cause: Object.assign(new Error("no"), { code: "ECONNREFUSED" }) });

test("however many ask for one target, it is dialled once", async () => {
  const { dials, pool } = counted({ dialMs: 50 });
  const sessions = await Promise.all(Array.from({ length: 50 }, (_, name) => pool.acquire({ ...to, name: `${name}` })));
  expect(new Set(sessions).size).toBe(1);
  expect(await pool.acquire(to)).toBe(sessions[0]);
  expect(dials.made).toBe(1);
});

test("another user, key, pin or way is another connection; another name is not", () => {
  const variants = [
    to,
    { ...to, user: "other" },
    { ...to, privateKeyPaths: ["/k"] },
    { ...to, hostKeys: ["SHA256:x"] },
    { ...to, become: "sudo" as const },
    { ...to, jumpHosts: [to] },
    { ...to, jumpHosts: [{ ...to, port: 23 }] },
  ];
  expect(new Set(variants.map((variant) => targetKey(variant))).size).toBe(variants.length);
  const { name: _, ...rest } = to;
  expect(targetKey({ ...rest, name: "other" })).toBe(targetKey(to));
  expect(targetKey({ ...to, jumpHosts: [{ ...to, name: "x" }] })).toBe(targetKey({ ...to, jumpHosts: [to] }));
});

test("a dial in which nothing can have run is tried again, and a name that fails carries the host's", async () => {
  const { dials, pool } = counted({ failures: [transient(), transient()] });
  expect(await (await pool.acquire(to)).run(on)).toMatchObject([{ stdout: "on\n" }]);
  expect(dials.made).toBe(3);
});

test.each(["AUTH", "HOST_KEY_UNKNOWN", "HOST_KEY_MISMATCH", "BECOME", "UNREACHABLE"] as const)(
  "%s is not tried again",
  async (code) => {
    const { dials, pool } = counted({ failures: [new HostnetError(code, "no")] });
    expect(await failure(pool.acquire({ ...to, name: "web1" }))).toMatchObject({
      code,
      message: expect.stringMatching(/^web1: /),
    });
    expect(dials.made).toBe(1);
  },
);

test("a dial ends in its time also where the clock is put back meanwhile", async () => {
  const { pool } = counted({ failures: Array.from({ length: 7 }, transient) });
  const clock = jest.spyOn(Date, "now").mockReturnValueOnce(Date.now()).mockReturnValue(0);
  const error = await failure(pool.acquire({ ...to, connectTimeoutMs: 400 }));
  clock.mockRestore();
  expect(error).toMatchObject({ code: "UNREACHABLE" });
});

test("a refused login is remembered for its target alone", async () => {
  const { dials, pool } = counted({ failures: [new HostnetError("AUTH", "no")] });
  for (let round = 0; round < 3; round++) expect(await failure(pool.acquire(to))).toMatchObject({ code: "AUTH" });
  expect(dials.made).toBe(1);
  await pool.acquire({ ...to, user: "other" });
  expect(dials.made).toBe(2);
});

test("not all hosts are dialled at once", async () => {
  const { dials, pool } = counted({ maxDials: 3, dialMs: 20 });
  await Promise.all(Array.from({ length: 8 }, (_, port) => pool.acquire({ ...to, port })));
  expect(dials).toMatchObject({ made: 8, most: 3 });
});

test("an idle session is closed, one at work is not, and the next acquire dials anew", async () => {
  const { dials, pool } = counted({ idleMs: 150 });
  const session = await pool.acquire(to);
  expect(await session.run([{ argv: ["sleep", "0.4"] }])).toMatchObject([{ exitCode: 0 }]);
  expect(await session.run(on)).toHaveLength(1);
  await new Promise((go) => setTimeout(go, 400));
  expect(await failure(session.run(on))).toMatchObject({ code: "CONNECTION_LOST" });
  const next = await pool.acquire(to);
  expect(await next.run(on)).toHaveLength(1);
  expect(dials.made).toBe(2);
  expect(next.counters.connections).toBe(2);
});

test("an idle session does not keep the process alive, and work that is under way does", async () => {
  const { server, to: host } = await box.inProcess();
  for (const subject of [host, to]) {
    const script = inTypeScript(`
      const { acquire } = require(${JSON.stringify(require.resolve("../../provider/host/pool"))});
      acquire(${JSON.stringify(subject)}).then((session) => {
        void session.run([{ argv: ["sleep", "0.3"] }]).then(() => console.log("done"));
      });`);
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], { timeout: 45_000 });
    expect(stdout).toBe("done\n");
  }
  expect(server.seen.connections).toBe(1);
}, 100_000);
