import { linkKind, stateOf } from "../model/link-kind";
import {
  macvlanClaims,
  macvlanCompletion,
  macvlanCreation,
  macvlanListed,
  macvlanOptions,
  macvlanReplaces,
  macvlanRules,
  macvlanSections,
  macvlanTraits,
} from "../model/macvlan";

export const macvlan = linkKind({
  name: "Macvlan",
  type: "macvlan",
  doc: "A device with a MAC address of its own on a shared parent, as a NIC. The host itself reaches it only by another macvlan on the same parent.",
  options: macvlanOptions,
  traits: macvlanTraits,
  creation: macvlanCreation,
  rules: macvlanRules,
  claims: macvlanClaims,
  observe: macvlanSections,
  complete: macvlanCompletion,
  replaces: macvlanReplaces,
  listed: macvlanListed,
  reset: { mtu: (live: { raw?: unknown }) => stateOf(live as never).extra },
});
