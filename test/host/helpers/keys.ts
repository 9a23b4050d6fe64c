import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { utils } from "ssh2";

type Options = { passphrase?: string };

/** A key pair as files in a folder, and its texts. */
export function makeKey(folder: string, name: string, { passphrase }: Options = {}) {
  const options = passphrase ? { passphrase, cipher: "aes256-ctr", rounds: 4 } : {};
  const pair = utils.generateKeyPairSync("ed25519", options as never);
  const path = join(folder, name);
  writeFileSync(path, pair.private, { mode: 0o600 });
  writeFileSync(`${path}.pub`, `${pair.public}\n`);
  return { path, privateKey: pair.private, publicKey: pair.public };
}
