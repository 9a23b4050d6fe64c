import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type ParsedKey, utils } from "ssh2";
import { LockedKey } from "./locked-key";

/** A private key that is ready to sign, by itself or by its thread, or what stands in the way. */
export type LoadedKey = { key: ParsedKey } | { locked: LockedKey } | { problem: string; publicKey?: Buffer };

/** Keys of this process, parsed and decrypted once: ssh2 would do it again for each connection. */
const parsed = new Map<string, Promise<LoadedKey>>();

/** The private key of a file. */
export async function loadKeyFile(path: string, passphrase?: string): Promise<LoadedKey> {
  let text: string;
  let version: string;
  try {
    const { mtimeMs, size } = statSync(path);
    version = `${mtimeMs}:${size}`;
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? "is not there" : `cannot be read (${code})`;
    return { problem, publicKey: publicKeyBeside(path) };
  }
  return remember(`${path}:${version}`, text, passphrase, () => publicKeyBeside(path));
}

/** A key that was given as text. */
export function loadKeyText(text: string, passphrase?: string): Promise<LoadedKey> {
  return remember("", text, passphrase, () => undefined);
}

function remember(
  name: string,
  text: string,
  passphrase: string | undefined,
  beside: () => Buffer | undefined,
): Promise<LoadedKey> {
  const id = createHash("sha256")
    .update(JSON.stringify([name, text, passphrase]))
    .digest("hex");
  let loaded = parsed.get(id);
  if (!loaded) {
    loaded = parse(text.endsWith("\n") ? text : `${text}\n`, passphrase).then((result) =>
      "problem" in result ? { ...result, publicKey: result.publicKey ?? beside() } : result,
    );
    parsed.set(id, loaded);
  }
  return loaded;
}

async function parse(text: string, passphrase: string | undefined): Promise<LoadedKey> {
  const outside = openSshPart(text);
  const failed = (message: string) => ({
    problem: problemOf(text, passphrase, message),
    publicKey: outside?.publicKey,
  });
  if (passphrase !== undefined && outside && outside.cipher !== "none") {
    const locked = await LockedKey.unlock(text, passphrase);
    return locked instanceof Error ? failed(locked.message) : { locked };
  }
  const result = utils.parseKey(text, passphrase);
  const key = Array.isArray(result) ? result[0] : result;
  if (!key || key instanceof Error) return failed(key?.message ?? "");
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

/** What stands unencrypted in an OpenSSH private key; by its public key it is found in an agent. */
function openSshPart(text: string): { cipher: string; publicKey: Buffer } | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (!body) return undefined;
  const data = Buffer.from(body, "base64");
  const magic = "openssh-key-v1\0";
  if (data.toString("latin1", 0, magic.length) !== magic) return undefined;
  try {
    // Cipher, key derivation, its options, number of keys, public key (PROTOCOL.key of OpenSSH).
    const field = (at: number) => data.subarray(at + 4, at + 4 + data.readUInt32BE(at));
    const after = (at: number) => at + 4 + data.readUInt32BE(at);
    const publicKeyAt = after(after(after(magic.length))) + 4;
    return { cipher: field(magic.length).toString("latin1"), publicKey: field(publicKeyAt) };
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
