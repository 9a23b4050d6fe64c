import { readFileSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { driftOf } from "../drift-report";
import { declared, live, type Picture, undeclared } from "../graph/drawn";
import { type Format, formats, render } from "../graph/render";
import { HostnetError } from "../model/errors";
import { resourcesOf } from "../state";
import { discover } from "./discover";
import { collect, type HostOptions, withHostOptions } from "./hosts";
import { busyReading } from "./progress";
import { exported } from "./pulumi";

interface Options extends HostOptions {
  select?: string[];
  dir: string;
  stack?: string;
  state?: string;
  drift?: boolean;
  format?: Format;
  output?: string;
}

const extensions: Record<string, Format> = { ".html": "html", ".svg": "svg", ".dot": "dot", ".mmd": "mermaid" };

/** `hostnet graph`: a picture of a network, as declared or as it is. */
export function graphCommand(): Command {
  const command = new Command("graph")
    .description("draw a network: as a stack declares it, as hosts have it, or both over each other")
    .argument("[host...]", "hosts to read, as [NAME=][USER@]ADDRESS[:PORT]; without any, a stack is drawn")
    .option("--drift", "read the stack's hosts too, and show in colour what differs from what is declared")
    .addOption(
      new Option("-f, --format <form>", "what to write; default: by the file's name, else html").choices(
        Object.keys(formats),
      ),
    )
    .option("-o, --output <file>", "where to: .html, .svg, .dot or .mmd (default: standard output)")
    .option("--dir <folder>", "the project's folder", ".")
    .option("--stack <name>", "the stack (default: the one that is selected)")
    .option("--state <file>", "what `pulumi stack export` wrote, instead of asking pulumi for it; - is standard input")
    .option("--select <terms>", "of hosts only what fits, as kind=Veth*,namespace=blue; may be repeated", collect);
  return withHostOptions(command).action(async (hosts: string[], options: Options) => {
    const format = formatOf(options);
    const text = await render(await pictureOf(hosts, options), format);
    if (options.output === undefined) process.stdout.write(text);
    else writeFileSync(options.output, text);
  });
}

function formatOf({ format, output }: Options): Format {
  if (format || output === undefined) return format ?? "html";
  const known = extensions[extname(output)];
  if (known) return known;
  throw new InvalidArgumentError(
    `${output} does not say which format: end it in .html, .svg, .dot or .mmd, or give -f`,
  );
}

async function pictureOf(hosts: string[], options: Options): Promise<Picture> {
  if (hosts.length > 0) {
    if (options.drift) {
      throw new HostnetError("INVALID", "--drift compares a stack with its own hosts", {
        remedy: "Leave the hosts out; they are in the stack's state.",
      });
    }
    return live(await discover(hosts, { ...options, all: true }));
  }
  const text = options.state
    ? readFileSync(options.state === "-" ? 0 : options.state, "utf8")
    : await exported(options.dir, options.stack);
  const resources = resourcesOf(text);
  if (!options.drift) return declared(resources);
  busyReading(resources);
  const { drawn, on } = declared(resources, await driftOf(resources));
  return { drawn: [...drawn, ...(await undeclared(resources))], on };
}
