import { z } from "zod";
import { kind } from "../kind";
import {
  addAddress,
  addressKey,
  address as addressSchema,
  declarable,
  exchangeAddresses,
  full,
  type LiveAddress,
  matches,
  refuseDuplicates,
  sameAddress,
} from "../model/address";
import { linkClaim } from "../model/link-kind";
import { addressCheck, linkSections, linkState, linksIn } from "../model/link-state";
import { deviceRef, family, namespaceRef } from "../model/scalars";

const args = z.strictObject({
  namespace: namespaceRef
    .optional()
    .describe(
      "The network namespace of the device. Default: that of a `device` given as a resource, else the host's own. A change replaces the address.",
    ),
  device: deviceRef.describe("The device that has the address; it need not be one of ours. A change replaces it."),
  address: addressSchema.describe(
    "The address with its prefix length, as 10.0.1.1/24, or an object with peer, scope, label and nodad. A change replaces it.",
  ),
});

export const address = kind({
  name: "Address",
  doc: "One IP address on a device, beside those that others give it. A link of ours has a list `addresses` of its own: a device takes the one or the other.",
  args,
  facts: z.object({
    scope: z.string().describe("Where the address is valid: global, link, host or site."),
    secondary: z.boolean().describe("Another address of its subnet was there first and is the primary one."),
  }),
  identity: ["address", "device", "namespace"],
  placedBy: "device",
  needs: ["ip"],
  mark: "ledger",
  reset: {},
  claims(want) {
    const device = linkClaim(want.namespace, want.device);
    return [`shared addresses of ${device}`, `address ${addressKey(full(want.address))} of ${device}`];
  },
  configures: (want) => (want.namespace === undefined ? [want.device] : []),
  observe: (want) => linkSections(want.namespace),
  find(want, seen) {
    const link = linkState(seen, want.namespace, want.device);
    const wanted = full(want.address);
    const live = link?.addresses.find((item) => sameAddress(wanted, item));
    if (!link || !live) return undefined;
    const { json, addresses } = link;
    return {
      args: { namespace: want.namespace, device: want.device, address: shown(want.address, live) },
      facts: { scope: live.scope, secondary: live.secondary },
      marks: [],
      pending: addressCheck({ json, addresses: [{ ...live, kernelMade: false, dynamic: false }] }),
      broken: live.dadFailed ? "another machine has the address" : undefined,
      raw: { live, addresses },
    };
  },
  list: (seen, namespace) =>
    linksIn(seen, namespace).flatMap(({ ifname: device }) => {
      const { addresses = [] } = linkState(seen, namespace, device) ?? {};
      const own = addresses.filter(({ kernelMade, scope }) => !kernelMade && !(device === "lo" && scope === "host"));
      return own.map((item) => ({ namespace, device, address: whole(item, device) }) as Want);
    }),
  maker: ({ raw }) => {
    const { live } = raw as Raw;
    return live.daemon ?? (live.dynamic ? (family(live.address) === 6 ? "ra" : "dhcp") : undefined);
  },
  converge(want, found) {
    const item = full(want.address);
    if (!found) return [addAddress(item, want.device, want.namespace)];
    const { live, addresses } = found.raw as Raw;
    refuseDuplicates([live], want.device);
    if (matches(item, live)) return [];
    // Scope and label are given at birth; in `ip address change` they are not to be changed.
    const { device, namespace } = want;
    return exchangeAddresses({ device, namespace, live: addresses, leaving: [live], coming: [item] });
  },
  remove(found, want) {
    const { live, addresses } = found.raw as Raw;
    const { device, namespace } = want;
    return exchangeAddresses({ device, namespace, live: addresses, leaving: [live], coming: [] });
  },
});

const whole = (item: LiveAddress, device: string) =>
  declarable([{ ...item, dynamic: false, daemon: undefined }], device)[0];

interface Raw {
  live: LiveAddress;
  addresses: LiveAddress[];
}

type Want = z.output<typeof args>;

/** What the address is, in the form in which it was declared. */
function shown(declared: Want["address"], live: LiveAddress): Want["address"] {
  if (typeof declared === "string") return declared;
  const scope = declared.scope && (live.scope as typeof declared.scope);
  return { ...declared, scope, label: declared.label && live.label };
}
