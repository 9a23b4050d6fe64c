import { get, leaves, set } from "./path";
import { loadDigest, type Service, startDigest } from "./service";
import type { LiveService, ServiceFolder } from "./service-live";
import { isWritten } from "./service-steps";

/** An argument of a service as its program has it: lines of a file of its own, or words of its command line. */
export interface Setting<W> {
  /** The file's name, or `argv`. */
  place: string;
  /** The lines; none when it is not declared. */
  write(want: W): string[];
  /** The value in the words of the arguments, from all lines of that place. */
  read(lines: string[]): unknown;
}

export type Settings<W> = Record<string, Setting<W>>;

/** All that stands in one place, in the table's order. */
export const linesIn = <W>(settings: Settings<W>, place: string, want: W): string[] =>
  Object.values(settings).flatMap((setting) => (setting.place === place ? setting.write(want) : []));

/** A file's text; its first line, a comment, keeps it from being empty, as which it would look like none. */
export const fileText = <W>(settings: Settings<W>, place: string, want: W) =>
  `# Made by pulumi-hostnet.\n${linesIn(settings, place, want)
    .map((line) => `${line}\n`)
    .join("")}`;

/** The values of all arguments in what is written. */
export function valuesIn<W extends object>(settings: Settings<NoInfer<W>>, written: ServiceFolder): Partial<W> {
  const linesOf = (place: string) =>
    place === "argv" ? written.argv : (written.files.get(`data/${place}`)?.split("\n").slice(1, -1) ?? []);
  return Object.fromEntries(
    Object.entries(settings).map(([path, { place, read }]) => [path, read(linesOf(place))]),
  ) as Partial<W>;
}

/**
 * The live values of all arguments. `running` is true when a process runs as declared; what differs in what it was
 * given, and shows as another value of an argument, is that argument's drift and not this one's.
 */
export function liveSettings<W extends object>(
  settings: Settings<NoInfer<W>>,
  want: W,
  live: LiveService,
  serviceOf: (want: W) => Service,
): Record<string, unknown> {
  const values = valuesIn<W>(settings, live);
  const shown = leaves(want).reduce(
    (all, path) => ((path.split(".")[0] as string) in values ? set(all, path, get(values, path)) : all),
    want,
  );
  const explained = isExplained(serviceOf, shown, live);
  const current = serviceOf(want);
  const started = live.started === startDigest(current) && live.loaded === loadDigest(current);
  return { ...values, running: live.right && started && explained };
}

/** A service that was found by its name alone: whether it runs as it is told shows only with all that is in its files. */
export const asTold = <F extends { args: object }>(
  found: F,
  live: LiveService | undefined,
  read: (live: LiveService) => Record<string, unknown>,
): F => (live ? { ...found, args: { ...found.args, running: read(live).running } } : found);

function isExplained<W>(serviceOf: (want: W) => Service, shown: W, live: LiveService): boolean {
  try {
    return isWritten(serviceOf(shown), live);
  } catch {
    // The live values are none that could be declared.
    return false;
  }
}

/** The text behind the one line that begins so. */
export const after = (lines: string[], start: string) =>
  lines.find((line) => line.startsWith(start))?.slice(start.length);

export const numberAfter = (lines: string[], start: string) => {
  const text = after(lines, start);
  return text === undefined ? undefined : Number(text);
};
