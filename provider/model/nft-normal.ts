import type { ChainArgs, FirewallArgs, SetArgs } from "./nft-args";
import { keyOfElement, type Wanted } from "./nft-delta";
import { type Block, declaredBlocks, define, elementsOf, type Group, rulesOf, type Table } from "./nft-table";
import { get, same } from "./path";

/** What was read: the table as it is, and what nft makes of the declared one in a namespace that is thrown away. */
export interface Reading {
  live: Table;
  /** What was declared when it was read. */
  declared: FirewallArgs;
  normal: Table;
}

type Attributes = Record<string, unknown>;
const entryOf = (args: FirewallArgs, group: Group, name: string) =>
  ((args[group] ?? {}) as Record<string, Attributes>)[name];

/**
 * The declared blocks in nft's normal form. Arguments that are not those of the reading hold values of the live table,
 * which are in that form already.
 */
export function wantedBlocks(
  want: FirewallArgs,
  { declared, normal }: Reading,
  was: Partial<FirewallArgs>[],
): Map<string, Wanted> {
  const before = new Map(declaredBlocks(declared).map((block) => [block.key, block]));
  const blocks = declaredBlocks(want).map((block): [string, Wanted] => {
    const { key, kind, name, group, path } = block;
    const earlier = before.get(key);
    const form = normal.blocks.get(key);
    const text = define(want, block).text;
    const unchanged = earlier !== undefined && form !== undefined && define(declared, earlier).text === text;
    const entry = entryOf(want, group, name) ?? {};
    const rules = new Map(rulesOf(declared, path).map((rule, at) => [rule, form?.rules[at]?.text ?? rule]));
    const elements = elementsOf(want, path);
    const said = new Set(elements);
    return [
      key,
      {
        ...{ kind, name, path, open: isOpen(entry as Partial<SetArgs>) },
        definition: unchanged ? form.definition : [text],
        devices: [...new Set((entry.devices as string[] | undefined) ?? [])].sort(),
        policy: entry.hook === undefined ? undefined : ((entry as Partial<ChainArgs>).policy ?? "accept"),
        rules: rulesOf(want, path).map((rule) => ({ text: rules.get(rule) ?? rule, declared: rule })),
        elements: form && same(elements, elementsOf(declared, path)) ? form.elements : elements,
        dropped: was
          .flatMap((args) => elementsOf(args as FirewallArgs, path) ?? [])
          .filter((element) => !said.has(element)),
      },
    ];
  });
  return new Map(blocks);
}

/** Rules may add elements to it. */
export const isOpen = ({ flags = [], timeout }: Partial<SetArgs>) =>
  timeout !== undefined || flags.some((flag) => flag === "dynamic" || flag === "timeout");

/** The declared arguments with live values where these are others. */
export function shownTable(want: FirewallArgs, { live, normal }: Reading): FirewallArgs {
  const shown: Record<string, unknown> = { ...want, ...(want.dormant !== undefined && { dormant: live.dormant }) };
  for (const { key, group, name } of declaredBlocks(want)) {
    const there = live.blocks.get(key);
    const entry = there && shownBlock(entryOf(want, group, name) ?? {}, there, normal.blocks.get(key));
    shown[group] = { ...(shown[group] as object), [name]: entry };
  }
  return shown as FirewallArgs;
}

function shownBlock(entry: Attributes, live: Block, form: Block | undefined): Attributes {
  const [is, was] = [attributesOf(live), form ? { ...attributesOf(form), devices: deviceList(entry) } : {}];
  const shown = Object.entries(entry).map(([key, value]) => {
    if (key === "endFlows" || same(get(is, key), get(was, key))) return [key, value];
    if (key === "rules") return [key, spelled(value as string[], form, live)];
    if (key === "elements" && isOpen(entry as Partial<SetArgs>)) return [key, present(value as string[], form, live)];
    return [key, get(is, key)];
  });
  return Object.fromEntries(shown);
}

const deviceList = (entry: Attributes) => (entry.devices ? [...new Set(entry.devices as string[])].sort() : undefined);

/** The live rules, those that were declared as they were declared. */
function spelled(declared: string[], form: Block | undefined, live: Block): string[] {
  const spelling = new Map(declared.map((rule, at) => [form?.rules[at]?.text, rule]));
  return live.rules.map(({ text }) => spelling.get(text) ?? text);
}

function present(declared: string[], form: Block | undefined, live: Block): string[] {
  const keys = new Set(live.elements.map(keyOfElement));
  const there = (form?.elements ?? []).filter((element) => keys.has(keyOfElement(element)));
  return there.length === form?.elements.length ? declared : there;
}

/** What is in the table and not declared, by path. */
export function surplusBlocks(want: FirewallArgs, live: Table): Record<string, unknown> {
  const declared = new Set(declaredBlocks(want).map(({ key }) => key));
  const more = [...live.blocks].filter(([key]) => !declared.has(key));
  return Object.fromEntries(
    more.map(([, block]) => [`${groupOf(block)}.${block.name.replaceAll(".", "\\.")}`, attributesOf(block)]),
  );
}

export const groupOf = ({ kind }: Block): Group =>
  kind === "chain" || kind === "set" || kind === "map" || kind === "flowtable" ? `${kind}s` : "objects";

/** A block in the words of the arguments; what it has not is left out. */
export function attributesOf(block: Block): Attributes {
  const { kind, definition, devices, policy } = block;
  const find = (pattern: RegExp) => definition.map((line) => pattern.exec(line)?.slice(1)).find(Boolean);
  const has = (line: string) => (definition.includes(line) ? true : undefined);
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const comment = find(/^comment "(.*)"$/)?.[0];
  if (kind === "chain") {
    const [type, hook, priority] = find(/^type (\S+) hook (\S+) priority (-?\d+)$/) ?? [];
    const at = devices.length > 0 ? devices : undefined;
    return plain({
      type,
      hook,
      priority: number(priority),
      policy,
      devices: at,
      comment,
      rules: block.rules.map(({ text }) => text),
    });
  }
  if (kind === "flowtable") {
    const priority = number(find(/^hook ingress priority (-?\d+)$/)?.[0]);
    return plain({ devices, priority, counter: has("counter"), offload: has("flags offload") });
  }
  if (kind !== "set" && kind !== "map") return { type: kind, definition };
  return plain({
    type: find(/^type (.*)$/)?.[0],
    typeof: find(/^typeof (.*)$/)?.[0],
    flags: find(/^flags (.*)$/)?.[0]?.split(","),
    timeout: duration(find(/^timeout (.*)$/)?.[0]),
    gcInterval: duration(find(/^gc-interval (.*)$/)?.[0]),
    size: number(find(/^size (\d+)/)?.[0]),
    autoMerge: has("auto-merge"),
    counter: has("counter"),
    comment,
    elements: block.elements,
  });
}

const plain = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));

const units: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** Seconds of what nft prints, as 1h30m. */
const duration = (text: string | undefined) =>
  text === undefined
    ? undefined
    : [...text.matchAll(/(\d+)([dhms])/g)].reduce(
        (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
        0,
      );
