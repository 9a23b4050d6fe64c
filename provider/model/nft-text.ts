import { z } from "zod";

/**
 * Pieces of nft's language that come from a program. They go to `nft -f` as text, one command a line, so none may leave
 * its line or its braces: nft ends a command at a newline or `;`, reads `#` to the end of the line as a comment, and
 * joins lines at a backslash. Inside double quotes all of these are plain, and there is no way to write a quote.
 */
const unquoted = (text: string) => text.replace(/"[^"]*"/g, '""');

const isLine = (text: string) => !/\p{Cc}/u.test(text);
const isQuoted = (text: string) => (text.split('"').length & 1) === 1;
const isPlain = (text: string) => !/[;#\\$]/.test(unquoted(text));

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const letter of unquoted(text)) {
    if (letter === "{") depth++;
    if (letter === "}" && --depth < 0) return false;
  }
  return depth === 0;
}

/** A piece of nft text on one line. */
const piece = z
  .string()
  .transform((text) => text.trim())
  .refine((text) => text !== "", "must not be empty")
  .refine(isLine, "must be one line without control characters")
  .refine(isQuoted, "must have an even number of double quotes")
  .refine(isPlain, "must not have ';', '#', '$' or '\\' outside of double quotes: one entry is one statement")
  .refine(isBalanced, "must close every brace that it opens, and no other");

/** Devices by their number: a rule would keep the number of a device that was made again under its name. */
const byIndex = /\b(iif|oif|sdif|iface_index)\b/;
const fib = /\bfib\s+\w+(\s*\.\s*\w+)*(\s+oif\s+(?:[=!]=?\s*)?(?:missing|exists))?/g;

const indexText =
  "must not have iif, oif or sdif: they become a bare number when the device is made again; write iifname, oifname or sdifname";

/** A device to send to: by its number, too, and no rule can say it by its name. */
const sends = /\b(fwd|dup)\b.*\b(to|device)\s+(""|[a-z][\w.-]*$)/i;

const named = (text: string) => !byIndex.test(unquoted(text).replace(fib, ""));

export const ruleText = piece
  .refine(named, indexText)
  .refine(
    (text) => !sends.test(unquoted(text)),
    "must not send to a device (fwd, dup): it becomes a bare number when the device is made again",
  )
  .refine(
    (text) => !/^(handle|index|position)\b/.test(text),
    "must not say where the rule stands: that is its place in the list",
  );

export const elementText = piece
  .refine(
    (text) => !/\b(timeout|expires)\b/.test(unquoted(text)),
    "must not expire: nothing would tell an element that has expired from one that is missing",
  )
  .refine(
    (text) =>
      !unquoted(text)
        .replace(/\{[^}]*\}/g, "")
        .includes(","),
    "must be one element",
  );

export const typeText = piece
  .refine(named, indexText)
  .refine((text) => !/[{}"]/.test(text), "must be a type, as ipv4_addr . inet_service");

export const definitionText = piece.refine(
  (text) => !/[{}]/.test(text) || /^policy = \{/.test(text),
  "must not have braces",
);

/** A comment in nft: it has no way to write a quote, and 128 bytes. */
export const commentText = z
  .string()
  .regex(/^[^"\p{Cc}]{1,127}$/u, "must be 1 to 127 printable characters without double quotes");

/** Words of nft 1.0.6 that it does not take as the name of a chain, set or table, found by trying; it has no quotes for names. */
const keywords = new Set(
  (
    "accept add ah and arp auto-merge bridge cgroup chain comment comp constant continue counter cpu " +
    "create ct day dccp define delete describe device devices dnat drop dst dup dynamic ecn element " +
    "elements eq esp ether exists expires export exthdr fib flags flow flowtable flush frag fwd " +
    "gc-interval ge get goto gt handle hbh hook hour ibriport ibrname icmp icmpv6 igmp iif iifgroup " +
    "iifname iiftype import include index inet insert interval ip ip6 ipsec jhash jump le limit list log " +
    "lshift lt map mark masquerade meta meter mh missing monitor ne netdev nftrace not notrack numgen " +
    "obriport obrname oif oifgroup oifname oiftype or osf pkttype policy position priority queue quota " +
    "random redefine redirect reject rename replace reset return rshift rt rt0 rt2 rtclassid rule ruleset " +
    "sctp secmark set size skgid skuid snat socket srh symhash synproxy table tcp th time timeout tproxy " +
    "type typeof udp udplite undefine update vlan vmap xor xt"
  ).split(" "),
);

/** A table, chain, set, map or object. */
export const nftName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/,
    "must be 1 to 128 letters, digits, '_', '.' or '-', beginning with a letter or '_'",
  )
  .refine((name) => !keywords.has(name), "must not be a word of nft's language, which has no quotes for names");
