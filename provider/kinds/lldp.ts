import { z } from "zod";
import type { Found } from "../kind";
import { kind } from "../kind";
import type { Section } from "../model/command";
import { configurationOf, lldpSettings, neighbor, neighborsOf } from "../model/lldpd";
import { namespacesSection, placeWords } from "../model/namespaces";
import { get, same } from "../model/path";
import { between, deviceRef, namespaceRef } from "../model/scalars";
import { type Service, serviceFacts, serviceShape } from "../model/service";
import {
  comingUp,
  type LiveService,
  liveService,
  othersRunning,
  serviceSections,
  servicesIn,
} from "../model/service-live";
import { convergeService, removeService } from "../model/service-steps";
import { folderOf, serviceName } from "../model/service-unit";
import { asTold, fileText, linesIn, liveSettings } from "../model/settings";

const text = z
  .string()
  .regex(
    /^(?! )[\x20-\x21\x23-\x5b\x5d-\x7e]{1,255}(?<! )$/,
    "must be 1 to 255 printable characters without quotes and backslashes",
  )
  .optional();

const onOff = (what: string) => z.boolean().optional().describe(`${what} Default: false.`);

const args = z.strictObject({
  namespace: namespaceRef
    .optional()
    .describe("The network namespace whose devices are served. Default: the host's own. A change replaces it."),
  devices: z
    .array(deviceRef)
    .min(1, "must hold one device or more")
    .optional()
    .describe("The devices on which to send and listen. Default: lldpd's choice, all that look like a cable's end."),
  systemName: text.describe(
    "The name that neighbours see (`configure system hostname`). Default: the host's, the same in all its namespaces.",
  ),
  systemDescription: text.describe("What neighbours are told that it is. Default: the host's distribution and kernel."),
  platform: text.describe("The platform that neighbours are told of by CDP and LLDP-MED. Default: Linux."),
  chassisId: text.describe("The chassis' identity (`configure system chassisid`). Default: a MAC address of it."),
  txInterval: between(1, 3600).optional().describe("Seconds between two messages, 1 to 3600. lldpd's default: 30."),
  txHold: between(1, 100)
    .optional()
    .describe("After how many intervals without a message neighbours forget it, 1 to 100. lldpd's default: 4."),
  portId: z
    .enum(["ifname", "macaddress"])
    .optional()
    .describe("What a port is called (`portidsubtype`): by its device's name or its MAC address. Default: macaddress."),
  agentType: z
    .enum(["nearest-bridge", "nearest-non-tpmr-bridge", "nearest-customer-bridge"])
    .optional()
    .describe(
      "The destination address, and so how far messages go; a Linux bridge forwards the last one's only by `groupForwardMask`. lldpd's default: nearest-bridge.",
    ),
  managementAddresses: z
    .array(
      z.string().regex(/^!?[0-9a-fA-F.:*?]{1,64}$/, "must be an address or a pattern of one, as 10.0.* or !fd00:*"),
    )
    .min(1, "must hold one pattern or more")
    .optional()
    .describe("Patterns of the addresses to tell; with ! those not to. Default: the first of each family."),
  maxNeighbors: between(1, 10_000)
    .optional()
    .describe("How many neighbours it remembers, 1 to 10000. lldpd's default: 32 a port."),
  receiveOnly: onOff("Only listen (-r)."),
  advertiseVersion: z
    .boolean()
    .optional()
    .describe("Tell the kernel's version and the machine (false: -k). Default: true."),
  cdp: onOff("Speak Cisco's CDP too (-c)."),
  edp: onOff("Speak Extreme's EDP too (-e)."),
  fdp: onOff("Speak Foundry's FDP too (-f)."),
  sonmp: onOff("Speak Nortel's SONMP too (-s)."),
  medClass: between(1, 4)
    .optional()
    .describe("Send LLDP-MED messages as a device of this class, 1 to 4 (-M). Default: none."),
  ...serviceShape,
});

type Want = z.output<typeof args>;

const nameOf = ({ namespace }: Want) => serviceName("lldp", namespace);
const socketOf = (want: Want) => `${folderOf(nameOf(want))}/data/socket`;

