import { createHash } from "node:crypto";
import type { Seen } from "./host/seen";
import type { Section, Step } from "./model/command";
import { markOf } from "./model/mark";

/**
 * /run/pulumi-hostnet/<owner>/: one small file a resource, for what has no place for a mark and for old values. It is
 * gone after a reboot, as is all that it tells of; the file `epoch` in it is how that is noticed.
 */
const root = "/run/pulumi-hostnet";

export interface Entry {
  id: string;
  nonce: string;
  /** What `remember` kept: how things were before. */
  memory?: unknown;
  /** How many owners had recorded the same object, one after the other, when this one did. */
  turn?: number;
  /** What owners before it had declared who are gone: it is still there, and goes with this one. */
  inherited?: Record<string, unknown>;
}

/** An entry, and whose ledger it is in. */
export type OwnedEntry = Entry & { owner: string };

const folder = (owner: string) => `${root}/${owner}`;

/** An id without the machine's: the ledger is of the machine that it is on, and stays true when that is given another id. */
const hereOf = (id: string) => id.slice(id.indexOf("/") + 1);

const fileOf = (owner: string, id: string) => {
  const digest = createHash("sha256").update(hereOf(id)).digest("hex").slice(0, 16);
  return `${folder(owner)}/${id.split("/")[1]}.${digest}`;
};

/** All ledgers of all owners in one process, one question of whoever asks; no file, no output. */
export const ledgersSection: Section = { key: "ledgers", argv: ["grep", "-rs", "", root] };

/** What stands in each file. */
const files = (seen: Seen): Map<string, string> =>
  seen.derive("ledger files", () => {
    const lines = seen.result(ledgersSection.key).stdout.split("\n");
    return new Map(
      lines.flatMap((line) => {
        const colon = line.indexOf(":");
        return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
      }),
    );
  });

/**
 * None where a full /run has cut the file off: what it is for is not done then, as it is written before that. The next
 * write of its resource records it anew.
 */
function entryIn(text: string): Entry | undefined {
  try {
    return JSON.parse(text) as Entry;
  } catch {
    return undefined;
  }
}

/** Of an owner, and no `.new` that was not yet put in the place of another. */
const entryFile = /\/([0-9a-f]+)\/[^/.]+\.[0-9a-f]+$/;

/** What all ledgers have of an object. */
export function entriesOf(seen: Seen, id: string): OwnedEntry[] {
  const entries = seen.derive("ledger entries", () => {
    const byId = new Map<string, OwnedEntry[]>();
    for (const [path, text] of files(seen)) {
      const [, owner] = entryFile.exec(path) ?? [];
      const entry = owner === undefined ? undefined : entryIn(text);
      if (owner === undefined || !entry) continue;
      const here = hereOf(entry.id);
      const others = byId.get(here);
      if (others) others.push({ ...entry, owner });
      else byId.set(here, [{ ...entry, owner }]);
    }
    return byId;
  });
  return entries.get(hereOf(id)) ?? [];
}

/** The mark that any ledger has for an object. */
export function markInLedgers(seen: Seen, id: string): string | undefined {
  const entry = entriesOf(seen, id).at(-1);
  return entry && markOf(entry.owner, entry.nonce);
}

const turnOf = ({ turn = 0 }: Entry) => turn;

/** That of who records an object which these have recorded. */
export const turnAfter = (others: Entry[]): number | undefined =>
  others.length > 0 ? Math.max(...others.map(turnOf)) + 1 : undefined;

/** Who of the others has recorded the object next after this one. */
export const heirOf = (entry: Entry, others: OwnedEntry[]): OwnedEntry | undefined =>
  others.filter((other) => turnOf(other) > turnOf(entry)).sort((one, other) => turnOf(one) - turnOf(other))[0];

/** The token that is lost with a reboot, a reverted snapshot or a restarted container. */
export const readEpoch = (seen: Seen, owner: string) => files(seen).get(`${folder(owner)}/epoch`);

// `install -D` makes the folders and the file in one process.
const write = (path: string, line: string): Step => ({
  argv: ["install", "-D", "-m", "600", "/dev/stdin", path],
  stdin: `${line}\n`,
});

const textOf = ({ id, nonce, memory, turn, inherited }: Entry) =>
  JSON.stringify({ id, nonce, memory, turn, inherited });

export const record = (owner: string, entry: Entry) => write(fileOf(owner, entry.id), textOf(entry));

/** In the place of another entry, which stays as it is when a full /run cuts the new one off. */
export function replaceEntry(owner: string, entry: Entry): Step[] {
  const path = fileOf(owner, entry.id);
  return [write(`${path}.new`, textOf(entry)), { argv: ["mv", "-f", `${path}.new`, path] }];
}

export const forget = (owner: string, id: string): Step => ({ argv: ["rm", "-f", fileOf(owner, id)] });

/** Of an owner that is no more: the last entry takes the folder with it. */
export const forgetFormer = (owner: string, id: string): Step[] => [
  forget(owner, id),
  { argv: ["rmdir", "--ignore-fail-on-non-empty", folder(owner)] },
];

export const recordEpoch = (owner: string, token: string) => write(`${folder(owner)}/epoch`, token);

export const forgetEpoch = (owner: string): Step => ({ argv: ["rm", "-f", `${folder(owner)}/epoch`] });

/** Where `ip netns` keeps its names; it makes the folder and never takes it away. */
const netnsFolder = "/run/netns";

const withoutNetns = (owner: string) => `${folder(owner)}/no-netns-folder`;

/** The folder was not there before us. */
const recordNoNetns = (owner: string) => write(withoutNetns(owner), netnsFolder);

/** The same, unless the folder is there: nobody has to look before. */
export function recordMissingNetns(owner: string): Step {
  const { argv, stdin } = recordNoNetns(owner);
  return { argv: ["sh", "-c", '[ -e "$0" ] || exec "$@"', netnsFolder, ...argv], stdin };
}

/**
 * The end of an owner: nothing of it stays, and nothing of us when it was the last. What its Host was replaced by, the
 * heir, has the entries of those that have not moved to it yet.
 */
export function forgetOwner(seen: Seen, owner: string, heir?: string): Step[] {
  // The folder is a mount point of its own; in use, it is neither unmounted nor removed.
  const emptied =
    'rmdir "$1" 2>/dev/null || { [ -z "$(ls -A "$1")" ] && umount "$1" && rmdir "$1"; } 2>/dev/null; true';
  // After a reboot it is not there any more.
  const ifEmpty = '[ ! -e "$1" ] || rmdir --ignore-fail-on-non-empty "$1"';
  const unneeded = files(seen).has(withoutNetns(owner));
  if (heir) {
    return [
      ...(unneeded ? [recordNoNetns(heir)] : []),
      { argv: ["rm", "-f", `${folder(owner)}/epoch`, withoutNetns(owner)] },
      { argv: ["sh", "-c", ifEmpty, "sh", folder(owner)] },
    ];
  }
  return [
    ...(unneeded ? [{ argv: ["sh", "-c", emptied, "sh", netnsFolder] }] : []),
    { argv: ["rm", "-rf", folder(owner)] },
    { argv: ["sh", "-c", ifEmpty, "sh", root] },
  ];
}
