import type { ChainArgs, FirewallArgs, SetArgs } from "./nft-args";

/** One block of a table as `nft list` prints it: a chain, a set, a map, an object. */
export interface Block {
  /** `chain`, `set`, `ct helper`, … */
  kind: string;
  name: string;
  /** What defines it, one statement each, sorted; of a base chain its hook, without its policy and devices. */
  definition: string[];
  devices: string[];
  policy?: string;
  rules: Rule[];
  elements: string[];
}

export interface Rule {
  text: string;
  /** Its number in the table, by which it is replaced. */
  handle?: string;
  /** As it was declared; the form that nft prints is for comparing. */
  declared?: string;
}

export interface Table {
  comment?: string;
  dormant: boolean;
  blocks: Map<string, Block>;
}

export const blockKey = (kind: string, name: string) => `${kind} ${name}`;

const blockHead =
  /^\t(chain|set|map|counter|quota|limit|ct helper|ct timeout|ct expectation|synproxy|secmark|flowtable) (\S+) \{/;
const handleEnd = / # handle (\d+)$/;
/** How many elements a set has, as nft since 1.1.4 says beside its size. */
const countEnd = /\t# count \d+$/;

/** Reads what `nft -y -s -a list table` prints: -y gives priorities as numbers, -s leaves counts out. */
export function parseTable(text: string): Table {
  const table: Table = { dormant: false, blocks: new Map() };
  let block: Block | undefined;
  for (const line of statements(text)) {
    const [, kind, name] = blockHead.exec(line) ?? [];
    if (kind && name) {
      block = { kind, name, definition: [], devices: [], rules: [], elements: [] };
      table.blocks.set(blockKey(kind, name), block);
    } else if (line === "\t}") {
      block = undefined;
    } else if (block) {
      enter(block, line.trim());
    } else if (line.startsWith("\tcomment ")) {
      table.comment = line.slice('\tcomment "'.length, -1);
    } else if (/^\tflags .*\bdormant\b/.test(line)) {
      table.dormant = true;
    }
  }
  for (const { definition } of table.blocks.values()) definition.sort();
  return table;
}

const deviceWords = /\bdevices? (?:= \{ )?((?:"?[^\s",}]+"?(?:, )?)+)(?: \})? ?/;

function enter(block: Block, line: string): void {
  const [, hook, policy] = /^(type \S+ hook .*?); policy (accept|drop);$/.exec(line) ?? [];
  const elements = /^elements = \{ ?(.*?) ?\}$/.exec(line)?.[1];
  if (hook !== undefined || (block.kind === "flowtable" && line.startsWith("devices ="))) {
    const [words = "", names] = deviceWords.exec(hook ?? line) ?? [];
    block.devices = names ? split(names.replaceAll('"', "")).sort() : [];
    block.policy = policy;
    if (hook !== undefined) block.definition.push(words === "" ? hook : hook.replace(words, ""));
  } else if (elements !== undefined) {
    block.elements = split(elements);
  } else if (block.kind === "chain" && !/^comment "[^"]*"$/.test(line)) {
    block.rules.push({ text: line.replace(handleEnd, ""), handle: handleEnd.exec(line)?.[1] });
  } else if (line !== "") {
    block.definition.push(line.replace(countEnd, ""));
  }
}

/** Lines, those joined that a pair of braces after `=` keeps open: nft breaks long lists of elements. */
function statements(text: string): string[] {
  const lines: string[][] = [];
  let open = false;
  for (const line of text.split("\n")) {
    if (open) lines.at(-1)?.push(line.trim());
    else lines.push([line]);
    if (/^\t\telements = \{/.test(line)) open = true;
    if (open && endsList(line)) open = false;
  }
  return lines.map((parts) => parts.join(" "));
}

const endsList = (line: string) =>
  line
    .replace(/"[^"]*"/g, "")
    .trimEnd()
    .endsWith("}");

/** The items of a list; commas in quotes and braces are none of its own. */
function split(list: string): string[] {
  const parts = list.match(/(?:"[^"]*"|\{[^}]*\}|[^,"{])+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** A command for nft, and the argument it comes from. */
export interface Line {
  text: string;
  path: string;
}

/** The sections of a block's arguments, in the order in which nft must meet them. */
export const groups = ["objects", "chains", "flowtables", "sets", "maps"] as const;
export type Group = (typeof groups)[number];

/** What identifies each declared block: its key, and where its arguments are. */
export function declaredBlocks(
  want: FirewallArgs,
): { key: string; kind: string; name: string; group: Group; path: string }[] {
  return groups.flatMap((group) =>
    Object.entries(want[group] ?? {}).map(([name, one]) => {
      const kind = group === "objects" ? (one as { type: string }).type : group.slice(0, -1);
      return { key: blockKey(kind, name), kind, name, group, path: `${group}.${name}` };
    }),
  );
}

export const titleOf = ({ family, name }: FirewallArgs) => `${family} ${name}`;

/** The command that makes a block, without its rules and elements. `deviceOf`: what stands for a device. */
export function define(
  want: FirewallArgs,
  { kind, name, group, path }: ReturnType<typeof declaredBlocks>[number],
  deviceOf = quoted,
): Line {
  const body = bodies[group]((want[group] as Record<string, never>)[name] as never, deviceOf).map(
    (line) => `${line}; `,
  );
  return { text: `add ${kind} ${titleOf(want)} ${name} { ${body.join("")}}`, path };
}

export const quoted = (device: string) => `"${device}"`;

const bodies: Record<Group, (one: never, deviceOf: (device: string) => string) => string[]> = {
  chains: (one: ChainArgs, deviceOf) => [...hookOf(one, deviceOf), ...commentOf(one)],
  sets: (one: SetArgs) => containerOf(one),
  maps: (one: SetArgs) => containerOf(one),
  objects: ({ definition }: { definition: string[] }) => definition,
  flowtables: (one: NonNullable<FirewallArgs["flowtables"]>[string], deviceOf) => [
    `hook ingress priority ${one.priority}`,
    `devices = { ${devices(one.devices, deviceOf)} }`,
    ...(one.counter ? ["counter"] : []),
    ...(one.offload ? ["flags offload"] : []),
  ],
};

const devices = (names: string[], deviceOf: (device: string) => string) =>
  [...new Set(names.map(deviceOf))].sort().join(", ");

function hookOf(
  { hook, type = "filter", priority = 0, policy = "accept", devices: names }: ChainArgs,
  deviceOf: (device: string) => string,
) {
  if (hook === undefined) return [];
  const at = names ? ` devices = { ${devices(names, deviceOf)} }` : "";
  return [`type ${type} hook ${hook}${at} priority ${priority}`, `policy ${policy}`];
}

const commentOf = ({ comment }: { comment?: string | undefined }) =>
  comment === undefined ? [] : [`comment "${comment}"`];

function containerOf(one: SetArgs): string[] {
  const values = { type: one.type, typeof: one.typeof, size: one.size };
  const times = { timeout: one.timeout, "gc-interval": one.gcInterval };
  return [
    ...Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`])),
    ...(one.flags?.length ? [`flags ${one.flags.join(",")}`] : []),
    ...Object.entries(times).flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}s`])),
    ...(one.autoMerge ? ["auto-merge"] : []),
    ...(one.counter ? ["counter"] : []),
    ...commentOf(one),
  ];
}

