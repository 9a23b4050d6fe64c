import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { reasonOf, titleOf } from "../discover/plan";
import { programOf } from "../discover/program";
import { Known } from "../import/known";
import { type Import, prepare } from "../import/prepare";
import { HostnetError } from "../model/errors";
import { resourcesOf } from "../state";
import { discover } from "./discover";
import { collect, type HostOptions, withHostOptions } from "./hosts";
import { exported, pulumi } from "./pulumi";
import { table } from "./table";

interface Options extends HostOptions {
  select: string[];
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
    .option("--dir <folder>", "the project's folder; a new one gets a Pulumi.yaml", ".")
    .option("--stack <name>", "the stack (default: the one that is selected)")
    .option("--state <file>", "what `pulumi stack export --show-secrets` wrote, instead of asking pulumi for it")
    .option("--dry-run", "only say what would be taken, and what not and why")
    .option("--run", "run `pulumi import` and `pulumi preview` too")
    .option("-a, --all", "also what somebody else manages")
    .option("--select <terms>", "only what fits, as kind=Veth*,namespace=blue; may be repeated", collect, []);
  return withHostOptions(command).action(run);
}

async function run(hosts: string[], options: Options): Promise<void> {
  const dir = resolve(options.dir);
  const earlier = join(dir, importFile);
  const known = new Known(
    resourcesOf(await stateText(dir, options)),
    existsSync(earlier) ? resourcesOf(readFileSync(earlier, "utf8")) : [],
  );
  const found = await discover(hosts, { ...options, all: true });
  const work = prepare(found, known, options.all === true);
  report(work);
  if (options.dryRun || work.count === 0) return;
  mkdirSync(dir, { recursive: true });
  writeProgram(dir, work);
  await work.take((entries) => writeWhole(earlier, `${JSON.stringify({ resources: entries }, undefined, 2)}\n`));
  for (const { what, why } of work.failed) console.error(`not taken: ${what}: ${why}`);
  if (work.failed.length > 0) process.exitCode = 1;
  const flags = ["--file", importFile, "--generate-code=false", "--protect=false", "--yes"];
  const stack = options.stack ? ["--stack", options.stack] : [];
  if (!options.run) {
    console.log(`\nNow run, in ${dir}:\n  pulumi import ${[...flags, ...stack].join(" ")}\n  pulumi preview`);
    return;
  }
  await pulumi(dir, ["import", ...flags, ...stack], true);
  await pulumi(dir, ["preview", "--diff", ...stack], true);
}

async function stateText(dir: string, { state, stack }: Options): Promise<string> {
  if (state !== undefined) return readFileSync(state, "utf8");
  return existsSync(join(dir, "Pulumi.yaml")) ? exported(dir, stack) : "{}";
}

function report({ count, plans, left }: Import): void {
  for (const { host, resources } of plans) {
    console.log(`${host.name}: ${resources.length} to take`);
    for (const { thing } of resources) console.log(`  ${titleOf(thing)}`);
  }
  const rows = left.map(({ host, thing, why }) => [host, titleOf(thing), why ?? reasonOf(thing).trim()]);
  if (rows.length > 0) console.log(`\nNot taken:\n${table(["HOST", "WHAT", "WHY"], rows)}`);
  if (count === 0) console.log("\nNothing to take.");
}

/** A new project gets a program of its own, an existing one a file beside it. Nothing is overwritten. */
function writeProgram(dir: string, work: Import): void {
  const isNew = !existsSync(join(dir, "Pulumi.yaml"));
  const files = isNew
    ? [...programOf(work.plans), { name: "Pulumi.yaml", text: `name: ${projectName(dir)}\nruntime: nodejs\n` }]
    : programOf(work.plans, "fragment");
  for (const { name, text } of files) {
    const path = join(dir, name);
    if (existsSync(path)) {
      if (readFileSync(path, "utf8") === text) continue;
      throw new HostnetError("INVALID", `${path} is there already`, { remedy: "Move it away, or give another --dir." });
    }
    writeFileSync(path, text);
    console.error(`wrote ${path}`);
  }
}

const projectName = (dir: string) => basename(dir).replace(/[^A-Za-z0-9_.-]/g, "-") || "network";

/** Never half a file: it is what a second run goes on from. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
