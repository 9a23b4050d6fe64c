import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A key pair as files in a folder, and its texts. By ssh-keygen: one in some hundred of those that ssh2's
 * generateKeyPairSync makes is refused by OpenSSH ("error in libcrypto").
 */
export function makeKey(folder: string, name: string, { passphrase = "", type = "ed25519", rounds = 4 } = {}) {
  const path = join(folder, name);
  const bits = type === "rsa" ? ["-b", "2048"] : []; // 3072 takes a second to find
  const args = ["-q", "-t", type, ...bits, "-a", `${rounds}`, "-N", passphrase, "-C", name, "-f", path];
  const { status, stderr } = spawnSync("ssh-keygen", args, { encoding: "utf8", input: "y\n" });
  if (status !== 0) throw new Error(`ssh-keygen: ${stderr}`);
  return { path, privateKey: readFileSync(path, "utf8"), publicKey: readFileSync(`${path}.pub`, "utf8").trim() };
}
