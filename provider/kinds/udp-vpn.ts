import { z } from "zod";
import type { Found } from "../kind";
import { kind } from "../kind";
import { HostnetError } from "../model/errors";
import {
  afterCreation,
  convergeLink,
  deleteLink,
  type LinkArgs,
  type LinkTraits,
  linkFacts,
  linkFactsOf,
  linkReset,
  linkShape,
  liveLinkArgs,
  nameTaken,
} from "../model/link";
import { addressClaims, linkClaim, shownLink } from "../model/link-kind";
import { type LinkState, linkSections, linkState } from "../model/link-state";
import { family, ipAddress, mtu, namespaceRef, port } from "../model/scalars";
import { type Service, serviceFacts, serviceShape } from "../model/service";
import { comingUp, type LiveService, liveService, serviceSections } from "../model/service-live";
import { convergeService, removeService } from "../model/service-steps";
import { serviceName } from "../model/service-unit";
import { liveSettings } from "../model/settings";
import { tunnelOf, vpnSettings } from "../model/socat";
import { udpPortClaim } from "../model/tunnel";

const args = z
  .strictObject({
    namespace: linkShape.namespace,
    name: linkShape.name.describe(
      "The TUN device's name, 1 to 15 characters. Default: the last part of the resource's name after '/'.",
    ),
    underlayNamespace: namespaceRef
      .optional()
      .describe(
        "The network namespace whose addresses carry the packets. Default: the host's own, wherever the device is. A change replaces the tunnel.",
      ),
    local: ipAddress.describe("The own address of the underlay, from which packets are sent."),
    remote: ipAddress.describe("The other end's address on the underlay. Packets from others are dropped."),
    port: port.describe("UDP port on which this end listens, 1 to 65535."),
    remotePort: port.optional().describe("UDP port of the other end, 1 to 65535. Default: the own one."),
    addresses: linkShape.addresses,
    addressesExact: linkShape.addressesExact,
    mtu: mtu
      .optional()
      .describe(
        "Largest packet in bytes, 68 to 65535. Default: 1472 over IPv4 and 1452 over IPv6, which fit a 1500 byte underlay.",
      ),
    up: linkShape.up,
    ipv6: linkShape.ipv6.describe("IPv6 on the device (the inverse of `disable_ipv6`). Default: the kernel's."),
    txQueueLength: linkShape.txQueueLength.describe(
      "Length of the transmit queue in packets (`txqueuelen`). Kernel default: 500.",
    ),
    ...serviceShape,
  })
  .superRefine((want, issues) => {
    const refuse = (path: string, message: string) => issues.addIssue({ code: "custom", path: [path], message });
    const taken = nameTaken(want.name, want.namespace);
    if (taken) refuse("name", taken);
    if (family(want.local) !== family(want.remote)) refuse("remote", "must be of the same family as local");
    for (const end of ["local", "remote"] as const) {
      if (/^(0\.0\.0\.0|::|22[4-9]\.|23\d\.|255\.255\.255\.255|ff|fe80:)/.test(want[end]))
        refuse(end, "must be one host's address: not multicast, broadcast, link-local of IPv6, or unspecified");
    }
  });

type Want = z.output<typeof args>;

const traits: LinkTraits = { keepsMac: true };

/** As a link, with the MTU that fits into the underlay's packets. */
const linkOf = (want: Want) => ({ ...want, mtu: want.mtu ?? mtuOver(want.remote) }) as unknown as LinkArgs;
const mtuOver = (remote: string) => (family(remote) === 4 ? 1472 : 1452);

const nameOf = ({ namespace, name }: Want) => serviceName("vpn", namespace, name);

function serviceOf(want: Want): Service {
  return {
    name: nameOf(want),
    description: `UDP tunnel of ${linkClaim(want.namespace, want.name)} (pulumi-hostnet)`,
    ...tunnelOf(want),
    files: [],
  };
}

interface Raw {
  live?: LiveService;
  device?: LinkState;
  /** What has its name and is none. */
  inTheWay?: LinkState;
}

const rawOf = (found: Found<unknown, unknown>) => found.raw as Raw;

interface TunData {
  type?: string;
  persist?: boolean;
}

/** A device that ended with its process, and was made again by the next one, is none of ours. */
const isPersistent = ({ json }: LinkState) => (json.linkinfo?.info_data as TunData | undefined)?.persist === true;

