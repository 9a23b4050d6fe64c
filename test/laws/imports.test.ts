import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** The house of DESIGN section 2: what may know what. Read from the text of the files. */

const root = join(__dirname, "../../provider");

interface Import {
  from: string;
  /** Path below provider/ without `.ts`, or a package's name. */
  to: string;
  typeOnly: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const modules = new Set(files.map((name) => name.replace(/\.ts$/, "")));
const text = (file: string) => readFileSync(join(root, file), "utf8");

/** Written by tools/generate.ts. */
const generated = new Set(files.filter((file) => /^\/\/ .*generated|^\/\*.*generated/i.test(text(file))));

function importsOf(file: string): Import[] {
  const found = text(file).matchAll(/^(?:import|export)\s+(type\s+)?(?:([^;]*?)\s+from\s+)?"([^"]+)";$/gm);
  return [...found].map(([, typeWord, names = "", specifier = ""]) => {
    const local = specifier.startsWith(".") ? relative(root, resolve(join(root, dirname(file)), specifier)) : specifier;
    const to = specifier.startsWith(".") && !modules.has(local) ? join(local, "index") : local;
    const each = /^\{([\s\S]*)\}$/
      .exec(names.trim())?.[1]
      ?.split(",")
      .filter((word) => word.trim());
    const typeOnly = typeWord !== undefined || each?.every((word) => word.trim().startsWith("type ")) === true;
    return { from: file.replace(/\.ts$/, ""), to, typeOnly };
  });
}

const imports = files.flatMap(importsOf);
const values = imports.filter(({ typeOnly, to }) => !typeOnly && modules.has(to));
const words = ({ from, to }: Import) => `${from} imports ${to}`;

test("reads the imports", () => {
  expect(imports.length).toBeGreaterThan(100);
  // `hostnet lab` is the one command that has its subject elsewhere.
  expect(imports.filter(({ from, to }) => to.startsWith("..") && from !== "cli/lab").map(words)).toEqual([]);
});

test("only the files of resources know Pulumi", () => {
  const allowed = /^(resource|resources|claims|index|neutron\/.*)$/;
  const wrong = imports.filter(({ from, to }) => to.startsWith("@pulumi/") && !allowed.test(from));
  expect(wrong.map(words)).toEqual([]);
});

test.each<[string, RegExp, RegExp]>([
  ["model imports model only", /^model\//, /^(?!model\/)/],
  ["kinds import model and the contract only", /^kinds\/(?!index)/, /^(?!model\/|kind$)/],
  ["the registry imports kinds only", /^kinds\/index$/, /^(?!kinds\/)/],
  ["reaching a host is of no kind and no lifecycle", /^host\//, /^(?!model\/|host\/)/],
  ["lifecycle names no kind", /^(lifecycle|run|drift|ledger|ownership)$/, /^(kinds\/|handler|resource|index)/],
  ["nothing but the public API imports it", /./, /^index$/],
  ["only programs import resources", /^(?!index|resource|neutron\/)/, /^resources?$/],
  ["nobody imports the handler: states do, by name", /./, /^handler$/],
])("%s", (_, from, to) => {
  expect(values.filter((one) => from.test(one.from) && to.test(one.to)).map(words)).toEqual([]);
});

test("kinds and model know of a host only what it answered", () => {
  const wrong = imports.filter(
    ({ from, to }) => /^(kinds|model)\//.test(from) && to.startsWith("host/") && to !== "host/seen",
  );
  expect(wrong.map(words)).toEqual([]);
});

test("the SSH library is loaded when a host is dialled, and not before", () => {
  const packagesBehind = (start: RegExp) => {
    const reached = new Set(files.map((file) => file.replace(/\.ts$/, "")).filter((name) => start.test(name)));
    for (const from of reached) for (const one of values) if (one.from === from) reached.add(one.to);
    return imports
      .filter(({ from, to, typeOnly }) => reached.has(from) && !typeOnly && !modules.has(to))
      .map(({ to }) => to);
  };
  expect(packagesBehind(/^host\/ssh2-login$/)).toContain("ssh2");
  expect(packagesBehind(/^(handler$|kinds\/)/)).not.toContain("ssh2");
});

test("no circle", () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of values) next.set(from, [...(next.get(from) ?? []), to]);
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (at: string, way: string[]) => {
    if (way.includes(at)) circles.push([...way.slice(way.indexOf(at)), at].join(" → "));
    if (way.includes(at) || done.has(at)) return;
    for (const to of next.get(at) ?? []) walk(to, [...way, at]);
    done.add(at);
  };
  for (const start of next.keys()) walk(start, []);
  expect(circles).toEqual([]);
});

test("execa is loaded with the transports that run a program, and never else: it takes as long as ssh2 and zod together", () => {
  const users = files.filter((file) => !file.startsWith("cli/") && /(from|import\() ?"execa"/.test(text(file)));
  expect(users).toEqual(["host/child.ts"]);
});

test("a file fits a few screens", () => {
  const long = files.filter((file) => !generated.has(file) && text(file).split("\n").length > 330);
  expect(long).toEqual([]);
});

test("a kind is a file of its name", () => {
  const registry = text("kinds/index.ts");
  const table = /whenAsked\(\{\n([\s\S]*?)\n\}\);/.exec(registry)?.[1]?.split("\n") ?? [];
  const wrong = table.filter((line) => {
    const [, kind = "", file] = /^ {2}(\w+): \(\) => require\("\.\/([\w-]+)"\)\.\w+,$/.exec(line) ?? [];
    return kind.replace(/(?<!^)[A-Z]/g, "-$&").toLowerCase() !== file;
  });
  expect(table.length).toBeGreaterThan(3);
  expect(wrong).toEqual([]);
});
