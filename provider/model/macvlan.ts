import { z } from "zod";
import type { Seen } from "../host/seen";
import { type LinkArgs, type LinkTraits, usualMtu } from "./link-args";
import { options } from "./link-kind";
import type { LinkState } from "./link-state";
import { below, elsewhere, parentClaim, parentOptions, parentRules, parentState } from "./parent";
import { macAddress, unsigned } from "./scalars";

/** What macvlan and macvtap have in common. */

type Want = LinkArgs & Record<string, unknown>;

const flag = (word: string, mode: string, doc: string) => ({
  schema: z.boolean().optional().describe(`${doc} (\`flag ${word}\`); mode ${mode} only. Kernel default: false.`),
  word,
  default: false,
  // One word sets all flags; of the two only one goes with a mode.
  encode: (value: boolean, { nopromisc, nodst }: Record<string, unknown>) =>
    value ? ["flag", word] : nopromisc || nodst ? [] : ["flag", "null"],
  decode: (printed: unknown) => printed === true,
});

const inOrder = (macs: unknown) => [...((macs ?? []) as string[])].sort().join(" ");

export const macvlanOptions = options({
  ...parentOptions("The device that it shares"),
  mode: {
    schema: z
      .enum(["bridge", "private", "vepa", "passthru", "source"])
      .default("bridge")
      .describe(
        "`bridge`: devices of one parent reach each other; `private`: they do not; `vepa`: by a switch outside that sends frames back; `passthru`: the only device, with the parent's MAC address; `source`: takes frames from `sources` only. None reaches the parent itself. Default: bridge. A change from or to passthru replaces the device.",
      ),
    word: "mode",
    // iproute2 takes a flag only beside the mode that it goes with.
    always: true,
  },
  sources: {
    schema: z
      .array(macAddress)
      .optional()
      .describe("MAC addresses that are let in, exactly these (`macaddr`); mode source only. Default: none."),
    word: "macaddr",
    json: "macaddr_data",
    default: [],
    encode: (macs: string[], { mode }) =>
      macs.length > 0 ? ["macaddr", "set", ...macs] : mode === "source" ? ["macaddr", "flush"] : [],
    decode: (printed) => printed ?? [],
    same: (want: string[], live) => inOrder(want) === inOrder(live),
  },
  nopromisc: flag("nopromisc", "passthru", "Do not put the parent into promiscuous mode"),
  nodst: flag("nodst", "source", "Take frames by their source alone, whatever their destination"),
  broadcastQueueLength: {
    schema: unsigned(32)
      .optional()
      .describe(
        "Length of the parent's queue of broadcasts that this device asks for (`bcqueuelen`). Kernel default: 1000.",
      ),
    word: "bcqueuelen",
    default: 1000,
  },
});

/** In passthru mode the MAC address is the parent's: another one would be given to that, too (macvlan_set_mac_address). */
export const macvlanTraits = (want: Want): LinkTraits => ({ keepsMac: want.mode === "passthru" });

export function macvlanRules(want: Want): [path: string, text: string][] {
  const { mode } = want;
  const needs = (path: string, only: string): [boolean, string, string] => [
    Boolean(want[path]) && mode !== only,
    path,
    `needs \`mode: "${only}"\``,
  ];
  const wrong: [boolean, string, string][] = [
    needs("sources", "source"),
    needs("nodst", "source"),
    needs("nopromisc", "passthru"),
  ];
  return [
    ...wrong.filter(([isWrong]) => isWrong).map(([, path, text]): [string, string] => [path, text]),
    ...parentRules(want),
  ];
}

/** passthru tolerates no other device on its parent. */
export const macvlanClaims = (want: Want) => {
  const parent = `the macvlan devices on ${parentClaim(want)}`;
  return [want.mode === "passthru" ? parent : `shared ${parent}`];
};

export const macvlanReplaces = (was: Want, want: Want) =>
  was.mode !== want.mode && (was.mode === "passthru" || want.mode === "passthru") ? ["mode"] : [];

/** The parent's MTU is the default. Of a macvlan as parent the kernel takes the device below it. */
export function macvlanCompletion(live: LinkState, want: Want, seen: Seen) {
  const parent = parentState(want, seen);
  const wanted =
    parent && (parent.type?.startsWith("macv") ? below(parent, want.parentNamespace, seen) : parent.json.ifindex);
  return {
    args: { parent: want.parent, parentNamespace: want.parentNamespace },
    broken: elsewhere(live, want, seen, wanted),
    extra: parent?.json.mtu ?? usualMtu,
  };
}
