import { HostnetError } from "../model/errors";

/** Runs the Pulumi CLI that is on PATH, in the project's folder; with `show` what it says goes to standard error. */
export async function pulumi(dir: string, args: string[], show = false): Promise<string> {
  const { execa } = await import("execa");
  const result = await execa("pulumi", ["--non-interactive", ...args], {
    ...{ cwd: dir, stdin: "ignore", reject: false },
    ...(show ? { stdout: ["pipe", process.stderr], stderr: ["pipe", process.stderr] } : {}),
  } as never);
  const { exitCode, stdout, stderr, message } = result as unknown as Record<"stdout" | "stderr" | "message", string> & {
    exitCode?: number;
  };
  if (exitCode === undefined) {
    throw new HostnetError("MISSING_TOOL", `pulumi could not be run: ${message}`, {
      remedy: "Put the Pulumi CLI on PATH.",
    });
  }
  if (exitCode !== 0)
    throw new HostnetError("STEP_FAILED", `pulumi ${args[0]} failed`, { exitCode, stderr: stderr || stdout });
  return stdout;
}

/** The state of a stack. Throws STEP_FAILED. */
export const exported = (dir: string, stack: string | undefined) =>
  pulumi(dir, ["stack", "export", "--show-secrets", ...(stack ? ["--stack", stack] : [])]);
