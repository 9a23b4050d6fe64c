import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { claimFor, claimHostName } from "./claims";
import { hostArgs, hostFacts } from "./host-args";
import { kinds } from "./kinds";
import { keysOfEngine } from "./model/path";
import { hostLeaves, lastPart, providerText, typeToken } from "./protocol";
import { unwrap } from "./validate";

type Properties = Record<string, unknown>;

/** What is common to Host and to all that is declared on one. */
class Registered extends pulumi.CustomResource {
  readonly kind: string;

  constructor(kind: string, name: string, properties: Properties, opts: pulumi.CustomResourceOptions = {}) {
    // The engine would ask a provider that it cannot know yet (`code must be a string, not undefined`, seen), or have it
    // read what no check has given its defaults and no state its owner (`the shell does not answer`, seen).
    for (const option of ["import", "id"] as const) {
      if (opts[option] === undefined) continue;
      throw new pulumi.RunError(
        `${kind} '${name}': takes no option \`${option}\`; \`adopt: true\` or \`hostnet import\` take over what is there`,
      );
    }
    // The SDK takes a stack trace for each of five promises a property, to tell of leaks; with our many optional
    // properties that was half of the time that a program took.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      // A device's name can exist once: `up --target-replace` and taints do not ask our diff in which order (seen).
      super(
        typeToken(kind),
        name,
        { ...properties, __provider: providerText(kind) },
        { deleteBeforeReplace: true, ...opts },
      );
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    this.kind = kind;
  }
}

/** Base of the generated class Host. */
export class HostBase extends Registered {
  /** Not an output, as the SDK tells by the name: what of it a resource on the host carries. */
  private readonly __given: string[];

  constructor(name: string, args: object = {}, opts?: pulumi.CustomResourceOptions) {
    const given = args as Properties;
    const properties: Properties = {
      ...undefinedKeys(hostFacts),
      ...undefinedKeys(hostArgs),
      ...given,
      name: given.name ?? lastPart(name),
    };
    if (given.privateKey !== undefined) properties.privateKey = pulumi.secret(given.privateKey);
    // Replaced, it is made before the old one goes: that keeps the ledger until what is declared on it has moved.
    super("Host", name, properties, { deleteBeforeReplace: false, ...opts });
    this.__given = hostLeaves(given);
    claimHostName(`Host '${name}'`, properties.name);
  }

  /**
   * What a resource on the host carries: each leaf an Output of its own, so that preview knows all but what it cannot.
   * What was not given is left out: in preview an Output without a value counts as unknown.
   */
  static leavesOf(host: HostBase): Properties {
    const outputs = host as unknown as Properties;
    return Object.fromEntries(host.__given.map((leaf) => [leaf, outputs[leaf]]));
  }
}

/** Base of the generated classes of all kinds. */
export class KindBase extends Registered {
  /** Not outputs: the Host given and the name of the object, for resources that name this one as a parent. */
  private readonly __on: HostBase;
  private readonly __called: pulumi.Output<string>;
  /** The namespace as the program says it. An output of what nobody said is unknown in preview, and a replacement there. */
  private readonly __placed: unknown;

  constructor(kind: string, name: string, args: object = {}, opts?: pulumi.CustomResourceOptions) {
    const { host: given, ...own } = args as Properties;
    const spec = kinds[kind];
    if (!spec) throw new pulumi.RunError(`there is no kind ${kind}`);
    const where = `${kind} '${name}'`;
    const parents = new Map<string, KindBase>();
    const named = "name" in spec.args.shape && own.name === undefined ? { ...own, name: lastPart(name) } : own;
    const properties = withoutResources(spec.args, named, "", parents, where) as Properties;
    const host = hostOf(given, parents, where);
    const place = parents.get(spec.placedBy ?? "");
    if (place && own.namespace === undefined) properties.namespace = place.__placed;
    super(
      kind,
      name,
      {
        ...undefinedKeys(spec.args),
        ...properties,
        host: HostBase.leavesOf(host),
        parents: Object.fromEntries([...parents].map(([path, parent]) => [path, KindBase.nameOf(parent)])),
        adopt: own.adopt,
        revision: undefined,
        live: undefined,
      },
      { ...opts, ignoreChanges: opts?.ignoreChanges?.flatMap((path) => [path, ...echoesOf(path, parents)]) },
    );
    this.__on = host;
    this.__placed = properties.namespace;
    // Once the object is there: preview knows it of one that is there already.
    const { name: echoed, live } = this as unknown as { name: pulumi.Output<string>; live: pulumi.Output<Properties> };
    this.__called = spec.namedByHost?.(named) ? live.apply((found) => found?.name as string) : echoed;
    claimFor(spec, { host, title: where, args: properties });
  }

