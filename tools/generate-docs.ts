import { z } from "zod";
import { unwrap } from "../provider/validate";
import { refersTo, type Subject } from "./generate-types";

/** An argument or output: a line of a page's table. */
export interface Row {
  path: string;
  required?: boolean;
  type: string;
  doc: string;
}

/** What a page is about. */
export interface Topic {
  name: string;
  doc: string;
  args: Row[];
  outputs: readonly [title: string, rows: Row[]];
}

/** The reference: a page a resource, from the same descriptions that editors show, and a page a component. */
export function referencePages(subjects: Subject[], components: Topic[]): [path: string, text: string][] {
  const index = [
    "# Reference",
    "",
    "Generated from the documentation of the arguments. Every resource but `Host` also takes `host` (the Host; default: that of a parent given as a resource) and `adopt` (take over what is there already).",
    "",
    ...subjects.map(({ name, doc }) => `- [${name}](${name}.md): ${doc}`),
    "",
    "## Components",
    "",
    "Of `hostnet.neutron`, the layout of an OpenStack cloud: see [the guide](../guide/neutron.md). Their arguments are plain values, no outputs.",
    "",
    ...components.map(({ name, doc }) => `- [${name}](neutron/${name}.md): ${doc}`),
    "",
  ].join("\n");
  return [
    ["docs/reference/README.md", index],
    ...subjects.map((one): [string, string] => [`docs/reference/${one.name}.md`, page(topicOf(one))]),
    ...components.map((one): [string, string] => [`docs/reference/neutron/${one.name}.md`, page(one)]),
  ];
}

const topicOf = ({ name, doc, args, facts }: Subject): Topic => ({
  ...{ name, doc, args: rowsOf(args, "", ["name"]) },
  outputs: [name === "Host" ? "Outputs" : "Outputs: `live`", rowsOf(facts, "", [])],
});

const page = ({ name, doc, args, outputs: [title, outputs] }: Topic) =>
  [`# ${name}`, "", doc, "", "## Arguments", "", ...table(args), "", `## ${title}`, "", ...table(outputs), ""].join(
    "\n",
  );

const table = (rows: Row[]) => [
  "| name | type | meaning |",
  "|---|---|---|",
  ...rows.map(
    ({ path, required, type, doc }) => `| \`${path}\`${required ? " (required)" : ""} | ${type} | ${cell(doc)} |`,
  ),
];

function rowsOf(schema: z.ZodObject, prefix: string, defaulted: string[]): Row[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, field]) => {
    const required = !field.safeParse(undefined).success && !defaulted.includes(key);
    const doc = (field.meta()?.description ?? unwrap(field).meta()?.description ?? "") as string;
    const row = { path: `${prefix}${key}`, required, type: typeText(field), doc };
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
