import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's root: these files run as tools/*.ts under jest and as dist/tools/*.js otherwise. */
export const root = findRoot(__dirname);

/** State of the demonstration stack and of end-to-end tests; git-ignored. */
export const stateDir = join(root, ".pulumi-state");

function findRoot(from: string): string {
  for (let dir = from; ; dir = dirname(dir)) {
    if (existsSync(join(dir, "tools", "pulumi", "cli", "go.mod"))) return dir;
    if (dir === dirname(dir)) throw new Error(`${from} is not inside pulumi-hostnet`);
  }
}
