import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A Debian package of the developer's machine, the command that shows whether it is there, and why the lab needs it. */
export interface LabPackage {
  package: string;
  command: string;
  why: string;
}

const isRoot = process.getuid?.() === 0;

/** What has to be installed to run the lab. */
export const packages: LabPackage[] = [
  { package: "qemu-system-x86", command: "qemu-system-x86_64", why: "the lab's machines run under QEMU" },
  { package: "qemu-utils", command: "qemu-img", why: "a copy-on-write disk for each of the lab's machines" },
  { package: "mmdebstrap", command: "mmdebstrap", why: "builds the lab's Debian image from your own apt sources" },
  { package: "e2fsprogs", command: "mke2fs", why: "makes the image's file system without mounting it" },
  { package: "openssh-client", command: "ssh", why: "logs in to the lab's machines and makes their keys" },
  ...(isRoot ? [] : [{ package: "uidmap", command: "newuidmap", why: "builds the lab's image without root" }]),
];

/** A user's PATH often lacks the folders in which Debian keeps mke2fs. */
export const toolPath = [process.env.PATH ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].join(
  delimiter,
);

/** Throws an error that names the packages to install when a tool of the lab is missing. */
export function requireTools(wanted = packages, path = toolPath): void {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const missing = wanted.filter(({ command }) => !folders.some((folder) => isExecutable(join(folder, command))));
  if (missing.length === 0) return;
  const list = missing.map((each) => `  ${each.package}: ${each.why} (${each.command})`).join("\n");
  const names = missing.map((each) => each.package).join(" ");
  throw new Error(
    `The lab lacks tools on this machine:\n${list}\nInstall them: apt-get install --no-install-recommends ${names}`,
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
