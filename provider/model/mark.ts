import { createHash } from "node:crypto";

/**
 * What is ours says so on the host: `hostnet:<owner>:<nonce>`. The owner is a Host resource, the nonce one create of
 * one resource. Nothing of the stack's or resource's name is in it: lldpd announces aliases to the neighbours.
 */
export const markOf = (owner: string, nonce: string) => `hostnet:${owner}:${nonce}`;

export type Ownership = "this" | "sibling" | "foreign" | "none";

/** Stands for the mark of what has none and can be given none any more: then the ledger has it. */
export const unmarked = "unmarked";

/** Whose an object with this mark is, seen from the resource whose mark is `own`. */
export function ownership(mark: string | undefined, own: string): Ownership {
  if (!mark || mark === unmarked) return "none";
  if (mark === own) return "this";
  const owner = own.slice(0, own.lastIndexOf(":") + 1);
  return mark.startsWith(owner) ? "sibling" : "foreign";
}

/** True for a mark of any stack: such an alias is not a person's and may be taken over by `adopt`. */
export const isMark = (text: string | undefined) => /^hostnet:[0-9a-f]+:[0-9a-f]+$/.test(text ?? "");

/** The owner in a mark. */
export const ownerOf = (mark: string) => mark.split(":")[1] ?? "";

/** The last part of a mark. */
export const nonceOf = (mark: string) => mark.slice(mark.lastIndexOf(":") + 1);

/** A locally administered MAC address that a rebuild finds again. */
export function derivedMac(owner: string, namespace: string | undefined, name: string): string {
  const digest = createHash("sha256")
    .update(`${owner}/${namespace ?? ""}/${name}`)
    .digest("hex");
  return `02:${(digest.slice(0, 10).match(/../g) ?? []).join(":")}`;
}

/**
 * True for a step that writes the mark and changes nothing else. In one transaction of ovs-vsctl the mark may stand
 * beside values; alone it is `set TABLE RECORD external_ids:hostnet-…=…`. A file that says more is read again by a step of
 * its own, and not by systemd's `daemon-reload`, which starts nothing.
 */
export function isMarking({ argv, stdin }: { argv: string[]; stdin?: string }, mark: string): boolean {
  if (argv[0] === "systemctl") return argv[1] === "daemon-reload";
  if (argv[0] === "install") return stdin?.includes(mark) === true;
  if (!argv.some((word) => word.includes(mark))) return false;
  const commands = argv
    .join("\0")
    .split("\0--\0")
    .map((command) => command.split("\0"));
  const [first = [], ...others] = commands;
  if (first[0] === "ip") return argv.length === 7 && argv[6]?.includes(mark) === true;
  return others.every(
    ([verb, , , ...ids]) => verb === "set" && ids.every((id) => id.startsWith("external_ids:hostnet-")),
  );
}
