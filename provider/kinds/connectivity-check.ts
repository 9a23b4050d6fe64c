import { z } from "zod";
import type { Seen } from "../host/seen";
import { kind, ownsNothing } from "../kind";
import { HostnetError } from "../model/errors";
import { inNamespace, keyIn, namespaceExists } from "../model/namespaces";
import { type Probe, type ProbeAnswer, probeSection, programOf, readProbe } from "../model/probe";
import { ownTrouble, whereItEnds } from "../model/probe-verdict";
import type { KnownHost, Question } from "../model/question";
import { between, deviceRef, family, hostRef, ipAddress, namespaceRef, port } from "../model/scalars";
import { endOf } from "../model/trace";

const args = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe(
        "The network namespace from which the path is tried. Default: that of a `device` given as a resource, else the host's own.",
      ),
    source: ipAddress.optional().describe("Source address of the packets. Default: the kernel's choice."),
    device: deviceRef
      .optional()
      .describe("Device by which the packets leave. Default: the kernel's choice. Required for arp."),
    to: ipAddress.describe("The address to reach. A change replaces the check."),
    protocol: z
      .enum(["icmp", "arp", "tcp", "udp"])
      .default("icmp")
      .describe(
        "How: icmp sends echo requests (needs ping); arp asks for the address on the device's link (needs arping of iputils); tcp opens a connection; udp sends one byte, and only a refusal or an ICMP error within 4 seconds counts as unreachable (both need python3). Default: icmp.",
      ),
    port: port.optional().describe("Port to reach, 1 to 65535; required for tcp and udp, and only for these."),
    size: between(28, 65535)
      .optional()
      .describe(
        "Length of the IP packets of icmp in bytes, 28 (IPv6: 48) to 65535, to compare with an MTU. Default: ping's, 84 (IPv6: 104).",
      ),
    dontFragment: z
      .boolean()
      .optional()
      .describe("Packets of icmp must arrive in one piece: proves an MTU, with `size`. Default: false."),
    expect: z
      .enum(["reachable", "unreachable"])
      .default("reachable")
      .describe(
        "What proves the path: `reachable`, all packets are answered; `unreachable`, none is. Default: reachable.",
      ),
    count: between(1, 100)
      .optional()
      .describe("Packets, or connections, of one try, 1 to 100. Default: 3 for icmp, 1 for the others."),
    timeout: between(1, 600)
      .default(10)
      .describe(
        "The try is repeated until it ends as expected, for so many seconds, 1 to 600: ports and addresses need a moment, a port in a spanning tree 30 seconds. Default: 10.",
      ),
    hosts: z
      .array(hostRef)
      .max(16, "must be at most 16")
      .optional()
      .describe(
        "Other machines on the way, or at its end, up to 16. When a check fails they are looked at as its own host is: their namespaces, bridges, tunnels, firewalls and routes. Default: none; the view ends where packets leave the host.",
      ),
    triggers: z
      .array(z.string())
      .optional()
      .describe("The check is run again when one of these texts changes: outputs of what it is about, say."),
  })
  .superRefine((want, issues) => {
    const ported = want.protocol === "tcp" || want.protocol === "udp";
    const wrong: [string, string | false | undefined][] = [
      ["port", ported && want.port === undefined && `${want.protocol} needs one`],
      ["port", !ported && want.port !== undefined && `must not be given for ${want.protocol}`],
      ["device", want.protocol === "arp" && !want.device && "arp needs one"],
      ["to", want.protocol === "arp" && family(want.to) === 6 && "must be an IPv4 address for arp"],
      ["to", want.to.startsWith("fe80:") && !want.device && "must come with device where it is link-local"],
      ["size", want.size !== undefined && want.protocol !== "icmp" && "is for icmp only"],
      ["size", family(want.to) === 6 && want.size !== undefined && want.size < 48 && "must be 48 or more for IPv6"],
      ["dontFragment", want.dontFragment && want.protocol !== "icmp" && "is for icmp only"],
      ["source", want.source && family(want.source) !== family(want.to) && "must be of the same family as to"],
    ];
    for (const [path, message] of wrong) if (message) issues.addIssue({ code: "custom", path: [path], message });
  });

type Want = z.output<typeof args>;

const probeOf = ({ triggers, hosts, count, ...probe }: Want): Probe => ({
  ...probe,
  count: count ?? (probe.protocol === "icmp" ? 3 : 1),
});

const sectionOf = (want: Want) => probeSection(probeOf(want));

