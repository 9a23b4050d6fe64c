import type { Link } from "./workloads";

/** A device as `ip -j -d addr` prints it; only what is compared. */
export interface Device {
  ifname: string;
  flags: string[];
  master?: string;
  linkinfo?: { info_kind?: string };
  addr_info?: { family: string; local: string; prefixlen: number }[];
}

/**
 * How the devices of a host differ from what has to be there: the links, as declared, and the devices that were there
 * before any contender. Empty when they do not. No contender's code is asked.
 */
export function differences(links: Link[], seen: Device[], before: string[]): string[] {
  const expected = new Map(links.flatMap(devicesOf).map((device) => [device.name, device]));
  const missing = [...expected.keys(), ...before].filter((name) => !seen.some(({ ifname }) => ifname === name));
  const wrong = seen.flatMap((device) => {
    const want = expected.get(device.ifname);
    if (want) return compare(want, device);
    return before.includes(device.ifname) ? [] : [`${device.ifname} is there`];
  });
  return [...missing.map((name) => `${name} is missing`), ...wrong];
}

interface Expected {
  name: string;
  type: "bridge" | "veth";
  master?: string;
  address?: string;
}

function devicesOf(link: Link): Expected[] {
  if (link.kind === "LinuxBridge") return [{ name: link.name, type: "bridge" }];
  return [
    { name: link.near.name, type: "veth", address: link.near.address },
    { name: link.far.name, type: "veth", master: link.far.bridge },
  ];
}

function compare(want: Expected, device: Device): string[] {
  const ipv4 = (device.addr_info ?? []).filter(({ family }) => family === "inet");
  const pairs: [what: string, want: unknown, is: unknown][] = [
    ["type", want.type, device.linkinfo?.info_kind],
    ["up", true, device.flags.includes("UP")],
    ["master", want.master, device.master],
    ["addresses", want.address ?? "", ipv4.map(({ local, prefixlen }) => `${local}/${prefixlen}`).join(",")],
  ];
  return pairs.filter(([, a, b]) => a !== b).map(([what, a, b]) => `${want.name}: ${what} is ${b}, not ${a}`);
}
