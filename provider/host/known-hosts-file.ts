import { createHmac, timingSafeEqual } from "node:crypto";

/** One line of a known_hosts file, as sshd(8) describes it. */
export interface KnownHost {
  /** What follows `@`. A cert-authority signs keys and is none itself; a revoked key is not taken, whoever vouches for it. */
  marker?: string;
  /** The first field: a list of patterns, or one hashed name. */
  hosts: string;
  key: Buffer;
  /** File and line, for messages. */
  where: string;
}

/** Lines that cannot be understood are left out: they vouch for nothing. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const words = line.trim().split(/[ \t]+/);
    const marker = words[0]?.startsWith("@") ? words.shift()?.slice(1) : undefined;
    const [hosts, type, blob] = words;
    if (!hosts || hosts.startsWith("#") || !type || !blob) return [];
    const key = Buffer.from(blob, "base64");
    // The key names its own type; a line that says otherwise is damaged.
    if (key.length < 4 || key.toString("latin1", 4, 4 + key.readUInt32BE(0)) !== type) return [];
    return [{ marker, hosts, key, where: `${file}:${index + 1}` }];
  });
}

/** True when the line is about the host: `name`, or `[name]:port`, in lower case. */
export function matches({ hosts }: KnownHost, name: string): boolean {
  if (hosts.startsWith("|")) return matchesHash(hosts, name);
  let found = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, keyed with the salt. */
function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt = "", hash = ""] = hosts.split("|");
  if (version !== "1") return false;
  const wanted = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
}

/** `*` is any text and `?` one character; brackets mean themselves. Linear, whatever the pattern. */
function matchesPattern(pattern: string, name: string): boolean {
  let [p, n] = [0, 0];
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      from = n;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
