import { addressBits, canonicalAddress, contains, family } from "../model/scalars";

/** The address of that number, as `ip` prints it. */
function addressOf(bits: bigint, version: 4 | 6): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((bits >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  return canonicalAddress(groups.join(":"));
}

/** The nth address of a network given as 10.0.0.0/24. */
export function nth(network: string, n: number): string {
  const [address = ""] = network.split("/");
  return addressOf(addressBits(address) + BigInt(n), family(address));
}

export const prefixLength = (network: string) => Number(network.split("/")[1]);

/** The address with the prefix length of its network. */
export const within = (address: string, network: string) => `${address}/${prefixLength(network)}`;

/** Whether two networks have an address in common. */
export function overlap(one: string, other: string): boolean {
  if (family(one) !== family(other)) return false;
  const [wide, narrow] = prefixLength(one) <= prefixLength(other) ? [one, other] : [other, one];
  return contains(wide, narrow.split("/")[0] ?? "");
}

/** True for an address that a host of the network can have: neither the network's own nor its broadcast address. */
export function isHost(network: string, address: string): boolean {
  if (!contains(network, address)) return false;
  const length = prefixLength(network);
  if (family(address) === 6 || length >= 31) return true;
  const first = addressBits(network.split("/")[0] ?? "");
  const at = addressBits(address) - first;
  return at > 0n && at < (1n << BigInt(32 - length)) - 1n;
}

/** A row of addresses: its first and last. */
interface Span {
  first: bigint;
  last: bigint;
  version: 4 | 6;
}

/** Of an address, a network, or a range as 10.0.0.3-10.0.0.9. */
function spanOf(text: string): Span {
  const [from = "", to] = text.split("-");
  const [address = "", length] = from.split("/");
  const version = family(address);
  const first = addressBits(address);
  if (to !== undefined) return { first, last: addressBits(to), version };
  const width = version === 4 ? 32 : 128;
  return { first, last: first + (1n << BigInt(width - Number(length ?? width))) - 1n, version };
}

function rangeOf({ first, last, version }: Span): string {
  const from = addressOf(first, version);
  return first === last ? from : `${from}-${addressOf(last, version)}`;
}

/** Whether an address is in a network or range. */
export function covers(range: string, address: string): boolean {
  const { first, last, version } = spanOf(range);
  const bits = addressBits(address);
  return version === family(address) && first <= bits && bits <= last;
}

/** What is left of a range when some addresses are taken out of it. */
export function except(range: string, taken: readonly string[]): string[] {
  const { first, last, version } = spanOf(range);
  const out = taken.filter((one) => covers(range, one)).map(addressBits);
  const ends = [...out.sort((a, b) => Number(a - b)), last + 1n];
  const left = ends.map((end, at) => ({ first: (ends[at - 1] ?? first - 1n) + 1n, last: end - 1n, version }));
  return left.filter((span) => span.first <= span.last).map(rangeOf);
}

/**
 * The same addresses, all of one IP version, without any twice: none of an nft set's elements may overlap another. What
 * overlaps nothing stays as it is written, in its place.
 */
export function disjoint(all: readonly string[]): string[] {
  const spans = all.map((text, at) => ({ ...spanOf(text), text, at }));
  const kept: typeof spans = [];
  // Of those that begin at one address the widest comes first.
  for (const span of spans.sort((a, b) => Number(a.first - b.first) || Number(b.last - a.last))) {
    const before = kept.at(-1);
    if (!before || before.last < span.first) kept.push(span);
    else if (before.last < span.last) {
      before.last = span.last;
      before.text = rangeOf(before);
    }
  }
  return kept.sort((a, b) => a.at - b.at).map(({ text }) => text);
}

/** The link-local address that a guest makes of its MAC (RFC 4291, modified EUI-64). */
export function linkLocal(mac: string): string {
  const octets = mac.split(":").map((octet) => Number.parseInt(octet, 16));
  const [first = 0, ...others] = octets;
  const full = [first ^ 2, ...others.slice(0, 2), 0xff, 0xfe, ...others.slice(2)];
  const hex = full.map((octet) => octet.toString(16).padStart(2, "0")).join("");
  return canonicalAddress(`fe80::${(hex.match(/.{4}/g) ?? []).join(":")}`);
}
