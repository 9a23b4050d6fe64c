import { z } from "zod";
import { placeWords } from "./namespaces";

/** A kernel parameter below /proc/sys/net, with dots or slashes (slashes where a device's name has a dot). */
export const sysctlKey = z
  .string()
  .regex(
    /^net[./][A-Za-z0-9_]+([./][A-Za-z0-9_.:-]+)+$/,
    "must be a parameter below net, as net.ipv4.ip_forward or net/ipv4/conf/eth0.5/forwarding",
  )
  .refine((key) => !key.includes(".."), "must not contain '..'");

/** What is written; several numbers are separated by one space. A number or boolean is taken as text. */
export const sysctlValue = z
  .union([z.string().regex(/^[\t\x20-\x7e]{1,256}$/, "must be 1 to 256 printable characters"), z.int(), z.boolean()])
  .transform((value) =>
    (typeof value === "boolean" ? String(Number(value)) : String(value)).trim().replace(/\s+/g, " "),
  );

export const sysctlClaim = (namespace: string | undefined, key: string) =>
  `sysctl ${sysctlPath(key)}${placeWords(namespace)}`;

/** The file below /proc/sys. After sysctl(8), which of '.' and '/' comes first parts the words, and the other is in them. */
export function sysctlPath(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  const other = { ".": "/", "/": "." } as Record<string, string>;
  return `/proc/sys/${first === "/" ? key : key.replace(/[./]/g, (mark) => other[mark] ?? mark)}`;
}
