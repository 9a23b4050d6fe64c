import type { Seen } from "../host/seen";
import type { Section } from "../model/command";
import { fallbackDevices, type LinkJson, linksIn } from "../model/link-state";
import { inNamespace, keyIn, namespaceExists } from "../model/namespaces";
import { listed, undeclared } from "./attached";
import type { Left } from "./leftovers";

type Entry = Record<string, unknown>;

/** What somebody has set, of a device or else of its namespace, for a person. */
type Told = { device?: unknown; text: string };

/** Something that the kernel keeps beside its devices, and that no resource declares. */
interface List {
  type: string;
  /** What of it neither the kernel nor a daemon has made. */
  made(answer: string, links: LinkJson[]): Told[];
  why?(texts: string[]): string;
}

/** Asked for by one process, whatever is in it. */
interface Group {
  section: Section;
  lists: List[];
}

/** A list as `-j` prints it; `key`: what its entries have, and those of no other of the group. */
const entries = (key: string, made: (entry: Entry, all: Entry[]) => Told[]) => (answer: string) => {
  const all = answer.split("\n").flatMap(listOn);
  const own = all.filter((entry) => key in entry);
  return own.flatMap((entry) => made(entry, own));
};

/** What is not had leaves no line, or one that breaks off (`mdb` without a bridge). */
function listOn(line: string): Entry[] {
  try {
    return line.startsWith("[") ? (JSON.parse(line) as Entry[]) : [];
  } catch {
    return [];
  }
}

/** A batch goes on after what the kernel does not have. */
const batch = (program: string, ...asked: string[]): Section => ({
  key: `kept:${program}`,
  argv: [program, "-force", "-j", "-batch", "-"],
  stdin: asked.map((line) => `${line}\n`).join(""),
});

const byHand = [undefined, "boot", "static"] as unknown[];

/** As the kernel begins with (ip6addrlbl_init_table). */
const usualLabels =
  "::1/128 0,::/96 3,::ffff:0.0.0.0/96 4,2001::/32 6,2001:10::/28 7,3ffe::/16 12,2002::/16 2,fec0::/10 11,fc00::/7 5,::/0 1".split(
    ",",
  );

/** What of a device's settings tells by itself that somebody has set it: it is not what new devices have. */
const deviceSettings: Record<string, string[]> = {
  inet: ["forwarding", "rp_filter", "proxy_neigh", "ignore_routes_with_linkdown"],
  inet6: ["forwarding", "proxy_neigh", "ignore_routes_with_linkdown"],
};

const groups: Group[] = [
  {
    // `fou` last: without its module the batch ends there.
    section: batch("ip", "nexthop show", "addrlabel list", "token list", "maddress show", "netconf show", "fou show"),
    lists: [
      {
        type: "nexthop objects",
        made: entries("id", ({ id, protocol }) => (byHand.includes(protocol) ? [{ text: `id ${id}` }] : [])),
      },
      {
        type: "address labels",
        made: entries("label", ({ address, prefixlen, label }) => {
          const text = `${address}/${prefixlen} ${label}`;
          return usualLabels.includes(text) ? [] : [{ text }];
        }),
      },
      {
        type: "token",
        made: entries("token", ({ token, ifname }) =>
          token === "::" ? [] : [{ device: ifname, text: String(token) }],
        ),
      },
      {
        type: "multicast address",
        made: entries("maddr", ({ ifname, maddr }) =>
          (maddr as Entry[]).flatMap(({ link, features }) =>
            features === "static" ? [{ device: ifname, text: String(link) }] : [],
          ),
        ),
      },
      {
        type: "kernel parameter",
        made: entries("interface", (entry, all) => {
          const { family, interface: device } = entry;
          const usual = all.find((one) => one.family === family && one.interface === "default") ?? entry;
          const set = (deviceSettings[String(family)] ?? []).filter((key) => entry[key] !== usual[key]);
          return set.map((key) => ({ device, text: `${key} ${worded(entry[key])} (${family})` }));
        }),
        why: (texts) => `not as new devices have it, and not described: ${listed(texts)}; a Sysctl can declare it`,
      },
      {
        type: "FOU ports",
        made: entries("port", ({ port, ipproto = "gue" }) => [{ text: `${port} ipproto ${ipproto}` }]),
      },
    ],
  },
  {
    // `mdb` last: where there is no bridge it begins a line, and ends none.
    section: batch("bridge", "vlan tunnelshow", "mdb show"),
    lists: [
      {
        type: "multicast entry",
        made: entries("mdb", ({ mdb }) =>
          (mdb as Entry[]).flatMap(({ dev, port, grp, vid, state }) => {
            const text = `${grp} port ${port}${vid === undefined ? "" : ` vid ${vid}`}`;
            return state === "permanent" ? [{ device: dev, text }] : [];
          }),
        ),
      },
      {
        type: "VLANs of tunnels",
        made: entries("tunnels", ({ ifname, tunnels }) =>
          (tunnels as Entry[]).map(({ vlan, tunid }) => ({
            device: ifname,
            text: `vid ${vlan} tunnel_info id ${tunid}`,
          })),
        ),
      },
    ],
  },
  {
    // The question alone would load a module: so it is put only where there are tables of the old iptables, or a socket of
    // number 6 (NETLINK_XFRM). A file of /proc/sys gives dash, which reads byte by byte, no end of line: its `read` fails.
    section: {
      key: "kept:more",
      argv: [
        "sh",
        "-c",
        `for v in ip ip6; do
read -r x 2>/dev/null </proc/net/"$v"_tables_names && echo "family $v" && { "$v"tables-legacy-save || "$v"tables-save; }
done
for f in /proc/sys/net/ipv6/conf/*/addr_gen_mode; do
read -r x <"$f"
[ "$x" = 0 ] || echo "$f $x"
done
while read -r x y x; do
[ "$y" = 6 ] && { ip xfrm policy count; ip xfrm state count; break; }
done </proc/net/netlink`,
      ],
      socketsOnly: true,
    },
    lists: [
      { type: "rules of the old iptables", made: oldRules },
      { type: "IPsec", made: ipsec },
      {
        type: "addrgenmode",
        made: (answer, links) =>
          [...answer.matchAll(/^\/proc\/sys\/net\/ipv6\/conf\/(.+)\/addr_gen_mode (\d)$/gm)].flatMap(
            ([, device, mode]) =>
              // The kernel and drivers choose for what has no MAC address.
              links.some(({ ifname, link_type }) => ifname === device && link_type === "ether")
                ? [{ device, text: ["eui64", "none", "stable_secret", "random"][Number(mode)] ?? String(mode) }]
                : [],
          ),
      },
    ],
  },
];

