import { createHash } from "node:crypto";
import type { Seen } from "../host/seen";
import type { LinkArgs } from "./link-args";
import { linkClaim, options, stackRules } from "./link-kind";
import { type LinkState, linkSections, linkState, linksIn } from "./link-state";
import { deviceRef, namespaceRef } from "./scalars";

/** Devices on another one, their parent: macvlan, macvtap, VLAN. */

type Want = LinkArgs & Record<string, unknown>;

const unchanging = { word: "", fixed: true as const, encode: () => [], decode: () => undefined };

/** `what` says what it is to its parent. */
export const parentOptions = (what: string) =>
  options({
    parent: {
      schema: deviceRef.describe(
        `${what} (\`link\`), in the host's own namespace unless \`parentNamespace\` says otherwise. A change replaces the device.`,
      ),
      ...unchanging,
    },
    parentNamespace: {
      schema: namespaceRef
        .optional()
        .describe(
          "The namespace in which `parent` is; needs `namespace`. Default: the host's own. A change replaces the device.",
        ),
      ...unchanging,
    },
  });

const parentPlace = (want: Want) => want.parentNamespace as string | undefined;

export const parentClaim = (want: Want) => linkClaim(parentPlace(want), want.parent as string);

export const parentSections = (want: Want) => linkSections(parentPlace(want));

export const parentState = (want: Want, seen: Seen) => linkState(seen, parentPlace(want), want.parent as string);

export const parentRules = (want: Want): [path: string, text: string][] => [
  ...(want.parentNamespace !== undefined && want.namespace === undefined
    ? [["parentNamespace", "needs `namespace`"] as [string, string]]
    : []),
  ...(want.parentNamespace === want.namespace ? stackRules(want, "parent") : []),
];

/**
 * Born in its namespace from the parent's. With an index of its own: without one, Linux up to 6.1 at least looks for the
 * name in the namespace where `ip` runs, and an `eth0` there is `File exists` (rtnl_newlink, seen).
 */
export const parentCreation = (want: Want) => ({
  words: [
    ...["link", want.parent as string],
    ...(want.namespace === want.parentNamespace ? [] : ["index", derivedIndex(want)]),
  ],
  from: parentPlace(want) ?? null,
});

/** A number that a rebuild finds again, far above those that the kernel gives out: 2^24 to 2^31 - 1. */
export function derivedIndex({ namespace = "", name }: LinkArgs): string {
  const digest = createHash("sha256").update(`${namespace}/${name}`).digest();
  return String(2 ** 24 + (digest.readUInt32BE(0) % (2 ** 31 - 2 ** 24)));
}

/** What is wrong when the device that it is on has another number than this. */
export function elsewhere(
  live: LinkState,
  want: Want,
  seen: Seen,
  wanted: number | undefined = parentState(want, seen)?.json.ifindex,
): string | undefined {
  const index = below(live, want.namespace, seen);
  return wanted !== undefined && index !== undefined && wanted !== index ? `it is not on ${want.parent}` : undefined;
}

/** The number of the device that it is on: by name when that is in the same namespace. */
export function below({ json }: LinkState, namespace: unknown, seen: Seen): number | undefined {
  if (json.link_index !== undefined) return json.link_index;
  return json.link ? linkState(seen, namespace as string | undefined, json.link)?.json.ifindex : undefined;
}

/** On what it is: a device of its own namespace, or of the host's. Undefined when that is in a third one. */
export function parentListed({ json }: LinkState, namespace: string | undefined, seen: Seen) {
  if (json.link) return { parent: json.link, parentNamespace: namespace };
  const parent = linksIn(seen, undefined).find((link) => link.ifindex === json.link_index);
  return parent && namespace !== undefined ? { parent: parent.ifname } : undefined;
}
