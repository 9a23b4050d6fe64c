import type { Settings } from "./settings";
import { after, numberAfter } from "./settings";

/** What the settings need of a DhcpServer's arguments. */
export interface DhcpWant {
  device: string;
  range: string | string[];
  gateway?: string;
  dns?: string[];
  domain?: string;
  leaseTime?: number | "infinite";
  mtu?: number;
  routes?: { to: string; via: string }[];
  options?: Record<string, string>;
  reservations?: { mac: string; address: string; hostname?: string }[];
  authoritative?: boolean;
  maxLeases?: number;
  forwarders?: string[];
}

/** Names of DHCPv4 options, as `dnsmasq --help dhcp` lists them, but for those that dnsmasq sets by itself. */
export const optionNumbers: Record<string, number> = {
  ...{ "time-offset": 2, router: 3, "dns-server": 6, "log-server": 7, "lpr-server": 9, "boot-file-size": 13 },
  ...{ "domain-name": 15, "swap-server": 16, "root-path": 17, "extension-path": 18, "ip-forward-enable": 19 },
  ...{ "non-local-source-routing": 20, "policy-filter": 21, "max-datagram-reassembly": 22, "default-ttl": 23 },
  ...{ mtu: 26, "all-subnets-local": 27, "router-discovery": 31, "router-solicitation": 32, "static-route": 33 },
  ...{ "trailer-encapsulation": 34, "arp-timeout": 35, "ethernet-encap": 36, "tcp-ttl": 37, "tcp-keepalive": 38 },
  ...{ "nis-domain": 40, "nis-server": 41, "ntp-server": 42, "netbios-ns": 44, "netbios-dd": 45 },
  ...{ "netbios-nodetype": 46, "netbios-scope": 47, "x-windows-fs": 48, "x-windows-dm": 49, T1: 58, T2: 59 },
  ...{ "vendor-class": 60, "nis+-domain": 64, "nis+-server": 65, "tftp-server": 66, "bootfile-name": 67 },
  ...{ "mobile-ip-home": 68, "smtp-server": 69, "pop3-server": 70, "nntp-server": 71, "irc-server": 74 },
  ...{ "user-class": 77, "domain-search": 119, "sip-server": 120, "classless-static-route": 121 },
  ...{ "vendor-id-encap": 125, "tftp-server-address": 150 },
};

/** The options that arguments of their own set. */
const ownOptions: Record<number, string> = {
  3: "gateway",
  6: "dns",
  15: "domain",
  26: "mtu",
  121: "routes",
  249: "routes",
};
/** By what word dnsmasq is told of those, where that is not the number. */
export const ownOptionWords: Record<number, string> = {
  ...{ 3: "option:router", 6: "option:dns-server", 26: "option:mtu", 121: "option:classless-static-route" },
};

/** The options that only dnsmasq knows: mask, broadcast, address, lease time, message type, server. */
const takenOptions = [0, 1, 28, 50, 51, 52, 53, 54, 55, 56, 57, 61, 82, 255];

export const optionNumber = (key: string) => (/^\d+$/.test(key) ? Number(key) : optionNumbers[key]);

/** Why an option may not be given; undefined when it may. */
export function optionRefusal(key: string): string | undefined {
  const number = optionNumber(key);
  if (number === undefined) return "must be a number from 1 to 254, or a name that `dnsmasq --help dhcp` lists";
  if (number > 254 || takenOptions.includes(number)) return "must not be an option that dnsmasq fills in by itself";
  return ownOptions[number]
    ? `must not be an option that has an argument of its own: ${ownOptions[number]}`
    : undefined;
}

/** Packets to a route's destination, and by RFC 3442 the default one too, as clients that know this option ignore the router. */
const routeWords = ({ routes = [], gateway }: DhcpWant) =>
  routes.length === 0
    ? undefined
    : [...routes, ...(gateway ? [{ to: "0.0.0.0/0", via: gateway }] : [])]
        .map(({ to, via }) => `${to},${via}`)
        .join(",");

/** "static" serves reservations only; dnsmasq wants any address of the subnet there. */
const rangeWords = (range: string, want: DhcpWant) =>
  range === "static" ? `${staticAnchor(want)},static` : range.replace("-", ",");

export const staticAnchor = ({ gateway, reservations = [] }: Pick<DhcpWant, "gateway" | "reservations">) =>
  gateway ?? reservations.map(({ address }) => address).sort()[0];

const listed = (text: string | undefined) => text?.split(",").filter((item) => item !== "");
const named = (key: string) => (/^\d+$/.test(key) ? key : `option:${key}`);
/** Words that no option of `options` begins with. */
const own = /^(option:(router|dns-server|mtu|classless-static-route)|249)(,|$)/;

