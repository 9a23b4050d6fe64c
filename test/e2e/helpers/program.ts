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
  // Without a package.json here, the language host would take the repository's, and its `main` as the program.
  const manifest = { name: "package.json", text: `${JSON.stringify({ name: project, private: true })}\n` };
  if (language === "ts") {
    return [
      manifest,
      { name: "Pulumi.yaml", text: `name: ${project}\nruntime: nodejs\n` },
      { name: "index.ts", text: program },
    ];
  }
  const compiled = transformSync(program, {
    filename: "index.ts",
    jsc: { target: "es2022", parser: { syntax: "typescript" } },
    module: { type: "commonjs" },
    swcrc: false,
  });
  return [
    manifest,
    {
      name: "Pulumi.yaml",
      text: `name: ${project}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n`,
    },
    // A program that throws at its top level hangs Node 20.20 when the SDK prints the error: a stack line
    // "node_modules/@pulumi/resource.ts", made by its source maps, meets nodejs/node#64011. One more require pushes
    // that line out of the ten that a stack has.
    { name: "index.js", text: `module.exports = require("./program.js");\n` },
    { name: "program.js", text: compiled.code },
    // For a person who looks at a failed test's folder.
    { name: "program.ts.txt", text: program },
  ];
}
