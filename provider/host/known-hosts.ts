import { createHmac, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { HostnetError } from "../model/errors";
import { fingerprint } from "./keys";
import { type KnownHost, matches, parseKnownHosts } from "./known-hosts-file";
import type { Target } from "./target";
import { UnfitKey } from "./unfit-key";

export { fingerprint };

/**
 * Throws unless the key is one that we hold for the host: HOST_KEY_UNKNOWN when we hold none at all,
 * HOST_KEY_MISMATCH when we hold others, or when the key is revoked. A file that cannot be read proves nothing: it throws too.
 */
export async function checkHostKey(target: Target, key: Buffer): Promise<void> {
  if (target.hostKeys.length > 0) {
    if (!target.hostKeys.some((pin) => fits(pin, key))) {
      const cause = new UnfitKey(target, typeOf(key));
      throw refusal("HOST_KEY_MISMATCH", target, key, "is not the one that hostKey pins", cause);
    }
    return;
  }
  const known = await read(target.knownHostsPaths);
  const names = namesOf(target);
  const here = known.filter((entry) => names.some((name) => matches(entry, name)));
  const revoked = here.find((entry) => entry.marker === "revoked" && same(entry.key, key));
  if (revoked) throw refusal("HOST_KEY_MISMATCH", target, key, `is revoked in ${revoked.where}`);
  for (const name of names) {
    const held = here.filter((entry) => !entry.marker && matches(entry, name));
    if (held.some((entry) => same(entry.key, key))) return;
    // Of a name without the port only a key that fits counts: another SSH server may have that name.
    if (held.length > 0 && name === names[0]) {
      const others = held.map((entry) => `${typeOf(entry.key)} ${fingerprint(entry.key)} (${entry.where})`);
      throw refusal("HOST_KEY_MISMATCH", target, key, `is not the one that is known: ${others.join(", ")}`);
    }
  }
  const files = target.knownHostsPaths.join(", ") || "no file";
  const authority = here.some((entry) => entry.marker === "cert-authority");
  const signed = authority ? '; only a @cert-authority is, which transport: "openssh" can check' : "";
  throw refusal("HOST_KEY_UNKNOWN", target, key, `is not known for ${names[0]} (looked in ${files})${signed}`);
}

/**
 * The key types for which we hold a key of this host, as they stand in key lines (`ssh-rsa` for all RSA signatures).
 * [] when there are none, or when a fingerprint does not tell. For the order in which host keys are asked for.
 */
export async function knownKeyTypes(target: Target): Promise<string[]> {
  const pins = target.hostKeys.map((pin) => keyOf(pin));
  if (pins.length > 0) return pins.includes(undefined) ? [] : types(pins as Buffer[]);
  const known = (await read(target.knownHostsPaths)).filter((entry) => !entry.marker);
  for (const name of namesOf(target)) {
    const held = known.filter((entry) => matches(entry, name));
    if (held.length > 0) return types(held.map((entry) => entry.key));
  }
  return [];
}

const types = (keys: Buffer[]) => [...new Set(keys.map(typeOf))];

/**
 * Under which names ssh looks: `[host]:port`, then (for whoever has just moved the port) the host alone. A HostKeyAlias
 * stands without a port.
 */
function namesOf({ hostKeyName, address, port }: Target): string[] {
  const name = hostKeyName.toLowerCase();
  const alias = name !== address.toLowerCase();
  return port === 22 || alias ? [name] : [`[${name}]:${port}`, name];
}

async function read(paths: string[]): Promise<KnownHost[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      try {
        return parseKnownHosts(await readFile(path, "utf8"), path);
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code === "ENOENT") return [];
        // It may hold a @revoked line that we would miss.
        throw new HostnetError("HOST_KEY_UNKNOWN", `${path} cannot be read (${code ?? cause})`, {
          remedy: `Make ${path} readable, or pin the machine's key with hostKey.`,
          cause,
        });
      }
    }),
  );
  return files.flat();
}

/** True when a pin, fingerprint or key line, is of this key. */
function fits(pin: string, key: Buffer): boolean {
  const whole = keyOf(pin);
  return whole ? same(whole, key) : same(Buffer.from(pin.trim().replace(/=+$/, "")), Buffer.from(fingerprint(key)));
}

/** The key of a key line; undefined for a fingerprint. */
function keyOf(pin: string): Buffer | undefined {
  const [type = "", blob] = pin.trim().split(/\s+/);
  return type.startsWith("SHA256:") || !blob ? undefined : Buffer.from(blob, "base64");
}

/** Compares in constant time, whatever the lengths. */
function same(a: Buffer, b: Buffer): boolean {
  const digest = (data: Buffer) => createHmac("sha256", "same").update(data).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** The type that stands in the key itself. */
function typeOf(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.toString("latin1", 4, Math.min(4 + length, 100));
}

function refusal(
  code: "HOST_KEY_UNKNOWN" | "HOST_KEY_MISMATCH",
  target: Target,
  key: Buffer,
  why: string,
  cause?: UnfitKey,
) {
  const print = fingerprint(key);
  const at = target.port === 22 ? target.address : `${target.address} port ${target.port}`;
  const compare =
    code === "HOST_KEY_UNKNOWN"
      ? "Compare it with what `ssh-keygen -lf` says on the machine's console"
      : "Find out why the key is another: a machine set up anew, or somebody in between. If it is right";
  const scan = `ssh-keyscan -p ${target.port} ${target.address}`;
  return new HostnetError(code, `the host key of ${at}, ${typeOf(key)} ${print}, ${why}`, {
    ...{ host: target.name, cause },
    remedy: `${compare}, then set hostKey: "${print}", or correct known_hosts (\`${scan}\` prints the lines).`,
  });
}
