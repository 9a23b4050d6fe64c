import { statSync } from "node:fs";
import { type ErrorDetails, HostnetError } from "../model/errors";
import { busy } from "./progress";

interface Ended {
  exitCode?: number;
  stdout: string;
  stderr: string;
  message: string;
}

/** Runs a program in the project's folder, and shows what it says on standard error. Throws STEP_FAILED, MISSING_TOOL. */
export async function shown(program: string, dir: string, args: string[]): Promise<void> {
  const own = program === "pulumi" ? ["--non-interactive"] : [];
  await run(program, dir, [...own, ...args], { stdout: ["pipe", process.stderr], stderr: ["pipe", process.stderr] });
}

/** The state of a stack. Throws STEP_FAILED, MISSING_TOOL, INVALID when there is no such folder. */
export async function exported(dir: string, stack: string | undefined): Promise<string> {
  // To spawn in a folder that is not there fails as if the program were not there.
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new HostnetError("INVALID", `there is no folder ${dir}`, { remedy: whichStack });
  }
  const on = stack === undefined ? [] : ["--stack", stack];
  const args = ["--non-interactive", "stack", "export", "--show-secrets", ...on];
  busy("asking pulumi for the state ...");
  return run("pulumi", dir, args, {}, { remedy: whichStack });
}

const whichStack =
  "Say by --dir where the project is, and by --stack which of its stacks: `pulumi stack ls` lists them, `pulumi stack init` makes one.";

async function run(
  program: string,
  dir: string,
  args: string[],
  streams: object,
  failing: ErrorDetails = {},
): Promise<string> {
  const { execa } = await import("execa");
  const ended = execa(program, args, { cwd: dir, stdin: "ignore", reject: false, ...streams });
  const { exitCode, stdout, stderr, message } = (await ended) as unknown as Ended;
  if (exitCode === undefined) {
    throw new HostnetError("MISSING_TOOL", `${program} could not be run: ${message}`, {
      remedy: `Put ${program} on PATH.`,
    });
  }
  if (exitCode === 0) return stdout;
  const said = args.filter((word) => !word.startsWith("-")).slice(0, 2);
  throw new HostnetError("STEP_FAILED", `${program} ${said.join(" ")} failed`, {
    ...{ ...failing, exitCode, stderr: stderr || stdout },
  });
}
