import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { machineFiles, machineNames } from "./paths";
import { run } from "./run";

/** The layer-2 networks that join all machines. */
export const segments = ["underlay", "external"] as const;
export type Segment = (typeof segments)[number];

/** What the hub is called among the lab's processes. */
export const hubName = "hub";

/** The socket at which a machine's NIC is plugged into a segment. */
export function socketOf(segment: Segment, machine: string): string {
  return join(machineFiles(hubName).folder, `${segment}-${machine}`);
}

/**
 * Starts the hub: a QEMU without a machine, of which only the hubs are used. It passes every frame as it is (VLAN tags,
 * LLDP, jumbo frames: vde_switch drops the first and cuts the last), and unlike multicast nothing leaves the process.
 */
export async function startHub(): Promise<void> {
  const files = machineFiles(hubName);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  const ports = segments.flatMap((segment, hub) =>
    machineNames.flatMap((machine) => {
      const id = `${segment}-${machine}`;
      const stream = `stream,id=${id},server=on,addr.type=unix,addr.path=${socketOf(segment, machine)}`;
      return ["-netdev", stream, "-netdev", `hubport,id=port-${id},hubid=${hub},netdev=${id}`];
    }),
  );
  const quiet = ["-nodefaults", "-no-user-config", "-display", "none", "-daemonize", "-pidfile", files.pid];
  await run("qemu-system-x86_64", ["-name", "hostnet-lab-hub", "-machine", "none", ...quiet, ...ports]);
}
