import { createHash } from "node:crypto";
import { z } from "zod";
import { greKey, greListed, greOverhead } from "../model/gre";
import { usualMtu } from "../model/link-args";
import { linkKind, options, stateOf } from "../model/link-kind";
import { linkSections, linkState, linksIn } from "../model/link-state";
import { placeWords } from "../model/namespaces";
import { between, deviceRef, family, hex, ipAddress, port, unsigned } from "../model/scalars";
import { inherit, isHostUnderlay, otherPlacesDevice, strayUnderlay, tos, underlayPlace } from "../model/tunnel";

type Data = Record<string, unknown>;
type Want = Record<string, unknown>;

const key = (word: "ikey" | "okey", doc: string) => ({
  schema: unsigned(32).optional().describe(`${doc} (\`${word}\`), 0 to 4294967295. Not with \`key\`. Default: none.`),
  word,
  default: null,
  encode: (value: number | null) => (value === null ? [`no${word}`] : [word, String(value)]),
  decode: greKey,
});

/** A flag that `ip` has as a word with and without `no`, and prints when it is true. */
const flag = (word: string, printed: string[], byDefault: boolean, doc: string) => ({
  schema: z.boolean().optional().describe(`${doc} (\`${word}\`). Kernel default: ${byDefault}.`),
  word,
  default: byDefault,
  encode: (value: boolean) => [value ? word : `no${word}`],
  decode: (_: unknown, data: Data) => printed.every((name) => data[name] === true),
});

const endpoint = (word: "local" | "remote", doc: string) => ({
  schema: ipAddress.optional().describe(`${doc} (\`${word}\`). Default: any.`),
  word,
  default: "any",
});

const encapsulation = z
  .strictObject({
    type: z.enum(["fou", "gue"]).describe("Foo over UDP, or generic UDP encapsulation."),
    port: port.describe("UDP port of the other end (`encap-dport`), 1 to 65535."),
    sourcePort: z
      .union([z.literal("auto"), port])
      .optional()
      .describe("UDP source port (`encap-sport`), 1 to 65535, or `auto`: by a hash of the flow. Default: auto."),
    checksum: z
      .boolean()
      .optional()
      .describe("UDP checksums (`encap-csum`, over IPv6 `encap-udp6-csum`). Default: false; over IPv6 true."),
    remoteChecksum: z.boolean().optional().describe("Remote checksum offload (`encap-remcsum`). Default: false."),
  })
  .meta({ title: "GreEncapsulation" });

type Encapsulation = z.output<typeof encapsulation>;

const over6 = ({ local, remote }: Want) => {
  const address = [local, remote].find((value) => typeof value === "string" && value !== "any");
  return address !== undefined && family(address as string) === 6;
};

const typeOf = (want: Want) =>
  over6(want) ? (want.layer === 3 ? "ip6gre" : "ip6gretap") : want.layer === 3 ? "gre" : "gretap";

