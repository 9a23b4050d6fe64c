import { kinds } from "../kinds";
import { full } from "../model/address";
import { same } from "../model/path";
import { validate } from "../validate";
import type { Drawn } from "./build";

type Args = Record<string, unknown>;

/** The texts of a picture, from arguments as they are: none of them is a kind's own. */

/** What is worth a line on a device: where it is reached, and how it is told from others. */
export function linesOf(args: Args): string[] {
  const addresses = ((args.addresses ?? []) as string[]).map((item) => full(item).address);
  const facts = ["mode", "mtu", "vlanId"].flatMap((key) => (args[key] === undefined ? [] : [`${key} ${args[key]}`]));
  return [...addresses, ...facts];
}

/** Which VLANs a port carries. */
export function vlansOf({ tag, trunks, vlans }: Args): string | undefined {
  const ids = (list: unknown) => (list as unknown[]).map((one) => (one as { id?: unknown }).id ?? one).join(",");
  const words = [
    ...(tag === undefined ? [] : [`tag ${tag}`]),
    ...(trunks === undefined ? [] : [`trunks ${ids(trunks)}`]),
    ...(vlans === undefined ? [] : [`vlans ${ids(vlans)}`]),
  ];
  return words.join(", ") || undefined;
}

/** How a tunnel is told from others on the same way. */
export function tunnelLabel({ kind, args }: Drawn): string {
  const ids = [args.key ?? args.outKey, args.vni].flatMap((key) => (key === undefined ? [] : [`key ${key}`]));
  return [args.type ?? kind, ...ids].join(", ");
}

const calledBy = ["to", "key", "name", "address"];

/** What is no device, as one line: a route, a rule, a set of flows. `without`: what the place says already. */
export function lineOf({ kind, args }: Drawn, without: string[]): string {
  const said = Object.entries(args).filter(([key]) => !without.includes(key) && !isDefault(kind, args, key));
  const names = said.filter(([key]) => calledBy.includes(key)).map(([, value]) => String(value));
  const others = said.filter(([key]) => !calledBy.includes(key)).map(([key, value]) => `${key} ${valueText(value)}`);
  return shortened([kind, ...names, ...others].join(" "), 72);
}

/** Whether it would be so without a word. */
function isDefault(kind: string, args: Args, key: string): boolean {
  const schema = kinds[kind]?.args;
  if (!schema) return false;
  const { value } = validate(schema, { ...args, [key]: undefined });
  return same((value as Args | undefined)?.[key], args[key]);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) {
    const isPlain = value.every((item) => typeof item !== "object");
    return isPlain && value.length <= 3 ? value.join(",") : `(${value.length})`;
  }
  if (value === null || typeof value !== "object") return String(value);
  return `(${Object.keys(value).join(", ")})`;
}

const shortened = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
