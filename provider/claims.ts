import * as pulumi from "@pulumi/pulumi";
import type { Kind } from "./kind";
import { type ClaimTable, enter, takenBy } from "./model/claim-table";
import { validate } from "./validate";

/**
 * What each resource of a program occupies on its host, so that two which want the same are refused in preview. It is
 * done in the program and not in check: only here is it known which resource is which.
 */
const claims = new WeakMap<object, ClaimTable>();

interface Claimant {
  host: object;
  title: string;
  args: Record<string, unknown>;
}

/**
 * Claims as soon as the arguments are known; in preview some never are, and then the host's marks tell later.
 * The error goes without a stack: Node 20 and 22 take a minute to print the SDK's (nodejs/node#64011, seen).
 */
export function claimFor(kind: Kind, { host, title, args }: Claimant): void {
  pulumi.output(args).apply((known) => {
    const checked = validate(kind.args, JSON.parse(JSON.stringify(known)));
    // Bad arguments are refused by check, which says more.
    if (checked.value) refuse(take(host, title, kind.claims(checked.value)));
  });
}

/** HOSTNET_DECOMMISSIONED, reports and pictures call a Host by its name: it is for one of a stack. */
export function claimHostName(title: string, name: unknown): void {
  const stack = pulumi.runtime.getStackResource();
  if (!stack) return;
  pulumi.output(name as string).apply((known) => refuse(take(stack, title, [`a host called ${known}`])));
}

function refuse(conflict: string | undefined): void {
  if (conflict) throw Object.assign(new pulumi.RunError(conflict), { stack: conflict });
}

/** Enters the claims; says what is wrong when one is taken. */
export function take(host: object, title: string, wanted: string[]): string | undefined {
  const table = claims.get(host) ?? new Map();
  claims.set(host, table);
  const taken = takenBy(table, wanted);
  if (taken) return `${title} and ${taken.title} both declare ${taken.key} [CONFLICT]`;
  enter(table, title, wanted);
  return undefined;
}
