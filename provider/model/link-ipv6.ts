import { type Address, full } from "./address";
import type { LinkArgs, LinkTraits } from "./link-args";
import type { LinkState } from "./link-state";
import { hangsOnOthers } from "./reset";
import { family } from "./scalars";

/** IPv6 on a link: on or off, and what it cannot have without. */

export const leastMtuOfIpv6 = 1280;

/** What a device without IPv6 cannot have. */
export function ipv6Rules({ ipv6, mtu, addresses = [] }: Partial<LinkArgs>): [path: string, text: string][] {
  const has = hasIpv6(addresses);
  const small = mtu !== undefined && mtu < leastMtuOfIpv6 && (has ? "IPv6 addresses" : ipv6 && "`ipv6: true`");
  return [
    ...(has && ipv6 === false ? [["ipv6", "must not be false with IPv6 addresses"] as [string, string]] : []),
    ...(small ? [["mtu", `must be ${leastMtuOfIpv6} or more with ${small}`] as [string, string]] : []),
  ];
}

const hasIpv6 = (addresses: Address[]) => addresses.some((item) => family(full(item).address) === 6);

/** Whether IPv6 has to be on; undefined: nobody's business. A guest's router advertisement must not reach the host. */
export function wantsIpv6(want: LinkArgs, traits: LinkTraits, live?: LinkState): boolean | undefined {
  if (typeof want.ipv6 === "boolean") return want.ipv6;
  const addresses = want.addresses ?? [];
  if (traits.layer2 || want.bridge) return addresses.length > 0;
  if (hasIpv6(addresses)) return true;
  // What had switched it off is declared no more: a reset.
  const goesBack = (want.ipv6 as unknown) === hangsOnOthers || want.bridge === "";
  return goesBack ? (live ? live.ipv6ByDefault : true) : undefined;
}
