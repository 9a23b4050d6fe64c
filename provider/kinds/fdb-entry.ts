import { z } from "zod";
import type { Seen } from "../host/seen";
import { type Context, type Found, kind } from "../kind";
import type { Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { everybody, type FdbJson, fdbIn, fdbSection, isLasting, isMade, unsaidIn } from "../model/fdb";
import { linkClaim } from "../model/link-kind";
import { absent, type LinkState, linkSections, linkState, linksIn } from "../model/link-state";
import { inNamespace } from "../model/namespaces";
import { hasVlan, liveVlans, vlansSection } from "../model/port-vlans";
import { between, deviceRef, ipAddress, isMulticast, macAddress, namespaceRef, port, vlanId } from "../model/scalars";

const args = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe(
        "The network namespace of the device. Default: that of a `device` given as a resource, else the host's own. A change replaces the entry.",
      ),
    device: deviceRef.describe(
      "The bridge's port, or the VXLAN, that leads to the address. A change replaces the entry.",
    ),
    mac: z
      .union([z.literal(everybody), macAddress])
      .describe(
        `Whose frames it is for: a unicast MAC address; or ${everybody}, of a VXLAN: frames to everybody and to addresses without an entry, of which each such entry's \`remote\` gets a copy. A change replaces the entry.`,
      ),
    remote: ipAddress
      .refine((address) => !isMulticast(address), "must be unicast; `group` of the Vxlan takes a multicast one")
      .optional()
      .describe(
        "The address of the tunnel's other end that has it (`dst`): the entry is the VXLAN's own. Default: none, the entry is the bridge's. A change replaces the entry.",
      ),
    port: port.optional().describe("UDP port of that end, 1 to 65535 (`port`). Default: the VXLAN's."),
    vni: between(0, 0xff_ffff)
      .optional()
      .describe("The network's number at that end, 0 to 16777215 (`vni`). Default: the VXLAN's."),
    vlan: vlanId
      .optional()
      .describe(
        "The VLAN in which the address is, 1 to 4094 (`vlan`), one of the port's. Required on a bridge with `vlanFiltering`; else none. A change replaces the entry.",
      ),
    sticky: z
      .boolean()
      .optional()
      .describe("It stays at this port when frames of the address come in by another (`sticky`). Default: false."),
  })
  .superRefine((want, issues) => {
    const tunnel = want.remote !== undefined;
    const broken: [keyof typeof want, string | false][] = [
      [
        "remote",
        want.mac === everybody && !tunnel && `must be given for ${everybody}: only a tunnel has such an entry`,
      ],
      ["port", want.port !== undefined && !tunnel && "needs `remote`"],
      ["vni", want.vni !== undefined && !tunnel && "needs `remote`"],
      ["vlan", want.vlan !== undefined && tunnel && "must not be given with `remote`: a VXLAN has no VLANs"],
      ["sticky", want.sticky !== undefined && tunnel && "must not be given with `remote`: it is for a bridge's port"],
    ];
    for (const [path, message] of broken) if (message) issues.addIssue({ code: "custom", path: [path], message });
  });

type Want = z.output<typeof args>;

interface Raw {
  live: FdbJson;
  link: LinkState;
  /** Others to the same end: what an update that was broken off has left, or somebody else's. */
  others: FdbJson[];
}

const rawOf = (found: Found<unknown, unknown>) => found.raw as Raw;

export const fdbEntry = kind({
  name: "FdbEntry",
  doc: "A static entry of a forwarding database (`bridge fdb`): behind which port of a Linux bridge an address is, or at which other end of a VXLAN. A VXLAN between several hosts without multicast has one for 00:00:00:00:00:00 for each other end. It goes with its device, and with the device's place in the bridge.",
  args,
  facts: z.object({
    bridge: z.string().optional().describe("The bridge that has the entry; not for a tunnel's own."),
  }),
  identity: ["mac", "device", "namespace", "remote", "vlan"],
  placedBy: "device",
  needs: ["ip", "bridge"],
  mark: "ledger",
  reset: { port: null, vni: null, sticky: false },
  claims: ({ namespace, device, mac, remote, vlan }) => [
    `forwarding entry ${mac}${mac === everybody ? ` to ${remote}` : ""}${vlan === undefined ? "" : ` in VLAN ${vlan}`}${
      remote === undefined ? "" : " of the tunnel"
    } at ${linkClaim(namespace, device)}`,
  ],
  observe: (want) => [
    ...linkSections(want.namespace),
    ...inNamespace(want.namespace, fdbSection, ...(want.vlan === undefined ? [] : [vlansSection])),
  ],
  find(want, seen) {
    const link = linkState(seen, want.namespace, want.device);
    if (!link) return undefined;
    const all = fdbIn(seen, want.namespace).filter((entry) => entry.ifname === want.device && isTheSame(entry, want));
    const live = all.find((entry) => isAsWanted(entry, link, want)) ?? all[0];
    if (!live) return undefined;
    const own = ownOf(link);
    const { namespace, device, mac, remote, vlan } = want;
    return {
      args: {
        ...{ namespace, device, mac, vlan, remote: live.dst },
        port: live.port ?? (want.port == null ? undefined : own.port),
        vni: live.vni ?? (want.vni == null ? undefined : own.vni),
        sticky: remote === undefined ? live.flags.includes("sticky") : undefined,
      } as Partial<Want>,
      facts: { bridge: live.master },
      marks: [],
      raw: { live, link, others: all.filter((entry) => entry !== live) } satisfies Raw,
    };
  },
  survey: (namespace) => inNamespace(namespace, fdbSection),
  list: (seen, namespace) =>
    linksIn(seen, namespace).flatMap((link) => {
      const own = fdbIn(seen, namespace).filter((entry) => entry.ifname === link.ifname && isMade(entry, link));
      // What was said without a VLAN is there without one too, where nothing looks at it.
      const filters = filtersVlans(linkState(seen, namespace, link.master ?? ""));
      return own
        .filter(
          (entry) =>
            unsaidIn(entry).length === 0 && (entry.dst !== undefined || filters === (entry.vlan !== undefined)),
        )
        .map(({ mac, dst: remote, vlan }) => ({ namespace, device: link.ifname, mac, remote, vlan }) as Partial<Want>);
    }),
  converge(want, found, context) {
    if (want.remote !== undefined) return tunnelSteps(want, found, context);
    if (found && found.args.sticky === (want.sticky ?? false)) return [];
    if (!found && context.seen) mustHavePlace(want, context.seen);
    return [portStep(want)];
  },
  remove: (found, want) => [removal(rawOf(found).live, want)],
});

