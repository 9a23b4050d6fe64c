import { isIPv4 } from "node:net";
import { type DhcpArgs, dhcpArgs } from "./dhcp-args";
import { dhcpSettings, optionNumber, ownOptionWords, staticAnchor } from "./dnsmasq";
import { type CommandOption, hostParts, isSayable, optionsIn, textOf } from "./dnsmasq-options";
import { contains } from "./scalars";
import { linesIn } from "./settings";

/** What a command line of dnsmasq says, in the words of a DhcpServer. */
export interface DhcpLine {
  /** All that it says; undefined where a DhcpServer cannot say just that. */
  args?: DhcpArgs;
  /** Why not. */
  why?: string;
  /** The file of its leases. */
  leases: string;
}

/** How it runs, of which clients notice nothing. */
const unnoticed = [
  ...["--keep-in-foreground", "--no-daemon", "--bind-interfaces", "--bind-dynamic", "--user", "--group"],
  ...["--pid-file", "--conf-file", "--dhcp-leasefile"],
];

/** What has no effect on one that is no name server. */
const ofNames = ["--no-hosts", "--no-resolv", "--except-interface"];

/**
 * The words are those behind the program's name; `addressesOf` tells the IPv4 addresses of a device, with prefix length.
 * Everything is brought into the form in which a DhcpServer writes it. What that then writes has to be the same.
 */
export function dhcpIn(
  words: string[],
  namespace: string | undefined,
  addressesOf: (device: string) => string[],
): DhcpLine {
  const options = optionsIn(words);
  const first = (name: string) => options.find((option) => option.name === name)?.value;
  const leases = first("--dhcp-leasefile") ?? "/var/lib/misc/dnsmasq.leases";
  const unsaid = options.find((option) => !isSayable(option));
  if (unsaid) return { leases, why: `no DhcpServer can say ${textOf(unsaid)}` };
  const device = first("--interface");
  if (device === undefined) return { leases, why: "it serves every device: without --interface" };
  const lines = linesOf(options, addressesOf(device));
  return { leases, ...compared(lines, { namespace, name: device }) };
}

/** Lines by their place, as dhcpSettings has them. */
const places = ["argv", "options", "hosts"] as const;
type Place = (typeof places)[number];
type Lines = Record<Place, string[]>;

/** How the command line has such a line. */
const optionOf: Record<Place, string> = { argv: "", options: "--dhcp-option=", hosts: "--dhcp-host=" };

function linesOf(options: CommandOption[], addresses: string[]): Lines {
  const isNameServer = !options.some(({ name, value }) => name === "--port" && value === "0");
  const isSaid = ({ name, value }: CommandOption) =>
    !unnoticed.includes(name) && !(name === "--port" && value === "53") && (isNameServer || !ofNames.includes(name));
  const said = options.filter(isSaid);
  const valuesOf = (name: string) => said.flatMap((option) => (option.name === name ? [option.value ?? ""] : []));
  const ranges = valuesOf("--dhcp-range");
  const told = valuesOf("--dhcp-option").map(optionLine);
  const tells = (number: number) => told.some((line) => line.split(",")[0] === ownOptionWords[number]);
  const subnets = addresses.filter((address) => ranges.every((range) => isOf(address, range)));
  // Of what it is not told it tells the address that it has in the subnet: as the router, always.
  if (!tells(3) && subnets.length === 1) told.push(`option:router,${subnets[0]?.split("/")[0]}`);
  if (!tells(6) && !isNameServer) told.push("option:dns-server");
  const hosts = valuesOf("--dhcp-host").map((value) => (hostParts(value) ?? []).join(","));
  const read = (path: string, from: string[]) => dhcpSettings[path]?.read(from) as never;
  const anchor = staticAnchor({ gateway: read("gateway", told), reservations: read("reservations", hosts) });
  const plain = said.filter(({ name }) => !["--dhcp-range", "--dhcp-option", "--dhcp-host"].includes(name));
  return {
    argv: [...plain.map(textOf), ...ranges.map((range) => rangeLine(range, subnets, anchor))],
    ...{ options: told, hosts },
  };
}

const isOf = (address: string, range: string) => {
  const [start = ""] = range.split(",");
  return isIPv4(start) && contains(address, start);
};

/** The arguments of which a DhcpServer makes just these lines, or the first difference. */
function compared(lines: Lines, place: { namespace?: string; name: string }): Pick<DhcpLine, "args" | "why"> {
  const read = Object.entries(dhcpSettings).map(([path, { place: at, read: from }]) => [
    path,
    from(lines[at as Place]),
  ]);
  const said = { ...place, ...Object.fromEntries(read) };
  const { data = said as DhcpArgs, error } = dhcpArgs.safeParse(said);
  // Who serves clients answers no questions for names on `lo`.
  const always = (where: Place) => (where === "argv" && data.forwarders ? ["--except-interface=lo"] : []);
  const ours = (where: Place) => [...always(where), ...linesIn(dhcpSettings, where, data)];
  const differing = (some: (where: Place) => string[], others: (where: Place) => string[]) =>
    places.flatMap((where) =>
      some(where).flatMap((line, at, all) => {
        const isOther = !others(where).includes(line) || all.indexOf(line) < at;
        return isOther ? [`${optionOf[where]}${line}`] : [];
      }),
    )[0];
  const theirs = (where: Place) => lines[where];
  const more = differing(theirs, ours);
  if (more !== undefined) return { why: `no DhcpServer can say ${more}` };
  const [issue] = error?.issues ?? [];
  if (issue) return { why: `no DhcpServer can be so: ${issue.path.join(".")} ${issue.message}` };
  const less = differing(ours, theirs);
  return less === undefined ? { args: data } : { why: `it goes without ${less}, which a DhcpServer would say` };
}

/** `3,10.0.1.1` is `option:router,10.0.1.1`. */
function optionLine(value: string): string {
  const [key = "", ...rest] = value.split(",");
  const number = key.startsWith("option:") ? optionNumber(key.slice("option:".length)) : Number(key);
  return [ownOptionWords[number ?? -1] ?? key, ...rest].join(",");
}

/** With the lease time in seconds, without a mask that is the device's own, with the address that stands for a subnet. */
function rangeLine(value: string, subnets: string[], anchor: string | undefined): string {
  const [first = "", last = "", ...rest] = value.split(",");
  const own = subnets.find((address) => rest[0] === maskOf(address));
  const [time, ...more] = own === undefined ? rest : rest.slice(1);
  const seconds = time === undefined ? undefined : secondsOf(time);
  if (more.length > 0 || (time !== undefined && seconds === undefined)) return `--dhcp-range=${value}`;
  const isAnchored = anchor !== undefined && subnets.some((address) => contains(address, anchor));
  const start = last === "static" && isAnchored ? anchor : first;
  return `--dhcp-range=${[start, last, seconds].filter((part) => part !== undefined).join(",")}`;
}

function maskOf(address: string): string {
  const bits = 2 ** 32 - 2 ** (32 - Number(address.split("/")[1]));
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join(".");
}

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** No lease of dnsmasq's is shorter than two minutes. */
function secondsOf(time: string): number | "infinite" | undefined {
  const [, count, unit = "s"] = /^(\d+)([smhdw]?)$/.exec(time) ?? [];
  if (count === undefined) return time === "infinite" ? time : undefined;
  return Math.max(120, Number(count) * (units[unit || "s"] as number));
}
