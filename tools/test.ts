import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { down, status, up } from "../lab";
import { Children } from "./children";
import { duration, heading, log, runMain } from "./log";
import { nodeRelease } from "./node-release";
import { findPulumi, type Pulumi } from "./pulumi";
import { root, stateDir } from "./root";
import { type LabEnv, secondLabDown, secondLabUp } from "./second-lab";
import { setup } from "./setup";
import { type Counts, failures, type JestJson, jestCounts, type StageResult, timeTable, totals } from "./stages";
import { testPackages } from "./test-packages";

const usage = "usage: npm test [-- unit|e2e|laws] [--node RELEASE] [--keep-lab] [arguments for jest]";
const bin = (name: string) => join(root, "node_modules", ".bin", name);

/** jest's projects on the labs. In one run, so that no lab waits while the other has the last of the first project. */
const onLabs = ["laws", "e2e"];

interface Outcome {
  ok: boolean;
  counts?: Counts;
  failures?: string[];
}

/** `npm test`: every stage in order, also after one failed; then where time went, and the sum as the very last line. */
async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const only = args.find((arg) => arg === "unit" || onLabs.includes(arg));
  if (args.includes("--help")) {
    log(usage);
    return 0;
  }
  const keepLab = args.includes("--keep-lab");
  const [option, release] = args.includes("--node") ? args.splice(args.indexOf("--node"), 2) : [];
  if (option && !release) throw new Error(usage);
  const jestArgs = args.filter((arg) => arg !== only && arg !== "--keep-lab");
  const node = release ? await nodeRelease(release, log) : process.execPath;
  // Pulumi's language host and provider, and what npm has installed, take the first one on PATH.
  if (release) process.env.PATH = [dirname(node), process.env.PATH].join(delimiter);
  const children = new Children();
  const temporary = mkdtempSync(join(tmpdir(), "hostnet-test-"));
  const results: StageResult[] = [];
  const failed: string[] = [];

  const stage = async (name: string, run: () => Promise<Outcome>): Promise<boolean> => {
    if (children.stopped) return false;
    heading(name);
    const started = Date.now();
    let outcome: Outcome;
    try {
      outcome = await run();
    } catch (error) {
      log(error instanceof Error ? error.message : String(error));
      outcome = { ok: false };
    }
    const seconds = (Date.now() - started) / 1000;
    log(`${outcome.ok ? "ok" : "FAILED"}: ${name}, ${duration(seconds)}`);
    results.push({ name, seconds, ...outcome });
    failed.push(...(outcome.failures ?? []));
    return outcome.ok;
  };
  const program = (command: string, ...list: string[]) => children.run(command, list);
  const jest = async (projects: string[], more: string[], env: Record<string, string>): Promise<Outcome> => {
    const output = join(temporary, `${projects.join("-")}.json`);
    const ok = await children.run(
      node,
      [
        // execa is an ES module, which jest loads only with this flag; as an argument it stays out of Pulumi's children.
        "--experimental-vm-modules",
        "--no-warnings",
        join(root, "node_modules", "jest", "bin", "jest.js"),
        // It takes all that follows up to the next option: a file's name must not come after it.
        ...["--selectProjects", ...projects, "--json", "--outputFile", output],
        ...more,
        ...jestArgs,
      ],
      env,
    );
    const json = existsSync(output) ? (JSON.parse(readFileSync(output, "utf8")) as JestJson) : undefined;
    return { ok, ...(json && { counts: jestCounts(json), failures: failures(json) }) };
  };

  try {
    if (only === undefined) {
      await stage("Biome: format and lint", async () => ({ ok: await program(bin("biome"), "check", ".") }));
      await stage("Types", async () => ({
        ok:
          (await program(bin("tsc"), "-p", ".")) &&
          (await program(bin("tsc"), "-p", "test", "--noEmit")) &&
          (await program(bin("tsc"), "-p", "examples")),
      }));
      await stage("Generated files are current", async () => ({
        ok:
          (await program(node, join(root, "dist", "tools", "generate.js"), "--check")) &&
          (await program(node, join(root, "dist", "tools", "generate-pictures.js"), "--check")),
      }));
    }
    if (only === undefined) {
      await stage("Set-up: Debian packages for the unit tests", async () => {
        await setup(testPackages);
        return { ok: true };
      });
    }
    if (only === undefined || only === "unit") await stage("Unit tests", () => jest(["unit"], [], {}));
    if (only !== "unit") await endToEnd(only ? [only] : onLabs);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }

  const sum = totals(results);
  if (failed.length > 0) log(`\nWhat failed:\n  ${failed.join("\n  ")}`);
  log(`\nWhere time went:\n${timeTable(results)}\n`);
  if (children.stopped) log(`Ended by ${children.stopped}; not everything ran.`);
  const good = sum.failed === 0 && !children.stopped;
  process.stdout.write(`${sum.passed} passed, ${sum.failed} failed\n`);
  return good ? 0 : 1;

  async function endToEnd(projects: string[]) {
    let pulumi: Pulumi | undefined;
    const ready =
      (await stage("Set-up: Debian packages", async () => {
        await setup();
        return { ok: true };
      })) &&
      (only === "laws" ||
        (await stage("Set-up: Pulumi CLI", async () => {
          pulumi = await findPulumi(log);
          log(`Pulumi ${pulumi.version} (${pulumi.how}, ${pulumi.bin})`);
          return { ok: true };
        })));
    if (!ready) return;
    const wasUp = await isUp();
    // Folders of an interrupted run; on a lab that was down, their stacks are gone as well.
    if (!wasUp) rmSync(join(stateDir, "e2e"), { recursive: true, force: true });
    // One file needs one lab; jest runs it in its own process, as worker 1.
    const both = jestArgs.length === 0;
    const labs: LabEnv[] = [];
    try {
      const allUp = await stage("Labs up", async () => {
        const hosts = await up({ log });
        labs.push({ HOSTNET_LAB: JSON.stringify(hosts) });
        if (both) labs.push(await secondLabUp());
        return { ok: true };
      });
      if (!allUp) return;
      const env = { ...pulumi?.env, PULUMI_HOME: join(temporary, "pulumi-home"), PULUMI_SKIP_UPDATE_CHECK: "true" };
      const workers = ["--maxWorkers", String(labs.length)];
      const title = projects.includes("e2e") ? "End-to-end tests" : "Laws end to end";
      await stage(title, () => jest(projects, workers, { ...env, HOSTNET_LABS: JSON.stringify(labs) }));
    } finally {
      // Also when they came up only half, or a signal ended the tests.
      const ends = !wasUp && !keepLab;
      if (both || ends) heading("Labs down");
      if (both) await secondLabDown();
      if (ends) await down({ log });
    }
  }
}

/** Whether the lab ran before the tests: then somebody uses it, and it stays. */
async function isUp(): Promise<boolean> {
  try {
    return (await status()).some((host) => host.running);
  } catch {
    return false;
  }
}

runMain(main);
