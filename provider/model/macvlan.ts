import { createHash } from "node:crypto";
import { z } from "zod";
import type { Seen } from "../host/seen";
import type { LinkArgs, LinkTraits } from "./link";
import { linkClaim, options } from "./link-kind";
import { type LinkState, linkSections, linkState, linksIn } from "./link-state";
import { deviceRef, macAddress, namespaceRef, unsigned } from "./scalars";

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
  parent: {
    schema: deviceRef.describe(
      "The device that it shares (`link`), in the host's own namespace unless `parentNamespace` says otherwise. A change replaces the device.",
    ),
    word: "",
    fixed: true,
    encode: () => [],
    decode: () => undefined,
  },
  parentNamespace: {
    schema: namespaceRef
      .optional()
      .describe(
        "The namespace in which `parent` is; needs `namespace`. Default: the host's own. A change replaces the device.",
      ),
    word: "",
    fixed: true,
    encode: () => [],
    decode: () => undefined,
  },
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

/**
 * Born in its namespace from the parent's. With an index of its own: without one, Linux up to 6.1 at least looks for the
 * name in the namespace where `ip` runs, and an `eth0` there is `File exists` (rtnl_newlink, seen).
 */
export const macvlanCreation = (want: Want) => ({
  words: [
    ...["link", want.parent as string],
    ...(want.namespace === want.parentNamespace ? [] : ["index", derivedIndex(want)]),
  ],
  from: (want.parentNamespace as string | undefined) ?? null,
});

/** A number that a rebuild finds again, far above those that the kernel gives out: 2^24 to 2^31 - 1. */
export function derivedIndex({ namespace = "", name }: Want): string {
  const digest = createHash("sha256").update(`${namespace}/${name}`).digest();
  return String(2 ** 24 + (digest.readUInt32BE(0) % (2 ** 31 - 2 ** 24)));
}

export function macvlanRules(want: Want): [path: string, text: string][] {
  const { mode, parentNamespace } = want;
  const needs = (path: string, only: string): [boolean, string, string] => [
    Boolean(want[path]) && mode !== only,
    path,
    `needs \`mode: "${only}"\``,
  ];
  const wrong: [boolean, string, string][] = [
    needs("sources", "source"),
    needs("nodst", "source"),
    needs("nopromisc", "passthru"),
    [parentNamespace !== undefined && want.namespace === undefined, "parentNamespace", "needs `namespace`"],
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, path, text]) => [path, text]);
}

/** passthru tolerates no other device on its parent. */
export const macvlanClaims = (want: Want) => {
  const parent = `the macvlan devices on ${linkClaim(want.parentNamespace as string | undefined, want.parent as string)}`;
  return [want.mode === "passthru" ? parent : `shared ${parent}`];
};

export const macvlanSections = (want: Want) => linkSections(want.parentNamespace as string | undefined);

export const macvlanReplaces = (was: Want, want: Want) =>
  was.mode !== want.mode && (was.mode === "passthru" || want.mode === "passthru") ? ["mode"] : [];

/** The parent's MTU is the default. Of a macvlan as parent the kernel takes the device below it. */
export function macvlanCompletion(live: LinkState, want: Want, seen: Seen) {
  const parent = linkState(seen, want.parentNamespace as string | undefined, want.parent as string);
  const wanted =
    parent && (parent.type?.startsWith("macv") ? below(parent, want.parentNamespace, seen) : parent.json.ifindex);
  const index = below(live, want.namespace, seen);
  const elsewhere = wanted !== undefined && index !== undefined && wanted !== index;
  return {
    args: { parent: want.parent, parentNamespace: want.parentNamespace },
    broken: elsewhere ? `it is not on ${want.parent}` : undefined,
    extra: parent?.json.mtu ?? 1500,
  };
}

/** On what it is: a device of its own namespace, or of the host's. Undefined when that is in a third one. */
export function macvlanListed({ json }: LinkState, namespace: string | undefined, seen: Seen) {
  if (json.link) return { parent: json.link, parentNamespace: namespace };
  const parent = linksIn(seen, undefined).find((link) => link.ifindex === json.link_index);
  return parent && namespace !== undefined ? { parent: parent.ifname } : undefined;
}

/** The number of the device that it is on: by name when that is in the same namespace. */
function below({ json }: LinkState, namespace: unknown, seen: Seen): number | undefined {
  if (json.link_index !== undefined) return json.link_index;
  return json.link ? linkState(seen, namespace as string | undefined, json.link)?.json.ifindex : undefined;
}
