import { z } from "zod";
import { hostArgs } from "./host-args";

/**
 * How a resource is in state: a permanent API. Its text requires the package's handler by name, instead of being a
 * serialised closure: the text never changes, and code is always the installed one.
 */
export const providerText = (kind: string) => `exports.handler=()=>require("pulumi-hostnet/provider").${kind}`;

const typePrefix = "pulumi-nodejs:dynamic/hostnet:";

export const typeToken = (kind: string) => `${typePrefix}${kind}`;

/** The default name of what a resource declares: what stands behind the last `/` of its Pulumi name. */
export const lastPart = (name: string) => name.split("/").at(-1) ?? name;

/** The kind behind a type; undefined when the type is none of ours. */
export const kindOfType = (type: string) => (type.startsWith(typePrefix) ? type.slice(typePrefix.length) : undefined);

/** What a resource carries of its Host beside what the program gave the Host. */
const learnedLeaves = ["name", "machineId", "owner", "epoch"];

/** The properties of a Host that a resource on it carries: what the program gave, what has a default, what was learned. */
export function hostLeaves(given: Record<string, unknown>): string[] {
  const shape = hostArgs.shape as Record<string, z.ZodType>;
  const carried = Object.keys(shape).filter((key) => given[key] !== undefined || shape[key] instanceof z.ZodDefault);
  return [...new Set([...carried, ...learnedLeaves])];
}
