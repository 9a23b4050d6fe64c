/** Program text that stands for a value as it is: a variable, a call. */
export class Code {
  constructor(readonly text: string) {}
}

const width = 118;

/** A value as TypeScript: on one line where it fits. Values that are undefined are left out. */
export function literal(value: unknown, indent = 0, before = indent): string {
  if (value instanceof Code) return value.text;
  if (typeof value === "string") return quoted(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "undefined";
  const [open, close, items] = Array.isArray(value)
    ? ["[", "]", value.map((item) => ["", item] as const)]
    : [
        "{ ",
        " }",
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, item] as const),
      ];
  if (items.length === 0) return open.trim() + close.trim();
  const one = (inner: number) =>
    items.map(([key, item]) => {
      if (key && item instanceof Code && item.text === key) return key;
      const label = key ? `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)}: ` : "";
      return label + literal(item, inner, inner + label.length);
    });
  const line = open + one(indent).join(", ") + close;
  if (before + line.length <= width && !line.includes("\n")) return line;
  const pad = " ".repeat(indent + 2);
  const lines = one(indent + 2).map((item) => `${pad}${item},\n`);
  return `${open.trim()}\n${lines.join("")}${" ".repeat(indent)}${close.trim()}`;
}

/** What ends a line, steers a terminal, or hides: a host's text may hold it. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** As a formatter has it: in the quotes that leave least to escape. */
const quoted = (text: string) =>
  text.includes('"') && /^[\x20-\x7e]*$/.test(text) && !/['\\]/.test(text)
    ? `'${text}'`
    : JSON.stringify(text).replace(unseen, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);

/** What a host has said, for a comment or a terminal. */
export const onOneLine = (text: string) => text.replace(unseen, "?");
