import { z } from "zod";
import { same } from "./path";

/** One attribute of `ip link … type X`: a line in a kind's table. */
export interface LinkOption {
  /** Type, limits and documentation. */
  schema: z.ZodType;
  /** The word of `ip link … type X`. */
  word: string;
  /** Its name in `info_data` of `ip -j -d link`. Default: the word. */
  json?: string;
  /** The kernel's default, where a removed argument goes back to; of a fixed one, what needs not be said. */
  default?: unknown;
  /**
   * The words to set it; `null`, where that is the default, takes it away. Default: word and value, 1 or 0 for a boolean.
   * `live` has the values that are there, where the device is.
   */
  encode?: (value: never, want: Record<string, unknown>, live?: Record<string, unknown>) => string[];
  /** The value as declared, from what `ip -j -d link` prints. Default: as it is printed; a boolean from 1 or 0. */
  decode?: (printed: unknown, data: Record<string, unknown>) => unknown;
  /** Largest difference that is none: the kernel keeps times in jiffies. */
  tolerance?: number;
  /** What counts as the same, where the order or an omitted part does not matter. */
  same?: (want: never, live: unknown) => boolean;
  /** Said whenever anything is, as it is when it is not declared: `ip` gets the rest wrong without it. */
  always?: true;
  /** The kernel takes it only when the device is made: a change replaces the device. */
  fixed?: true;
  /** The kernel takes a change of it only while the device is down. */
  down?: true;
}

/** Gives the table its types, so that the schema's types become the arguments'. */
export const options = <T extends Record<string, LinkOption>>(table: T): T => table;

/** One that is on or off. `more`: how `ip` takes and prints it, where that is not 1 or 0. */
export const flag = (
  word: string,
  byDefault: boolean,
  doc: string,
  more: Omit<Partial<LinkOption>, "schema"> = {},
) => ({
  schema: z.boolean().optional().describe(`${doc} (\`${word}\`). Kernel default: ${byDefault}.`),
  word,
  default: byDefault,
  ...more,
});

/** Whether an option has to be set. */
export const differs = (
  [key, option]: [string, LinkOption],
  want: Record<string, unknown>,
  live: Record<string, unknown>,
) => want[key] !== undefined && !option.fixed && !sameValue(option, want[key], live[key]);

/** The words that set what differs, in the table's order: some options only hold together. */
export function differingWords(
  table: [string, LinkOption][],
  want: Record<string, unknown>,
  live: Record<string, unknown>,
): string[] {
  const wordsFor = (entry: [string, LinkOption]) =>
    differs(entry, want, live) ? wordsOf(entry[1], want[entry[0]], want, live) : [];
  if (table.every((entry) => wordsFor(entry).length === 0)) return [];
  return table.flatMap((entry) => {
    const [key, option] = entry;
    return option.always && !differs(entry, want, live) ? wordsOf(option, live[key], want) : wordsFor(entry);
  });
}

/** What was declared otherwise than it was made, and cannot be changed: the device has to be made anew. */
export function differingFixed(
  table: [string, LinkOption][],
  want: Record<string, unknown>,
  live: Record<string, unknown>,
): string | undefined {
  const wrong = table.find(
    ([key, option]) =>
      option.fixed && want[key] !== undefined && live[key] !== undefined && !sameValue(option, want[key], live[key]),
  );
  return wrong && `its ${wrong[0]} is ${live[wrong[0]]}`;
}

function sameValue(option: LinkOption, want: unknown, live: unknown): boolean {
  if (want === null || live === undefined) return want === null && live === undefined;
  if (option.same) return option.same(want as never, live);
  if (typeof want === "number" && typeof live === "number") return Math.abs(want - live) <= (option.tolerance ?? 0);
  return same(want, live);
}

export function wordsOf(
  option: LinkOption,
  value: unknown,
  want: Record<string, unknown>,
  live?: Record<string, unknown>,
): string[] {
  if (value === undefined) return [];
  if (option.encode) return option.encode(value as never, want, live);
  return [option.word, typeof value === "boolean" ? String(Number(value)) : String(value)];
}

export function liveValue(option: LinkOption, data: Record<string, unknown>): unknown {
  const printed = data[option.json ?? option.word];
  if (option.decode) return option.decode(printed, data);
  if (option.schema instanceof z.ZodOptional && option.schema.unwrap() instanceof z.ZodBoolean) {
    return printed === 1 || printed === true || printed === "on";
  }
  return printed;
}

const defaults = (table: [string, LinkOption][], fixed: boolean) =>
  table.flatMap(([key, option]) =>
    option.default !== undefined && (option.fixed ?? false) === fixed ? [[key, option.default] as const] : [],
  );

/** Where options that are declared no more go back to. */
export const resetsOf = (table: [string, LinkOption][]): Record<string, unknown> =>
  Object.fromEntries(defaults(table, false));

/** What options that never change need not be declared as. */
export const usualOf = (table: [string, LinkOption][]): Record<string, () => unknown> =>
  Object.fromEntries(defaults(table, true).map(([key, value]) => [key, () => value]));
