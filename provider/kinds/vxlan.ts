import { z } from "zod";
import { usualMtu } from "../model/link-args";
import { linkKind, options, stackRules, stateOf } from "../model/link-kind";
import { linkSections, linkState } from "../model/link-state";
import { placeWords } from "../model/namespaces";
import { derivedIndex } from "../model/parent";
import { between, deviceRef, family, hex, ipAddress, isMulticast, port, unsigned } from "../model/scalars";
import {
  inherit,
  isHostUnderlay,
  otherPlacesDevice,
  strayUnderlay,
  tos,
  udpPortClaim,
  underlayOf,
  underlayPlace,
} from "../model/tunnel";

type Data = Record<string, unknown>;
type Want = Record<string, unknown>;

/** A flag that the kernel takes when the device is made, and not later (vxlan_nl2flag); `no` before its word is off. */
const firstly = (word: string, printed: string, byDefault: boolean, doc: string) => ({
  schema: z
    .boolean()
    .optional()
    .describe(`${doc} (\`${word}\`). Kernel default: ${byDefault}. A change replaces the device.`),
  word,
  fixed: true as const,
  default: byDefault,
  encode: (value: boolean) => [value ? word : `no${word}`],
  decode: (_: unknown, data: Data) => (byDefault ? data[printed] !== false : data[printed] === true),
});

/** One without a word for off. Since iproute2 6.4 it is printed as `null` where it is on. */
const extension = (word: string, doc: string) => ({
  ...firstly(word, word, false, doc),
  encode: (value: boolean) => (value ? [word] : []),
  decode: (_: unknown, data: Data) => data[word] !== undefined && data[word] !== false,
});

/** `ip` prints IPv6 addresses under names of their own. */
const endpoint = (word: string, schema: z.ZodType, doc: string) => ({
  schema: schema.optional().describe(`${doc} (\`${word}\`). Default: none.`) as z.ZodOptional<z.ZodType<string>>,
  word,
  decode: (_: unknown, data: Data) => data[word] ?? data[`${word}6`],
});

const unicast = ipAddress.refine((address) => !isMulticast(address), "must be unicast; `group` takes a multicast one");
const multicast = ipAddress.refine(isMulticast, "must be multicast, 224.0.0.0/4 or ff00::/8");

const ends = ["local", "remote", "group"];

const over6 = (want: Want) => ends.some((end) => typeof want[end] === "string" && family(want[end]) === 6);

/** One for numbers from outside takes packets of both (vxlan_open). */
const familiesOf = (want: Want) => (want.external ? ([4, 6] as const) : over6(want) ? ([6] as const) : ([4] as const));

/** Outer IP, UDP, VXLAN and the inner Ethernet header. */
const overhead = (want: Want) => (over6(want) ? 70 : 50);

/** What is set on the socket for all that share it (VXLAN_F_RCV_FLAGS). */
const ofSocket = ["remoteChecksumRx", "udp6ZeroChecksumRx", "external", "vniFilter", "gbp", "gpe"];

/** Those who may share its UDP port, in words. */
function alike(want: Want): string {
  const set = ofSocket.filter((path) => want[path] === true).map((path) => `\`${path}\``);
  return set.length > 0 ? `VXLAN devices with ${set.join(" and ")}` : "VXLAN devices";
}

