import type { Found } from "../kind";
import { kind } from "../kind";
import { full } from "../model/address";
import type { Step } from "../model/command";
import { otherKind } from "../model/errors";
import {
  asTakenOver,
  convergeSuccession,
  handoverIn,
  handoverOf,
  type Predecessor,
  processTitle,
  type Succession,
  serviceMark,
} from "../model/handover";
import { afterCreation, convergeLink, deleteLink, linkFactsOf, liveLinkArgs, observeLink } from "../model/link";
import { type LinkArgs, type LinkTraits, linkFacts, linkReset } from "../model/link-args";
import { wantsIpv6 } from "../model/link-ipv6";
import { layer3Claims, linkClaim, shownLink } from "../model/link-kind";
import { type LinkState, linkState } from "../model/link-state";
import { placeWords } from "../model/namespaces";
import { family } from "../model/scalars";
import { type Service, serviceFacts } from "../model/service";
import { comingUp, type LiveService, liveService, servicesIn } from "../model/service-live";
import { convergeService, madeAs, removeService, stop } from "../model/service-steps";
import { serviceName } from "../model/service-unit";
import { liveSettings } from "../model/settings";
import { tunnelOf, vpnSettings } from "../model/socat";
import { tunnelIn } from "../model/socat-line";
import { udpPortClaim } from "../model/tunnel";
import { type UdpVpnArgs, udpVpnArgs } from "../model/udp-vpn-args";
import { type OtherTunnel, otherTunnels, vpnOthersSections } from "../model/vpn-others";

type Want = UdpVpnArgs;

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

/** What nothing can be found without. */
const named = ["name", "namespace", "underlayNamespace", "local", "remote", "port"];

const pick = <T extends object>(args: T, keys: string[]) =>
  Object.fromEntries(Object.entries(args).filter(([key]) => keys.includes(key))) as Partial<T>;

interface Raw extends Succession {
  device?: LinkState;
  /** What has its name and is none. */
  inTheWay?: LinkState;
}

