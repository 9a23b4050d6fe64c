import { createHash } from "node:crypto";

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