/** All that the table is to hold, for one that is not there. */
export function contents(want: FirewallArgs, deviceOf?: (device: string) => string): Line[] {
  const blocks = declaredBlocks(want);
  return [
    ...blocks.map((block) => define(want, block, deviceOf)),
    ...blocks.flatMap(({ name, path }) => elementLines(want, "add", name, elementsOf(want, path), path)),
    ...blocks.flatMap(({ name, path }) =>
      rulesOf(want, path).map((rule, at) => ({
        text: `add rule ${titleOf(want)} ${name} ${rule}`,
        path: `${path}.rules[${at}]`,
      })),
    ),
  ];
}

const part = (want: FirewallArgs, path: string) => {
  const [group = "", ...name] = path.split(".");
  return (
    ((want[group as Group] ?? {}) as Record<string, { rules?: string[]; elements?: string[] }>)[name.join(".")] ?? {}
  );
};

export const rulesOf = (want: FirewallArgs, path: string) => part(want, path).rules ?? [];
export const elementsOf = (want: FirewallArgs, path: string) => part(want, path).elements ?? [];

export function elementLines(
  want: FirewallArgs,
  verb: "add" | "delete",
  name: string,
  elements: string[],
  path: string,
): Line[] {
  if (elements.length === 0) return [];
  return [{ text: `${verb} element ${titleOf(want)} ${name} { ${elements.join(", ")} }`, path: `${path}.elements` }];
}
