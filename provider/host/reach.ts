import { codes, HostnetError } from "../model/errors";
import { machine } from "./batch";
import type { Connection } from "./connection";
import { machineIdentity } from "./identity";
import type { Machine } from "./types";

/** What a resource carries of its Host: how to get there, and which machine it must find there. */
export interface HostRef extends Connection {
  /** The Host resource's name. */
  name: string;
  /** Which machine it is: `machineIdentity` when the Host was last looked at. */
  machineId: string;
  /** 64 random bits of this Host resource; part of every mark. */
  owner: string;
  /** Changes when the machine has lost its runtime state. */
  epoch: string;
}

async function ifSame(host: HostRef): Promise<Machine | undefined> {
  const found = await machine(host);
  return machineIdentity(found.facts, host.identity) === host.machineId ? found : undefined;
}

/**
 * The machine behind a host as the state has it, or undefined when another machine answers there. Throws when none
 * answers: the program may say another way by now.
 */
export async function reachIfSame(host: HostRef): Promise<Machine | undefined> {
  try {
    return await ifSame(host);
  } catch (error) {
    throw error instanceof HostnetError && byTheWay.has(error.code) ? withWaysOut(error, host.name) : error;
  }
}

/** Errors that another address, user or key may be the cure of. */
const byTheWay = new Set(["UNREACHABLE", "AUTH", "HOST_KEY_UNKNOWN", "HOST_KEY_MISMATCH"]);

function withWaysOut({ code, summary, details }: HostnetError, name: string): HostnetError {
  const remedy = [
    details.remedy ?? codes[code],
    "A refresh and a destroy go by the address, user and key in the state: where the program says others by now, `pulumi up` without --refresh comes first.",
    `Is the machine gone for good, say \`decommissioned: true\`, or HOSTNET_DECOMMISSIONED=${name} for a destroy.`,
  ];
  return new HostnetError(code, summary, { ...details, remedy: remedy.join("\n        ") });
}

/** The machine behind a resource's host. Throws OTHER_MACHINE. */
export async function reach(host: HostRef): Promise<Machine> {
  const found = await ifSame(host);
  if (found) return found;
  throw new HostnetError("OTHER_MACHINE", "another machine answers than the one that the Host resource saw", {
    host: host.name,
    remedy:
      "Run `pulumi up` again: the Host is looked at first, and everything is made anew on the machine that is there now.",
  });
}

/** True when the user said that the machine is gone for good: then nothing can be, and need be, done on it. */
export function decommissioned(host: { name: string; decommissioned?: boolean }): boolean {
  const names = (process.env.HOSTNET_DECOMMISSIONED ?? "").split(",").map((name) => name.trim());
  return host.decommissioned === true || names.includes(host.name);
}
