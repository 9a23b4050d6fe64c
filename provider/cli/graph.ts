import { readFileSync, writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { titleOf } from "../discover/plan";
import { type Drift, driftOf } from "../drift-report";
import { type Drawn, layoutOf } from "../graph/build";
import { dotOf } from "../graph/dot";
import type { Layout } from "../graph/layout";
import { mermaidOf } from "../graph/mermaid";
import { pageOf } from "../graph/page";
import { svgOf } from "../graph/svg";
import { argumentsOf } from "../lifecycle";
import { resourcesOf, type StateResource } from "../state";
import { discover } from "./discover";
import { collect, type HostOptions, withHostOptions } from "./hosts";
import { exported } from "./pulumi";

interface Options extends HostOptions {
  select: string[];
  dir: string;
  stack?: string;
  state?: string;
  drift?: boolean;
  format: keyof typeof formats;
  output?: string;
}

const formats = {
  html: async (layout: Layout, title: string) => pageOf(await svgOf(dotOf(layout)), layout, title),
  svg: async (layout: Layout) => svgOf(dotOf(layout)),
  dot: async (layout: Layout) => dotOf(layout),
  mermaid: async (layout: Layout) => mermaidOf(layout),
};

/** `hostnet graph`: a picture of a network, as declared or as it is. */
export function graphCommand(): Command {
  const command = new Command("graph")
    .description("draw a network: a stack's, with what has drifted in colour, or what hosts have")
    .argument("[host...]", "hosts to read, as [NAME=][USER@]ADDRESS[:PORT]; without any, a stack's state is drawn")
    .addOption(new Option("-f, --format <form>", "what to write").choices(Object.keys(formats)).default("html"))
    .option("-o, --output <file>", "where to (default: standard output)")
    .option("--drift", "compare the stack's hosts with its state, and colour what differs")
    .option("--dir <folder>", "the project's folder", ".")
    .option("--stack <name>", "the stack (default: the one that is selected)")
    .option("--state <file>", "what `pulumi stack export` wrote, instead of asking pulumi for it")
    .option("--select <terms>", "of hosts only what fits, as kind=Veth*,namespace=blue; may be repeated", collect, []);
  return withHostOptions(command).action(async (hosts: string[], options: Options) => {
    const [drawn, names] = hosts.length > 0 ? await live(hosts, options) : await declared(options);
    const text = await formats[options.format](layoutOf(drawn, names), `Network of ${names.join(", ")}`);
    if (options.output === undefined) process.stdout.write(text);
    else writeFileSync(options.output, text);
  });
}

type Picture = [drawn: Drawn[], hosts: string[]];

async function live(hosts: string[], options: Options): Promise<Picture> {
  const found = await discover(hosts, { ...options, all: true });
  const drawn = found.flatMap(({ host, chosen }) =>
    chosen.map((thing) => ({ host: host.name, kind: thing.kind.name, title: titleOf(thing), args: thing.args })),
  );
  return [drawn, found.map(({ host }) => host.name)];
}

async function declared(options: Options): Promise<Picture> {
  const text = options.state ? readFileSync(options.state, "utf8") : await exported(options.dir, options.stack);
  const resources = resourcesOf(text);
  const drift = options.drift ? await driftOf(resources) : [];
  const names = resources.flatMap(({ kind, outputs }) => (kind === "Host" ? [String(outputs.name)] : []));
  const others = resources.filter(({ kind }) => kind !== "Host");
  return [others.map((one) => drawnOf(one, drift)), names];
}

function drawnOf({ kind, name, outputs }: StateResource, drift: Drift[]): Drawn {
  const own = drift.filter((one) => one.kind === kind && one.name === name);
  const change = own.length === 0 ? undefined : own.some(({ what }) => what === "gone") ? "gone" : "changed";
  const said = own.map(({ what, path, declared: want, live: has }) =>
    path === undefined ? what : `${path}: declared ${JSON.stringify(want)}, is ${JSON.stringify(has)}`,
  );
  const host = String((outputs.host as { name?: string }).name);
  return { host, kind, title: name, args: argumentsOf(outputs), change, drift: said };
}
