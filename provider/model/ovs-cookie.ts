import { createHash } from "node:crypto";
import { ownerOf } from "./mark";

/**
 * The cookie of a set of flows: 63 bits of a digest of its owner and identity, and a last bit that is set in what its
 * `learn` actions add, so that these are told from flows that somebody else gave our cookie. It says whose a flow is, but
 * no 64 bits hold an owner and a nonce: the mark in full is an external id of the bridge. See docs/decisions.
 */
export function cookieOf(owner: string, bridge: string, name: string): bigint {
  const digest = createHash("sha256").update(`${owner}/${bridge}/${name}`).digest("hex");
  return BigInt(`0x${digest.slice(0, 16)}`) & ~1n;
}

export const learnedCookie = (cookie: bigint) => cookie | 1n;

/** Mask of both. */
export const setMask = "0xfffffffffffffffe";

const setPrefix = "hostnet-flows-";

/** The external id of a bridge that holds a set's mark. */
export const setKey = (name: string) => `${setPrefix}${name}`;

/** The names of all sets, of whatever stack, whose marks are in a bridge's external ids. */
export const setNames = (externalIds: Record<string, string>): string[] =>
  Object.keys(externalIds)
    .filter((key) => key.startsWith(setPrefix))
    .map((key) => key.slice(setPrefix.length));

/** The owners of all sets, of whatever stack, whose marks are in a bridge's external ids, by the sets' cookies. */
export const ownersOf = (bridge: string, externalIds: Record<string, string>): Map<bigint, string> =>
  new Map(
    setNames(externalIds).map((name) => {
      const owner = ownerOf(externalIds[setKey(name)] ?? "");
      return [cookieOf(owner, bridge, name), owner];
    }),
  );
