import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Where Debian keeps what a user's PATH often lacks. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];

/** The executable that `command` names, on PATH or in the system's own folders; undefined if there is none. */
export function which(command: string, path = process.env.PATH ?? "", extra = systemFolders): string | undefined {
  if (isAbsolute(command)) return isExecutable(command) ? command : undefined;
  const folders = [...path.split(delimiter).filter((folder) => folder !== ""), ...extra];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
