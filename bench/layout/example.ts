import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transformSync } from "@swc/core";
import { root } from "../../tools/root";

/** The folder of the program that the root Pulumi.yaml names. */
function mainExample(): string {
  const main = /^main: *(\S+)/m.exec(readFileSync(join(root, "Pulumi.yaml"), "utf8"))?.[1];
  if (!main) throw new Error("Pulumi.yaml names no main");
  return main;
}

/** Compiles the main example into a folder, so that the time of ts-node is in no contender's; resolves to its main file. */
export function compileExample(folder: string): string {
  const main = mainExample();
  for (const from of [dirname(main), main]) {
    mkdirSync(join(folder, from), { recursive: true });
    for (const file of readdirSync(join(root, from)).filter((name) => name.endsWith(".ts"))) {
      const { code } = transformSync(readFileSync(join(root, from, file), "utf8"), {
        filename: file,
        swcrc: false,
        jsc: { target: "es2022", parser: { syntax: "typescript" } },
        module: { type: "commonjs" },
      });
      writeFileSync(join(folder, from, file.replace(/\.ts$/, ".js")), code);
    }
  }
  return join(folder, main, "index.js");
}
