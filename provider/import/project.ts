import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Plan } from "../discover/plan";
import { type ProgramFile, programOf } from "../discover/program";
import { HostnetError } from "../model/errors";

/** Whether there is a Pulumi project in the folder. */
export const isProject = (dir: string) => existsSync(join(dir, "Pulumi.yaml"));

/**
 * The program: a new project gets one of its own, an existing one a file a host beside its program. Nothing is
 * overwritten: throws INVALID when another file has such a name.
 */
export function programFiles(dir: string, plans: Plan[]): ProgramFile[] {
  const whole = programOf(plans);
  // An earlier run came as far as this.
  if (isProject(dir) && whole.every(({ name, text }) => current(dir, name) === text)) return whole;
  const files = isProject(dir)
    ? programOf(plans, "fragment").map((file) => ({ ...file, name: freeName(dir, file) }))
    : [...whole, ...manifests(dir)];
  const fresh = files.filter((file) => current(dir, file.name) !== file.text);
  const taken = fresh.find(({ name }) => existsSync(join(dir, name)));
  if (taken) {
    throw new HostnetError("INVALID", `${join(dir, taken.name)} is there already`, {
      remedy: "Move it away, or give another --dir.",
    });
  }
  return files;
}

/** The same files for what of it could be taken in the end. */
export function rewritten(files: ProgramFile[], plans: Plan[]): ProgramFile[] {
  const texts = programOf(plans, isWhole(files) ? "program" : "fragment");
  return files.map((file, index) => ({ ...file, ...(texts[index] && { text: texts[index].text }) }));
}

const isWhole = (files: ProgramFile[]) => files.some(({ name }) => name === "index.ts");

/** What a program that is there already has to say, so that it declares what was written beside it; [] for a whole one. */
export const usesOf = (files: ProgramFile[], plans: Plan[]): string[] =>
  plans.flatMap(({ host }, index) => {
    if (isWhole(files)) return [];
    const from = JSON.stringify(`./${files[index]?.name.replace(/\.ts$/, "")}`);
    return host.isDeclared
      ? `import { declare } from ${from}; declare(HOST), where HOST is your Host ${host.name}`
      : `import ${from};`;
  });

export function writeProgram(dir: string, files: ProgramFile[]): void {
  mkdirSync(dir, { recursive: true });
  for (const { name, text } of files) if (current(dir, name) !== text) writeFileSync(join(dir, name), text);
}

/** A second import into a project does not touch what the first has written. */
function freeName(dir: string, { name, text }: ProgramFile): string {
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : name.replace(/\.ts$/, `-${n}.ts`);
    const known = current(dir, free);
    if (known === undefined || known === text) return free;
  }
}

function current(dir: string, name: string): string | undefined {
  return existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8") : undefined;
}

/** This library's own package.json. */
export const ownPackage = (): { version: string; peerDependencies: Record<string, string> } =>
  createRequire(__filename)("pulumi-hostnet/package.json");

/** What makes a folder a project. The library's version is the one that runs here: it has written the program. */
function manifests(dir: string): ProgramFile[] {
  const name = basename(dir).replace(/[^A-Za-z0-9_.-]/g, "-") || "network";
  const { version, peerDependencies } = ownPackage();
  const manifest = {
    ...{ name: name.toLowerCase(), private: true },
    dependencies: { "@pulumi/pulumi": peerDependencies["@pulumi/pulumi"], "pulumi-hostnet": `^${version}` },
  };
  return [
    { name: "Pulumi.yaml", text: `name: ${name}\nruntime: nodejs\n` },
    { name: "package.json", text: `${JSON.stringify(manifest, undefined, 2)}\n` },
  ].filter((file) => file.name === "Pulumi.yaml" || current(dir, file.name) === undefined);
}

/** Whether a program in the folder finds the library. */
export function hasLibrary(dir: string): boolean {
  try {
    createRequire(join(dir, "index.js")).resolve("pulumi-hostnet/package.json");
    return true;
  } catch {
    return false;
  }
}

/** Never half a file: it is what a second run goes on from. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
