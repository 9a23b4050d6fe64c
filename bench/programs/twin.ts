import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Declared } from "../layout/twin";

/**
 * The resources of the file that BENCH_TWIN names (layout/twin.ts), with the same inputs, parents and dependencies, by a
 * provider that does nothing, and without our library.
 */
const handler = join(__dirname, "..", "contenders", "handlers");
const providerText = `exports.handler=()=>require(${JSON.stringify(handler)}).noop`;
const learned = { machineId: undefined, owner: undefined, epoch: undefined };
const found = { revision: undefined, live: undefined };

class Twin extends pulumi.CustomResource {}

const made = new Map<string, pulumi.Resource>();
const resource = (urn: string) => made.get(urn) as pulumi.Resource;

for (const declared of JSON.parse(readFileSync(process.env.BENCH_TWIN as string, "utf8")) as Declared[]) {
  const parent = declared.parent === undefined ? undefined : resource(declared.parent);
  made.set(declared.urn, declared.custom ? custom(declared, parent) : component(declared, parent));
}

function component({ type, name }: Declared, parent: pulumi.Resource | undefined): pulumi.Resource {
  return new pulumi.ComponentResource(type, name, {}, { parent });
}

function custom({ type, name, inputs, dependencies, dependsOn }: Declared, parent: pulumi.Resource | undefined) {
  const given = Object.entries(inputs).map(([key, value]) => [key, after(dependencies[key] ?? [], value)]);
  const outputs = type.endsWith(":Host") ? learned : found;
  return new Twin(
    type,
    name,
    { ...Object.fromEntries(given), ...outputs, __provider: providerText },
    { parent, deleteBeforeReplace: true, dependsOn: dependsOn.map(resource) },
  );
}

/** The value, known once the resources are made that it was made of. */
function after(urns: string[], value: unknown): unknown {
  if (urns.length === 0) return value;
  const outputs = urns.map((urn) => (resource(urn) as pulumi.CustomResource).id);
  return pulumi.all(outputs).apply(() => value);
}
