import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hostArgs, hostFacts } from "../provider/host-args";
import { kinds } from "../provider/kinds";
import { referencePages } from "./generate-docs";
import { TypeWriter } from "./generate-types";

/**
 * Writes what is derived from the schemas: the public classes (inferred types lose their documentation in an installed
 * package, and the SDK's own TypeScript 3.8 does not read zod's) and the reference pages. `--check` only compares.
 */
const root = join(__dirname, "..", "..");

const subjects = [
  {
    name: "Host",
    doc: "A Linux machine, reached over SSH. All else is declared on one.",
    args: hostArgs,
    facts: hostFacts,
  },
  ...Object.values(kinds).sort((a, b) => a.name.localeCompare(b.name)),
];

const files = new Map([["provider/resources.ts", new TypeWriter().write(subjects)], ...referencePages(subjects)]);
const stale: string[] = [];
for (const [path, text] of files) {
  const file = join(root, path);
  if (current(file) === text) continue;
  stale.push(path);
  if (process.argv.includes("--check")) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
if (stale.length > 0 && process.argv.includes("--check")) {
  console.error(`not current: ${stale.join(", ")}. Run: npm run generate`);
  process.exitCode = 1;
}

function current(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
