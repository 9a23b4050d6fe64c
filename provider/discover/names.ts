import { get } from "../model/path";
import type { Thing } from "./survey";

/**
 * What each thing is called in the program. The last part after '/' is the device's or namespace's name where the kind
 * has one, so that `name` need not be said; before it stand the namespace, and the host when there are several.
 */
export function namesOf(things: Thing[], host: string | undefined, others: string[]): Map<Thing, string> {
  const taken = new Set(others);
  return new Map(
    things.map((thing) => {
      const base = [host, ...partsOf(thing)].filter((part) => part !== undefined).join("/");
      // A name counts within its type.
      return [thing, numbered(base, taken, (name) => `${thing.kind.name} ${name}`)];
    }),
  );
}

/** The name, or with a number the first that is free; it is taken then. `as`: what two names must not have in common. */
export function numbered(base: string, taken: Set<string>, as: (name: string) => string): string {
  let name = base;
  for (let n = 2; taken.has(as(name)); n++) name = `${base}-${n}`;
  taken.add(as(name));
  return name;
}

/** Kind and name, for a person. */
export function titleOf({ kind, id }: Pick<Thing, "kind" | "id">): string {
  const [, , place = "-", ...rest] = id.split("/");
  return `${kind.name} ${rest.join("/")}${place.split(",").every((one) => one === "-") ? "" : ` in ${place}`}`;
}

function partsOf({ kind, args }: Thing): (string | undefined)[] {
  const value = (path: string) => get(args, path) as string | undefined;
  if (args.name !== undefined) return [value("namespace"), value("name")];
  // Of two ends the one in the host's own namespace is known to everybody.
  const end = ["a", "b"].find((side) => args[side] && value(`${side}.namespace`) === undefined) ?? "a";
  if (args.a !== undefined) return [value(`${end}.namespace`), value(`${end}.name`)];
  const own = kind.identity.filter((path) => path !== "namespace");
  const deviceFirst = own.sort((a, b) => Number(b === "device") - Number(a === "device"));
  return [value("namespace"), ...deviceFirst.map((path) => textOf(path, get(args, path)))];
}

/** What is only said or not is called by its word. */
function textOf(path: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (value === true) return path;
  return typeof value === "object" ? (value as { address: string }).address : String(value);
}

const reserved = new Set(
  (
    "host hostnet pulumi await break case catch class const continue debugger default delete do else enum export extends " +
    "false finally for function if implements import in instanceof interface let new null package private protected " +
    "public return static super switch this throw true try typeof var void while with yield arguments eval " +
    // Taken in a module of CommonJS.
    "exports require module undefined"
  ).split(" "),
);

/** A variable for a resource, unlike all others: `blue/eth0` is blueEth0, and a bridge `blue` blueLinuxBridge. */
export function variableOf(name: string, kind: string, taken: Set<string>): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter(Boolean);
  const joined = words
    .map((word, index) => (index === 0 ? lower(word) : word[0]?.toUpperCase() + word.slice(1)))
    .join("");
  const base = /^[A-Za-z]/.test(joined) ? joined : `${lower(kind)}${joined}`;
  let variable = base;
  for (let n = 1; taken.has(variable) || reserved.has(variable); n++) variable = `${base}${kind}${n > 1 ? n : ""}`;
  taken.add(variable);
  return variable;
}

const lower = (word: string) => (word[0] ?? "").toLowerCase() + word.slice(1);
