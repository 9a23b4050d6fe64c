import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./root";

/** Writes generated files, by path under the root; with `--check` it only compares, and the exit code tells. */
export function settle(files: Iterable<readonly [path: string, text: string]>): void {
  const stale = [...files].filter(([path, text]) => current(join(root, path)) !== text);
  if (!process.argv.includes("--check")) {
    for (const [path, text] of stale) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  } else if (stale.length > 0) {
    console.error(`not current: ${stale.map(([path]) => path).join(", ")}. Run: npm run generate`);
    process.exitCode = 1;
  }
}

function current(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
