import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type ParsedKey, utils } from "ssh2";

/** A private key that is ready to sign, or what stands in the way. */
export type LoadedKey = { key: ParsedKey } | { problem: string; publicKey?: Buffer };

/**
 * Keys of this process, parsed. ssh2 would parse again for each connection, and to decrypt an OpenSSH key (bcrypt in
 * plain JavaScript) holds up the event loop for 0.4 s each time.
 */
const parsed = new Map<string, LoadedKey>();

/** The private key of a file, undefined where there is no such file. */
export function loadKeyFile(path: string, passphrase?: string): LoadedKey | undefined {
  let text: string;
  let version: string;
  try {
    const { mtimeMs, size } = statSync(path);
    version = `${mtimeMs}:${size}`;
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? undefined : { problem: `cannot be read (${code})` };
  }
  return remember(`${path}:${version}`, text, passphrase, () => publicKeyBeside(path));
}

/** A key that was given as text. */
export function loadKeyText(text: string, passphrase?: string): LoadedKey {
  return remember("", text, passphrase, () => undefined);
}

function remember(
  name: string,
  text: string,
  passphrase: string | undefined,
  beside: () => Buffer | undefined,
): LoadedKey {
  const id = createHash("sha256")
    .update(JSON.stringify([name, text, passphrase]))
    .digest("hex");
  let loaded = parsed.get(id);
  if (!loaded) {
    loaded = parse(text, passphrase);
    if ("problem" in loaded) loaded.publicKey ??= beside();
    parsed.set(id, loaded);
  }
  return loaded;
}

function parse(text: string, passphrase: string | undefined): LoadedKey {
  const result = utils.parseKey(text.endsWith("\n") ? text : `${text}\n`, passphrase);
  const key = Array.isArray(result) ? result[0] : result;
  if (!key || key instanceof Error) {
    return { problem: problemOf(text, passphrase, key?.message ?? ""), publicKey: publicPart(text) };
  }
  if (!key.isPrivateKey()) return { problem: "is a public key", publicKey: key.getPublicSSH() };
  return { key };
}

function problemOf(text: string, passphrase: string | undefined, message: string): string {
  if (/no passphrase/i.test(message)) return "is encrypted, and passphraseEnv gives no passphrase";
  if (/-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(text)) {
    return "is in PKCS#8 format, which ssh2 cannot read: rewrite it by `ssh-keygen -p -f FILE`";
  }
  if (passphrase !== undefined && /decrypt|integrity|bad passphrase|check/i.test(message)) {
    return "cannot be decrypted with the passphrase given";
  }
  return "is not a private key that ssh2 can read";
}

/** The public key that stands unencrypted in an OpenSSH private key: enough to find it in an agent. */
function publicPart(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (!body) return undefined;
  const data = Buffer.from(body, "base64");
  const magic = "openssh-key-v1\0";
  if (data.toString("latin1", 0, magic.length) !== magic) return undefined;
  try {
    // Cipher, key derivation, its options, number of keys, public key (PROTOCOL.key of OpenSSH).
    let at = magic.length;
    for (let field = 0; field < 3; field++) at += 4 + data.readUInt32BE(at);
    at += 4;
    return data.subarray(at + 4, at + 4 + data.readUInt32BE(at));
  } catch {
    return undefined;
  }
}

function publicKeyBeside(path: string): Buffer | undefined {
  try {
    const blob = readFileSync(`${path}.pub`, "utf8").split(/\s+/)[1];
    return blob ? Buffer.from(blob, "base64") : undefined;
  } catch {
    return undefined;
  }
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(publicKey: Buffer): string {
  return `SHA256:${createHash("sha256").update(publicKey).digest("base64").replace(/=+$/, "")}`;
}
