import { z } from "zod";
import type { Seen } from "../host/seen";
import { account, accountOf, accountSections, type Database } from "../model/account";
import type { LinkArgs } from "../model/link-args";
import { linkKind, options, portClaim } from "../model/link-kind";

type Want = LinkArgs & Record<string, unknown>;

/** What the kernel takes when the device is made, and nothing of `ip link` changes later. */
const fixed = { word: "", fixed: true as const, encode: () => [] };

const opener = (what: string, doc: string) => ({
  schema: account
    .optional()
    .describe(
      `${doc}, by name or number. Default: none; with neither owner nor group everybody who may open /dev/net/tun. A change replaces the device.`,
    ),
  ...fixed,
  json: what,
});

/** Whoever opens the device says it again, and that then holds (tun_set_iff): no drift. */
const firstly = (doc: string) => ({
  schema: z
    .boolean()
    .optional()
    .describe(
      `${doc}, until a program opens the device, which says itself what it wants. Default: false. A change replaces the device.`,
    ),
  ...fixed,
  decode: () => undefined,
});

const isTun = ({ mode }: Want) => mode === "tun";

/** `ip` prints the name of an account where the host has one, else its number. Shown as declared where it is the same. */
function shown(seen: Seen, database: Database, declared: unknown, printed: unknown): unknown {
  const { name, number } = accountOf(seen, database, declared);
  const isSame = printed !== undefined && (printed === name || printed === number);
  return isSame ? declared : (printed ?? null);
}

export const tap = linkKind({
  name: "Tap",
  type: "tun",
  doc: "A persistent TAP or TUN device, whose frames or packets a program reads and writes, as a virtual machine's: it opens /dev/net/tun and names the device (TUNSETIFF), in the namespace in which the device is. Without carrier until then.",
  options: options({
    mode: {
      schema: z
        .enum(["tap", "tun"])
        .default("tap")
        .describe(
          "`tap`: Ethernet frames, it may join a bridge; `tun`: IP packets, without MAC address. Default: tap. A change replaces the device.",
        ),
      ...fixed,
      json: "type",
    },
    owner: opener("user", "The user whose programs may open it (`user`); with `group` both must hold"),
    group: opener("group", "The group whose programs may open it (`group`)"),
    multiQueue: {
      schema: z
        .boolean()
        .optional()
        .describe(
          "Several queues, each opened by itself (`multi_queue`); a program must then ask for it. Default: false. A change replaces the device.",
        ),
      ...fixed,
      json: "multi_queue",
    },
    vnetHeader: firstly("A virtio header before each frame (`vnet_hdr`)"),
    packetInformation: firstly("Four bytes of flags and protocol before each packet (`pi`, the inverse of IFF_NO_PI)"),
  }),
  traits: (want) => ({ layer2: !isTun(want), keepsMac: isTun(want) }),
  reset: { txQueueLength: (live: { args: { mode?: unknown } }) => (live.args.mode === "tun" ? 500 : 1000) },
  // rtnetlink does not make it: "tun/tap creation via rtnetlink is not supported".
  creation(want) {
    const { name, mode, owner, group } = want;
    const flags = { multiQueue: "multi_queue", vnetHeader: "vnet_hdr", packetInformation: "pi" };
    return {
      argv: [
        ...["ip", "tuntap", "add", "name", name, "mode", String(mode)],
        ...(owner === undefined ? [] : ["user", String(owner)]),
        ...(group === undefined ? [] : ["group", String(group)]),
        ...Object.entries(flags).flatMap(([key, word]) => (want[key] === true ? [word] : [])),
      ],
    };
  },
  rules: (want) =>
    ["mac", "arp", "bridge"]
      .filter((path) => isTun(want) && want[path] !== undefined)
      .map((path) => [path, "is not to be had with `mode: tun`: it carries IP packets, no Ethernet frames"]),
  // Nothing else may make a TUN a port, of a Linux bridge or of Open vSwitch.
  claims: (want) => (isTun(want) ? [portClaim(want.namespace, want.name)] : []),
  observe: ({ owner, group }) => [...accountSections("passwd", owner), ...accountSections("group", group)],
  complete({ json }, want, seen) {
    const { user, group } = json.linkinfo?.info_data ?? {};
    return {
      args: {
        owner: shown(seen, "passwd", want.owner, user),
        group: shown(seen, "group", want.group, group),
      },
    };
  },
});
