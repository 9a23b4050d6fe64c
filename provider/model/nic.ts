import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { HostnetError } from "./errors";
import { type LinkJson, type LinkState, linkState, linksIn } from "./link-state";
import { keyIn } from "./namespaces";
import { featuresIn } from "./offloads";

/** How a NIC is chosen: by name, or by what does not change when names do. */
export interface NicChoice {
  name: string;
  namespace?: string;
  selector?: { mac?: string; pciPath?: string };
}

/**
 * The network cards of a namespace. What has no kind is one, or was made by a way of its own, as L2TP's: where the host says of
 * others what hardware they hang on, a card is what has some.
 */
export function cardsIn(seen: Seen, namespace: string | undefined): LinkJson[] {
  const links = linksIn(seen, namespace);
  const saysHardware = [...links, ...linksIn(seen, undefined)].some(({ parentdev }) => parentdev !== undefined);
  return links.filter(
    ({ linkinfo, link_type, parentdev }) =>
      linkinfo?.info_kind === undefined && link_type === "ether" && (!saysHardware || parentdev !== undefined),
  );
}

/** Where each device of the namespace is in the tree of hardware: `eth0 -> ../../devices/pci0000:00/0000:00:03.0/…`. */
const pathsSection: Section = { key: "nicpaths", argv: ["ls", "-l", "/sys/class/net"] };

/** Asked of one device by its name; of all (`*` is ethtool's own word) when it has to be found first. */
const asked = ({ name, selector }: NicChoice) => (selector ? "*" : name);

export function nicSections(choice: NicChoice): Section[] {
  const device = asked(choice);
  return [
    ...(choice.selector?.pciPath ? [pathsSection] : []),
    { key: `features:${device}`, argv: ["ethtool", "-k", device] },
    { key: `rings:${device}`, argv: ["ethtool", "-g", device] },
  ];
}

/** The NIC, if there is one. Throws INVALID when the selector fits several. */
export function chosenNic(seen: Seen, choice: NicChoice): LinkState | undefined {
  const { name, namespace, selector } = choice;
  if (!selector) return linkState(seen, namespace, name);
  const { mac, pciPath } = selector;
  const names = linksIn(seen, namespace)
    // VLANs, bridges and macvlans may have a NIC's MAC address: only hardware counts, by the address it was made with.
    .filter((link) => link.linkinfo?.info_kind === undefined && link.link_type === "ether")
    .filter((link) => mac === undefined || (link.permaddr ?? link.address) === mac)
    .filter((link) => pciPath === undefined || pciPathOf(seen, namespace, link.ifname) === pciPath)
    .map((link) => link.ifname);
  if (names.length > 1) {
    throw new HostnetError("INVALID", `${names.length} devices are there ${shownChoice(choice)}: ${names.join(", ")}`, {
      remedy: "Choose by name, or by both MAC address and PCI path.",
    });
  }
  return names[0] === undefined ? undefined : linkState(seen, namespace, names[0]);
}

export const shownChoice = ({ name, selector }: NicChoice) =>
  selector
    ? `with ${[selector.mac && `MAC address ${selector.mac}`, selector.pciPath && `PCI path ${selector.pciPath}`].filter(Boolean).join(" and ")}`
    : name;

/** The last PCI function on the way to the device: virtio and USB put buses of their own below it. */
function pciPathOf(seen: Seen, namespace: string | undefined, name: string): string | undefined {
  const lines = seen.text(keyIn("nicpaths", namespace)).split("\n");
  const path = lines.find((line) => line.includes(` ${name} -> `))?.split(" -> ")[1];
  return path?.match(/[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/g)?.at(-1);
}

/** What `ethtool` printed of one device. Undefined when it has nothing to tell, or is not there. */
function printed(seen: Seen, choice: NicChoice, what: "features" | "rings", name: string): string | undefined {
  const { stdout } = seen.result(keyIn(`${what}:${asked(choice)}`, choice.namespace));
  // "Features for eth0:", "Ring parameters for eth0:"; a blank line between devices.
  const parts = stdout.split(/^(?:Features|Ring parameters) for (.*):$/m);
  const at = parts.indexOf(name);
  return at < 0 ? undefined : parts[at + 1];
}

export const nicFeatures = (seen: Seen, choice: NicChoice, name: string) =>
  featuresIn(printed(seen, choice, "features", name) ?? "");

export interface RingSize {
  rx?: number;
  tx?: number;
}

export function nicRings(seen: Seen, choice: NicChoice, name: string): RingSize | undefined {
  const current = printed(seen, choice, "rings", name)?.split("Current hardware settings:")[1];
  const size = (what: string) => {
    const value = new RegExp(`^${what}:\\s+(\\d+)$`, "m").exec(current ?? "")?.[1];
    return value === undefined ? undefined : Number(value);
  };
  return current === undefined ? undefined : { rx: size("RX"), tx: size("TX") };
}