/** The same entry to the kernel, whatever else it says; of those for everybody there is one for each end. */
function isTheSame({ mac, dst, state, vlan, master }: FdbJson, want: Want): boolean {
  if (mac !== want.mac || !isLasting(state)) return false;
  if (want.remote === undefined)
    return dst === undefined && master !== undefined && vlan === want.vlan && state === "static";
  return dst !== undefined && (mac !== everybody || dst === want.remote);
}

/** UDP port and number of the VXLAN, which its entries have that do not say another. */
function ownOf({ json }: LinkState): { port: number; vni: number } {
  const { port = 4789, id = 0 } = (json.linkinfo?.info_data ?? {}) as { port?: number; id?: number };
  return { port, vni: id };
}

/** Only of a tunnel's. */
function isAsWanted({ dst, port, vni }: FdbJson, link: LinkState, want: Want): boolean {
  const own = ownOf(link);
  const same = (live: number | undefined, wanted: number | null | undefined, usual: number) =>
    (live ?? usual) === (wanted ?? usual);
  return dst === want.remote && same(port, want.port, own.port) && same(vni, want.vni, own.vni);
}

function tunnelSteps(want: Want, found: Found<unknown, unknown> | undefined, { was }: Context<Want>): Step[] {
  const say = (verb: string) => fdb(verb, want, want.remote, want.port, want.vni);
  // A unicast address has one end: what was learned of it gives way.
  if (want.mac !== everybody)
    return found && isAsWanted(rawOf(found).live, rawOf(found).link, want) ? [] : [say("replace")];
  if (!found) return [say("append")];
  const { live, link, others } = rawOf(found);
  const isOld = (entry: FdbJson) =>
    was.some((old) => isAsWanted(entry, link, { ...want, port: old.port, vni: old.vni } as Want));
  if (isAsWanted(live, link, want)) return others.filter(isOld).map((entry) => removal(entry, want));
  return [say("append"), removal(live, want)];
}

/** At a bridge's port; what was learned of the address elsewhere gives way, and no more. */
function portStep({ sticky, vlan, ...want }: Want): Step {
  const words = [...(sticky ? ["sticky"] : []), ...(vlan === undefined ? [] : ["vlan", String(vlan)])];
  return step(want, ["replace", want.mac, "dev", want.device, "master", "static", ...words]);
}

/** Throws STEP_FAILED where the entry has no place, FOREIGN where somebody else's would give way. */
function mustHavePlace({ namespace, device, mac, vlan }: Want, seen: Seen): void {
  const fail = (why: string, remedy: string, code: "STEP_FAILED" | "FOREIGN" = "STEP_FAILED") =>
    new HostnetError(code, why, { remedy });
  const link = linkState(seen, namespace, device);
  if (!link) throw absent(device, namespace);
  const { master, linkinfo } = link.json;
  if (master === undefined || linkinfo?.info_slave_kind !== "bridge") {
    const remedy = "`dependsOn` the BridgePort that makes it one; for a VXLAN's own entry say `remote`.";
    throw fail(`${device} is not a port of a bridge`, remedy);
  }
  if (vlan === undefined && filtersVlans(linkState(seen, namespace, master))) {
    throw fail(`${master} filters VLANs`, "Say with `vlan` in which one the address is.");
  }
  if (vlan !== undefined && !hasVlan(liveVlans(seen, namespace, device), vlan)) {
    throw fail(`${device} is not in VLAN ${vlan}`, "Declare it in the port's `vlans`, and `dependsOn` that.");
  }
  const other = fdbIn(seen, namespace).find(
    (entry) => entry.mac === mac && entry.vlan === vlan && entry.master === master && isLasting(entry.state),
  );
  if (other) {
    const whose = other.state === "static" ? "has a static entry for it" : "has the address itself";
    throw fail(`${other.ifname}, of the same bridge, ${whose}`, "Take that away first.", "FOREIGN");
  }
}

const filtersVlans = (bridge: LinkState | undefined) => bridge?.json.linkinfo?.info_data?.vlan_filtering === 1;

function removal({ dst, port, vni, vlan }: FdbJson, want: Want): Step {
  if (dst !== undefined) return fdb("del", want, dst, port, vni);
  return step(want, [
    "del",
    want.mac,
    "dev",
    want.device,
    "master",
    ...(vlan === undefined ? [] : ["vlan", String(vlan)]),
  ]);
}

/** An entry of the tunnel's own. */
function fdb(verb: string, want: Want, dst = "", port?: number | null, vni?: number | null): Step {
  const more = [...(port == null ? [] : ["port", String(port)]), ...(vni == null ? [] : ["vni", String(vni)])];
  return step(want, [verb, want.mac, "dev", want.device, "dst", dst, ...more, "self", "permanent"]);
}

const step = ({ namespace }: Pick<Want, "namespace">, words: string[]): Step => ({
  argv: ["bridge", "fdb", ...words],
  namespace,
});
