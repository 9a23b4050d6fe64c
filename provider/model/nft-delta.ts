import { isMark } from "./mark";
import type { FirewallArgs } from "./nft-args";
import {
  type Block,
  blockKey,
  contents,
  declaredBlocks,
  define,
  elementLines,
  type Line,
  type Rule,
  type Table,
  titleOf,
} from "./nft-table";
import { same } from "./path";

/** A declared block in nft's normal form, and what it is in the arguments. */
export type Wanted = Block & {
  path: string;
  open: boolean /** Elements that were declared before and no longer are. */;
  dropped: string[];
};

export interface Difference {
  lines: Line[];
  /** Puts the table to sleep or wakes it: a transaction of its own, as Linux 6.1 takes no chain with a hook beside it. */
  flag: Line[];
  /** Paths of the chains of which a rule was changed or taken away, and of those that are no more. */
  changed: string[];
  /** Elements taken out of sets, by the set's path. */
  removed: Map<string, string[]>;
  /** The table is made again as a whole. */
  reload: boolean;
}

/**
 * What makes the live table into the wanted one: the difference and nothing else, so that counters and what rules have
 * added to sets stay. nft cannot redefine a set, an object or a hook that is in use, nor a comment: then the table is made
 * again, in the same transaction.
 */
export function difference(want: FirewallArgs, live: Table, wanted: Map<string, Wanted>, mark: string): Difference {
  // What somebody else has made keeps its comment, or none: no comment can be changed (the ledger has the mark).
  const isRemarked = isMark(live.comment) && mark !== live.comment;
  if (isRemarked || [...wanted].some(([key, block]) => redefined(key, block, live)))
    return reload(want, mark, [...wanted.values()]);
  const title = titleOf(want);
  const none = { path: "" };
  const missing = declaredBlocks(want).filter(({ key }) => !live.blocks.has(key));
  const surplus = [...live.blocks.values()].filter(({ kind, name }) => !wanted.has(blockKey(kind, name)));
  const both = [...wanted].map(([key, block]) => ({ block, there: live.blocks.get(key) }));
  const rules = both
    .filter(({ block }) => block.kind === "chain")
    .map(({ block, there }) => ({ block, ...edits(title, block, there?.rules ?? []) }));
  const elements = both.map(({ block, there }) => ({ block, ...elementChanges(block, there?.elements ?? []) }));
  const policies = both.filter(({ block, there }) => there && block.policy !== there.policy);
  const gone = (kinds: (kind: string) => boolean) =>
    surplus
      .filter(({ kind }) => kinds(kind))
      .map(({ kind, name }) => ({ text: `delete ${kind} ${title} ${name}`, ...none }));
  const isContainer = (kind: string) => kind === "set" || kind === "map";
  const away = surplus.flatMap(({ name, rules: old }) =>
    old.length > 0 ? [{ text: `flush chain ${title} ${name}`, ...none }] : [],
  );
  return {
    flag: live.dormant === (want.dormant ?? false) ? [] : [{ text: tableLine(want, mark), path: "dormant" }],
    lines: [
      ...missing.map((block) => define(want, block)),
      ...rules.flatMap(({ deletions }) => deletions),
      ...away,
      ...elements.flatMap(({ block: { name, path }, away: out }) =>
        elementLines(want, "delete", name, out.map(keyOfElement), path),
      ),
      ...elements.flatMap(({ block: { name, path }, into }) => elementLines(want, "add", name, into, path)),
      ...rules.flatMap(({ additions }) => additions),
      ...policies.map(({ block }) => policyLine(title, block)),
      ...gone((kind) => kind === "map"),
      ...gone((kind) => kind === "set"),
      ...gone((kind) => kind === "chain"),
      ...gone((kind) => !isContainer(kind) && kind !== "chain"),
    ],
    changed: [
      ...rules.flatMap(({ block, deletions }) => (deletions.length > 0 ? [block.path] : [])),
      ...policies.map(({ block }) => block.path),
      ...surplus.filter(({ kind }) => kind === "chain").map(({ name }) => `chains.${name}`),
    ],
    removed: new Map(
      elements
        .filter(({ away: out }) => out.length > 0)
        .map(({ block, away: out }) => [block.path, out.map(keyOfElement)]),
    ),
    reload: false,
  };
}

