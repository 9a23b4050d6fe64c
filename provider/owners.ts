import type { Connection } from "./host/connection";
import type { HostRef } from "./host/reach";

/** Owners that this run has met on each machine: all of them are the stack's. */
const met = new Map<string, Set<string>>();

interface Owned {
  machineId: string;
  owner: string;
}

export function meet({ machineId, owner }: Owned): void {
  met.set(machineId, (met.get(machineId) ?? new Set()).add(owner));
}

/** The other ones of the stack on a Host's machine: of a Host that this one takes the place of, or the other way round. */
export const relativesOf = ({ machineId, owner }: Owned): string[] =>
  [...(met.get(machineId) ?? [])].filter((other) => other !== owner);

/** How each machine is reached in this run, as the program says. */
const ways = new Map<string, Connection & { name: string }>();

export const reachedBy = (machineId: string, way: Connection & { name: string }) => ways.set(machineId, way);

/** What is deleted knows only how its machine was reached when it was last updated. */
export function asOfNow(host: HostRef): HostRef {
  const { machineId, owner, epoch } = host;
  const way = ways.get(machineId);
  return way ? { ...way, machineId, owner, epoch } : host;
}
