import { z } from "zod";
import { hidden } from "./model/scalars";
import { hasUnknown, isUnknown } from "./model/unknown";

/** One thing that is wrong with the arguments, for a person: where, what was given, what is allowed. */
export interface Failure {
  path: string;
  reason: string;
}

export type Checked<T> = { value: T; failures: [] } | { value?: undefined; failures: [Failure, ...Failure[]] };

type Issue = z.core.$ZodIssue;

/**
 * Parses program inputs into normal form, with defaults. Values that are unknown in preview pass at every level, and
 * a rule over several values is not asked while one of them is unknown.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown): Checked<z.output<S>> {
  const issues: Issue[] = [];
  const parsed = parse(schema, value, [], issues);
  const [first, ...rest] = issues.flatMap((issue) => describe(schema, value, issue));
  return first ? { failures: [first, ...rest] } : { value: parsed as z.output<S>, failures: [] };
}

/** The schema below optional, default, nullable and readonly wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const def = (schema as z.ZodOptional<z.ZodType>).def as { type: string; innerType?: z.ZodType };
  return def.innerType ? unwrap(def.innerType) : schema;
}

function parse(schema: z.ZodType, value: unknown, path: PropertyKey[], issues: Issue[]): unknown {
  if (isUnknown(value)) return value;
  if (!hasUnknown(value)) {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    issues.push(...result.error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] })));
    return value;
  }
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return parseObject(inner, value as Record<string, unknown>, path, issues);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item, index) => parse(inner.element as z.ZodType, item, [...path, index], issues));
  }
  if (inner instanceof z.ZodUnion && typeof value === "object") {
    return parseUnion(inner.options as z.ZodType[], value, path, issues);
  }
  return value;
}

function parseObject(schema: z.ZodObject, value: Record<string, unknown>, path: PropertyKey[], issues: Issue[]) {
  const shape = schema.shape as Record<string, z.ZodType>;
  const unknownKeys = Object.keys(value).filter((key) => !(key in shape));
  if (unknownKeys.length > 0) {
    issues.push({ code: "unrecognized_keys", keys: unknownKeys, path, message: "", input: value });
  }
  const parsed: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(shape)) {
    const result = parse(field, value[key], [...path, key], issues);
    if (result !== undefined) parsed[key] = result;
  }
  return parsed;
}

/** The first alternative that the known parts fit; else the complaints of the last. */
function parseUnion(options: z.ZodType[], value: unknown, path: PropertyKey[], issues: Issue[]): unknown {
  let complaints: Issue[] = [];
  for (const option of options) {
    const found: Issue[] = [];
    const fits = unwrap(option) instanceof z.ZodObject || unwrap(option) instanceof z.ZodArray;
    if (!fits) continue;
    const parsed = parse(option, value, path, found);
    if (found.length === 0) return parsed;
    complaints = found;
  }
  issues.push(...complaints);
  return value;
}

function describe(root: z.ZodType, value: unknown, issue: Issue): Failure[] {
  if (issue.code === "invalid_union") return describeUnion(root, value, issue);
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    const allowed = keysAt(root, issue.path);
    return issue.keys.map((key) => {
      const above = allowed.find((one) => keysAt(root, [...issue.path, one]).includes(key));
      const near = above ? `${above}.${key}` : nearest(key, allowed);
      const hint = near ? `did you mean '${near}'?` : `allowed are ${allowed.join(", ")}`;
      return { path: pathText([...issue.path, key]), reason: `there is no such argument; ${hint}` };
    });
  }
  // The name itself is wrong, not what stands under it.
  if (issue.code === "invalid_key") {
    return issue.issues.map((inner) => ({ path, reason: `the name ${inner.message}` }));
  }
  return [refused(root, value, issue.path, allowedText(root, issue))];
}

function refused(root: z.ZodType, value: unknown, path: PropertyKey[], allowed: string): Failure {
  const given = valueAt(value, path);
  const reason =
    given === undefined
      ? `is required; ${allowed}`
      : `${allowed}; given was ${secretAt(root, path) ? hidden : text(given)}`;
  return { path: pathText(path), reason };
}

