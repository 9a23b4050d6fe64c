import { packages as labPackages } from "../lab/packages";
import { duration, type Log, log } from "./log";
import { type DebianPackage, missingPackages, planInstall } from "./packages";
import { which } from "./which";

/**
 * Installs the Debian packages that are missing, by apt, with sudo when not root, and says what and why before.
 * @throws Error that says what to do, when they cannot be installed.
 */
export async function setup(packages: DebianPackage[] = labPackages, say: Log = log) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const list = missing.map((each) => `  ${each.package} (${each.command}): ${each.why}`).join("\n");
  say(`Debian packages are missing:\n${list}`);
  const plan = planInstall(missing, {
    isRoot: process.getuid?.() === 0,
    hasApt: which("apt-get") !== undefined,
    hasSudo: which("sudo") !== undefined,
  });
  if ("problem" in plan) throw new Error(plan.problem);

  const { execa } = await import("execa");
  const started = Date.now();
  for (const command of plan.commands) {
    say(`Running: ${command.join(" ")}`);
    const [program, ...args] = command;
    // sudo asks for a password on the terminal itself, so the output can be kept back and shown when it matters.
    const result = await execa(program as string, args, { stdin: "inherit", all: true, reject: false });
    // A package list that is partly out of date may still have what is missing: only the installation has to succeed.
    if (result.failed && command.includes("install")) {
      const tail = (result.all ?? result.shortMessage).split("\n").slice(-20).join("\n");
      throw new Error(`The packages could not be installed:\n${tail}\nInstall them by hand, then run this again.`);
    }
  }
  const still = missingPackages(missing);
  if (still.length > 0) {
    const names = still.map((each) => `${each.command} (${each.package})`).join(", ");
    throw new Error(`apt reported success, but these commands are still missing: ${names}`);
  }
  say(`Packages installed in ${duration((Date.now() - started) / 1000)}.`);
}
