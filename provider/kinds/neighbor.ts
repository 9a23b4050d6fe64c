import { z } from "zod";
import type { Seen } from "../host/seen";
import { kind } from "../kind";
import { HostnetError } from "../model/errors";
import { linkClaim } from "../model/link-kind";
import { absent, hasLink, linkSections, linkState, linksIn } from "../model/link-state";
import {
  hasMacs,
  isMade,
  isProxy,
  isSayable,
  type NeighborJson,
  neighborAddress,
  neighborSections,
  neighborsIn,
  removeNeighbor,
  replaceNeighbor,
} from "../model/neighbor";
import { deviceRef, family, macAddress, namespaceRef } from "../model/scalars";

const args = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe(
        "The network namespace of the device. Default: that of a `device` given as a resource, else the host's own. A change replaces the entry.",
      ),
    device: deviceRef.describe("The device on whose link it is. A change replaces the entry."),
    address: neighborAddress.describe("Its IP address, that of one host. A change replaces the entry."),
    mac: macAddress
      .optional()
      .describe("Its MAC address, unicast (`lladdr`): nobody is asked for it. Required, unless it is a `proxy`."),
    router: z
      .boolean()
      .optional()
      .describe("IPv6: it is a router (`router`); of a `proxy`, what the answers say of it. Default: false."),
    proxy: z
      .boolean()
      .optional()
      .describe(
        "This host answers for the address in its place (`proxy`), and passes on what comes for it. Default: false. A change replaces the entry.",
      ),
  })
  .superRefine((want, issues) => {
    const broken: [keyof typeof want, string | false][] = [
      ["mac", want.mac === undefined && !want.proxy && "is required, unless it is a `proxy`"],
      [
        "mac",
        want.mac !== undefined && want.proxy === true && "must not be given with `proxy`: this host's own is told",
      ],
      ["router", want.router !== undefined && family(want.address) === 4 && "is of IPv6 addresses only"],
    ];
    for (const [path, message] of broken) if (message) issues.addIssue({ code: "custom", path: [path], message });
  });

type Want = z.output<typeof args>;

export const neighbor = kind({
  name: "Neighbor",
  doc: "A permanent neighbour (`ip neighbour`): the MAC address of an IP address, for which nobody is asked by ARP or neighbour discovery; a VXLAN without learning has one beside an FdbEntry. Or a proxy entry: of IPv4 the kernel answers where the device forwards (`net/ipv4/conf/DEVICE/forwarding`) and its route to the address is by another device; of IPv6 where it forwards and `net/ipv6/conf/DEVICE/proxy_ndp` is on. The kernel drops both when the device goes down, and permanent ones when it is given another MAC address, or ARP is switched: what an update of the device takes so is given back, and what others take shows as a missing entry.",
  args,
  facts: z.object({
    protocol: z
      .string()
      .optional()
      .describe("Who has set it, where that is said: static is an administrator or this resource."),
  }),
  identity: ["address", "device", "namespace", "proxy"],
  placedBy: "device",
  needs: ["ip"],
  mark: "ledger",
  reset: { router: false },
  claims: ({ namespace, device, address, proxy }) => [
    `${proxy ? "proxy entry" : "neighbour"} ${address} at ${linkClaim(namespace, device)}`,
  ],
  observe: (want) => [
    ...linkSections(want.namespace, { ipv6: family(want.address) === 6 }),
    ...neighborSections(want.namespace),
  ],
  find(want, seen) {
    if (!hasLink(seen, want.namespace, want.device)) return undefined;
    const live = neighborsIn(seen, want.namespace).find((entry) => isTheSame(entry, want));
    if (!live) return undefined;
    const { namespace, device, address, proxy } = want;
    return {
      args: {
        ...{ namespace, device, address, proxy },
        // A control plane's gives way to what is declared.
        mac: isMade(live) ? live.lladdr : undefined,
        router: family(address) === 6 ? live.router !== undefined : undefined,
      },
      facts: { protocol: live.protocol },
      marks: [],
      raw: live,
    };
  },
  survey: neighborSections,
  list: (seen, namespace) =>
    linksIn(seen, namespace).flatMap((link) =>
      neighborsIn(seen, namespace)
        .filter((entry) => entry.dev === link.ifname && isMade(entry) && isSayable(entry, link))
        .map((entry) => {
          const { dst: address, lladdr: mac } = entry;
          return { namespace, device: link.ifname, address, mac, proxy: isProxy(entry) || undefined } as Partial<Want>;
        }),
    ),
  maker: ({ facts: { protocol = "static" } }) => (["boot", "static"].includes(protocol) ? undefined : protocol),
  converge(want, found, { seen }) {
    if (!found && seen) mustHavePlace(want, seen);
    const { namespace, device, address, mac } = want;
    const [router, proxy] = [want.router ?? false, want.proxy ?? false];
    const isThere = found && found.args.mac === mac && (found.args.router ?? false) === router;
    return isThere ? [] : [replaceNeighbor({ address, device, mac, router, proxy }, namespace)];
  },
  remove({ raw }, { namespace, device, address, proxy = false }) {
    return isMade(raw as NeighborJson) ? [removeNeighbor({ address, device, proxy }, namespace)] : [];
  },
});

const isTheSame = (entry: NeighborJson, { address, device, proxy = false }: Want) =>
  entry.dst === address && entry.dev === device && isProxy(entry) === proxy;

/** Throws STEP_FAILED where the kernel takes an entry that does nothing, or refuses it without saying what helps. */
function mustHavePlace({ namespace, device, address, proxy }: Want, seen: Seen): void {
  const link = linkState(seen, namespace, device);
  if (!link) throw absent(device, namespace);
  const fail = (why: string, remedy: string) => new HostnetError("STEP_FAILED", `${device} ${why}`, { remedy });
  if (!hasMacs(link.json)) throw fail("has no neighbours with MAC addresses", "What goes out by it needs no entry.");
  if (proxy && link.json.flags.includes("NOARP")) throw fail("answers no ARP", "Say `arp: true` of the device.");
  if (family(address) === 6 && link.ipv6Disabled) {
    throw fail("has no IPv6", "Declare an IPv6 address of the device, or `ipv6: true`, and `dependsOn` that.");
  }
}