/** Each argument of DhcpServer as dnsmasq has it. What clients are told is read again on SIGHUP; the rest at the start. */
export const dhcpSettings: Settings<DhcpWant> = {
  device: {
    place: "argv",
    write: ({ device }) => [`--interface=${device}`],
    read: (words) => after(words, "--interface="),
  },
  range: {
    place: "argv",
    write: (want) =>
      [want.range]
        .flat()
        .map((range) =>
          [`--dhcp-range=${rangeWords(range, want)}`, want.leaseTime].filter((part) => part !== undefined),
        )
        .map((parts) => parts.join(",")),
    read(words) {
      const ranges = words.filter((word) => word.startsWith("--dhcp-range=")).map(rangeIn);
      return ranges.length === 1 ? ranges[0] : ranges;
    },
  },
  leaseTime: {
    place: "argv",
    // It stands in the range.
    write: () => [],
    read(words) {
      const time = after(words, "--dhcp-range=")?.split(",")[2];
      return time === undefined || time === "infinite" ? time : Number(time);
    },
  },
  domain: {
    place: "argv",
    write: ({ domain }) => (domain ? [`--domain=${domain}`] : []),
    read: (words) => after(words, "--domain="),
  },
  authoritative: {
    place: "argv",
    write: ({ authoritative }) => (authoritative ? ["--dhcp-authoritative"] : []),
    read: (words) => words.includes("--dhcp-authoritative"),
  },
  maxLeases: {
    place: "argv",
    write: ({ maxLeases }) => (maxLeases === undefined ? [] : [`--dhcp-lease-max=${maxLeases}`]),
    read: (words) => numberAfter(words, "--dhcp-lease-max="),
  },
  forwarders: {
    place: "argv",
    write: ({ forwarders }) =>
      forwarders ? ["--no-hosts", "--no-resolv", ...forwarders.map((server) => `--server=${server}`)] : ["--port=0"],
    read: (words) =>
      words.includes("--port=0") ? undefined : words.flatMap((word) => after([word], "--server=") ?? []),
  },
  gateway: {
    place: "options",
    // Without a value it is not sent; without the line dnsmasq would tell its own address.
    write: ({ gateway }) => [gateway ? `option:router,${gateway}` : "option:router"],
    read: (lines) => after(lines, "option:router,"),
  },
  dns: {
    place: "options",
    write: ({ dns, forwarders }) =>
      dns ? [`option:dns-server,${dns.join(",")}`] : forwarders ? [] : ["option:dns-server"],
    read: (lines) => listed(after(lines, "option:dns-server,")),
  },
  mtu: {
    place: "options",
    write: ({ mtu }) => (mtu === undefined ? [] : [`option:mtu,${mtu}`]),
    read: (lines) => numberAfter(lines, "option:mtu,"),
  },
  routes: {
    place: "options",
    write: (want) => {
      const words = routeWords(want);
      return words ? [`option:classless-static-route,${words}`, `249,${words}`] : [];
    },
    read(lines) {
      const words = listed(after(lines, "option:classless-static-route,")) ?? [];
      const pairs = words.flatMap((to, index) => (index % 2 === 0 ? [{ to, via: words[index + 1] ?? "" }] : []));
      return pairs.filter(({ to }) => to !== "0.0.0.0/0");
    },
  },
  options: {
    place: "options",
    write: ({ options = {} }) => Object.entries(options).map(([key, value]) => `${named(key)},${value}`),
    read: (lines) =>
      Object.fromEntries(
        lines
          .filter((line) => !own.test(line))
          .map((line) => [line.split(",")[0]?.replace(/^option:/, "") ?? "", line.slice(line.indexOf(",") + 1)]),
      ),
  },
  reservations: {
    place: "hosts",
    write: ({ reservations = [] }) =>
      reservations.map(({ mac, address, hostname }) => [mac, address, ...(hostname ? [hostname] : [])].join(",")),
    read: (lines) =>
      lines.map((line) => {
        const [mac = "", address = "", hostname] = line.split(",");
        return { mac, address, ...(hostname ? { hostname } : {}) };
      }),
  },
};

function rangeIn(word: string): string {
  const [first = "", last = ""] = word.slice("--dhcp-range=".length).split(",");
  return last === "static" ? "static" : `${first}-${last}`;
}

/** A lease as dnsmasq's file has it: `expiry mac address hostname client-id`. */
export function leasesIn(text: string): { mac: string; address: string; hostname?: string; expires?: string }[] {
  return text.split("\n").flatMap((line) => {
    const [expiry = "", mac = "", address = "", hostname = "*"] = line.split(" ");
    if (!/^\d+$/.test(expiry) || !/^[\da-f:]{17}$/.test(mac)) return [];
    const seconds = Number(expiry);
    return [
      {
        mac,
        address,
        ...(hostname === "*" ? {} : { hostname }),
        ...(seconds === 0 ? {} : { expires: new Date(seconds * 1000).toISOString() }),
      },
    ];
  });
}
