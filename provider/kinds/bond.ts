import { z } from "zod";
import type { Found } from "../kind";
import { bondOptions, bondRules, usualMiimon } from "../model/bond-options";
import type { Step } from "../model/command";
import { HostnetError } from "../model/errors";
import type { LinkArgs } from "../model/link-args";
import { linkKind, options, portClaim, stateOf } from "../model/link-kind";
import { type LinkJson, linksIn } from "../model/link-state";
import { placeOrHost } from "../model/namespaces";
import { deviceRef, distinct } from "../model/scalars";

type Want = LinkArgs & Record<string, unknown>;

const membersOf = (want: Record<string, unknown>) => (want.members ?? []) as string[];

const takesMembersMac = (want: Record<string, unknown>) => want.failOverMac === "active";

/** The devices of its namespace, by name. */
type Devices = Map<string, LinkJson>;

const devicesOf = (live: Found<unknown, unknown>) => stateOf(live).extra as Devices;

const setLink = ({ namespace }: Want, device: string, ...words: string[]): Step => ({
  argv: ["ip", "link", "set", "dev", device, ...words],
  namespace,
  touches: namespace === undefined ? [device] : undefined,
});

/** A device joins while it is down; the kernel brings it up (bond_enslave). */
function join(want: Want, member: string, devices: Devices): Step[] {
  const device = devices.get(member);
  if (!device) {
    const where = placeOrHost(want.namespace);
    throw new HostnetError("STEP_FAILED", `there is no device ${member} ${where}`, {
      remedy: "Check the name; where it is a resource, give that among `members`, so that it is made first.",
    });
  }
  if (device.master === want.name) return [];
  if (device.master !== undefined) throw new HostnetError("FOREIGN", `${member} is a port of ${device.master} already`);
  const isUp = device.flags.includes("UP");
  return [...(isUp ? [setLink(want, member, "down")] : []), setLink(want, member, "master", want.name)];
}

/** The kernel lets a member go down, whatever it was before: it stays up, as it was in the bond. */
const leave = (want: Want, member: string): Step[] => [setLink(want, member, "nomaster"), setLink(want, member, "up")];

/** `ip` has no word for none. */
const noPrimary = ({ name, namespace }: Want): Step => ({
  argv: ["tee", `/sys/class/net/${name}/bonding/primary`],
  stdin: "\n",
  namespace,
});

export const bond = linkKind({
  name: "Bond",
  type: "bond",
  doc: "Several devices as one, for throughput or as a spare of each other. A member has no addresses of its own: they are the bond's. When the bond goes its members are nobody's again, and up.",
  options: {
    ...bondOptions,
    ...options({
      primary: {
        schema: deviceRef
          .optional()
          .describe(
            "The member that is used as long as it is up (`primary`); modes active-backup, balance-tlb and balance-alb. Default: none.",
          ),
        word: "primary",
        default: null,
        encode: (value: string | null) => (value === null ? [] : ["primary", value]),
      },
      members: {
        schema: z
          .array(deviceRef)
          .refine(...distinct("device"))
          .optional()
          .describe(
            "The devices of the bond, in its namespace (`master`). One that is something else's port is not taken from it; those that others added stay. Default: none.",
          ),
        word: "",
        default: [],
        encode: () => [],
        decode: () => undefined,
      },
    }),
  },
  // Its MAC address is its active member's: the kernel takes another one, and does nothing (bond_set_mac_address).
  traits: (want) => ({ keepsMac: takesMembersMac(want) }),
  rules: (want) => {
    const members = membersOf(want);
    const stranger =
      want.primary !== undefined && want.members !== undefined && !members.includes(want.primary as string);
    return [
      ...bondRules(want),
      ...(takesMembersMac(want) && want.mac !== undefined && want.mac !== "kernel"
        ? [["mac", "must not be given with `failOverMac: active`: it is the active member's"] as [string, string]]
        : []),
      ...(stranger ? [["primary", "must be one of `members`"] as [string, string]] : []),
      ...(members.includes(want.name) ? [["members", "must not name the bond itself"] as [string, string]] : []),
    ];
  },
  listed(live, namespace, seen) {
    const members = linksIn(seen, namespace).filter(({ master }) => master === live.json.ifname);
    return members.length > 0 ? { members: members.map(({ ifname }) => ifname) } : {};
  },
  claims: (want) => membersOf(want).map((member) => portClaim(want.namespace, member)),
  complete(live, want, seen) {
    const devices: Devices = new Map(linksIn(seen, want.namespace).map((link) => [link.ifname, link]));
    const isMember = (name: string) => devices.get(name)?.master === live.json.ifname;
    return { args: { members: membersOf(want).filter(isMember) }, extra: devices };
  },
  converge(want, live, context) {
    const devices = devicesOf(live);
    const before = context.was.flatMap((args) => membersOf(args as Record<string, unknown>));
    const gone = [...new Set(before)].filter(
      (name) => !membersOf(want).includes(name) && devices.get(name)?.master === want.name,
    );
    return [
      ...(want.primary === null && live.args.primary !== undefined ? [noPrimary(want)] : []),
      ...gone.flatMap((member) => leave(want, member)),
      ...membersOf(want).flatMap((member) => join(want, member, devices)),
    ];
  },
  reset: { miimon: (live: { args: { mode?: unknown } }) => usualMiimon(live.args.mode) },
  released: (want, live) =>
    membersOf(want)
      .filter((member) => devicesOf(live).get(member)?.master === want.name)
      .map((member) => setLink(want, member, "up")),
});
