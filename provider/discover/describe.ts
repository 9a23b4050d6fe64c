import { z } from "zod";
import type { Found, Kind, Path } from "../kind";
import type { Step } from "../model/command";
import { isMarking } from "../model/mark";
import { get, leaves, plain, same, set } from "../model/path";
import { hangsOnOthers } from "../model/reset";
import { unwrap, validate } from "../validate";

type Args = Record<string, unknown>;

export interface Described {
  /** What a program says of it: all that is not as it would be anyway. */
  args: Args;
  /** What an `up` of that program would still change on the host. */
  steps: Step[];
  /** Values that somebody has set and the schema takes in no way: `mtu 70000`. */
  unsaid: string[];
}

// No Host has it: so every mark has still to be written, and every MAC is another one than would be derived.
const context = { mark: "hostnet:0:0", owner: "0", was: [] };

/**
 * The arguments that declare what is there. A value is left out where the kind says that it is the default, or where
 * `converge` does the same without it, both now and when the object is made anew. In the end only `converge` knows what is
 * needed: values that were left out are added as long as that leaves it less to do. `others`: what other things say.
 */
export function describe(
  kind: Kind,
  identity: Args,
  seen: Found<Args, unknown>,
  others: readonly Path[] = [],
): Described {
  const found = kind.asOurs?.(seen) ?? seen;
  const live = plain(found.args);
  const paths = leaves(live).filter((path) => !others.includes(path));
  const choose = chooser(kind, paths, live, found);
  let args = plain(identity);
  // Twice: an interval of ARP is refused as long as its targets, which come after it, are not said.
  for (const path of [...paths, ...paths]) {
    const value = get(live, path);
    if (isSaid(kind, path, args) || same(value, get(parsed(kind, args), path))) continue;
    const known = usually(kind, path, found);
    const better = choose(args, path);
    const needless = known.has
      ? isUsual(kind, args, path, value, known.value, found)
      : better && isNeedless(kind, args, better, found);
    if (!better || needless) continue;
    // To be a bridge's port, say, has IPv6 switched off, unless that is said too.
    const whole = completed(kind, better, paths, choose, found);
    // A quality of service is another one as long as any value of it is missing.
    const [above = path] = path.split(".");
    const record = set(args, above, get(live, above));
    const most = todo(kind, args, found).length;
    args = [whole, record].find((more) => isValid(kind, more) && todo(kind, more, found).length <= most) ?? args;
  }
  args = completed(kind, args, paths, choose, found);
  const unsaid = paths.filter((path) => isRefused(path, args)).map((path) => `${path} ${textOf(get(live, path))}`);
  args = inOrder(kind.args, withoutDefaults(kind, withoutKernels(kind, args, found)));
  return { args, steps: todo(kind, args, found), unsaid };

  function isRefused(path: Path, said: Args): boolean {
    const [value, known] = [get(live, path), usually(kind, path, found)];
    if (isSaid(kind, path, said) || fieldAt(kind.args, path)?.safeParse(value).success !== false) return false;
    return !known.has || !isUsual(kind, said, path, value, known.value, found);
  }
}

const textOf = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** What takes the value of a path by itself, whatever the rules over several say. */
function fieldAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  return path.split(".").reduce<z.ZodType | undefined>((above, key) => {
    const inner = above && unwrap(above);
    return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>)[key] : undefined;
  }, schema);
}

/** With more of the live values, as long as that leaves less to do. */
function completed(kind: Kind, args: Args, paths: Path[], choose: Choose, found: Found<Args, unknown>): Args {
  return paths.reduce((best, path) => {
    const left = todo(kind, best, found).length;
    if (left === 0 || isSaid(kind, path, best)) return best;
    const more = choose(best, path);
    return more && todo(kind, more, found).length < left ? more : best;
  }, args);
}

/** The same value, or one that the kernel cannot tell from it: it keeps times in ticks. */
function isUsual(kind: Kind, args: Args, path: Path, value: unknown, usual: unknown, found: Found<Args, unknown>) {
  if (typeof value !== "number" || typeof usual !== "number") return same(value, usual);
  return value === usual || todo(kind, set(args, path, usual), found).length <= todo(kind, args, found).length;
}

