import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declareHost } from "./helpers/declare";
import { footprint, host, mustOnHost, withoutNetnsFolder } from "./helpers/lab";
import { createStack, type Stack } from "./helpers/stack";

/** A stack and its host outlive names and addresses, and a host that does not answer is not taken for one that is gone. */
const folder = mkdtempSync(join(tmpdir(), "hostnet-hosts-"));
let stack: Stack;
let before: unknown;

const program = (extra: Record<string, unknown> = {}, rest = 'new hostnet.Namespace("ho-ns", { host });') => `
const hostnet = require("pulumi-hostnet");
const host = ${declareHost("n1", extra)};
${rest}
`;

/** An ssh config by which nobody answers. */
const dead = () => {
  const path = join(folder, "dead");
  writeFileSync(path, `Host *\n  Port 1\n  ConnectTimeout 3\n`);
  return { HOSTNET_SSH_CONFIG: path };
};

beforeAll(async () => {
  before = await footprint("n1");
  stack = await createStack({ program: program() });
  await stack.up();
}, 900_000);

afterAll(async () => {
  await stack?.dispose();
  rmSync(folder, { recursive: true, force: true });
}, 900_000);

it("an address change touches nothing on the host, and a renamed stack neither", async () => {
  const made = await footprint("n1");
  const { address, port, knownHostsPath } = host("n1");
  const known = join(folder, "known");
  writeFileSync(known, readFileSync(knownHostsPath, "utf8").replaceAll(`[${address}]:${port}`, `[localhost]:${port}`));
  stack.write(program({ address: "localhost", knownHostsPath: known }));
  const result = await stack.up();
  expect(result).toMatchObject({ update: 2, create: 0, delete: 0, replace: 0 });
  expect(result.resources.find(({ kind }) => kind === "Host")?.diffs).toEqual(["address", "knownHostsPath"]);
  expect(await footprint("n1")).toEqual(made);
  await stack.rename("renamed");
  expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ same: 2, create: 0, update: 0, delete: 0 });
  expect(await footprint("n1")).toEqual(made);
}, 900_000);

it("a host that does not answer fails refresh and destroy, and nothing is lost", async () => {
  for (const command of [() => stack.refresh, () => stack.destroy]) {
    const { all } = await command().call(stack, { expectFailure: true, env: dead() });
    expect(all).toMatch(/n1: .*\[UNREACHABLE\]/);
    expect(stack.resourcesLeft()).toBe(2);
  }
  const { all, update } = await stack.preview({ env: dead() });
  expect(all).toMatch(/warning: .*UNREACHABLE/s);
  expect(update).toBe(0);
}, 900_000);

it("a decommissioned one needs no answer: nothing is made on it, and what was there is forgotten", async () => {
  stack.write(
    program(
      { decommissioned: true },
      'new hostnet.Namespace("ho-ns", { host }); new hostnet.Namespace("ho-new", { host });',
    ),
  );
  const { all } = await stack.up({ expectFailure: true, env: dead(), args: ["--continue-on-error"] });
  expect(all).toMatch(/n1: Namespace ho-new: cannot be made: its host is decommissioned \[INVALID\]/);
  stack.write(program({ decommissioned: true }, ""));
  expect(await stack.up({ env: dead() })).toMatchObject({ delete: 1 });
  expect(await mustOnHost("n1", "ip netns list")).toMatch(/ho-ns/);
  // The machine comes back after all: it is not ours any more by state, and by its mark it still is.
  stack.write(program());
  expect(await stack.up()).toMatchObject({ create: 1 });
  expect(await stack.destroy({ env: { HOSTNET_DECOMMISSIONED: "other, n1", ...dead() } })).toMatchObject({ delete: 2 });
  // Nobody else clears up on a machine that counted as gone.
  await mustOnHost("n1", "ip netns del ho-ns; rm -rf /run/pulumi-hostnet");
  await withoutNetnsFolder("n1");
  expect(await footprint("n1")).toEqual(before);
}, 900_000);
