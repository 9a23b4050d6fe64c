import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { run } from "./run";

/** Debian's release that the lab's machines run: what HOSTNET_LAB_DEBIAN says, as `trixie`. */
export const codename = process.env.HOSTNET_LAB_DEBIAN || "bookworm";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const format = ["$(ORIGIN)", "$(REPO_URI)", "$(RELEASE)", "$(COMPONENT)"].join("|");

/**
 * The sources.list for the image: this machine's own apt sources, as apt itself understands them, or the file that
 * HOSTNET_LAB_APT_SOURCES names. Throws when apt knows no Debian archive.
 */
export async function imageSources(): Promise<string> {
  const file = process.env.HOSTNET_LAB_APT_SOURCES;
  if (file) return readFile(file, "utf8");
  const targets = await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const sources = pickSources(targets, codename);
  if (sources.length === 0) {
    throw new Error(
      `apt on this machine has no source of Debian's main archive, of which the lab's image is made. Add one, or name a sources.list of Debian "${codename}" in HOSTNET_LAB_APT_SOURCES.`,
    );
  }
  const options = existsSync(keyring) ? `[signed-by=${keyring}] ` : "";
  return sources.map(({ uri, release }) => `deb ${options}${uri} ${release} main\n`).join("");
}

/** Reads `apt-get indextargets`: the entries of Debian's release `ours`, else those of another one with it put in. */
export function pickSources(targets: string, ours: string): { uri: string; release: string }[] {
  const all = targets.split("\n").flatMap((line) => {
    const [origin = "", uri = "", release = "", component] = line.split("|");
    const [, name, pocket = ""] = /^([a-z]+)(-updates|-security)?$/.exec(release) ?? [];
    return component === "main" && name ? [{ origin, uri, name, pocket }] : [];
  });
  // apt leaves the word as it is for a source whose list it has not fetched.
  const known = all.filter((each) => each.name === ours && ["Debian", "", "$(ORIGIN)"].includes(each.origin));
  const chosen = known.length > 0 ? known : all.filter((each) => each.origin === "Debian");
  const unique = new Map(chosen.map(({ uri, pocket }) => [`${uri} ${pocket}`, { uri, release: ours + pocket }]));
  return [...unique.values()];
}

/** What this machine tells apt about reaching its sources (proxies, checks of dates), for mmdebstrap's --aptopt. */
export async function imageAptOptions(): Promise<string[]> {
  const dump = await run("apt-config", ["dump"]);
  return dump.split("\n").filter((line) => /^Acquire::(Check-|Retries|ForceIPv|https?::)[^ ]* ".*";$/.test(line));
}
