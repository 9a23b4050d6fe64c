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
