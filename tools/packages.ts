import { which } from "./which";

/** A Debian package, the command (name or absolute path) that shows whether it is there, and why it is needed. */
export interface DebianPackage {
  package: string;
  command: string;
  why: string;
}

/** The packages whose command is not to be found; looking takes milliseconds, so that every run can do it. */
export function missingPackages(
  packages: DebianPackage[],
  find: (command: string) => string | undefined = which,
): DebianPackage[] {
  return packages.filter(({ command }) => find(command) === undefined);
}

/** How apt is to be run, or why it cannot be. */
export type AptPlan = { commands: string[][] } | { problem: string };

/** What the plan depends on. */
export interface Machine {
  isRoot: boolean;
  hasApt: boolean;
  hasSudo: boolean;
}

/** The commands that install packages on this machine, or a text that says what the user has to do instead. */
export function planInstall(packages: DebianPackage[], machine: Machine): AptPlan {
  const names = [...new Set(packages.map((each) => each.package))];
  if (!machine.hasApt) {
    return {
      problem: [
        "This is not a Debian system, so they cannot be installed from here.",
        `Install what has these commands, then run this again: ${packages.map((each) => each.command).join(", ")}`,
      ].join("\n"),
    };
  }
  if (!machine.isRoot && !machine.hasSudo) {
    return {
      problem: `Neither root nor sudo is to be had. As root, run this, then start again:\n  apt-get update && apt-get install ${names.join(" ")}`,
    };
  }
  // sudo drops the environment, so what keeps apt from asking goes through env.
  const apt = [...(machine.isRoot ? [] : ["sudo"]), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"];
  const wait = ["-o", "DPkg::Lock::Timeout=300"]; // another apt at work (unattended upgrades after boot) is waited for
  return {
    commands: [
      [...apt, ...wait, "update"],
      [...apt, ...wait, "-o", "Dpkg::Use-Pty=0", "install", "--no-install-recommends", ...names],
    ],
  };
}