/** What `list` says is what can never change; the kernel's default, and its own choice, are left to it. */
function withoutKernels(kind: Kind, args: Args, found: Found<Args, unknown>): Args {
  return kind.identity.reduce((left, path) => {
    const less = set(left, path, undefined);
    if (get(left, path) === undefined || validate(kind.args, less).failures.length > 0) return left;
    const usual = usually(kind, path, found);
    const isDefault = usual.has && same(usual.value, get(left, path));
    return isDefault || isNeedless(kind, less, left, found) ? less : left;
  }, args);
}

/** Without what the schema fills in by itself. */
function withoutDefaults(kind: Kind, args: Args): Args {
  return leaves(args).reduce((left, path) => {
    const less = set(left, path, undefined);
    return same(parsed(kind, less), parsed(kind, left)) ? less : left;
  }, args);
}

/** As the documentation has them. */
function inOrder<T>(schema: z.ZodType, value: T): T {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject) || value === null || typeof value !== "object" || Array.isArray(value))
    return value;
  const shape = inner.shape as Record<string, z.ZodType>;
  const given = value as Args;
  return Object.fromEntries(
    Object.entries(shape).flatMap(([key, field]) => (key in given ? [[key, inOrder(field, given[key])]] : [])),
  ) as T;
}

/** Said by `list` already; what is above it, too. */
const isSaid = (kind: Kind, path: Path, args: Args) => kind.identity.includes(path) || get(args, path) !== undefined;

const isValid = (kind: Kind, args: Args) => validate(kind.args, args).failures.length === 0;

const parsed = (kind: Kind, args: Args): Args => (validate(kind.args, args).value ?? args) as Args;

/** What the kind says of a path, or of all below the one that it names. */
function usually(kind: Kind, path: Path, found: Found<Args, unknown>): { has: boolean; value?: unknown } {
  const own = kind.usual?.[path];
  if (own) return { has: true, value: plain(own(found as never)) };
  if (path in kind.reset && kind.reset[path] !== hangsOnOthers) {
    const reset = kind.reset[path];
    return { has: true, value: typeof reset === "function" ? reset(found) : reset };
  }
  const above = Object.entries(kind.usual ?? {}).find(([key]) => path.startsWith(`${key}.`));
  if (!above) return { has: false };
  return { has: true, value: get(plain(above[1](found as never)), path.slice(above[0].length + 1)) };
}

/** The arguments with the live value, in the way that leaves least to do; undefined where the schema refuses it. */
type Choose = (args: Args, path: Path) => Args | undefined;

const chooser =
  (kind: Kind, paths: Path[], live: Args, found: Found<Args, unknown>): Choose =>
  (args, path) => {
    const value = get(live, path);
    const values = path.split(".").at(-1) === "mac" ? [value, "kernel"] : [value];
    return values
      .map((one) => withNeeded(kind, set(args, path, one), paths, live))
      .filter((candidate) => isValid(kind, candidate))
      .map((candidate) => ({ candidate, left: todo(kind, candidate, found).length }))
      .sort((a, b) => a.left - b.left)[0]?.candidate;
  };

/** With the live values that are required beside it: a rule's `goto` is nothing without its target. */
function withNeeded(kind: Kind, args: Args, paths: Path[], live: Args): Args {
  const missing = validate(kind.args, args).failures.map(({ path }) => path);
  return missing
    .filter((path) => paths.includes(path) && get(args, path) === undefined)
    .reduce((more, path) => set(more, path, get(live, path)), args);
}

function isNeedless(kind: Kind, without: Args, given: Args, found: Found<Args, unknown>): boolean {
  const text = (args: Args, live: Found<Args, unknown> | undefined) => {
    try {
      return JSON.stringify(kind.converge(parsed(kind, args), live, context));
    } catch (error) {
      return String(error);
    }
  };
  return [found, undefined].every((live) => text(without, live) === text(given, live));
}

/** What `converge` would do but for marks. A refusal counts as one thing to do. */
function todo(kind: Kind, args: Args, found: Found<Args, unknown>): Step[] {
  try {
    return kind.converge(parsed(kind, args), found, context).filter((step) => !isMarking(step, context.mark));
  } catch (error) {
    return [{ argv: [String(error).split("\n")[0] ?? ""] }];
  }
}
