import { Code, literal, onOneLine } from "./literal";
import { numbered, variableOf } from "./names";
import type { Plan, Planned } from "./plan";

/** A file of a program. */
export interface ProgramFile {
  name: string;
  text: string;
}

const library = `import * as hostnet from "pulumi-hostnet";\n`;

/**
 * A TypeScript program that declares the hosts; with several, one file for each. As a `fragment` it is for a program that
 * is there already: one file a host, which that program imports.
 */
export function programOf(plans: Plan[], form: "program" | "fragment" = "program"): ProgramFile[] {
  const [only] = plans;
  const names = fileNames(plans);
  const files = (prefix: string) =>
    plans.map((plan, index) => ({ name: `${prefix}${names[index]}.ts`, text: fileOf(plan) }));
  if (form === "fragment") return files("hostnet-");
  if (only && plans.length === 1) return [{ name: "index.ts", text: fileOf(only) }];
  const index = names.map((name) => `import "./${name}";\n`).join("");
  return [{ name: "index.ts", text: index }, ...files("")];
}

/** One for each host, also where the file system takes capitals for small letters. */
function fileNames(plans: Plan[]): string[] {
  const taken = new Set(["index"]);
  return plans.map(({ host }) =>
    numbered(host.name.replace(/[^A-Za-z0-9_-]/g, "-"), taken, (name) => name.toLowerCase()),
  );
}

function fileOf({ host, resources, comments }: Plan): string {
  const taken = new Set<string>();
  const used = new Set(
    resources.flatMap(({ references, after }) => [...[...references.values()].map(({ to }) => to), ...after]),
  );
  const variables = new Map<Planned, string>();
  for (const one of resources.filter((each) => used.has(each))) {
    variables.set(one, variableOf(withoutHost(one.name, host.name), one.kind.name, taken));
  }
  const { name, ...connection } = host.args;
  const named = name === undefined || name === host.name ? connection : host.args;
  const statements = resources.map((one) => statement(one, variables)).join("");
  const notes = comments.map((line) => `// ${onOneLine(line)}\n`).join("");
  if (host.isDeclared) {
    const inside = (statements + notes).replace(/^(?=.)/gm, "  ");
    return `${library}\n/** Call it with the program's Host ${host.name}. */\nexport function declare(host: hostnet.Host): void {\n${inside}}\n`;
  }
  const hostText = `const host = new hostnet.Host(${JSON.stringify(host.name)}, ${literal(named, 0, 33)});\n`;
  return `${library}\n${hostText}\n${statements}${notes ? `\n${notes}` : ""}`;
}

const withoutHost = (name: string, host: string) => (name.startsWith(`${host}/`) ? name.slice(host.length + 1) : name);

function statement(one: Planned, variables: Map<Planned, string>): string {
  const { kind, name, args, references, after } = one;
  const code = (path: string) => {
    const reference = references.get(path);
    const variable = reference && variables.get(reference.to);
    return variable ? new Code(reference.whole ? variable : `${variable}.${reference.name}`) : undefined;
  };
  const { name: own, ...rest } = withCode(args, code) as Record<string, unknown>;
  // A reference stays: it is what orders the two.
  const named = own === undefined || own === name.split("/").at(-1) ? rest : { name: own, ...rest };
  const hasParent = [...references.values()].some(({ whole }) => whole);
  const whole = hasParent ? named : { host: new Code("host"), ...named };
  const variable = variables.get(one);
  const start = `${variable ? `const ${variable} = ` : ""}new hostnet.${kind.name}(`;
  const title = JSON.stringify(name);
  if (after.length === 0) return `${start}${title}, ${literal(whole, 0, start.length + title.length + 4)});\n`;
  const options = literal({ dependsOn: after.map((each) => new Code(variables.get(each) ?? "")) });
  const line = `${start}${title}, ${literal(whole, 0, start.length + title.length + options.length + 6)}, ${options});\n`;
  if (!line.trim().includes("\n")) return line;
  return `${start}\n  ${title},\n  ${literal(whole, 2, 3)},\n  ${options},\n);\n`;
}

function withCode(value: unknown, code: (path: string) => Code | undefined, path = ""): unknown {
  const own = path ? code(path) : undefined;
  if (own) return own;
  if (Array.isArray(value)) return value.map((item, index) => withCode(item, code, `${path}.${index}`));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withCode(item, code, path ? `${path}.${key}` : key)]),
  );
}
