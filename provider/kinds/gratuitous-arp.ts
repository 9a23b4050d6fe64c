import { z } from "zod";
import type { Seen } from "../host/seen";
import { kind, ownsNothing } from "../kind";
import { announcing } from "../model/announcing";
import type { Section } from "../model/command";
import { HostnetError } from "../model/errors";
import { linkSections, linkState } from "../model/link-state";
import { inNamespace, namespaceExists } from "../model/namespaces";
import { between, deviceRef, ipv4Address, namespaceRef } from "../model/scalars";

const args = z.strictObject({
  namespace: namespaceRef
    .optional()
    .describe(
      "The network namespace of the device. Default: that of a `device` given as a resource, else the host's own. A change announces them there.",
    ),
  device: deviceRef.describe("The device that has the addresses, up and joined to its link. A change replaces it."),
  addresses: z
    .array(ipv4Address)
    .min(1, "must hold one address or more")
    .describe(
      "The addresses, without prefix length; the device has to have them. A change announces all of them again.",
    ),
  count: between(1, 10)
    .default(2)
    .describe(
      "How often, 1 to 10 times, one second apart (`arping -c`); all but the first while the deployment goes on (RFC 5227, section 2.3). Default: 2.",
    ),
  triggers: z
    .array(z.string())
    .optional()
    .describe("The addresses are announced again when one of these texts changes."),
});

type Want = z.output<typeof args>;

const sectionOf = ({ device, addresses, count }: Want): Section => {
  const argv = ["sh", "-c", announcing, device, String(count), ...addresses];
  return { key: `announce:${JSON.stringify([device, addresses, count])}`, argv };
};

export const gratuitousArp = kind({
  name: "GratuitousArp",
  doc: "Tells a link, by gratuitous ARP (RFC 5227, `arping -U`), who has IPv4 addresses now: when the resource is made or changed, and when the host was rebooted. Without it neighbours go on sending to the MAC address that had them before, until their own entry expires. It changes nothing on the host.",
  args,
  facts: z.object({ announced: z.array(z.string()).describe("The addresses that were announced.") }),
  identity: ["device", "namespace"],
  placedBy: "device",
  needs: ["ip", "arping"],
  ...ownsNothing,
  observe: (want) => [...linkSections(want.namespace), ...inNamespace(want.namespace, sectionOf(want))],
  find: (want, seen) => ({
    args: {},
    facts: { announced: want.addresses },
    marks: [],
    raw: { unable: whyUnable(want, seen) },
  }),
  converge(want, found) {
    const { unable } = (found?.raw ?? {}) as { unable?: string };
    if (unable === undefined) return [];
    const summary = `${want.addresses.join(", ")} could not be announced on ${want.device}: ${unable}`;
    throw new HostnetError("NOT_CONVERGED", summary, {
      remedy: "The device must be up and have the addresses: let the resource depend on what gives it them.",
    });
  },
});

/** For what arping would end at once; undefined when it sends. */
function whyUnable({ namespace, device, addresses }: Want, seen: Seen): string | undefined {
  if (!namespaceExists(seen, namespace)) return `there is no namespace ${namespace}`;
  const link = linkState(seen, namespace, device);
  if (!link) return "there is no such device";
  const { flags, addr_info: has = [] } = link.json;
  if (!flags.includes("UP")) return "the device is down";
  if (flags.includes("NOARP") || flags.includes("LOOPBACK")) return "the device does no ARP";
  const missing = addresses.filter((address) => !has.some(({ local }) => local === address));
  return missing.length > 0 ? `the device does not have ${missing.join(", ")}` : undefined;
}
