import { z } from "zod";
import { kind, ownsNothing } from "../kind";
import type { Section } from "../model/command";
import { HostnetError } from "../model/errors";
import { inNamespace, keyIn, namespaceExists } from "../model/namespaces";
import { between, deviceRef, ipv4Address, namespaceRef } from "../model/scalars";

const args = z.strictObject({
  namespace: namespaceRef
    .optional()
    .describe("The network namespace of the device. Default: the host's own. A change announces them there."),
  device: deviceRef.describe("The device that has the addresses, up and joined to its link. A change replaces it."),
  addresses: z
    .array(ipv4Address)
    .min(1, "must hold one address or more")
    .describe(
      "The addresses, without prefix length; the device has to have them. A change announces all of them again.",
    ),
  count: between(1, 10).default(2).describe("How often, one second apart (`arping -c`). Default: 2."),
  triggers: z
    .array(z.string())
    .optional()
    .describe("The addresses are announced again when one of these texts changes."),
});

type Want = z.output<typeof args>;

/**
 * All addresses at once. Nobody answers: without -w arping would wait a second for it after the last packet.
 * $0 the device, $1 how often, then addresses.
 */
const script = `
count=$1; wait=$((count > 1 ? count - 1 : 1)); shift; pids=
for address; do arping -q -U -c "$count" -w "$wait" -I "$0" "$address" & pids="$pids $!"; done
for pid in $pids; do wait "$pid" || failed=$?; done
exit \${failed:-0}
`.trim();

const sectionOf = ({ device, addresses, count }: Want): Section => {
  const argv = ["sh", "-c", script, device, String(count), ...addresses];
  return { key: `announce:${JSON.stringify([device, addresses, count])}`, argv, slow: true };
};

export const gratuitousArp = kind({
  name: "GratuitousArp",
  doc: "Tells a link, by gratuitous ARP (RFC 5227, `arping -U`), who has IPv4 addresses now: when the resource is made or changed, and when the host was rebooted. Without it neighbours go on sending to the MAC address that had them before, until their own entry expires. It changes nothing on the host.",
  args,
  facts: z.object({ announced: z.array(z.string()).describe("The addresses that were announced.") }),
  identity: ["device", "namespace"],
  needs: ["ip", "arping"],
  ...ownsNothing,
  observe: (want) => inNamespace(want.namespace, sectionOf(want)),
  find(want, seen) {
    const there = namespaceExists(seen, want.namespace);
    const { exitCode, stdout: said } = there
      ? seen.result(keyIn(sectionOf(want).key, want.namespace))
      : { exitCode: 1, stdout: `there is no namespace ${want.namespace}` };
    return { args: {}, facts: { announced: want.addresses }, marks: [], raw: { exitCode, said } satisfies Raw };
  },
  converge(want, found) {
    const { exitCode, said } = (found?.raw ?? { exitCode: 1, said: "" }) as Raw;
    if (exitCode === 0) return [];
    const addresses = want.addresses.join(", ");
    throw new HostnetError("NOT_CONVERGED", `${addresses} could not be announced on ${want.device}`, {
      ...{ step: "arping -U", exitCode, stderr: said },
      remedy: "The device must be up and have the addresses: let the resource depend on what gives it them.",
    });
  },
});

interface Raw {
  exitCode: number;
  said: string;
}
