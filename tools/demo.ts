import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../lab";
import { backendEnv, isDeployed, stackName } from "./backend";
import type { Pulumi } from "./pulumi";
import { root, stateDir } from "./root";

/** The demonstration stack: the root Pulumi.yaml on our own file backend. */
export interface Demo {
  /** Runs the CLI in the repository's root with Pulumi's own output; resolves to its exit code. */
  run(args: string[]): Promise<number>;
  /** Runs it quietly; resolves to its stdout, or undefined if it failed. */
  read(args: string[]): Promise<string | undefined>;
  /** Makes the stack, unless it is there; resolves to an exit code. */
  init(): Promise<number>;
  /** Whether the stack has been made, and not been destroyed since. */
  isDeployed(): boolean;
}

/** The demonstration stack, whose program finds the lab's hosts in HOSTNET_LAB. */
export async function demo(pulumi: Pulumi, hosts?: LabHost[]): Promise<Demo> {
  const { execa } = await import("execa");
  const env = { ...backendEnv(pulumi), ...(hosts ? { HOSTNET_LAB: JSON.stringify(hosts) } : {}) };
  const read = async (args: string[]) => {
    const result = await execa(pulumi.command, [...args, "--non-interactive"], { cwd: root, env, reject: false });
    return result.failed ? undefined : result.stdout;
  };
  const run = async (args: string[]) => {
    // Ctrl-C reaches Pulumi, which finishes what is under way; we wait for it instead of leaving it behind.
    const ignore = () => undefined;
    process.on("SIGINT", ignore);
    try {
      const result = await execa(pulumi.command, args, { cwd: root, env, stdio: "inherit", reject: false });
      return result.exitCode ?? 1;
    } finally {
      process.off("SIGINT", ignore);
    }
  };
  return {
    run,
    read,
    init: async () => {
      if (existsSync(stackFile())) return 0;
      dropOldSalt();
      return run(["stack", "init", stackName, "--non-interactive"]);
    },
    isDeployed: () => existsSync(stackFile()) && isDeployed(readFileSync(stackFile(), "utf8")),
  };
}

/**
 * The CLI keeps the salt of the passphrase in Pulumi.lab.yaml, beside Pulumi.yaml. When the state folder was removed,
 * that salt belongs to a passphrase that is gone, and would make every command fail.
 */
function dropOldSalt(): void {
  const file = join(root, `Pulumi.${stackName}.yaml`);
  if (!existsSync(file)) return;
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, lines.filter((line) => !line.startsWith("encryptionsalt:")).join("\n"));
}

/** Where the file backend keeps the stack: asking the CLI would take a second. */
function stackFile(): string {
  const project = /^name: *(\S+)/m.exec(readFileSync(join(root, "Pulumi.yaml"), "utf8"))?.[1] ?? "";
  return join(stateDir, "backend", ".pulumi", "stacks", project, `${stackName}.json`);
}
