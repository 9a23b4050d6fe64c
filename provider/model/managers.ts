import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { fallbackDevices, linkSections, linksIn } from "./link-state";

/** Who else sets up devices on a host: asked once, when the Host is created or updated (law 16). */
export const managerSections: Section[] = [
  ...linkSections(undefined),
  // What `networkctl list` reads, too, and calls SETUP; it takes a slow host ten times as long.
  { key: "networkd", argv: ["grep", "-rs", "^ADMIN_STATE=", "/run/systemd/netif/links"] },
  { key: "nmcli", argv: ["nmcli", "-t", "-f", "DEVICE,STATE", "device"] },
  {
    key: "ifupdown",
    argv: ["grep", "-rhsE", "^[[:space:]]*iface", "/etc/network/interfaces", "/etc/network/interfaces.d"],
  },
];

/** Programs that make devices of their own names. */
const byName: [RegExp, string][] = [
  [/^(docker\d|br-[0-9a-f]{12}$)/, "docker"],
  [/^(virbr|vnet)\d/, "libvirt"],
];

export interface DeviceOnHost {
  name: string;
  mac?: string;
  /** The kind of device as `ip -d link` has it; "nic" for hardware. */
  type: string;
  /** networkd, NetworkManager, ifupdown, docker or libvirt; absent where nobody else manages it. */
  managedBy?: string;
}

/** The devices of the host's own namespace and who manages each. A manager that is not installed says nothing. */
export function devicesOnHost(seen: Seen): DeviceOnHost[] {
  const managed = new Map<string, string>();
  // grep says 2 where one of the places is missing, also when it has found something in the other.
  for (const line of answer(seen, "ifupdown", [0, 2])) managed.set(line.trim().split(/\s+/)[1] ?? "", "ifupdown");
  for (const line of answer(seen, "nmcli")) {
    const [device = "", state] = line.split(":");
    if (state && state !== "unmanaged") managed.set(device, "NetworkManager");
  }
  const links = linksIn(seen, undefined);
  const names = new Map(links.map(({ ifindex, ifname }) => [ifindex, ifname]));
  for (const line of answer(seen, "networkd")) {
    const [, index, setup] = /\/(\d+):ADMIN_STATE=(.*)$/.exec(line) ?? [];
    const device = names.get(Number(index));
    if (device && setup !== "unmanaged") managed.set(device, "networkd");
  }
  return links
    .filter((link) => !fallbackDevices.has(link.ifname))
    .map((link) => ({
      name: link.ifname,
      mac: link.address,
      type: link.linkinfo?.info_kind ?? "nic",
      // What hangs on a bridge of docker's is a container's.
      managedBy: managed.get(link.ifname) ?? makerOf(link.ifname) ?? makerOf(link.master ?? ""),
    }));
}

/** What to write on the host, so that a manager leaves a device to us: the end of a warning. */
export function toLeaveAlone(device: string, manager: string): string {
  const advice: Record<string, string> = {
    networkd: `it leaves it alone after '[Match]\\nName=${device}\\n[Link]\\nUnmanaged=yes' in /etc/systemd/network/00-hostnet-${device}.network and 'networkctl reload'`,
    NetworkManager: `it leaves it alone after '[keyfile]\\nunmanaged-devices=interface-name:${device}' in /etc/NetworkManager/conf.d/hostnet-${device}.conf and 'nmcli general reload'`,
    ifupdown: `take its 'iface ${device}' out of /etc/network/interfaces and interfaces.d`,
  };
  return advice[manager] ?? "it may undo what is declared";
}

const makerOf = (name: string) => byName.find(([pattern]) => pattern.test(name))?.[1];

function answer(seen: Seen, key: string, complete = [0]): string[] {
  const { exitCode, stdout } = seen.result(key);
  return complete.includes(exitCode) ? stdout.split("\n").filter((line) => line.trim() !== "") : [];
}
