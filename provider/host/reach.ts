import { createHash } from "node:crypto";
import { HostnetError } from "../model/errors";
import { machine } from "./batch";
import type { Connection } from "./connection";
import type { HostFacts, Machine } from "./types";

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

/** Which machine this is, whatever its address: machine id and, where readable, the firmware's uuid. */
export function machineIdentity(facts: HostFacts, mode: "machineId" | "hostKey" | undefined): string {
  if (mode === "hostKey") {
    if (!facts.hostKeyFingerprint) {
      throw new HostnetError(
        "INVALID",
        "identity: hostKey needs a transport that proves a host key; this one does not",
      );
    }
    return digest(facts.hostKeyFingerprint);
  }
  if (!facts.machineId) {
    throw new HostnetError("INVALID", "the machine has no /etc/machine-id", {
      remedy: 'Give it one (systemd-machine-id-setup), or set identity: "hostKey" on the Host.',
    });
  }
  return digest(`${facts.machineId}/${facts.productUuid ?? ""}`);
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** The machine behind a resource's host, or undefined when another machine answers there. Throws when none answers. */
export async function reachIfSame(host: HostRef): Promise<Machine | undefined> {
  const found = await machine(host);
  return machineIdentity(found.facts, host.identity) === host.machineId ? found : undefined;
}

/** The machine behind a resource's host. Throws OTHER_MACHINE. */
export async function reach(host: HostRef): Promise<Machine> {
  const found = await reachIfSame(host);
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
