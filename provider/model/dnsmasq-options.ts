import { isIPv4 } from "node:net";

/** A word of dnsmasq's command line, with its value. */
export interface CommandOption {
  /** As it would be written out: `--dhcp-range`. */
  name: string;
  value?: string;
}

/** dnsmasq's letters for the options that a DhcpServer stands for, with a value and without. */
const valued: Record<string, string> = {
  ...{ i: "--interface", I: "--except-interface", F: "--dhcp-range", O: "--dhcp-option", G: "--dhcp-host" },
  ...{ s: "--domain", S: "--server", X: "--dhcp-lease-max", p: "--port", l: "--dhcp-leasefile", x: "--pid-file" },
  ...{ u: "--user", g: "--group", C: "--conf-file" },
};
const switches: Record<string, string> = {
  ...{ K: "--dhcp-authoritative", k: "--keep-in-foreground", d: "--no-daemon", z: "--bind-interfaces" },
  ...{ h: "--no-hosts", R: "--no-resolv" },
};
const withValue = new Set(Object.values(valued));
const known = new Set([...withValue, ...Object.values(switches), "--bind-dynamic"]);

/** A command line taken apart as getopt_long(3) does it, but for names that are cut short: these are other names. */
export function optionsIn(words: string[]): CommandOption[] {
  const left = [...words];
  const options: CommandOption[] = [];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, name, value] = /^(--[a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
    if (name === undefined) options.push(...lettersOf(word, left));
    else options.push({ name, value: value ?? (withValue.has(name) ? left.shift() : undefined) });
  }
  return options;
}

/** Letters in one word; the first that takes a value takes the rest of it, or the next word. */
function lettersOf(word: string, next: string[]): CommandOption[] {
  const [, letter = "", rest = ""] = /^-([A-Za-z])(.*)$/.exec(word) ?? [];
  const name = valued[letter];
  if (name !== undefined) return [{ name, value: rest || next.shift() }];
  const more = switches[letter] && rest ? lettersOf(`-${rest}`, next) : [];
  return [{ name: switches[letter] ?? word }, ...more];
}

export const textOf = ({ name, value }: CommandOption) => (value === undefined ? name : `${name}=${value}`);

/** False for what a DhcpServer has no argument for, or has otherwise. */
export function isSayable({ name, value = "" }: CommandOption): boolean {
  // A byte that ps does not show.
  if (!known.has(name) || value.includes("?")) return false;
  if (name === "--conf-file") return ["", "/dev/null"].includes(value);
  if (name === "--except-interface") return value === "lo";
  if (name === "--dhcp-option") return /^(\d+|option:[^,]+)(,|$)/.test(value);
  if (name === "--dhcp-host") return hostParts(value) !== undefined;
  return name !== "--dhcp-leasefile" || value.startsWith("/");
}

/** Of a client with an address of its own: MAC address, address and name, which stand in any order. */
export function hostParts(value: string): string[] | undefined {
  const parts = value.split(",");
  const mac = parts.find((part) => /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(part));
  const address = parts.find((part) => isIPv4(part));
  if (mac === undefined || address === undefined || parts.length > 3) return undefined;
  return [mac.toLowerCase(), address, ...parts.filter((part) => part !== mac && part !== address)];
}
