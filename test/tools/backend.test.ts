import { backendEnv, isDeployed } from "../../tools/backend";
import type { Pulumi } from "../../tools/pulumi";

const before = { ...process.env };
afterEach(() => {
  process.env = before;
});

test("nothing of the user's own Pulumi set-up reaches the CLI, but for how much it may do at once", () => {
  process.env = {
    ...before,
    PULUMI_CONFIG_PASSPHRASE: "theirs",
    PULUMI_DIY_BACKEND_GZIP: "true",
    PULUMI_PARALLEL: "3",
  };
  const env = backendEnv({ env: { PATH: "/bin" } } as Pulumi);
  expect(env).toMatchObject({ PATH: "/bin", PULUMI_PARALLEL: "3", PULUMI_SKIP_UPDATE_CHECK: "true" });
  // A child gets its parent's variables, unless they are undefined: the passphrase itself would win over its file.
  expect(Object.keys(env)).toEqual(expect.arrayContaining(["PULUMI_CONFIG_PASSPHRASE", "PULUMI_DIY_BACKEND_GZIP"]));
  expect([env.PULUMI_CONFIG_PASSPHRASE, env.PULUMI_DIY_BACKEND_GZIP]).toEqual([undefined, undefined]);
});

test.each([
  ["was only made", undefined, false],
  ["was destroyed", { manifest: {}, metadata: {} }, false],
  ["has resources", { resources: [{}] }, true],
  ["was cut off in its first create", { pending_operations: [{}] }, true],
])("destroy has work on a stack that %s: %j: %p", (_, latest, has) => {
  expect(isDeployed(JSON.stringify({ version: 3, checkpoint: { stack: "s", latest } }))).toBe(has);
});