const serviceOf = (want: Want): Service => ({
  name: nameOf(want),
  description: `LLDP in ${want.namespace ? `namespace ${want.namespace}` : "the host's own namespace"} (pulumi-hostnet)`,
  namespace: want.namespace,
  // The host's own lldpd has the usual socket and the files in /etc; this one must not meet it.
  argv: [
    ...["lldpd", "-d", "-u", socketOf(want), "-O", `${folderOf(nameOf(want))}/data/config`],
    ...linesIn(lldpSettings, "argv", want),
  ],
  files: [{ name: "config", text: fileText(lldpSettings, "config", want) }],
  // Debian's name. lldpcli, which hands the file to the daemon, is set-user-id to it there.
  account: "_lldpd",
  retitled: true,
});

/** A daemon that does not answer must not hold up the reads of others. */
const ask = (want: Want, what: string): Section => ({
  key: `lldp:${want.namespace ?? "-"}:${what}`,
  argv: ["timeout", "5", "lldpcli", "-u", socketOf(want), "-f", "json0", "show", ...what.split(" ")],
});

interface Raw {
  live: LiveService;
  /** Another program's lldpd runs on the host. */
  othersRun: boolean;
}

const rawOf = (found: Found<unknown, unknown>) => found.raw as Raw;

export const lldp = kind({
  name: "Lldp",
  doc: "LLDP for the devices of a namespace: lldpd, supervised, one a namespace. `live.neighbors` tells who is at the other end of each device. The host's own lldpd service is another one and is left alone. A change starts it again, and its neighbours come back with their next messages.",
  args,
  facts: z.object({
    ...serviceFacts,
    neighbors: z
      .array(neighbor)
      .describe("Who is at the other end of each device; those that have spoken since it was started."),
  }),
  identity: ["namespace"],
  needs: ["ip", "ps", "lldpd", "lldpcli"],
  mark: "comment",
  // Its file holds what is declared and nothing else.
  reset: {},
  claims: ({ namespace }) => [`LLDP${placeWords(namespace)}`],
  observe: (want) => [
    ...serviceSections,
    ...(want.namespace ? [namespacesSection] : []),
    ask(want, "configuration"),
    ask(want, "neighbors details"),
  ],
  survey: () => serviceSections,
  // What somebody else's has been told is nowhere to be read: it has put a title in the place of its command line.
  list: (seen, namespace) => servicesIn(seen, "lldp", namespace, true).map(() => ({ namespace })),
  find(want, seen) {
    const service = serviceOf(want);
    const live = liveService(seen, service);
    if (!live) return undefined;
    const { pid, since } = live.process ?? {};
    const configuration = configurationOf(seen, ask(want, "configuration").key);
    // It is paused until lldpcli has read the file to it. An older systemd keeps no log for us to see that.
    const log = live.files.get("log");
    const ready = configuration !== undefined && (log === undefined || log.includes("resume operations"));
    const values = liveSettings(lldpSettings, want, live, serviceOf);
    const told = Object.entries(configuration ?? {}).filter(([path, value]) => differs(want, path, value));
    return {
      args: { ...values, ...Object.fromEntries(told), namespace: want.namespace } as Partial<Want>,
      facts: { pid, since, neighbors: neighborsOf(seen, ask(want, "neighbors details").key) },
      marks: [live.mark ?? live.appliedMark],
      pending: want.running ? comingUp(service, live, ready) : undefined,
      raw: {
        live: { ...live, right: live.right && told.length === 0 },
        othersRun: othersRunning(seen, "lldpd").length > 0,
      } satisfies Raw,
    };
  },
  asOurs(found) {
    const { data } = args.safeParse({ ...found.args, running: true });
    return data ? asTold(found, rawOf(found).live, (live) => liveSettings(lldpSettings, data, live, serviceOf)) : found;
  },
  converge: (want, found, context) =>
    convergeService(serviceOf(want), found && rawOf(found).live, context, want.running),
  remove(found, want) {
    const { live, othersRun } = rawOf(found);
    // lldpd makes the folder in which it shuts itself up when it is not there, and leaves it behind.
    return removeService(nameOf(want), live, othersRun ? [] : [{ argv: ["rm", "-rf", "/run/lldpd"] }]);
  },
});

/** The daemon does something else than what is declared. */
function differs(want: Want, path: string, value: unknown): boolean {
  const declared = get(want, path);
  return declared !== undefined && !same(declared, value);
}
