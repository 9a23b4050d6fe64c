import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** POSIX shells that hosts have as /bin/sh, as far as this machine has them. */
export const posixShells: [name: string, argv: string[]][] = [];
/** Login shells of users. */
export const loginShells: [name: string, argv: string[]][] = [];

const find = (name: string) => spawnSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();

for (const [name, argv, posix, login] of [
  ["dash", ["dash"], true, true],
  ["bash", ["bash"], true, true],
  ["busybox", ["busybox", "sh"], true, true],
  ["fish", ["fish"], false, true],
  ["tcsh", ["tcsh"], false, true],
] as [string, string[], boolean, boolean][]) {
  const path = find(argv[0] ?? "");
  if (!existsSync(path)) {
    process.stderr.write(`note: ${name} is not installed here, so its tests do not run (apt-get install ${name})\n`);
    continue;
  }
  if (posix) posixShells.push([name, [path, ...argv.slice(1)]]);
  if (login) loginShells.push([name, [path, ...argv.slice(1)]]);
}
