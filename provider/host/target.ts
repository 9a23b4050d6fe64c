/** Where and how to connect, after the user's ssh config, defaults and environment are taken in. Not stored. */
export interface Target {
  /** The Host resource's name, for messages. */
  name: string;
  transport: "ssh2" | "openssh" | "local";
  /** What to connect to: name or address after ssh config. */
  address: string;
  /** Under which name keys are looked up in known_hosts: HostKeyAlias, else the host name after ssh config, as ssh does it. */
  hostKeyName: string;
  port: number;
  user: string;
  /** Key files to try, in order, `~` expanded. */
  privateKeyPaths: string[];
  /** A literal key (a secret). */
  privateKey?: string;
  /** The passphrase, read from the environment variable that `passphraseEnv` names (a secret). */
  passphrase?: string;
  /** Path of the agent's socket, when an agent may be used. */
  agentSocket?: string;
  /** True when the agent may offer only the keys named by privateKeyPaths (IdentitiesOnly). */
  identitiesOnly: boolean;
  /** Pinned keys: `SHA256:…` fingerprints or `ssh-ed25519 AAAA…` lines. When given, known_hosts is not asked. */
  hostKeys: string[];
  /** Types of key that it has shown and that no pin fits (`ed25519`): it is not asked for these again. */
  unfitKeys?: string[];
  knownHostsPaths: string[];
  /** Hops on the way, nearest first, each with its own keys and checks. */
  jumpHosts: Target[];
  /** What the ssh2 transport cannot do and openssh can: a ProxyCommand of the user's ssh config. */
  proxyCommand?: string;
  /** `sudo`: by `sudo -n` unless the user is root already. */
  become: "sudo" | "none";
  connectTimeoutMs: number;
  commandTimeoutMs: number;
  /** The config file to hand to `ssh -F`, for the openssh transport. */
  sshConfigPath?: string;
  /** What the user wrote as address, for `ssh <alias>` on the openssh transport. */
  alias: string;
}
