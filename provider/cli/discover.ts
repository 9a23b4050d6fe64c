import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { isNotable } from "../discover/leftovers";
import { type Discovered, type Plan, planOf, reasonOf } from "../discover/plan";
import { programOf } from "../discover/program";
import { isSelected, parseSelection, type Selection } from "../discover/select";
import { survey, type Thing } from "../discover/survey";
import { kinds } from "../kinds";
import { get } from "../model/path";
import { collect, type HostOptions, hostPlans, reachHost, withHostOptions } from "./hosts";
import { busy } from "./progress";
import { table } from "./table";

interface Options extends HostOptions {
  select?: string[];
  all?: boolean;
  output: "table" | "json" | "program";
  dir?: string;
}

/** `hostnet discover`: what is on hosts, as a table, as JSON, or as a program. */
export function discoverCommand(): Command {
  const command = new Command("discover")
    .description("read hosts, and show what a program can declare of them; nothing is changed")
    .argument("<host...>", "[NAME=][USER@]ADDRESS[:PORT]; what is left out comes from your ssh config")
    .addOption(
      new Option("-o, --output <form>", "table, json, or a TypeScript program")
        .choices(["table", "json", "program"])
        .default("table"),
    )
    .option("--dir <folder>", "write the program's files there, instead of to standard output")
    .option("-a, --all", "also what somebody else manages, and what a stack of hostnet has already")
    .option("--select <terms>", "only what fits, as kind=Veth*,namespace=blue; may be repeated", collect);
  return withHostOptions(command).action(async (hosts: string[], options: Options) => {
    const found = await discover(hosts, options);
    if (options.output === "json") console.log(JSON.stringify(found.map(asJson), undefined, 2));
    else if (options.output === "table") for (const one of found) printTable(one, options);
    else printProgram(plansOf(found), options.dir);
  });
}

/** Reads hosts, all at once. `learned`: choose also what is never declared, for who says why. */
export async function discover(
  hosts: string[],
  options: HostOptions & { select?: string[]; all?: boolean; learned?: boolean },
): Promise<Discovered[]> {
  const selection = parseSelection(options.select ?? []);
  return Promise.all(
    hostPlans(hosts, options).map(async (host) => {
      busy(`${host.name}: reading ...`);
      const { machine, machineId } = await reachHost(host);
      const found = await survey(machine, machineId, Object.values(kinds));
      const chosen = found.things.filter((thing) => isWanted(thing, selection, options));
      return { host, machineId, survey: found, chosen };
    }),
  );
}

function isWanted(thing: Thing, selection: Selection, { all, learned }: { all?: boolean; learned?: boolean }): boolean {
  const others = thing.managedBy !== undefined || thing.mark !== undefined;
  return (all || !others) && (learned || !thing.learned) && isSelected(selection, thing);
}

export const plansOf = (found: Discovered[]): Plan[] =>
  found.map(({ host, survey: read, chosen }) =>
    planOf(host, read, chosen, { prefix: found.length > 1 ? host.name : undefined }),
  );

const nameOf = ({ kind, args }: Thing) =>
  kind.identity
    .filter((path) => path.split(".").at(-1) !== "namespace")
    .flatMap((path) => {
      const value = get(args, path);
      const place =
        path === kind.identity[0] || path.includes(".") ? get(args, path.replace(/[^.]+$/, "namespace")) : "";
      const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
      return value === undefined ? [] : [place ? `${place}/${shown}` : shown];
    })
    .join(" ");

function printTable({ host, survey: { things, left, unread }, chosen }: Discovered, { select, all }: Options): void {
  const isWhole = select === undefined;
  const rows = (isWhole ? things : chosen).map((thing) => {
    const said = Object.entries(thing.args)
      .filter(([key]) => !thing.kind.identity.includes(key))
      .map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`);
    const why = reasonOf(thing).trim();
    return [thing.kind.name, nameOf(thing), chosen.includes(thing) ? "yes" : "no", [why, ...said].join(" ").trim()];
  });
  const also = all ? "" : " (--all has also what others manage, and what a stack of hostnet has already)";
  const shown = rows.map((row) => row.map((cell) => (cell.length > 100 ? `${cell.slice(0, 99)}…` : cell)));
  if (rows.length === 0) console.log(`${host.name}: nothing fits what --select says${also}`);
  else console.log(`${host.name}\n${table(["KIND", "NAME", "DECLARED", "WHAT"], shown.sort())}`);
  const others = left.filter(isNotable);
  if (isWhole && others.length > 0) {
    const lines = others.map(({ name, namespace, type, why }) => [
      namespace ? `${namespace}/${name}` : name,
      type,
      why,
    ]);
    console.log(`\nWhat no resource declares:\n${table(["NAME", "TYPE", "WHY"], lines)}`);
  }
  for (const { what, why } of unread) console.log(`\nNot read: ${what}: ${why}`);
}

function asJson({ host, machineId, survey: { facts, things, left, unread }, chosen }: Discovered) {
  return {
    host: host.name,
    machineId,
    kernel: facts.kernel,
    objects: things.map((thing) => ({
      kind: thing.kind.name,
      id: thing.id,
      declared: chosen.includes(thing),
      managedBy: thing.managedBy,
      learned: thing.learned,
      mark: thing.mark,
      args: thing.args,
      live: thing.found.facts,
      broken: thing.found.broken,
    })),
    left,
    unread,
  };
}

function printProgram(plans: Plan[], dir: string | undefined): void {
  const files = programOf(plans);
  if (dir === undefined) {
    for (const { name, text } of files) console.log(files.length > 1 ? `// ${name}\n${text}` : text);
    return;
  }
  mkdirSync(dir, { recursive: true });
  for (const { name, text } of files) {
    // Never over what is there.
    writeFileSync(join(dir, name), text, { flag: "wx" });
    console.error(`wrote ${join(dir, name)}`);
  }
}
