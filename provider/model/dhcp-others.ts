import type { Seen } from "../host/seen";
import type { Section } from "./command";
import type { DhcpArgs } from "./dhcp-args";
import { dhcpIn } from "./dnsmasq-line";
import { linkState } from "./link-state";
import { cgroupsSection, netnsInode, type Process, runnerOf } from "./processes";
import { othersRunning, serviceSections } from "./service-live";

/** What dnsmasq reads when its command line names no other file, where that says anything; `ip netns exec` covers it. */
const configSection: Section = {
  key: "dnsmasq.conf",
  argv: ["grep", "-rsE", "--include=dnsmasq.conf", "^[[:space:]]*[^#[:space:]]", "/etc/dnsmasq.conf", "/etc/netns"],
};

/** What has to be read beside the links of a namespace. */
export const dhcpOthersSections: Section[] = [...serviceSections, cgroupsSection, configSection];

/** A dnsmasq that somebody else has started, as a DhcpServer of its device's name. */
export interface OtherServer {
  process: Process;
  /** Undefined where it cannot be one. */
  args?: DhcpArgs;
  why?: string;
  leases: string;
}

/** Those in a namespace. Throws READ_FAILED. */
export function otherServers(seen: Seen, namespace: string | undefined): OtherServer[] {
  const inode = netnsInode(seen, namespace);
  if (inode === undefined) return [];
  const addressesOf = (device: string) =>
    (linkState(seen, namespace, device)?.addresses ?? []).flatMap(({ address }) =>
      address.includes(":") ? [] : [address],
    );
  return othersRunning(seen, "dnsmasq").flatMap((process) => {
    if (process.netns !== inode) return [];
    // One without a value is an empty word.
    const words = process.args.split(" ").slice(1);
    const line = dhcpIn(words, namespace, addressesOf);
    const why = reason(seen, process, words, namespace) ?? line.why;
    return [{ process, leases: line.leases, ...(why === undefined ? { args: line.args } : { why }) }];
  });
}

/** Why it cannot be taken over, whatever it says. */
function reason(seen: Seen, process: Process, words: string[], namespace: string | undefined): string | undefined {
  const runner = runnerOf(seen, process);
  if (runner) return `systemd's ${runner} runs it`;
  if (words.some((word) => /^(-C|--conf-file)/.test(word))) return undefined;
  const files = ["/etc/dnsmasq.conf", ...(namespace ? [`/etc/netns/${namespace}/dnsmasq.conf`] : [])];
  const lines = seen.result(configSection.key).stdout.split("\n");
  const file = files.find((path) => lines.some((line) => line.startsWith(`${path}:`)));
  return file && `it reads ${file} too`;
}
