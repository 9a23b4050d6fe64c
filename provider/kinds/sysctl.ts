import { z } from "zod";
import { kind } from "../kind";
import { HostnetError } from "../model/errors";
import { forwardingOf, forwardingSection } from "../model/forwarding";
import { inNamespace, keyIn, namespaceExists, placeWords } from "../model/namespaces";
import { namespaceRef } from "../model/scalars";
import { sysctlClaim, sysctlKey, sysctlPath, sysctlValue } from "../model/sysctl";

const section = (key: string) => ({ key: `sysctl:${key}`, argv: ["cat", sysctlPath(key)] });

export const sysctl = kind({
  name: "Sysctl",
  doc: "A kernel parameter below net. When the resource is deleted, the parameter gets back the value that it had, if it still has ours.",
  args: z.strictObject({
    namespace: namespaceRef
      .optional()
      .describe("The network namespace. Default: the host's own. A change replaces the resource."),
    key: sysctlKey.describe("The parameter, as net.ipv4.ip_forward; with slashes where a device's name has a dot."),
    value: sysctlValue.describe("What it is set to: text, a whole number, or a boolean for 0 and 1."),
  }),
  facts: z.object({ value: z.string().describe("The value that it has.") }),
  identity: ["key", "namespace"],
  needs: ["sysctl"],
  mark: "ledger",
  permanent: true,
  reset: {},
  claims: (want) => [sysctlClaim(want.namespace, want.key)],
  observe: (want) => inNamespace(want.namespace, section(want.key)),
  find(want, seen) {
    if (!namespaceExists(seen, want.namespace)) return undefined;
    const { exitCode, stdout } = seen.result(keyIn(`sysctl:${want.key}`, want.namespace));
    if (exitCode !== 0) return undefined;
    const value = stdout.trim().replace(/\s+/g, " ");
    return { args: { namespace: want.namespace, key: want.key, value }, facts: { value }, marks: [] };
  },
  survey: (namespace) => (namespace ? [] : [forwardingSection]),
  // Of a namespace they are in its own resource.
  list: (seen, namespace) =>
    namespace ? [] : Object.entries(forwardingOf(seen) ?? {}).map(([key, value]) => ({ key, value })),
  remember: (live) => ({ value: live?.args.value }),
  converge(want, live) {
    if (!live) {
      throw new HostnetError("MISSING_FEATURE", `there is no ${sysctlPath(want.key)}${placeWords(want.namespace)}`, {
        remedy: "Check the name; a parameter of a device or module appears only with it.",
      });
    }
    return live.args.value === want.value ? [] : [write(want, want.value)];
  },
  remove(live, want, { memory }) {
    const old = (memory as { value?: string } | undefined)?.value;
    const ours = live.args.value === want.value;
    return old === undefined || !ours || old === want.value ? [] : [write(want, old)];
  },
});

const write = (want: { key: string; namespace?: string }, value: string) => ({
  argv: ["sysctl", "-qw", `${want.key}=${value}`],
  namespace: want.namespace,
});