export const tableLine = (want: FirewallArgs, mark: string) =>
  `add table ${titleOf(want)} { comment "${mark}"; ${want.dormant ? "flags dormant; " : ""}}`;

function reload(want: FirewallArgs, mark: string, wanted: Wanted[]): Difference {
  const lines = [
    { text: `delete table ${titleOf(want)}`, path: "" },
    { text: tableLine(want, mark), path: "" },
    ...contents(want),
  ];
  return {
    lines,
    flag: [],
    changed: wanted.filter(({ kind }) => kind === "chain").map(({ path }) => path),
    removed: new Map(),
    reload: true,
  };
}

/** True when what is there under the name must go before the wanted block can be made. */
function redefined(key: string, block: Wanted, live: Table): boolean {
  const there = live.blocks.get(key);
  if (there) return !same([there.definition, there.devices], [block.definition, block.devices]);
  // Sets and maps have one name space, and so do objects in the arguments.
  return [...live.blocks.values()].some(
    ({ kind, name }) => name === block.name && kind !== "chain" && block.kind !== "chain",
  );
}

const policyLine = (title: string, { name, definition, policy, path }: Wanted): Line => {
  const hook = definition.find((line) => line.startsWith("type ")) ?? "";
  return { text: `add chain ${title} ${name} { ${hook}; policy ${policy}; }`, path: `${path}.policy` };
};

/** Of a list of rules, what to delete and what to add so that as many as can be stay where they are. */
function edits(title: string, { name, path, rules }: Wanted, live: Rule[]): { deletions: Line[]; additions: Line[] } {
  const kept = common(
    rules.map(({ text }) => text),
    live.map(({ text }) => text),
  );
  const stay = new Set(kept.map(([, at]) => at));
  const byWanted = new Map(kept);
  const deletions = live.flatMap(({ handle }, at) =>
    stay.has(at) ? [] : [{ text: `delete rule ${title} ${name} handle ${handle}`, path: `${path}.rules` }],
  );
  // Each new one goes before the next that stays; the last ones to the end.
  let next: string | undefined;
  const additions: Line[] = [];
  for (let at = rules.length - 1; at >= 0; at--) {
    const there = byWanted.get(at);
    if (there !== undefined) next = live[there]?.handle;
    else
      additions.unshift({
        text: `${next === undefined ? "add" : "insert"} rule ${title} ${name} ${next === undefined ? "" : `handle ${next} `}${rules[at]?.declared}`,
        path: `${path}.rules[${at}]`,
      });
  }
  return { deletions, additions };
}

/** Pairs of places of a longest common subsequence; what both begin and end with is found at once. */
function common(a: string[], b: string[]): [number, number][] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const rows = [...left, ""].map(() => new Array<number>(right.length + 1).fill(0));
  const cell = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      (rows[i] as number[])[j] =
        left[i] === right[j] ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1));
  const pairs: [number, number][] = Array.from({ length: start }, (_, at) => [at, at]);
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) pairs.push([start + i++, start + j++]);
    else if (cell(i + 1, j) >= cell(i, j + 1)) i++;
    else j++;
  }
  for (let at = end; at > 0; at--) pairs.push([a.length - at, b.length - at]);
  return pairs;
}

/** What stays of an element when its value, comment and counters are left out. */
export const keyOfElement = (element: string) =>
  element.replace(/ (:|counter|comment|timeout|expires)( .*)?$/, "").trim();

/** Rules add elements of their own to an open set: there only what is, or was, declared counts. */
function elementChanges({ elements, open, dropped }: Wanted, live: string[]): { away: string[]; into: string[] } {
  const keys = new Set(live.map(keyOfElement));
  if (open) {
    return {
      away: dropped.filter((element) => keys.has(keyOfElement(element))),
      into: elements.filter((element) => !keys.has(keyOfElement(element))),
    };
  }
  const [declared, there] = [new Set(elements), new Set(live)];
  return {
    away: live.filter((element) => !declared.has(element)),
    into: elements.filter((element) => !there.has(element)),
  };
}