export const vxlan = linkKind({
  name: "Vxlan",
  type: "vxlan",
  // With the generic protocol extension it is a device of layer 3.
  traits: (want) => ({ keepsMac: want.gpe === true }),
  doc: "A VXLAN tunnel of the kernel: Ethernet frames in UDP, over IPv4 or IPv6 by its addresses, to one other end (`remote`), to a multicast group, or to where its forwarding database says (`FdbEntry`). With `device` its MTU is 50 bytes below that one's, 70 over IPv6; without it is 1500 and has to be said.",
  options: options({
    // `id` is the engine's own word.
    vni: {
      schema: between(0, 0xff_ffff)
        .optional()
        .describe(
          "The network's number (`id`), 0 to 16777215. Required, but with `external`. A change replaces the device.",
        ),
      word: "id",
      fixed: true,
    },
    underlay: {
      schema: z
        .enum(["own", "host"])
        .default("own")
        .describe(
          "Where the tunnel's packets travel, for a tunnel with `namespace`: in its `own` namespace, or in the `host`'s. Default: own. A change replaces the device.",
        ),
      word: "",
      fixed: true,
      encode: () => [],
      decode: () => undefined,
    },
    local: endpoint("local", unicast, "This end's address in the underlay; IPv4 or IPv6 as the other"),
    remote: endpoint("remote", unicast, "The other end's address in the underlay"),
    group: {
      ...endpoint(
        "group",
        multicast,
        "Multicast group of all ends; needs `device`; not with `remote`. A change replaces the device",
      ),
      fixed: true,
    },
    device: {
      schema: deviceRef
        .optional()
        .describe(
          "Device of the underlay that packets leave by (`dev`). Default: by the route. A change replaces the device.",
        ),
      word: "dev",
      json: "link",
      fixed: true,
    },
    port: {
      schema: port
        .default(4789)
        .describe(
          "UDP port of both ends (`dstport`), 1 to 65535. Default: 4789, as registered; the kernel's own is 8472. Devices share one when they agree in `remoteChecksumRx`, `udp6ZeroChecksumRx`, `external`, `vniFilter`, `gbp` and `gpe`. A change replaces the device.",
        ),
      word: "dstport",
      json: "port",
      fixed: true,
    },
    sourcePortRange: {
      schema: z
        .string()
        .regex(/^[1-9]\d{0,4}-[1-9]\d{0,4}$/, "must be two ports as '32768-60999'")
        .refine((text) => {
          const [low = 0, high = 0] = text.split("-").map(Number);
          return low < high && high <= 65535;
        }, "must be two ports up to 65535, the smaller one first")
        .optional()
        .describe(
          "UDP source ports, chosen by a hash of the flow (`srcport`), as '32768-60999'. Kernel default: its local ports. A change replaces the device.",
        ),
      word: "srcport",
      fixed: true,
      encode: (value: string) => ["srcport", ...value.split("-")],
      decode: (_, { port_range: range }) => {
        const { low, high } = (range ?? {}) as { low?: number; high?: number };
        return low === undefined ? undefined : `${low}-${high}`;
      },
    },
    ttl: {
      schema: z
        .union([inherit, z.literal("auto"), between(1, 255)])
        .optional()
        .describe(
          "TTL, over IPv6 hop limit, of the outer packets (`ttl`): 1 to 255; `auto`: 1 for a group, else the host's default; `inherit` that of the inner ones. A change from or to inherit replaces the device. Kernel default: auto.",
        ),
      word: "ttl",
      default: "auto",
      encode: (value: number | string) => ["ttl", String(value)],
      // Without a word for `inherit`.
      decode: (printed) => (printed === undefined ? "inherit" : printed === 0 ? "auto" : printed),
    },
    tos: {
      ...tos,
      // Bit 0 says `inherit`, and JSON has it as a number.
      decode: (printed) => (Number(printed) === 1 ? "inherit" : Number(printed ?? 0)),
    },
    dontFragment: {
      schema: z
        .union([inherit, z.boolean()])
        .optional()
        .describe("Set DF on the outer packets, or `inherit` it from the inner ones (`df`). Kernel default: false."),
      word: "df",
      default: false,
      encode: (value: boolean | "inherit") => ["df", value === "inherit" ? value : value ? "set" : "unset"],
      decode: (printed) => (printed === "inherit" ? printed : printed === "set"),
    },
    flowLabel: {
      schema: between(0, 0xfffff)
        .optional()
        .describe("Flow label, 0 to 1048575 (`flowlabel`); IPv6 only. Kernel default: 0."),
      word: "flowlabel",
      json: "label",
      default: 0,
      encode: (value: number) => ["flowlabel", hex(value)],
      decode: (printed) => Number(printed ?? 0),
    },
    learning: {
      schema: z
        .boolean()
        .optional()
        .describe("Learn from what comes in at which end a MAC address is (`learning`). Kernel default: true."),
      word: "learning",
      default: true,
      encode: (value: boolean) => [value ? "learning" : "nolearning"],
      decode: (printed) => printed !== false,
    },
    ageing: {
      // The kernel takes 0 for the default.
      schema: between(1, 0xffff_ffff)
        .optional()
        .describe("Seconds after which what was learned is forgotten (`ageing`), from 1. Kernel default: 300."),
      word: "ageing",
      default: 300,
      decode: (printed) => printed ?? 0,
    },
    maxAddresses: {
      schema: unsigned(32)
        .optional()
        .describe(
          "Most MAC addresses that are learned (`maxaddress`), 0 for any number. Kernel default: 0. A change replaces the device.",
        ),
      word: "maxaddress",
      json: "limit",
      fixed: true,
      default: 0,
      decode: (printed) => printed ?? 0,
    },
    proxy: firstly("proxy", "proxy", false, "Answer ARP and neighbour discovery from the neighbour table"),
    rsc: firstly("rsc", "rsc", false, "Route short circuit: send straight to the router's destination"),
    l2miss: firstly("l2miss", "l2miss", false, "Tell by netlink of MAC addresses that are not known"),
    l3miss: firstly("l3miss", "l3miss", false, "Tell by netlink of IP addresses that are not known"),
    udpChecksum: firstly("udpcsum", "udp_csum", true, "UDP checksums over IPv4"),
    udp6ZeroChecksumTx: firstly("udp6zerocsumtx", "udp_zero_csum6_tx", false, "No UDP checksums sent over IPv6"),
    udp6ZeroChecksumRx: firstly("udp6zerocsumrx", "udp_zero_csum6_rx", false, "No UDP checksums demanded over IPv6"),
    remoteChecksumTx: firstly("remcsumtx", "remcsum_tx", false, "Remote checksum offload for what is sent"),
    remoteChecksumRx: firstly("remcsumrx", "remcsum_rx", false, "Remote checksum offload for what comes in"),
    external: firstly(
      "external",
      "external",
      false,
      "Number and ends of each packet come from outside: from tc or OVS",
    ),
    vniFilter: firstly(
      "vnifilter",
      "vnifilter",
      false,
      "Let in only numbers that `bridge vni` lists; needs `external`",
    ),
    gbp: extension("gbp", "Group policy extension: carries the packet's mark"),
    gpe: extension("gpe", "Generic protocol extension: carries IP packets too; needs `external`"),
  }),
  rules: (want) => {
    const { external, underlay, namespace } = want;
    const said = ends.filter((end) => want[end] !== undefined);
    const families = new Set(said.map((end) => family(want[end] as string)));
    const wrong: [boolean, string, string][] = [
      [external !== true && want.vni === undefined, "vni", "all but `external` need one"],
      [external === true && want.vni !== undefined, "vni", "must not be given with `external`, which says it"],
      [want.remote !== undefined && want.group !== undefined, "group", "must not be given with `remote`"],
      [want.group !== undefined && want.device === undefined, "group", "needs `device`"],
      [families.size > 1, said.at(-1) ?? "", "must be of the same family as `local`: both IPv4 or both IPv6"],
      [want.flowLabel !== undefined && !over6(want), "flowLabel", "is to be had over IPv6 only"],
      [want.vniFilter === true && external !== true, "vniFilter", "needs `external`"],
      [want.gpe === true && external !== true, "gpe", "needs `external`"],
      [want.gpe === true && want.gbp === true, "gpe", "must not be given with `gbp`"],
      ...["mac", "bridge", "arp"].map((name): [boolean, string, string] => [
        want.gpe === true && want[name] !== undefined,
        name,
        "is not to be had with `gpe`: it carries IP packets, no Ethernet frames",
      ]),
      [underlay === "host" && namespace === undefined, "underlay", "must be `own` without `namespace`"],
    ];
    return [
      ...wrong.filter(([isWrong]) => isWrong).map(([, path, text]): [string, string] => [path, text]),
      ...(underlay === "own" ? stackRules(want, "device") : []),
    ];
  },
  claims: (want) => [
    ...familiesOf(want).map((over) => udpPortClaim(alike(want), want.port as number, over, underlayPlace(want))),
    // The kernel refuses a second one of these, whatever its name.
    [
      want.external ? "the VXLAN device for all numbers" : `VXLAN ${want.vni}`,
      ` on port ${want.port}${over6(want) ? " over IPv6" : ""}`,
      placeWords(underlayPlace(want)),
    ].join(""),
  ],
  observe: (want) => (isHostUnderlay(want) ? linkSections(undefined) : []),
  listed: (live, namespace) => ({ underlay: underlayOf(live, namespace), ...otherPlacesDevice(live) }),
  // The socket is where `ip` runs (vxlan_newlink: src_net). With an index of its own: see parent.ts.
  creation: (want) => (isHostUnderlay(want) ? { words: ["index", derivedIndex(want)], from: null } : {}),
  complete(live, want, seen) {
    const device = want.device === undefined ? undefined : linkState(seen, underlayPlace(want), want.device as string);
    return {
      args: { underlay: want.underlay, ...otherPlacesDevice(live) },
      broken: strayUnderlay(live.json.link_netnsid !== undefined, want),
      extra: device ? device.json.mtu - overhead(want) : usualMtu,
    };
  },
  reset: { mtu: (live: { raw?: unknown }) => stateOf(live as never).extra },
  replaces(was, want) {
    const away = ends.filter((end) => was[end] !== undefined && want[end] === undefined);
    const other = ends.filter((end) => want[end] !== undefined && over6(was) !== over6(want));
    const inherits = (was.ttl === "inherit") !== (want.ttl === "inherit");
    return [...new Set([...away, ...other, ...(inherits ? ["ttl"] : [])])];
  },
});
