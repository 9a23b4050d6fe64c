import { which } from "../tools/which";

/** Runs a program to its end; resolves to what it printed. Throws an Error with all that it said when it fails. */
export async function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: object } = {},
): Promise<string> {
  const { execa } = await import("execa");
  const { cwd, env } = options;
  const result = await execa(which(program) ?? program, args, {
    cwd,
    env: { ...env },
    stdin: "ignore",
    reject: false,
    all: true,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.failed) throw new Error(`${program} ${args.join(" ")}: ${result.shortMessage}\n${result.all}`);
  return result.stdout;
}
