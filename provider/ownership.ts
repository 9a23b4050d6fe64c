import type { Found, Kind } from "./kind";
import type { OwnedEntry } from "./ledger";
import { HostnetError } from "./model/errors";
import { markOf, nonceOf, type Ownership, ownerOf, ownership } from "./model/mark";

/** Nonces of resources that this run keeps: another resource may not take their objects over. */
const kept = new Set<string>();

export const keep = (nonce: string) => kept.add(nonce);

/** It was looked for, and counts as gone: what bears its mark may be taken over. */
export const release = (nonce: string) => kept.delete(nonce);

export interface Part {
  whose: Ownership;
  /** The mark that says so; somebody's own text when it is none of ours. */
  mark?: string;
}

/**
 * Whose the parts of an object are. The ledger speaks for what has no place for a mark, and for a device whose alias is
 * somebody else's.
 */
export function partsOf(
  found: Found<unknown, unknown>,
  entry: OwnedEntry | undefined,
  own: string,
  { unfinished = false, formerOwners = [] }: { unfinished?: boolean; formerOwners?: string[] },
): Part[] {
  const recorded = entry && markOf(entry.owner, entry.nonce);
  const asOfNow = (mark: string | undefined) =>
    mark && formerOwners.includes(ownerOf(mark)) ? markOf(ownerOf(own), nonceOf(mark)) : mark;
  const marks = found.marks.length > 0 ? found.marks : [undefined];
  return marks.map((text) => {
    const mark = text?.startsWith("hostnet:") ? text : (recorded ?? text);
    // Our own create was cut off after the object was there and before its mark was.
    return { mark, whose: !mark && unfinished ? "this" : ownership(asOfNow(mark), own) };
  });
}

/** True when every part is this resource's. A permanent object is nobody's as long as no sibling has it. */
export function isOurs(kind: Kind, parts: Part[]): boolean {
  return parts.every(({ whose }) => whose === "this" || (kind.permanent === true && whose === "none"));
}

/** Of what `hostnet import` does not find. */
const withoutImport = "Take it over with `adopt: true`, or choose another name.";

/**
 * May the resource write to what is there? An object of a sibling that is no more (a crash, a renamed resource,
 * --target-replace) is taken over. Answers whether it was somebody else's. Throws CONFLICT or FOREIGN.
 */
export function claim(kind: Kind, parts: Part[], adopt: boolean): boolean {
  let adopted = false;
  for (const { whose, mark = "" } of parts) {
    if (whose === "this" || (whose === "none" && kind.permanent)) continue;
    if (whose === "sibling") {
      if (kept.has(nonceOf(mark)))
        throw new HostnetError("CONFLICT", "belongs to another resource of this stack already");
      continue;
    }
    if (adopt) {
      adopted = true;
      continue;
    }
    const whom =
      whose === "none"
        ? "carries no mark of ours"
        : mark.startsWith("hostnet:")
          ? "is another stack's, or of a Host that was renamed along with this: then `up --refresh` takes it over"
          : `is marked '${mark}'`;
    throw new HostnetError("FOREIGN", `is there already and ${whom}`, kind.list ? {} : { remedy: withoutImport });
  }
  return adopted;
}
