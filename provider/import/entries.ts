import { randomBytes } from "node:crypto";
import type { HostPlan, Planned } from "../discover/plan";
import { parentsOf } from "../discover/plan";
import { host as hostHandler } from "../host";
import type { HostRef } from "../host/reach";
import { apply, check, type Inputs, type Outputs } from "../lifecycle";
import { HostnetError } from "../model/errors";
import { plain, same } from "../model/path";
import { hostLeaves, providerText, typeToken } from "../protocol";
import { secret } from "../state";

type Properties = Record<string, unknown>;

/** One resource of the file for `pulumi import --file`. */
export interface Entry {
  type: string;
  name: string;
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** A Host as state has it, or will have it. */
export interface KnownHost {
  name: string;
  id: string;
  inputs: Properties;
  outputs: HostRef & Properties;
  /** Not in the state yet. */
  isNew: boolean;
}

/** What a program's Host passes on, in normal form. Throws INVALID. */
export function hostInputs({ name, args }: HostPlan): Properties {
  const { inputs, failures } = hostHandler.check({}, { ...args, name, __provider: providerText("Host") } as never);
  const [first] = failures;
  if (first) throw new HostnetError("INVALID", first.reason, { host: name });
  return plain(inputs);
}

/** Looks at the machine and writes its epoch, as the create of a Host does. Throws HostnetError. */
export async function newHost(plan: HostPlan): Promise<KnownHost> {
  const inputs = hostInputs(plan);
  const { id, outs } = await hostHandler.create(inputs as never);
  return { name: plan.name, id, inputs, outputs: outs as unknown as KnownHost["outputs"], isNew: true };
}

const entryOf = (kind: string, { name, id, inputs, outputs }: Omit<Entry, "type">): Entry => ({
  ...{ type: typeToken(kind), name, id },
  inputs: hidden(inputs),
  outputs: hidden(outputs),
});

export const hostEntry = (host: KnownHost): Entry => entryOf("Host", host);

/** A resource's inputs as its class passes them and check leaves them. Throws INVALID when check changes or refuses them. */
export function inputsOf(planned: Planned, host: KnownHost): Inputs {
  const { kind, name, args } = planned;
  const carried = hostLeaves(host.inputs).flatMap((leaf) =>
    host.outputs[leaf] === undefined ? [] : [[leaf, host.outputs[leaf]] as const],
  );
  const news = {
    ...args,
    host: Object.fromEntries(carried),
    parents: parentsOf(planned),
    __provider: providerText(kind.name),
  };
  const { inputs, failures } = check(kind, news as unknown as Inputs);
  const [first] = failures;
  if (first) throw new HostnetError("INVALID", first.reason, { host: host.name, resource: `${kind.name} ${name}` });
  const normal = plain(inputs);
  if (!same(plain(check(kind, normal).inputs), normal)) {
    throw new HostnetError("INTERNAL", "what is declared has no normal form", { resource: `${kind.name} ${name}` });
  }
  return normal;
}

export const newRevision = () => randomBytes(6).toString("hex");

/** What stands in the file before the host has been written to: enough for a second run to go on. */
export function claimedEntry({ kind, name, id, thing }: Planned, inputs: Inputs, revision: string): Entry {
  return entryOf(kind.name, { name, id, inputs, outputs: { ...inputs, revision, live: thing.found.facts } });
}

/** Marks what is there as this resource's, and proves that it is as declared. Throws HostnetError. */
export async function takeOver(planned: Planned, inputs: Inputs, revision: string): Promise<Entry> {
  const before = { ...inputs, revision, live: {} } as Outputs;
  const { id, outs } = await apply(planned.kind, { ...inputs, adopt: true }, before);
  const { adopt: _, ...outputs } = outs;
  return entryOf(planned.kind.name, { name: planned.name, id, inputs, outputs });
}

/** The parents that a program gives it in the end. */
export const withParents = (entry: Entry, parents: Record<string, string>): Entry => ({
  ...entry,
  inputs: { ...entry.inputs, parents },
  outputs: { ...entry.outputs, parents },
});

/** With the one secret that there is, a literal key, marked as such wherever it stands. */
function hidden(properties: Properties): Properties {
  const hide = (some: Properties) =>
    some.privateKey === undefined ? some : { ...some, privateKey: secret(some.privateKey) };
  const own = hide(properties);
  return own.host ? { ...own, host: hide(own.host as Properties) } : own;
}
