import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { isNotable, titleOfLeft } from "../discover/leftovers";
import { titleOf } from "../discover/names";
import { type Discovered, reasonOf } from "../discover/plan";
import type { Thing } from "../discover/survey";
import { restartText } from "../drift";
import { Known } from "../import/known";
import { type Import, prepare } from "../import/prepare";
import { hasLibrary, isProject, programFiles, rewritten, usesOf, writeProgram, writeWhole } from "../import/project";
import { HostnetError } from "../model/errors";
import { resourcesOf } from "../state";
import { discover } from "./discover";
import { collect, type HostOptions, withHostOptions } from "./hosts";
import { busy } from "./progress";
import { exported, shown } from "./pulumi";
import { table } from "./table";

interface Options extends HostOptions {
  select?: string[];
  all?: boolean;
  dir: string;
  stack?: string;
  state?: string;
  dryRun?: boolean;
  run?: boolean;
}

const importFile = "hostnet-import.json";

/** `hostnet import`: what is on hosts becomes a stack's, without a change but for our marks. */
export function importCommand(): Command {
  const command = new Command("import")
    .description(
      "take what is on hosts into a stack: a program, a file for `pulumi import`, and our marks on the hosts",
    )
    .argument("<host...>", "[NAME=][USER@]ADDRESS[:PORT]; what is left out comes from your ssh config")
    .option("--dir <folder>", "the project's folder; one without a project becomes one", ".")
    .option("--stack <name>", "the stack (default: the one that is selected)")
    .option("--state <file>", "what `pulumi stack export --show-secrets` wrote, instead of asking pulumi for it")
    .option("--dry-run", "only say what would be taken, and what not and why")
    .option(
      "--run",
      "run what is to be done then, too: `pulumi import`, `pulumi preview` and a `pulumi up` that has nothing to do",
    )
    .option("-a, --all", "also what somebody else manages")
    .option("--select <terms>", "only what fits, as kind=Veth*,namespace=blue; may be repeated", collect);
  return withHostOptions(command).action(run);
}

async function run(hosts: string[], options: Options): Promise<void> {
  const dir = resolve(options.dir);
  const earlier = join(dir, importFile);
  const known = new Known(
    resourcesOf(await stateText(dir, options)),
    existsSync(earlier) ? resourcesOf(readFileSync(earlier, "utf8")) : [],
  );
  const found = await discover(hosts, { ...options, all: true, learned: true });
  const work = prepare(found, known, options.all === true);
  report(work, found);
  if (options.dryRun || work.count === 0) return;
  const isNew = !isProject(dir);
  if (isNew && options.run && options.stack === undefined) {
    throw new HostnetError("INVALID", `${dir} has no project yet`, {
      remedy: "Say by --stack what its stack is called.",
    });
  }
  // Before the hosts are touched: it must not be found out afterwards that there is no room for the program.
  const files = programFiles(dir, work.plans);
  busy(`marking ${work.count} of them as the stack's ...`);
  const { plans, failed } = await work.take((entries) => {
    writeWhole(earlier, `${JSON.stringify({ resources: entries }, undefined, 2)}\n`);
  });
  writeProgram(dir, failed.length > 0 ? rewritten(files, plans) : files);
  for (const { name } of files) console.log(`wrote ${join(dir, name)}`);
  for (const { what, why } of failed) console.error(`not taken: ${what}: ${why}`);
  if (failed.length > 0) process.exitCode = 1;
  await finish(dir, isNew, usesOf(files, plans), options);
}

/** What is the engine's part, done or said. `uses`: what a program that was there before has to say first. */
async function finish(dir: string, isNew: boolean, uses: string[], { run: isToRun, stack }: Options): Promise<void> {
  const on = stack === undefined ? [] : ["--stack", stack];
  const flags = ["--file", importFile, "--generate-code=false", "--protect=false", "--yes"];
  const steps = [
    ...(hasLibrary(dir) ? [] : [["npm", "install"]]),
    ...(isNew ? [["pulumi", "stack", "select", "--create", stack ?? "dev"]] : []),
    ["pulumi", "import", ...flags, ...on],
  ];
  // An import leaves the state without what hangs on what: a destroy would take the one before the other.
  const proof = [
    ["pulumi", "preview", "--diff", "--expect-no-changes", ...on],
    ["pulumi", "up", "--yes", "--skip-preview", ...on],
  ];
  if (isToRun) await all(dir, steps);
  else console.log(`\nNow run, in ${dir}:${lines(steps)}`);
  // A program that does not declare what was imported would have it deleted.
  if (uses.length > 0) console.log(`\nThen have your program say:${lines(uses.map((line) => [line]))}`);
  if (isToRun && uses.length === 0) await all(dir, proof);
  else console.log(`\nand see that nothing is to do, and let the state know what hangs on what:${lines(proof)}`);
}

async function all(dir: string, steps: string[][]): Promise<void> {
  for (const [program = "", ...args] of steps) await shown(program, dir, args);
}

const lines = (some: string[][]) => some.map((words) => `\n  ${words.join(" ")}`).join("");

async function stateText(dir: string, { state, stack }: Options): Promise<string> {
  if (state !== undefined) return readFileSync(state, "utf8");
  return isProject(dir) ? exported(dir, stack) : "{}";
}

/** The one thing that is noticed. */
const restartOf = ({ found: { restarts } }: Thing) => (restarts === undefined ? "" : ` (${restartText(restarts)})`);

function report({ count, plans, left }: Import, found: Discovered[]): void {
  for (const { host, resources } of plans) {
    console.log(`${host.name}: ${resources.length} to take`);
    for (const { thing } of resources) console.log(`  ${titleOf(thing)}${restartOf(thing)}`);
  }
  const rows = [
    ...left.map(({ host, thing, why }) => [host, titleOf(thing), why ?? reasonOf(thing).trim()]),
    ...found.flatMap(({ host, survey }) =>
      survey.left.filter(isNotable).map((one) => [host.name, titleOfLeft(one), one.why]),
    ),
  ];
  if (rows.length > 0) console.log(`\nNot taken:\n${table(["HOST", "WHAT", "WHY"], rows)}`);
  for (const { host, survey } of found) {
    for (const { what, why } of survey.unread) console.log(`\nNot read of ${host.name}: ${what}: ${why}`);
  }
  if (count === 0) console.log("\nNothing to take.");
}
