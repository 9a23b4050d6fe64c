import { homedir } from "node:os";
import { join } from "node:path";
import { HostnetError } from "../model/errors";
import type { Target } from "./target";

/** The name under which pinned keys are known to ssh. */
export const pinnedName = "hostnet-target";

/** Writes a file that lives as long as the connection, readable by us only, and returns its path. */
export type TempFiles = (name: string, text: string, mode?: number) => Promise<string>;

/**
 * What `ssh` is told, up to and with the destination. The user's own config stays in force below it: that is what this
 * transport is for. Secrets go into files of our own, never here: arguments are for everybody to see.
 */
export async function opensshArguments(target: Target, seconds: number, files: TempFiles): Promise<string[]> {
  const options = await optionsOf(target, pinnedName, files);
  options.push(
    ["ConnectTimeout", String(seconds)],
    ["ServerAliveInterval", "15"],
    ["ServerAliveCountMax", "3"],
    // Below it ssh does not say that the host hung up, nor what it offers that ssh does not take.
    ["LogLevel", "INFO"],
    ["RequestTTY", "no"],
    ["ClearAllForwardings", "yes"],
    // With one of the user's for logins by hand, ssh takes no command of ours (OpenSSH 7.6).
    ["RemoteCommand", "none"],
  );
  if (target.jumpHosts.length === 0 && target.proxyCommand === undefined) options.push(straight);
  const config = target.jumpHosts.length ? await jumpConfig(target, files) : target.sshConfigPath;
  return [
    "-T",
    ...(config ? ["-F", config] : []),
    ...options.flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ...(target.jumpHosts.length ? ["-J", bracketed(hopNames(target).at(-1) as string)] : []),
    "--",
    plainWord(target.alias),
  ];
}

type Option = [name: string, value: string];

/** Without it the user's own ProxyJump or ProxyCommand would count. (`ProxyJump none` leaves a ProxyCommand in force.) */
const straight: Option = ["ProxyCommand", "none"];

/** What is common to the host and each host on the way to it. */
async function optionsOf(target: Target, label: string, files: TempFiles): Promise<Option[]> {
  const options: Option[] = [
    ["StrictHostKeyChecking", "yes"],
    ["HostName", plainWord(target.address)],
    ["User", plainWord(target.user)],
    ["Port", String(target.port)],
    ["BatchMode", "yes"],
    ["ForwardAgent", "no"],
    ["ForwardX11", "no"],
    ["PermitLocalCommand", "no"],
    // A master of the user's would carry us over a login that we have not checked, and outlive us.
    ["ControlMaster", "no"],
    ["ControlPath", "none"],
  ];
  if (target.passphrase && !target.agentSocket) {
    throw new HostnetError("AUTH", "the openssh transport cannot give ssh a passphrase", {
      host: target.name,
      remedy: "Load the key into the agent with `ssh-add`.",
    });
  }
  for (const path of target.privateKeyPaths) options.push(["IdentityFile", quoted(path)]);
  if (target.privateKey) {
    const text = target.privateKey.endsWith("\n") ? target.privateKey : `${target.privateKey}\n`;
    options.push(["IdentityFile", quoted(await files(`${label}-key`, text))]);
  }
  if (target.identitiesOnly) options.push(["IdentitiesOnly", "yes"]);
  options.push(["IdentityAgent", target.agentSocket ? quoted(target.agentSocket) : "none"]);
  options.push(...(await pins(target, label, files)));
  return options;
}

/**
 * Where ssh finds the host's key. Known hosts are looked up by ssh itself, under the names that it makes of the user's
 * config. Pinned keys become a file of their own; a fingerprint, which no such file can hold, a KnownHostsCommand
 * (OpenSSH 8.5) that gives the offered key back when it is one of those pinned.
 */
