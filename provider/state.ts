import { HostnetError } from "./model/errors";
import { hidden } from "./model/scalars";
import { kindOfType } from "./protocol";

type Properties = Record<string, unknown>;

/** A resource of ours in a stack's state. */
export interface StateResource {
  urn: string;
  name: string;
  kind: string;
  id: string;
  inputs: Properties;
  outputs: Properties;
  /** Paths of arguments whose changes the program ignores. */
  ignoreChanges?: string[];
  /** The outputs as they may be shown: `[secret]` for each secret. */
  shown: Properties;
}

/** By this key Pulumi tells an object that stands for a secret; its value is that of secrets. */
const signature = "4dabf18193072939515e22adb298388d";
const secretValue = "1b47061264138c4ac30d75fd1eb44270";

/** As an import file takes a secret. */
export const secret = (value: unknown) => ({ [signature]: secretValue, plaintext: JSON.stringify(value) });

/** What `pulumi stack export --show-secrets` prints, or an import file. Throws INVALID. */
export function resourcesOf(text: string): StateResource[] {
  let state: { deployment?: { resources?: unknown[] }; resources?: unknown[] };
  try {
    state = JSON.parse(text);
  } catch (cause) {
    throw new HostnetError("INVALID", "the state is not JSON", {
      cause,
      remedy: "Give what `pulumi stack export` wrote.",
    });
  }
  const resources = (state.deployment?.resources ?? state.resources ?? []) as (StateResource & { type: string })[];
  return resources.flatMap((one) => {
    const kind = kindOfType(one.type);
    if (kind === undefined) return [];
    // urn:pulumi:STACK::PROJECT::TYPE::NAME, and a name may hold '::'.
    const name = one.urn?.split("::").slice(3).join("::") ?? one.name;
    const { urn = "", id, inputs = {}, outputs = {}, ignoreChanges } = one;
    const values = { inputs: revealed(inputs), outputs: revealed(outputs), shown: veiled(outputs) };
    return [{ urn, name, kind, id, ...values, ignoreChanges }];
  });
}

/** Secrets in the clear. Throws INVALID when they are encrypted. */
const revealed = (value: Properties) =>
  withSecrets(value, ({ plaintext }) => {
    if (typeof plaintext === "string") return JSON.parse(plaintext);
    throw new HostnetError("INVALID", "the state holds encrypted secrets", {
      remedy: "Export it with `pulumi stack export --show-secrets`, and keep the file from others.",
    });
  });

const veiled = (value: Properties) => withSecrets(value, () => hidden);

function withSecrets<T>(value: T, as: (secret: Properties) => unknown): T {
  if (Array.isArray(value)) return value.map((item) => withSecrets(item, as)) as T;
  if (value === null || typeof value !== "object") return value;
  const fields = value as Properties;
  if (fields[signature] === secretValue) return as(fields) as T;
  return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, withSecrets(item, as)])) as T;
}