  /** The Host on which the resource is. */
  static hostOf(resource: KindBase): HostBase {
    return resource.__on;
  }

  /** What the object is called on its host. */
  static nameOf(resource: KindBase): pulumi.Output<string> {
    return resource.__called;
  }
}

/** The names of parents that an ignored path covers, as the engine writes paths: who gives another one has changed nothing. */
function echoesOf(ignored: string, parents: Map<string, KindBase>): string[] {
  const above = `${keysOfEngine(ignored).join(".")}.`;
  return [...parents.keys()].filter((path) => `${path}.`.startsWith(above)).map((path) => `parents["${path}"]`);
}

/** An Output exists on a resource only for a property that was passed, be it undefined. */
const undefinedKeys = (schema: z.ZodObject) =>
  Object.fromEntries(Object.keys(schema.shape).map((key) => [key, undefined]));

function hostOf(given: unknown, parents: Map<string, KindBase>, where: string): HostBase {
  if (given !== undefined && !(given instanceof HostBase))
    throw new pulumi.RunError(`${where}: host must be a Host resource`);
  const hosts = new Map<HostBase, string>();
  if (given instanceof HostBase) hosts.set(given, "host");
  for (const [path, parent] of parents) {
    const host = KindBase.hostOf(parent);
    if (!hosts.has(host)) hosts.set(host, path);
  }
  if (hosts.size > 1)
    throw new pulumi.RunError(
      `${where}: ${[...hosts.values()].join(" and ")} are on different hosts; all must be on one`,
    );
  const [host] = hosts.keys();
  if (!host) throw new pulumi.RunError(`${where}: host is missing; give a Host, or a parent as a resource`);
  return host;
}

/** The arguments with the name of each resource that is given as one; `parents` collects these by path. */
function withoutResources(
  schema: z.ZodType,
  value: unknown,
  path: string,
  parents: Map<string, KindBase>,
  where: string,
): unknown {
  if (pulumi.Resource.isInstance(value)) {
    const allowed = referredKinds(schema);
    if (value instanceof HostBase && allowed.includes(value.kind)) return HostBase.leavesOf(value);
    if (!(value instanceof KindBase) || !allowed.includes(value.kind)) {
      const given = value instanceof Registered ? withArticle(value.kind) : "another resource";
      const may = allowed.length > 0 ? `a name or ${withArticle(allowed.join(", "))}` : "no resource";
      throw new pulumi.RunError(`${where}: ${path} takes ${may}; given was ${given}`);
    }
    parents.set(path, value);
    return KindBase.nameOf(value);
  }
  const inner = unwrap(schema);
  const below = (key: string | number, field: z.ZodType | undefined, item: unknown) =>
    field ? withoutResources(field, item, path ? `${path}.${key}` : String(key), parents, where) : item;
  if (Array.isArray(value)) {
    const element = arrayElement(inner);
    return value.map((item, index) => below(index, element, item));
  }
  const isPlain = value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain || !(inner instanceof z.ZodObject || inner instanceof z.ZodRecord)) return value;
  const fieldOf = (key: string) =>
    (inner instanceof z.ZodRecord ? inner.valueType : inner.shape[key]) as z.ZodType | undefined;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, below(key, fieldOf(key), item)]));
}

const withArticle = (kinds: string) => `${/^[AEIO]/.test(kinds) ? "an" : "a"} ${kinds}`;

const arrayElement = (schema: z.ZodType) => (schema instanceof z.ZodArray ? (schema.element as z.ZodType) : undefined);

const referredKinds = (schema: z.ZodType) =>
  (schema.meta()?.refersTo ?? unwrap(schema).meta()?.refersTo ?? []) as string[];
