import type { Seen } from "../host/seen";
import type { Section } from "../model/command";
import { HostnetError } from "../model/errors";
import { inNamespace, keyIn } from "../model/namespaces";
import type { Left } from "./leftovers";

/** Names and comments of the tables, without what is in them. */
const section: Section = {
  key: "nftables",
  argv: ["sh", "-c", "text=$(nft -t list ruleset) || exit; echo \"$text\" | grep -E '^table |^\tcomment ' || true"],
};

export const tableSections = (namespace: string | undefined): Section[] => inNamespace(namespace, section);

/** What a shell says of a program that is not there. */
const notInstalled = 127;

/** The tables of nftables that bear no mark of ours: rules of a person, of docker, of iptables. Throws READ_FAILED. */
export function tablesIn(seen: Seen, namespace: string | undefined): Left[] {
  const { exitCode, stdout, stderr } = seen.result(keyIn(section.key, namespace));
  if (exitCode === notInstalled) return [];
  if (exitCode !== 0) {
    throw new HostnetError("READ_FAILED", "could not read the tables", { step: "nft list ruleset", exitCode, stderr });
  }
  return stdout
    .split(/^table /m)
    .slice(1)
    .filter((text) => !text.includes('\n\tcomment "hostnet:'))
    .map((text) => ({
      name: text.split(" {")[0]?.trim() ?? "",
      namespace,
      type: "nftables",
      why: "rules are not made into a program; a Firewall of its family and name takes it over with `adopt: true`",
    }));
}