const worded = (value: unknown) => (typeof value === "boolean" ? (value ? "on" : "off") : String(value));

/** How many rules, and policies that drop, each table has; where `iptables` is the new one, they are tables of nftables. */
function oldRules(answer: string): Told[] {
  const counts = new Map<string, number>();
  let [family, table] = ["", ""];
  for (const line of answer.split("\n")) {
    family = /^family (ip6?)$/.exec(line)?.[1] ?? family;
    table = /^\*(\w+)$/.exec(line)?.[1] ?? table;
    const name = `${family} ${table}`;
    if (/^-A |^:\S+ DROP /.test(line)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return answer.includes("(nf_tables)") ? [] : [...counts].map(([name, count]) => ({ text: `${count} in ${name}` }));
}

function ipsec(answer: string): Told[] {
  const policies = /SPD IN\s+(\d+) OUT (\d+) FWD (\d+)/.exec(answer) ?? [];
  const counts = [
    ["ip xfrm policy", policies.slice(1).reduce((sum, count) => sum + Number(count), 0)],
    ["ip xfrm state", Number(/SAD count (\d+)/.exec(answer)?.[1] ?? 0)],
  ] as const;
  return counts.flatMap(([what, count]) => (count > 0 ? [{ text: `${count} of ${what}` }] : []));
}

export const keptSections = (namespace: string | undefined): Section[] =>
  inNamespace(namespace, ...groups.map(({ section }) => section));

/** One line for each list, of a device or of the namespace. `isManaged`: by somebody who sees to it. Throws READ_FAILED. */
export function keptIn(seen: Seen, namespace: string | undefined, isManaged: (device: string) => boolean): Left[] {
  const links = linksIn(seen, namespace);
  const devices = links
    .map(({ ifname }) => ifname)
    .filter((name) => !fallbackDevices.has(name) && !(namespace === undefined && isManaged(name)));
  return groups.flatMap(({ section, lists }) => {
    if (!namespaceExists(seen, namespace)) return [];
    // What is refused is not there.
    const { stdout } = seen.result(keyIn(section.key, namespace));
    return lists.flatMap(({ type, made, why = undeclared }) => {
      const told = made(stdout, links);
      return [undefined, ...devices].flatMap((device) => {
        const texts = new Set(told.filter((one) => one.device === device).map(({ text }) => text));
        const title = device === undefined ? { name: type, type: "kernel" } : { name: device, type };
        return texts.size === 0 ? [] : [{ ...title, namespace, why: why([...texts]) }];
      });
    });
  });
}
