import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Pulumi } from "./pulumi";
import { stateDir } from "./root";

/** The stack that `npm start` deploys. */
export const stackName = "lab";

/**
 * The environment in which the CLI works on the demonstration stack: a file backend, passphrase and Pulumi home of its
 * own under the git-ignored state folder, so that nothing of the user's own Pulumi set-up is used or changed.
 */
export function backendEnv(pulumi: Pulumi): Record<string, string | undefined> {
  const backend = join(stateDir, "backend");
  mkdirSync(backend, { recursive: true, mode: 0o700 });
  // Undefined, as a child gets what is not named: the user's own passphrase would win over our file.
  const theirs = Object.keys(process.env).filter((name) => name.startsWith("PULUMI_"));
  return {
    ...Object.fromEntries(theirs.map((name) => [name, undefined])),
    ...pulumi.env,
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_HOME: join(stateDir, "home"),
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_PARALLEL: process.env.PULUMI_PARALLEL ?? "64",
  };
}

/** Whether anything is left to take away, by the stack's state as the file backend keeps it. */
export function isDeployed(state: string): boolean {
  const { resources = [], pending_operations = [] } = JSON.parse(state).checkpoint?.latest ?? {};
  return resources.length + pending_operations.length > 0;
}

/** Written once: state encrypted with it is lost with it. */
function passphraseFile(): string {
  const file = join(stateDir, "passphrase");
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  return file;
}
