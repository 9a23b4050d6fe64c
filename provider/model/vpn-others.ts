import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { cgroupsSection, type Process, placeOfNetns, processesOf, runnerOf } from "./processes";
import { othersRunning, serviceSections } from "./service-live";
import { tunnelIn } from "./socat-line";
import type { UdpVpnArgs } from "./udp-vpn-args";

/** What has to be read beside the links of a namespace. */
export const vpnOthersSections: Section[] = [...serviceSections, cgroupsSection];

/** A socat that somebody else has started for a TUN device. */
export interface OtherTunnel {
  process: Process;
  /** What it has started. */
  children: Process[];
  /** Where it runs; its device may be elsewhere. */
  place: string | undefined;
  /** Undefined where no UdpVpn can be so. */
  args?: UdpVpnArgs;
  why?: string;
}

/** All of a host, in whatever namespace, but for those in one without a name. Throws READ_FAILED. */
export function otherTunnels(seen: Seen): OtherTunnel[] {
  return othersRunning(seen, "socat").flatMap((process) => {
    const place = placeOfNetns(seen, process.netns);
    const line = place && tunnelIn(process.args.replace(/^\S+ /, ""), place.namespace);
    if (!line) return [];
    const runner = runnerOf(seen, process);
    const why = runner === undefined ? line.why : `systemd's ${runner} runs it`;
    const children = processesOf(seen).filter(({ parent }) => parent === process.pid);
    return [{ process, children, place: place.namespace, ...(why === undefined ? { args: line.args } : { why }) }];
  });
}
