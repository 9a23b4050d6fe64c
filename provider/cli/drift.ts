import { readFileSync } from "node:fs";
import { Command } from "commander";
import { type Drift, driftOf } from "../drift-report";
import { resourcesOf } from "../state";
import { busyReading } from "./progress";
import { exported } from "./pulumi";
import { table } from "./table";

interface Options {
  dir: string;
  stack?: string;
  state?: string;
  json?: boolean;
}

/** `hostnet drift`: what is not as a stack declares it. */
export function driftCommand(): Command {
  return new Command("drift")
    .description("compare hosts with a stack's state; exit status 1 when something differs or could not be read")
    .option("--dir <folder>", "the project's folder", ".")
    .option("--stack <name>", "the stack (default: the one that is selected)")
    .option("--state <file>", "what `pulumi stack export` wrote, instead of asking pulumi for it; - is standard input")
    .option("--json", "print JSON")
    .action(async (options: Options) => {
      const text = options.state
        ? readFileSync(options.state === "-" ? 0 : options.state, "utf8")
        : await exported(options.dir, options.stack);
      const resources = resourcesOf(text);
      busyReading(resources);
      const found = await driftOf(resources);
      if (options.json) console.log(JSON.stringify(found, undefined, 2));
      else console.log(found.length > 0 ? forEyes(found) : `${resources.length} resources are as declared.`);
      if (found.some(({ what }) => what !== "idle")) process.exitCode = 1;
    });
}

const said: Record<Drift["what"], string> = {
  changed: "",
  gone: "(it is gone)",
  foreign: "(it is there, but not marked as this stack's)",
  rebooted: "(it was rebooted or replaced since the last up)",
  unread: "(not read)",
  idle: "(idle)",
};

const mended = "`pulumi up --refresh` makes it as declared again.";

/** What to do about it. */
const wayBack: Record<Drift["what"], string | undefined> = {
  changed: mended,
  gone: mended,
  foreign:
    "`pulumi up --refresh` refuses what is not marked: give its resource `adopt: true`, which takes it over as declared, or delete it on the host.",
  rebooted: mended,
  unread: undefined,
  idle: undefined,
};

export function forEyes(found: Drift[]): string {
  const shown = (value: unknown) =>
    value === undefined ? "-" : typeof value === "string" ? value : JSON.stringify(value);
  const rows = found.map(({ host, kind, name, what, path, declared, live, why }) =>
    path === undefined
      ? [host, kind, name, said[what], "", why ?? ""]
      : [host, kind, name, path.replaceAll("\\.", "."), shown(declared), shown(live)],
  );
  const ways = new Set(found.flatMap(({ what }) => wayBack[what] ?? []));
  return [table(["HOST", "KIND", "NAME", "PROPERTY", "DECLARED", "LIVE"], rows), [...ways].join("\n")]
    .filter(Boolean)
    .join("\n\n");
}
