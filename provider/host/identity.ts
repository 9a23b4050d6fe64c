import { createHash } from "node:crypto";
import { HostnetError } from "../model/errors";
import type { HostFacts } from "./types";

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