async function pins(target: Target, label: string, files: TempFiles): Promise<Option[]> {
  if (target.hostKeys.length === 0) {
    return target.knownHostsPaths.length
      ? [
          ["UserKnownHostsFile", target.knownHostsPaths.map(quoted).join(" ")],
          ["GlobalKnownHostsFile", "none"],
        ]
      : [];
  }
  const fingerprints = target.hostKeys.filter((pin) => /^SHA256:[A-Za-z0-9+/]+=*$/.test(pin));
  const lines = target.hostKeys
    .filter((pin) => !fingerprints.includes(pin))
    .map((pin) => `${label} ${pin.trim().split(/\s+/).slice(0, 2).join(" ")}\n`);
  const options: Option[] = [
    ["HostKeyAlias", label],
    ["UserKnownHostsFile", quoted(await files(`${label}-known`, lines.join("")))],
    ["GlobalKnownHostsFile", "none"],
  ];
  if (fingerprints.length) {
    const cases = fingerprints.map((pin) => pin.replace(/=+$/, "")).join("|");
    const script = `case $1 in ${cases}) printf '%s %s %s\\n' "$2" "$3" "$4";; esac\n`;
    if (target.unfitKeys)
      options.push(["HostKeyAlgorithms", `-${target.unfitKeys.map((type) => `*${type}*`).join(",")}`]);
    options.push(["KnownHostsCommand", `/bin/sh ${quoted(await files(`${label}-pins`, script))} %f %H %t %K`]);
  }
  return options;
}

/** A config that knows the hosts on the way, with the user's own below it: -J takes no keys and no pins for them. */
async function jumpConfig(target: Target, files: TempFiles): Promise<string> {
  const blocks: string[] = [];
  const names = hopNames(target);
  for (const [index, hop] of target.jumpHosts.entries()) {
    const options = await optionsOf(hop, hopLabel(index), files);
    const before = names[index - 1];
    options.push(before === undefined ? ownWay(hop) : ["ProxyJump", bracketed(before)]);
    blocks.push(`Host ${names[index]}\n${options.map(([name, value]) => `  ${name} ${value}\n`).join("")}`);
  }
  const below = target.sshConfigPath ? [target.sshConfigPath] : [join(homedir(), ".ssh/config"), "/etc/ssh/ssh_config"];
  return files("config", `${blocks.join("")}Match all\n${below.map((path) => `Include ${quoted(path)}\n`).join("")}`);
}

/** The way to the first jump host, which is told it also where it goes by a name of ours. */
function ownWay({ proxyCommand, alias }: Target): Option {
  if (proxyCommand === undefined) return straight;
  return [
    "ProxyCommand",
    proxyCommand.replace(/%(.)/g, (token, letter) => (letter === "n" ? plainWord(alias) : token)),
  ];
}

export const hopLabel = (index: number) => `hostnet-hop-${index}`;

/**
 * What ssh calls the hosts on the way: as the user does, so that what the user's config says of them is in force, a
 * certificate for instance. One that is met twice would have the way of both: it gets a name of ours.
 */
function hopNames({ alias, jumpHosts }: Target): string[] {
  const all = [alias, ...jumpHosts.map((hop) => hop.alias)].map((name) => name.toLowerCase());
  const isOnce = (name: string) => all.filter((one) => one === name.toLowerCase()).length === 1;
  const isPlain = (name: string) => /^\w[\w.:-]*$/.test(name);
  return jumpHosts.map((hop, index) => (isPlain(hop.alias) && isOnce(hop.alias) ? hop.alias : hopLabel(index)));
}

/** A jump host as ProxyJump takes it: the colons of an IPv6 address are not those before a port. */
const bracketed = (name: string) => (name.includes(":") ? `[${name}]` : name);

/** A value that ssh's config reads as one word. It has no way to write a quote or a newline. */
function quoted(text: string): string {
  if (/["\n\r\0]/.test(text)) throw new HostnetError("INVALID", `ssh takes no such path: ${JSON.stringify(text)}`);
  return `"${text.replaceAll("%", "%%")}"`;
}

/** A name that must not be taken for an option, a token or two words. */
function plainWord(text: string): string {
  if (!/^[\w.:[\]@/%+-]+$/.test(text) || text.startsWith("-")) {
    throw new HostnetError("INVALID", `ssh takes no such name: ${JSON.stringify(text)}`);
  }
  return text.replaceAll("%", "%%");
}
