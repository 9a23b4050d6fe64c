import { z } from "zod";
import { unwrap } from "../provider/validate";
import { refersTo, type Subject } from "./generate-types";

/** The reference: a page a resource, from the same descriptions that editors show. */
export function referencePages(subjects: Subject[]): [path: string, text: string][] {
  const index = [
    "# Reference",
    "",
    "Generated from the documentation of the arguments. Every resource but `Host` also takes `host` (the Host; default: that of a parent given as a resource) and `adopt` (take over what is there already).",
    "",
    ...subjects.map(({ name, doc }) => `- [${name}](${pageOf(name)}): ${doc}`),
    "",
  ].join("\n");
  return [["docs/reference/README.md", index], ...subjects.map(page)];
}

const pageOf = (name: string) => `${name}.md`;

function page({ name, doc, args, facts }: Subject): [string, string] {
  const text = [
    `# ${name}`,
    "",
    doc,
    "",
    "## Arguments",
    "",
    ...table(args, "", ["name"]),
    "",
    name === "Host" ? "## Outputs" : "## Outputs: `live`",
    "",
    ...table(facts, "", []),
    "",
  ].join("\n");
  return [`docs/reference/${pageOf(name)}`, text];
}

function table(schema: z.ZodObject, prefix: string, defaulted: string[]): string[] {
  const rows = rowsOf(schema, prefix, defaulted);
  return ["| name | type | meaning |", "|---|---|---|", ...rows];
}

function rowsOf(schema: z.ZodObject, prefix: string, defaulted: string[]): string[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, field]) => {
    const required = !field.safeParse(undefined).success && !defaulted.includes(key);
    const doc = (field.meta()?.description ?? unwrap(field).meta()?.description ?? "") as string;
    const row = `| \`${prefix}${key}\`${required ? " (required)" : ""} | ${typeText(field)} | ${cell(doc)} |`;
    const nested = objectIn(field);
    return nested ? [row, ...rowsOf(nested.schema, `${prefix}${key}${nested.step}.`, [])] : [row];
  });
}

export const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** The object that stands in a field, directly, in a list or by name, and how the way to it goes on. */
function objectIn(field: z.ZodType): { schema: z.ZodObject; step: string } | undefined {
  const inner = unwrap(field);
  if (inner instanceof z.ZodObject) return { schema: inner, step: "" };
  if (inner instanceof z.ZodRecord) {
    const value = unwrap(inner.valueType as z.ZodType);
    return value instanceof z.ZodObject ? { schema: value, step: ".NAME" } : undefined;
  }
  if (inner instanceof z.ZodArray) {
    const element = unwrap(inner.element as z.ZodType);
    if (element instanceof z.ZodObject) return { schema: element, step: "[]" };
    const option =
      element instanceof z.ZodUnion
        ? (element.options as z.ZodType[]).map(unwrap).find((one) => one instanceof z.ZodObject)
        : undefined;
    if (option) return { schema: option as z.ZodObject, step: "[]" };
  }
  return undefined;
}

function typeText(field: z.ZodType): string {
  const kinds = refersTo(field);
  return kinds.includes("Host") ? "Host" : [nameOf(unwrap(field)), ...kinds].join(" or ");
}

function nameOf(schema: z.ZodType): string {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodPipe) return nameOf(inner.in as z.ZodType);
  if (inner instanceof z.ZodEnum) return inner.options.map((value) => `\`${value}\``).join(", ");
  if (inner instanceof z.ZodLiteral) return [...inner.values].map((value) => `\`${String(value)}\``).join(", ");
  if (inner instanceof z.ZodUnion) return [...new Set((inner.options as z.ZodType[]).map(nameOf))].join(" or ");
  if (inner instanceof z.ZodArray) return `list of ${typeText(inner.element as z.ZodType)}`;
  if (inner instanceof z.ZodRecord) return "object by name";
  return inner.def.type;
}