/** The device is as it has to be for a process to open it and show a carrier. */
const isOpen = (device: LinkState) => isPersistent(device) && device.json.flags.includes("UP");

export const udpVpn = kind({
  name: "UdpVpn",
  doc: "One end of a tunnel over UDP: a TUN device, and a supervised process (socat) that sends each of its packets as one of UDP to the other end and writes what comes from there to the device. It neither encrypts nor authenticates: who can send packets with the other end's address can put packets into the tunnel, and who sees the underlay reads all of them. Where that matters take WireGuard or IPsec. It recovers by itself when either end dies.",
  args,
  facts: linkFacts.omit({ mac: true }).partial().extend(serviceFacts),
  identity: ["name", "namespace", "underlayNamespace"],
  needs: ["ip", "ps", "socat"],
  mark: "alias",
  reset: { up: linkReset.up, addresses: linkReset.addresses, txQueueLength: 500 },
  claims: (want) => [
    linkClaim(want.namespace, want.name),
    ...addressClaims(linkOf(want)),
    udpPortClaim("VPNs", want.port, family(want.local), want.underlayNamespace),
    `UDP port ${want.port} of ${want.local} in namespace ${want.underlayNamespace ?? "-"}`,
  ],
  observe: (want) => [...serviceSections, ...linkSections(want.namespace, { ipv6: want.ipv6 !== undefined })],
  find(want, seen) {
    const there = linkState(seen, want.namespace, want.name);
    const device = there && isTun(there) ? there : undefined;
    const service = serviceOf(want);
    const live = liveService(seen, service);
    if (!there && !live) return undefined;
    const { pid, since } = live?.process ?? {};
    // The device has a carrier as long as a process has it open.
    const ready = device?.json.flags.includes("LOWER_UP") === true;
    const values = live ? liveSettings(vpnSettings, want, live, serviceOf) : { running: false };
    const link = device && liveLinkArgs(device, want.namespace);
    const alias = there?.json.ifalias;
    const running = values.running === true && (!there || device !== undefined);
    const args = { ...link, ...values, running, name: want.name, namespace: want.namespace };
    return {
      args: args as Partial<Want>,
      facts: { ...(device && linkFactsOf(device)), mac: undefined, pid, since },
      // A device that the process has made by itself is not persistent, and has no alias.
      marks: [
        ...(live ? [live.mark ?? live.appliedMark] : []),
        ...(there && (!live || (device && isPersistent(device))) ? [alias] : []),
      ],
      broken: there && !device ? `${want.name} is by now ${there.type ?? "a network card"}` : undefined,
      pending: want.running && device && isOpen(device) ? comingUp(service, live, ready) : undefined,
      raw: { live, device, inTheWay: device ? undefined : there } satisfies Raw,
    };
  },
  converge(want, found, context) {
    const { live, device, inTheWay } = found ? rawOf(found) : ({} as Raw);
    if (inTheWay) throw notTun(inTheWay);
    if (!device || !isPersistent(device)) {
      return [
        ...(device ? [deleteLink(want.name, want.namespace)] : []),
        { argv: ["ip", "tuntap", "add", "dev", want.name, "mode", "tun"], namespace: want.namespace },
        ...afterCreation(linkOf(want), context, traits),
        ...convergeService(serviceOf(want), live, context, want.running),
      ];
    }
    return [
      ...convergeLink(linkOf(want), device, context, traits),
      ...convergeService(serviceOf(want), live, context, want.running),
    ];
  },
  remove(found, want) {
    const { live, device } = rawOf(found);
    return [
      ...(live ? removeService(nameOf(want), live) : []),
      ...(device ? [deleteLink(want.name, want.namespace)] : []),
    ];
  },
  shown(path, want, found) {
    const { device } = rawOf(found);
    return path === "addresses" || path === "addressesExact"
      ? device && shownLink(path, linkOf(want), device, found.args)
      : (found.args as Record<string, unknown>)[path];
  },
});

const isTun = ({ type, json }: LinkState) =>
  type === "tun" && (json.linkinfo?.info_data as TunData | undefined)?.type === "tun";

const notTun = ({ type, json }: LinkState) =>
  new HostnetError(
    "FOREIGN",
    `${json.ifname} is there already and is ${type === "tun" ? "a TAP" : (type ?? "a network card")}, not a TUN`,
  );