/** Of the alternatives, the complaints of the one that the value came nearest to; all of them, where it is of no such type. */
function describeUnion(root: z.ZodType, value: unknown, issue: z.core.$ZodIssueInvalidUnion): Failure[] {
  const depth = (issues: Issue[]) => Math.max(...issues.map((inner) => inner.path.length));
  const alternatives = issue.errors.filter((errors) => errors.length > 0);
  // Another type, or another word than the only one allowed: that alternative was not meant.
  const wrongType = (errors: Issue[]) =>
    errors.some(({ path, code }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value"));
  const candidates = alternatives.filter((errors) => !wrongType(errors));
  const at = (inner: Issue) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue;
  const [best] = candidates.sort((a, b) => depth(b) - depth(a));
  if ("options" in issue && Array.isArray(issue.options)) {
    return [refused(root, value, issue.path, oneOf(issue.options))];
  }
  if (!best) {
    const types = alternatives.flatMap(([inner]) =>
      inner ? allowedText(root, at(inner)).replace("must be ", "") : [],
    );
    return [refused(root, value, issue.path, `must be ${[...new Set(types)].join(" or ")}`)];
  }
  return best.flatMap((inner) => describe(root, value, at(inner)));
}

/** Types in the words of the reference. */
const typeWords: Record<string, string> = {
  int: "a whole number",
  array: "a list",
  object: "an object",
  record: "an object",
  boolean: "true or false",
};

const oneOf = (values: unknown[]) =>
  `must be ${values.length > 1 ? "one of " : ""}${values.map((value) => JSON.stringify(value)).join(", ")}`;

function allowedText(root: z.ZodType, issue: Issue): string {
  if (issue.code === "invalid_value") return oneOf(issue.values);
  if (issue.code !== "invalid_type") return issue.message;
  if (schemasAt(root, issue.path).some((schema) => schema.meta()?.refersTo)) return "must be a name or a resource";
  return `must be ${typeWords[issue.expected] ?? `a ${issue.expected}`}`;
}

function text(value: unknown): string {
  // A component of neutron is laid out while the program runs.
  if ((value as { __pulumiOutput?: boolean } | null)?.__pulumiOutput)
    return "an output of a resource, and a plain value is needed";
  const shown = JSON.stringify(value, (_, part) => (part?.__pulumiResource ? "[resource]" : part)) ?? String(value);
  // The key itself where its path was asked for.
  if (shown.includes("PRIVATE KEY-----")) return hidden;
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}

function pathText(path: PropertyKey[]): string {
  return path.reduce<string>(
    (done, key) => (typeof key === "number" ? `${done}[${key}]` : done ? `${done}.${String(key)}` : String(key)),
    "",
  );
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** The schemas on the way down the path; alternatives are all followed. */
function schemasAt(schema: z.ZodType, path: PropertyKey[]): z.ZodType[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return (inner.options as z.ZodType[]).flatMap((option) => schemasAt(option, path));
  const [key, ...rest] = path;
  if (key === undefined) return [schema, inner];
  if (inner instanceof z.ZodObject) {
    const field = (inner.shape as Record<PropertyKey, z.ZodType>)[key];
    return field ? [schema, ...schemasAt(field, rest)] : [schema];
  }
  if (inner instanceof z.ZodArray) return [schema, ...schemasAt(inner.element as z.ZodType, rest)];
  return [schema];
}

function secretAt(root: z.ZodType, path: PropertyKey[]): boolean {
  return schemasAt(root, path).some((schema) => schema.meta()?.secret === true);
}

/** Of all alternatives that stand there. */
function keysAt(root: z.ZodType, path: PropertyKey[]): string[] {
  const above = path.length > 0 ? schemasAt(root, path.slice(0, -1)) : [];
  const objects = schemasAt(root, path).filter((schema) => schema instanceof z.ZodObject && !above.includes(schema));
  return [...new Set(objects.flatMap((schema) => Object.keys((schema as z.ZodObject).shape)))];
}

/** The name that differs in the fewest letters, if few enough to be a slip or a longer or shorter form, as `dev`. */
export function nearest(name: string, names: string[]): string | undefined {
  const given = name.toLowerCase();
  const limit = Math.max(1, Math.floor(name.length / 3));
  const isNear = (other: string, far: number) => {
    if (given.startsWith(other)) return other.length > 2 || far <= limit;
    if (other.startsWith(given)) return far <= (given.length > 2 ? Math.max(3, limit) : limit);
    // Of two letters another one is another word: `ip`, `up`.
    return far <= limit && name.length > 2;
  };
  const ranked = names.map((other) => ({ other, far: distance(given, other.toLowerCase()) }));
  const [best] = ranked.filter(({ other, far }) => isNear(other.toLowerCase(), far)).sort((a, b) => a.far - b.far);
  return best?.other;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = [...b].map((_, index) => index + 1);
  row.unshift(0);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
