import { linkKind, stateOf } from "../model/link-kind";
import {
  macvlanClaims,
  macvlanCompletion,
  macvlanOptions,
  macvlanReplaces,
  macvlanRules,
  macvlanTraits,
} from "../model/macvlan";
import { parentCreation, parentListed, parentSections } from "../model/parent";

export const macvlan = linkKind({
  name: "Macvlan",
  type: "macvlan",
  doc: "A device with a MAC address of its own on a shared parent, as a NIC. The host itself reaches it only by another macvlan on the same parent.",
  options: macvlanOptions,
  traits: macvlanTraits,
  creation: parentCreation,
  rules: macvlanRules,
  claims: macvlanClaims,
  observe: parentSections,
  complete: macvlanCompletion,
  replaces: macvlanReplaces,
  listed: parentListed,
  reset: { mtu: (live: { raw?: unknown }) => stateOf(live as never).extra },
});
