import { z } from "zod";
import { linkShape } from "../model/link-args";
import { linkKind, options, stateOf } from "../model/link-kind";
import { flag as option } from "../model/link-option";
import type { LinkState } from "../model/link-state";
import {
  elsewhere,
  parentClaim,
  parentCreation,
  parentListed,
  parentOptions,
  parentRules,
  parentSections,
  parentState,
} from "../model/parent";
import { between, unsigned, vlanId } from "../model/scalars";

type Mapping = Record<string, number>;

/** A flag that `ip` prints by its name when it is set. */
const flag = (word: string, byDefault: boolean, doc: string) =>
  option(word, byDefault, doc, {
    encode: (value: boolean) => [word, value ? "on" : "off"],
    decode: (_, { flags }) => ((flags ?? []) as string[]).includes(word.toUpperCase()),
  });

/** Where nothing is mapped the kernel has 0, and mapping to 0 takes away. */
const mapped = (map: Mapping) => Object.entries(map).filter(([, to]) => to !== 0);
const inOrder = (map: Mapping) => JSON.stringify(mapped(map).sort(([a], [b]) => Number(a) - Number(b)));

const map = <S extends z.ZodType>(key: string, word: string, json: string, schema: S) => ({
  schema,
  word,
  json,
  default: {},
  encode: (value: Mapping, _: unknown, live?: Record<string, unknown>) => {
    const gone = mapped((live?.[key] ?? {}) as Mapping).filter(([from]) => !value[from]);
    const pairs = [...mapped(value).map(([from, to]) => `${from}:${to}`), ...gone.map(([from]) => `${from}:0`)];
    return pairs.length > 0 ? [word, ...pairs] : [];
  },
  decode: (printed: unknown) =>
    Object.fromEntries(((printed ?? []) as { from: number; to: number }[]).map(({ from, to }) => [from, to])),
  same: (want: Mapping, live: unknown) => inOrder(want) === inOrder((live ?? {}) as Mapping),
});

const keys = (most: number) => {
  const text = `must be whole numbers from 0 to ${most}`;
  return z.string().refine((key) => /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) <= most, text);
};

const extraOf = (live: { raw?: unknown }) => stateOf(live as never).extra as LinkState | undefined;

export const vlan = linkKind({
  name: "Vlan",
  type: "vlan",
  doc: "A VLAN of another device: its packets leave by the parent with a tag, and the parent's packets with that tag come in by it. The parent must be up for it to be up.",
  common: {
    mac: linkShape.mac.describe("MAC address, unicast. Default: the parent's."),
    mtu: linkShape.mtu.describe("Largest packet in bytes, 68 to 65535, at most the parent's. Default: the parent's."),
  },
  traits: { keepsMac: true },
  options: {
    ...parentOptions("The device that carries its packets"),
    ...options({
      protocol: {
        schema: z
          .enum(["802.1Q", "802.1ad"])
          .default("802.1Q")
          .describe(
            "Ethertype of the tag (`protocol`): 802.1Q, or 802.1ad for the outer one of two. Default: 802.1Q. A change replaces the device.",
          ),
        word: "protocol",
        fixed: true,
      },
      // `id` is the engine's own word.
      vlanId: {
        schema: vlanId.describe("VLAN id of the tag (`id`), 1 to 4094. A change replaces the device."),
        word: "id",
        fixed: true,
      },
      reorderHeader: flag("reorder_hdr", true, "Take the tag off what comes in before anybody sees it"),
      gvrp: flag("gvrp", false, "Announce the VLAN to switches by GVRP; 802.1Q only"),
      mvrp: flag("mvrp", false, "Announce the VLAN to switches by MVRP; 802.1Q only"),
      looseBinding: flag("loose_binding", false, "Stay up when the parent goes down"),
      bridgeBinding: flag(
        "bridge_binding",
        false,
        "Be up as long as a port of the bridge has the VLAN; for a bridge as parent",
      ),
      ingressQosMap: map(
        "ingressQosMap",
        "ingress-qos-map",
        "ingress_qos",
        z
          .record(keys(7), unsigned(32))
          .optional()
          .describe(
            "From the priority in the tag (0 to 7) to the packet's own in the kernel, exactly these (`ingress-qos-map`). Default: all to 0.",
          ),
      ),
      egressQosMap: map(
        "egressQosMap",
        "egress-qos-map",
        "egress_qos",
        z
          .record(keys(0xffff_ffff), between(0, 7))
          .optional()
          .describe(
            "From the packet's priority in the kernel to the one in the tag (0 to 7), exactly these (`egress-qos-map`). Default: all to 0.",
          ),
      ),
    }),
  },
  creation: parentCreation,
  rules: (want) => {
    const only = ["gvrp", "mvrp"].filter((path) => want[path] === true && want.protocol === "802.1ad");
    return [...parentRules(want), ...only.map((path): [string, string] => [path, "needs `protocol: 802.1Q`"])];
  },
  // The kernel refuses a second one, whatever its name.
  claims: (want) => [`VLAN ${want.vlanId} (${want.protocol}) of ${parentClaim(want)}`],
  observe: parentSections,
  listed: parentListed,
  complete: (live, want, seen) => ({
    args: { parent: want.parent, parentNamespace: want.parentNamespace },
    broken: elsewhere(live, want, seen),
    extra: parentState(want, seen),
  }),
  usual: { mac: (live) => extraOf(live)?.json.address ?? live.args.mac },
  reset: {
    mtu: (live: { raw?: unknown }) => extraOf(live)?.json.mtu,
    mac: (live: { raw?: unknown }) => extraOf(live)?.json.address,
  },
});
