import { readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { kinds } from "../../provider/kinds";
import { set } from "../../provider/model/path";
import { unwrap } from "../../provider/validate";
import type { Sample, Update } from "../kinds/sample";

const folder = join(__dirname, "../kinds/samples");

/** Every sample there is; a kind may have several, as its variants need. */
const samples: Sample[] = readdirSync(folder).flatMap((file) =>
  Object.values(require(join(folder, file)) as Record<string, unknown>).filter(isSample),
);

function isSample(value: unknown): value is Sample {
  return typeof value === "object" && value !== null && "kind" in value && "updates" in value && "exists" in value;
}

export const kindNames = Object.keys(kinds).sort();

export const samplesOf = (name: string) => samples.filter(({ kind }) => kind === name);

/** The samples of all kinds of the registry, under titles of their own: OvsPort, OvsPort 2. */
export const trials: [title: string, sample: Sample][] = kindNames.flatMap((name) =>
  samplesOf(name).map((sample, index): [string, Sample] => [index === 0 ? name : `${name} ${index + 1}`, sample]),
);

/** The arguments with others merged over them; an undefined one is taken out. */
export function over(args: Record<string, unknown>, others: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.entries(others).reduce((all, [path, value]) => set(all, path, value), args);
}

/** The sample's arguments, with one updated. */
export const updated = (sample: Sample, path: string, update: Update) =>
  set(over(sample.args, update.with), path, update.to);

/** The sample's arguments before and after an identity argument changes. */
export function replaced(sample: Sample, path: string): [was: Record<string, unknown>, want: Record<string, unknown>] {
  const was = over(sample.args, sample.replacesWith?.[path]);
  return [was, over(set(was, path, sample.replaces[path]), sample.replacesTogether?.[path])];
}

/** The fields of an object's schema, dotted, those of objects in it too; a list, a record and a union are one value. */
export function fieldsOf(schema: z.ZodType, prefix = ""): { path: string; schema: z.ZodType; of: z.ZodObject }[] {
  const object = unwrap(schema);
  if (!(object instanceof z.ZodObject)) return [];
  return Object.entries(object.shape as Record<string, z.ZodType>).flatMap(([key, field]) => {
    const path = prefix ? `${prefix}.${key}` : key;
    return [{ path, schema: field, of: object }, ...fieldsOf(field, path)];
  });
}

/** Every schema below, also those in lists, records and alternatives, with the way to it. */
export function allFields(schema: z.ZodType, path = ""): { path: string; schema: z.ZodType }[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, field]) => {
      const at = path ? `${path}.${key}` : key;
      return [{ path: at, schema: field }, ...allFields(field, at)];
    });
  }
  if (inner instanceof z.ZodArray) return allFields(inner.element as z.ZodType, `${path}[]`);
  if (inner instanceof z.ZodUnion) return (inner.options as z.ZodType[]).flatMap((option) => allFields(option, path));
  return [];
}

/** The least and the greatest number that an argument takes. */
export function limitsOf(schema: z.ZodType): number[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNumber) return [inner.minValue, inner.maxValue].filter((limit) => limit !== null);
  if (inner instanceof z.ZodUnion) return (inner.options as z.ZodType[]).flatMap(limitsOf);
  return inner instanceof z.ZodArray ? limitsOf(inner.element as z.ZodType) : [];
}

export const descriptionOf = (schema: z.ZodType) => schema.meta()?.description ?? unwrap(schema).meta()?.description;