export const connectivityCheck = kind({
  name: "ConnectivityCheck",
  doc: "A path from a host or namespace to an address, proven whenever the resource is made or changed. A check that fails fails the deployment, and says where the path ends. What its own host can tell (a device that is down, a missing route, a neighbour that does not answer, an MTU) is said at once. Where packets leave it and nothing comes back, all namespaces of the host, and of those in `hosts`, are looked at, 50 packets are sent (`ping -i 0.02`, a broadcast where a neighbour does not answer), and the counters of devices and of ports of Open vSwitch tell which one saw them last; then what stands behind it is named: a port that is down, a tag or VLAN, a tunnel's key, a flow (by `ovs-appctl ofproto/trace`), a rule of nftables, an MTU, a route. On a device that carries much else the counters say little. It changes nothing on the hosts.",
  args,
  facts: z.object({
    sent: z.number().optional().describe("Packets sent in the last try."),
    received: z.number().optional().describe("Answers received."),
    rttAvg: z.number().optional().describe("Mean time to an answer in milliseconds; of icmp only."),
  }),
  identity: ["to", "namespace"],
  // The program of the protocol is looked for when it is run.
  placedBy: "device",
  needs: ["ip"],
  ...ownsNothing,
  observe: (want) => inNamespace(want.namespace, sectionOf(want)),
  find(want, seen) {
    const there = namespaceExists(seen, want.namespace);
    const answer = there ? readProbe(seen.result(keyIn(sectionOf(want).key, want.namespace)).stdout) : undefined;
    const { sent, received, rttAvg } = answer ?? {};
    return { args: {}, facts: { sent, received, rttAvg }, marks: [], raw: { there, answer } satisfies Raw };
  },
  *inquire(want, found, host) {
    const { there, answer } = found.raw as Raw;
    const failed = answer && answer.status !== 127 && want.expect === "reachable" && answer.got !== "reachable";
    if (!failed || ownTrouble(want, answer)) return found;
    const others = (want.hosts ?? []).filter((one) => one.machineId !== host.machineId && !one.decommissioned);
    const end = yield* seek(probeOf(want), host, others);
    return { ...found, raw: { there, answer, end } satisfies Raw };
  },
  converge(want, found) {
    const { there, answer, end } = (found?.raw ?? { there: false }) as Raw;
    if (!there) throw failed(`cannot be tried: there is no namespace ${want.namespace}`, want);
    if (!answer) throw new HostnetError("READ_FAILED", "the check did not run");
    const program = programOf[want.protocol];
    if (answer.status === 127) {
      const remedy = `On Debian: apt install ${{ ping: "iputils-ping", arping: "iputils-arping", python3: "python3" }[program]}`;
      throw new HostnetError("MISSING_TOOL", `the host has no ${program}`, { remedy });
    }
    const impossible =
      /(SO_BINDTODEVICE|bind:|unknown iface|not available|No such device|Cannot assign|Interface .* is down).*$/m;
    if (answer.got === want.expect && !(want.expect === "unreachable" && impossible.test(answer.said))) return [];
    throw failed(whatWasSeen(want, answer, end), want, answer);
  },
});

/** Where packets end beyond what the sender knows; without the other hosts when one of them does not answer. */
function* seek(probe: Probe, host: KnownHost, others: KnownHost[]): Generator<Question[], string | undefined, Seen[]> {
  try {
    return yield* endOf(probe, [host, ...others]);
  } catch (error) {
    // That the path is broken is what matters; what keeps us from seeing more of it is said beside.
    const why = `more is not to be seen: ${error instanceof HostnetError ? error.message : error}`;
    const own = others.length === 0 ? undefined : yield* seek(probe, host, []);
    return own ? `${own}; ${why}` : why;
  }
}

interface Raw {
  there: boolean;
  answer?: ProbeAnswer;
  /** Where packets end behind the devices of the sender. */
  end?: string;
}

function whatWasSeen(want: Want, answer: ProbeAnswer, end: string | undefined): string {
  if (want.expect === "unreachable") {
    return answer.got === "unreachable"
      ? `cannot be tried: ${answer.said.split("\n")[0]}`
      : "is reachable, and is expected not to be";
  }
  return ["is not reachable: ", whereItEnds(want, answer), ...(end ? ["; ", end] : [])].join("");
}

/** From where to where, what was expected, what was seen, and in the program's own words how the last try ended. */
function failed(what: string, want: Want, answer?: ProbeAnswer): HostnetError {
  const from = [want.namespace ? `namespace ${want.namespace}` : "the host", want.source, want.device];
  const target = want.port === undefined ? want.to : `${want.protocol} port ${want.port} of ${want.to}`;
  const counted =
    answer?.sent === undefined
      ? ""
      : ` (${answer.sent} sent, ${answer.received ?? 0} answered within ${want.timeout} s)`;
  return new HostnetError("CHECK_FAILED", `${target} from ${from.filter(Boolean).join(", ")} ${what}${counted}`, {
    stderr: answer?.said,
    remedy:
      want.expect === "reachable"
        ? "Look at the place named above. The check is run again by the next `pulumi up`."
        : "Something lets packets through: look at routes and firewalls on the way.",
  });
}