const predecessorOf = ({ process, children }: OtherTunnel): Predecessor => ({
  title: processTitle("socat", process),
  processes: [process, ...children],
});

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
  args: udpVpnArgs,
  facts: linkFacts.omit({ mac: true }).partial().extend(serviceFacts),
  identity: ["name", "namespace", "underlayNamespace"],
  needs: ["ip", "ps", "socat"],
  mark: "alias",
  reset: { up: linkReset.up, addresses: linkReset.addresses, ipv6: linkReset.ipv6, txQueueLength: 500 },
  claims: (want) => [
    linkClaim(want.namespace, want.name),
    ...layer3Claims(linkOf(want)),
    udpPortClaim("VPNs", want.port, family(want.local), want.underlayNamespace),
    `UDP port ${want.port} of ${want.local}${placeWords(want.underlayNamespace)}`,
  ],
  observe: (want) => [...vpnOthersSections, ...observeLink(linkOf(want), traits)],
  survey: () => vpnOthersSections,
  list: (seen, namespace) =>
    [
      ...servicesIn(seen, "vpn", namespace).map(({ argv, inside }) => tunnelIn(argv.slice(1).join(" "), inside)?.args),
      ...otherTunnels(seen).map(({ args }) => args),
    ].flatMap((args) => (args && args.namespace === namespace ? [pick(args, named)] : [])),
  find(want, seen) {
    const there = linkState(seen, want.namespace, want.name);
    const device = there && isTun(there) ? there : undefined;
    const service = serviceOf(want);
    const live = liveService(seen, service);
    if (!there && !live) return undefined;
    const begun = handoverIn(live);
    const isOther = ({ args }: OtherTunnel) => args?.name === want.name && args.namespace === want.namespace;
    const other = otherTunnels(seen).find(isOther);
    const predecessor = other && predecessorOf(other);
    if (other?.args && device && !live) {
      const { pid, since } = other.process;
      return {
        args: { ...other.args, ...liveLinkArgs(device, want.namespace) },
        facts: { ...linkFactsOf(device), mac: undefined, pid, since },
        // The device goes with the process, unless it is persistent.
        marks: [undefined, ...(isPersistent(device) ? [device.json.ifalias] : [])],
        restarts: predecessor?.title,
        raw: { device, predecessor } satisfies Raw,
      };
    }
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
        ...(live ? [serviceMark(live)] : []),
        ...(there && (!live || (device && isPersistent(device))) ? [alias] : []),
      ],
      broken: there && !device ? `${want.name} is by now ${there.type ?? "a network card"}` : undefined,
      pending: want.running && device && isOpen(device) ? comingUp(service, live, ready) : undefined,
      restarts: begun && predecessor?.title,
      raw: { live, device, predecessor: begun && predecessor, inTheWay: device ? undefined : there } satisfies Raw,
    };
  },
  asOurs: (found) =>
    asTakenOver(found, rawOf(found), udpVpnArgs, {
      made: (want) => ({ live: madeAs(serviceOf(want)), device: madeDevice(want) }) satisfies Raw,
      told: (want, live) => liveSettings(vpnSettings, want, live, serviceOf),
    }),
  converge(want, found, context) {
    const raw = found ? rawOf(found) : ({} as Raw);
    const { live, device, inTheWay } = raw;
    if (inTheWay) throw notTun(inTheWay);
    const service = serviceOf(want);
    const handover = handoverOf(raw, context);
    const isKept = device && isPersistent(device);
    const link = isKept
      ? convergeLink(linkOf(want), device, context, traits)
      : [
          { argv: ["ip", "tuntap", "add", "dev", want.name, "mode", "tun"], namespace: want.namespace },
          ...afterCreation(linkOf(want), context, traits),
        ];
    if (!handover && isKept) return [...link, ...convergeService(service, live, context, want.running)];
    if (!handover) {
      // A process that runs, or is brought back at this moment, would make a device of that name for itself.
      const ended = live && live.state !== "stopped" ? stop(service.name, live) : [];
      const stopped: LiveService | undefined = live && { ...live, state: "stopped", right: false, pids: [] };
      return [
        ...ended,
        ...withdraw(want, device),
        ...link,
        ...convergeService(service, stopped, context, want.running),
      ];
    }
    // The device of the one that is ended goes with it, and the port is free only then.
    return convergeSuccession(service, raw, context, want, { after: link });
  },
  remove(found, want) {
    const { live, device, predecessor } = rawOf(found);
    return [...(live ? removeService(nameOf(want), live) : []), ...(predecessor ? [] : withdraw(want, device))];
  },
  shown(path, want, found) {
    const { device } = rawOf(found);
    return path === "addresses" || path === "addressesExact"
      ? device && shownLink(path, linkOf(want), device, found.args)
      : (found.args as Record<string, unknown>)[path];
  },
});

/** Takes a device away; one that is not persistent may have gone with its process. */
function withdraw({ name, namespace }: Want, device: LinkState | undefined): Step[] {
  if (!device) return [];
  if (isPersistent(device)) return [deleteLink(name, namespace)];
  const ifThere = '! ip link show dev "$0" >/dev/null 2>&1 || exec ip link del dev "$0"';
  return [{ argv: ["sh", "-c", ifThere, name], namespace }];
}

/** The device as it is when all has been done but to mark it. */
function madeDevice(want: Want): LinkState {
  const { name, up, mtu = 0, txQueueLength, addresses = [] } = linkOf(want);
  const ipv6 = wantsIpv6(linkOf(want), traits);
  const linkinfo = { info_data: { persist: true } };
  const flags = { secondary: false, dynamic: false, kernelMade: false, tentative: false, dadFailed: false };
  return {
    json: {
      ...{ ifindex: 0, ifname: name, flags: up ? ["UP"] : [], mtu, txqlen: txQueueLength },
      ...{ operstate: "UP", link_type: "none", linkinfo },
    },
    addresses: addresses.map(full).map((item) => ({ scope: "", ...item, ...flags })),
    type: "tun",
    ipv6Disabled: ipv6 === undefined ? undefined : !ipv6,
    features: undefined,
  };
}

const isTun = ({ type, json }: LinkState) =>
  type === "tun" && (json.linkinfo?.info_data as TunData | undefined)?.type === "tun";

const notTun = ({ type, json }: LinkState) =>
  otherKind(json.ifname, `${type === "tun" ? "a TAP" : (type ?? "a network card")}, not a TUN`);
