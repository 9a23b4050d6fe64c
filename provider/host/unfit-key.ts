import { HostnetError } from "../model/errors";
import type { Target } from "./target";
import { targetKey } from "./target-key";

/** Why a host key is refused: it fits no pin. The host may have another one, of another type, that does. */
export class UnfitKey extends Error {
  constructor(
    readonly of: Target,
    /** As it stands in the key, or as ssh says it. */
    readonly type: string,
  ) {
    super(`a key of type ${type} fits no pin`);
  }
}

/** A host has one key of each, mostly. */
const families = ["ed25519", "ecdsa", "rsa"];

/**
 * The target, to be asked for a key of another type than the one that did not fit: a pinned fingerprint does not tell of
 * which type its key is. undefined where that is not why it was refused, or there is no other to ask for.
 */
export function forAnotherKey(target: Target, error: unknown): Target | undefined {
  const cause = error instanceof HostnetError ? error.details.cause : undefined;
  if (!(cause instanceof UnfitKey) || !cause.of.hostKeys.some((pin) => pin.startsWith("SHA256:"))) return undefined;
  const family = families.find((one) => cause.type.toLowerCase().includes(one));
  const unfitKeys = [...(cause.of.unfitKeys ?? []), ...(family ? [family] : [])];
  if (!family || unfitKeys.length === families.length) return undefined;
  const refused = targetKey(cause.of);
  const told = (one: Target) => (targetKey(one) === refused ? { ...one, unfitKeys } : one);
  return { ...told(target), jumpHosts: target.jumpHosts.map(told) };
}