export const greTunnel = linkKind({
  name: "GreTunnel",
  type: typeOf,
  types: ["gre", "gretap", "ip6gre", "ip6gretap"],
  doc: "A GRE tunnel of the kernel: gretap, which carries Ethernet frames, or gre, which carries IP packets; over IPv4 or IPv6 by its addresses. Its MTU is smaller than the underlay's: by 38 bytes for gretap over IPv4, by 42 with a key.",
  // A layer-3 device has no MAC.
  traits: (want) => ({ keepsMac: want.layer === 3 }),
  options: options({
    layer: {
      schema: z
        .union([z.literal(2), z.literal(3)])
        .default(2)
        .describe(
          "2: Ethernet frames (gretap), it may join a bridge; 3: IP packets (gre). Default: 2. A change replaces the tunnel.",
        ),
      word: "",
      fixed: true,
      encode: () => [],
      decode: () => undefined,
    },
    underlay: {
      schema: z
        .enum(["own", "host"])
        .default("own")
        .describe(
          "Where the tunnel's packets travel, for a tunnel with `namespace`: in its `own` namespace, or in the `host`'s, where it is born and then moved. Default: own. A change replaces the tunnel.",
        ),
      word: "",
      fixed: true,
      encode: () => [],
      decode: () => undefined,
    },
    local: endpoint("local", "This end's address in the underlay; IPv4 or IPv6 as `remote`"),
    remote: endpoint("remote", "The other end's address in the underlay"),
    device: {
      schema: deviceRef
        .optional()
        .describe(
          "Device of the underlay that packets leave by (`dev`). Default: by the route. A change replaces the tunnel.",
        ),
      word: "dev",
      json: "link",
      fixed: true,
    },
    key: {
      schema: unsigned(32)
        .optional()
        .describe("Key of both directions (`key`), 0 to 4294967295; both ends must agree. Default: none."),
      word: "key",
      default: null,
      encode: () => [],
      decode: (_, data) => (data.ikey === data.okey ? greKey(data.ikey) : undefined),
    },
    inKey: key("ikey", "Key of what comes in"),
    outKey: key("okey", "Key of what goes out"),
    checksum: flag("csum", ["icsum", "ocsum"], false, "Checksums, sent and demanded"),
    sequence: flag("seq", ["iseq", "oseq"], false, "Sequence numbers, sent and demanded"),
    ttl: {
      schema: z
        .union([inherit, between(1, 255)])
        .optional()
        .describe(
          "TTL, over IPv6 hop limit, of the outer packets (`ttl`): 1 to 255, or `inherit` that of the inner ones. Kernel default: inherit; over IPv6 64.",
        ),
      word: "ttl",
      encode: (value: number | "inherit") => ["ttl", value === "inherit" ? "0" : String(value)],
      decode: (printed) => (printed === 0 ? "inherit" : printed),
    },
    tos: {
      ...tos,
      decode: (_, { tos, tclass, ip6_tnl_f_use_orig_tclass: inherited }) =>
        tos === "0x1" || inherited === true ? "inherit" : Number(tos ?? tclass ?? 0),
    },
    dontFragment: flag("pmtudisc", ["pmtudisc"], true, "Set DF on the outer packets; IPv4 only"),
    ignoreDf: flag(
      "ignore-df",
      ["ignore_df"],
      false,
      "Fragment also inner packets with DF; IPv4 only, needs `dontFragment: false`",
    ),
    fwmark: {
      schema: unsigned(32)
        .optional()
        .describe("Firewall mark that the outer packets are routed by (`fwmark`), 0 for none. Kernel default: 0."),
      word: "fwmark",
      default: 0,
      encode: (value: number) => ["fwmark", hex(value)],
      decode: (printed) => Number(printed ?? 0),
    },
    encapsulationLimit: {
      schema: z
        .union([z.literal("none"), between(0, 255)])
        .optional()
        .describe(
          "How often packets may be put into tunnels further on (`encaplimit`), up to 255; IPv6 only. Kernel default: 4.",
        ),
      word: "encaplimit",
      json: "encap_limit",
      default: 4,
      decode: (printed) => printed ?? "none",
    },
    flowLabel: {
      schema: z
        .union([inherit, between(0, 0xfffff)])
        .optional()
        .describe("Flow label, 0 to 1048575, or `inherit` (`flowlabel`); IPv6 only. Kernel default: 0."),
      word: "flowlabel",
      default: 0,
      encode: (value: number | "inherit") => ["flowlabel", value === "inherit" ? value : hex(value)],
      decode: (printed, data) => (data.ip6_tnl_f_use_orig_flowlabel === true ? "inherit" : Number(printed ?? 0)),
    },
    allowLocalRemote: flag(
      "allow-localremote",
      ["ip6_tnl_f_allow_local_remote"],
      false,
      "Allow a `remote` that is an address of this host; IPv6 only",
    ),
    encapsulation: {
      schema: encapsulation
        .optional()
        .describe(
          "Put the tunnel's packets into UDP, as it passes NAT and spreads over paths (`encap`). Default: plain GRE.",
        ),
      word: "encap",
      default: null,
      // iproute2 6.1 swaps the ports' bytes of an encapsulation that is not named with the rest (seen).
      always: true,
      same: (want: Encapsulation, live) =>
        Object.entries(want).every(([name, value]) => (live as Data | undefined)?.[name] === value),
      encode: (value: Encapsulation | null, want) => {
        if (value === null) return ["encap", "none"];
        const { type, port, sourcePort, checksum, remoteChecksum } = value;
        const ports = ["encap-sport", String(sourcePort), "encap-dport", String(port)];
        const sum = over6(want) ? "encap-udp6-csum" : "encap-csum";
        return [
          ...["encap", type, ...ports],
          ...[checksum ? sum : `no${sum}`, remoteChecksum ? "encap-remcsum" : "noencap-remcsum"],
        ];
      },
      decode: (printed, { local, remote }) => {
        const encap = printed as
          | { type: string; sport: number; dport: number; csum: boolean; csum6: boolean; remcsum: boolean }
          | undefined;
        return (
          encap && {
            type: encap.type,
            port: encap.dport,
            sourcePort: encap.sport === 0 ? "auto" : encap.sport,
            checksum: over6({ local, remote }) ? encap.csum6 : encap.csum,
            remoteChecksum: encap.remcsum,
          }
        );
      },
    },
  }),
  // Netlink loads none for it, and says "Invalid argument".
  load: (want) => (want.encapsulation ? [{ argv: ["modprobe", over6(want) ? "fou6" : "fou"] }] : []),
  reset: {
    ttl: (live: { raw?: unknown }) => (stateOf(live as never).type?.startsWith("ip6") ? 64 : "inherit"),
    mtu: (live: { raw?: unknown }) => {
      const state = stateOf(live as never);
      return (state.extra as number) - greOverhead(state);
    },
  },
  effective(want) {
    const { key, inKey, outKey, encapsulation: encap, ...rest } = want;
    const both = (own: unknown) => key ?? own ?? (key === null ? null : own);
    const filled = encap && { sourcePort: "auto", checksum: over6(want), remoteChecksum: false, ...encap };
    return { ...rest, inKey: both(inKey), outKey: both(outKey), encapsulation: filled ?? encap } as typeof want;
  },
  rules: (want) => {
    const { local, remote, underlay, namespace } = want;
    const is6 = over6(want);
    const wrong: [boolean, string, string][] = [
      [local === undefined && remote === undefined, "remote", "`local` will do as well"],
      [
        local !== undefined && remote !== undefined && family(local as string) !== family(remote as string),
        "remote",
        "must be of the same family as `local`: both IPv4 or both IPv6",
      ],
      [want.key !== undefined && want.inKey !== undefined, "inKey", "must not be given with `key`, which is both"],
      [want.key !== undefined && want.outKey !== undefined, "outKey", "must not be given with `key`, which is both"],
      [want.ignoreDf === true && want.dontFragment !== false, "ignoreDf", "needs `dontFragment: false`"],
      [underlay === "host" && namespace === undefined, "underlay", "must be `own` without `namespace`"],
      ...["dontFragment", "ignoreDf"].map((name): [boolean, string, string] => [
        is6 && want[name] !== undefined,
        name,
        "is not to be had over IPv6",
      ]),
      ...["encapsulationLimit", "flowLabel", "allowLocalRemote"].map((name): [boolean, string, string] => [
        !is6 && want[name] !== undefined,
        name,
        "is to be had over IPv6 only",
      ]),
      ...["mac", "bridge", "arp"].map((name): [boolean, string, string] => [
        want.layer === 3 && want[name] !== undefined,
        name,
        "is not to be had at layer 3",
      ]),
    ];
    return wrong.filter(([isWrong]) => isWrong).map(([, path, text]) => [path, text]);
  },
  // The kernel refuses a second tunnel of these (ip_tunnel_find: EEXIST), whatever its name.
  claims: ({ local = "any", remote = "any", inKey, device, ...want }) => [
    [
      `the ${typeOf({ local, remote, ...want })} tunnel from ${local} to ${remote}`,
      typeof inKey === "number" ? ` with key ${inKey}` : "",
      device ? ` by ${device}` : "",
      placeWords(underlayPlace(want)),
    ].join(""),
  ],
  observe: (want) => (isHostUnderlay(want) ? linkSections(undefined) : []),
  listed: greListed,
  // `ip link add … netns NS` makes it wholly in NS, underlay too (ip_tunnel_newlink: dev_net); only a move leaves that behind.
  creation(want) {
    if (!isHostUnderlay(want)) return {};
    const digest = createHash("sha256").update(`${want.namespace}/${want.name}`).digest("hex");
    return { from: null, bornAs: `hn-${digest.slice(0, 10)}` };
  },
  complete(live, want, seen) {
    const place = underlayPlace(want);
    const address = live.json.linkinfo?.info_data?.local;
    const carries = linksIn(seen, place).find((link) => link.addr_info?.some((info) => info.local === address));
    const carrier = want.device ? linkState(seen, place, want.device as string)?.json : carries;
    const broken = strayUnderlay(live.json.link_netnsid !== undefined, want);
    const args = { layer: want.layer, underlay: want.underlay, ...otherPlacesDevice(live) };
    return { args, broken, extra: carrier?.mtu ?? usualMtu };
  },
  // It refuses DF while the tunnel ignores that of inner packets, also when the same command ends that (ipgre_netlink_parms).
  beforehand: (want, live) =>
    want.dontFragment === true && live.args.ignoreDf === true ? ["nopmtudisc", "noignore-df"] : [],
  replaces(was, want) {
    const ends = ["local", "remote"].filter((path) => was[path] !== want[path]);
    if (typeOf(was) !== typeOf(want)) return ends;
    // Layer 3 without `remote` is a broadcast device, with it point to point: not to be changed (ip_tunnel_changelink).
    return want.layer === 3 && (was.remote === undefined) !== (want.remote === undefined) ? ["remote"] : [];
  },
});
