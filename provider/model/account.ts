import { z } from "zod";
import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { HostnetError } from "./errors";
import { between } from "./scalars";

/** Users and groups of a host, by name or by number. */

export type Database = "passwd" | "group";

export const account = z.union([
  z.string().regex(/^[a-z_][a-z0-9_.-]{0,31}\$?$/i, "must be the name of an account on the host, or a number"),
  between(0, 0xffff_fffe),
]);

const keyOf = (database: Database, name: unknown) => `${database}:${name}`;

/** Asks the host for an account; nothing where it is not declared. */
export const accountSections = (database: Database, name: unknown): Section[] =>
  name === undefined ? [] : [{ key: keyOf(database, name), argv: ["getent", database, String(name)] }];

/** Name and number of an account, as far as the host knows it. */
export function accountOf(seen: Seen, database: Database, name: unknown): { name?: string; number?: number } {
  if (name === undefined) return {};
  const [known, , number] = seen.result(keyOf(database, name)).stdout.trim().split(":");
  if (number !== undefined) return { name: known as string, number: Number(number) };
  return typeof name === "number" ? { number: name } : {};
}

/** Throws INVALID when a name was declared that the host does not know. */
export function mustExist(what: "user" | "group", name: unknown, number: unknown): void {
  if (name === undefined || number !== undefined) return;
  throw new HostnetError("INVALID", `the host has no ${what} ${name}`, {
    remedy: `Make the ${what} on the host, or give a number.`,
  });
}
