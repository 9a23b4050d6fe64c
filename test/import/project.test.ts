import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "../../provider/discover/plan";
import { programFiles, rewritten, usesOf, writeProgram } from "../../provider/import/project";

const plan = (comments: string[] = []): Plan => ({
  host: { name: "n1", args: { address: "192.0.2.1" } },
  resources: [],
  comments,
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hostnet-project-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const text = (name: string) => readFileSync(join(dir, name), "utf8");
const names = (files: { name: string }[]) => files.map(({ name }) => name);

test("a folder without a project becomes one", () => {
  const files = programFiles(dir, [plan()]);
  writeProgram(dir, files);
  expect(names(files)).toEqual(["index.ts", "Pulumi.yaml", "package.json"]);
  expect(text("index.ts")).toContain('new hostnet.Host("n1", { address: "192.0.2.1" })');
});

test("another's file is never overwritten; the same text may be there", () => {
  writeFileSync(join(dir, "index.ts"), "// mine\n");
  expect(() => programFiles(dir, [plan()])).toThrow(/index\.ts is there already/);
  rmSync(join(dir, "index.ts"));
  const [index] = programFiles(dir, [plan()]);
  writeFileSync(join(dir, "index.ts"), index?.text ?? "");
  expect(programFiles(dir, [plan()])).toHaveLength(3);
});

test("what could not be taken changes the text of the files that there was room for, and no names", () => {
  const room = programFiles(dir, [plan()]);
  writeFileSync(join(dir, "index.ts"), room[0]?.text ?? "");
  const files = rewritten(room, [plan(["not taken: LinuxBridge br0"])]);
  writeProgram(dir, files);
  expect(names(files)).toEqual(names(room));
  expect(text("index.ts")).toMatch(/^\/\/ not taken: LinuxBridge br0$/m);
  expect(text("Pulumi.yaml")).toMatch(/^runtime: nodejs$/m);
});

test("a project gets a file a host, and a second import another one", () => {
  writeFileSync(join(dir, "Pulumi.yaml"), "name: mine\nruntime: nodejs\n");
  const first = programFiles(dir, [plan()]);
  writeProgram(dir, first);
  const second = programFiles(dir, [plan(["another"])]);
  writeProgram(dir, rewritten(second, [plan(["not taken"])]));
  expect([names(first), names(second)]).toEqual([["hostnet-n1.ts"], ["hostnet-n1-2.ts"]]);
  expect(text("hostnet-n1.ts")).not.toContain("//");
  expect(text("hostnet-n1-2.ts")).toMatch(/^\/\/ not taken$/m);
});

test("a program that is there already is told how it declares what was written beside it", () => {
  writeFileSync(join(dir, "Pulumi.yaml"), "name: mine\nruntime: nodejs\n");
  const known = { ...plan(), host: { name: "a b", args: {}, isDeclared: true } };
  const plans = [plan(), known];
  const files = programFiles(dir, plans);
  expect(usesOf(files, plans)).toEqual([
    'import "./hostnet-n1";',
    'import { declare } from "./hostnet-a-b"; declare(HOST), where HOST is your Host a b',
  ]);
  expect(files[1]?.text).toContain("export function declare(host: hostnet.Host)");
});

test("a run that goes on from an earlier one has the earlier one's program", () => {
  const plans = [plan(["one"])];
  writeProgram(dir, programFiles(dir, plans));
  const again = programFiles(dir, plans);
  expect(names(again)).toEqual(["index.ts"]);
  expect(usesOf(again, plans)).toEqual([]);
  expect(names(programFiles(dir, [plan(["another"])]))).toEqual(["hostnet-n1.ts"]);
  const several = [plan(), { ...plan(), host: { name: "n2", args: {} } }];
  const files = ["index.ts", "n1.ts", "n2.ts"].map((name) => ({ name, text: "" }));
  expect(rewritten(files, several).map(({ text }) => text.includes('Host("n2"'))).toEqual([false, false, true]);
});
