import { transformSync } from "@swc/core";

/**
 * How a program reaches the language host. `js`: compiled here, in milliseconds, and without a check of its types.
 * `ts`: as a user's, by the ts-node that the language host brings along, which costs seconds a run.
 */
export type Language = "js" | "ts";

export interface ProjectFile {
  name: string;
  text: string;
}

/** The files of a Pulumi project whose program is the TypeScript text `program`. */
export function projectFiles(project: string, program: string, language: Language): ProjectFile[] {
  const source = { name: "index.ts", text: program };
  if (language === "ts") return [{ name: "Pulumi.yaml", text: pulumiYaml(project, "runtime: nodejs\n") }, source];
  const compiled = transformSync(program, {
    filename: "index.ts",
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    module: { type: "commonjs" },
    swcrc: false,
  });
  const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n";
  return [
    { name: "Pulumi.yaml", text: pulumiYaml(project, runtime) },
    // Beside what runs, for a person who looks at a failed test's folder; index.ts would be taken for the program.
    { name: "source.ts.txt", text: program },
    { name: "index.js", text: compiled.code },
  ];
}

function pulumiYaml(project: string, runtime: string): string {
  return `name: ${project}\n${runtime}`;
}
