import type { Kind } from "../kind";
import { linuxBridge } from "./linux-bridge";
import { namespace } from "./namespace";
import { sysctl } from "./sysctl";
import { vethPair } from "./veth-pair";

/** The registry: one line a kind. The public API, the laws' tests and the documentation loop over it. */
export const kinds: Record<string, Kind> = {
  LinuxBridge: linuxBridge,
  Namespace: namespace,
  Sysctl: sysctl,
  VethPair: vethPair,
};
