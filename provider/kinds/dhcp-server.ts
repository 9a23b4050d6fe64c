import { z } from "zod";
import type { Seen } from "../host/seen";
import type { Context, Found } from "../kind";
import { kind, ownersOf } from "../kind";
import type { Step } from "../model/command";
import { type DhcpArgs, dhcpArgs } from "../model/dhcp-args";
import { dhcpOthersSections, type OtherServer, otherServers } from "../model/dhcp-others";
import { dhcpSettings, leasesIn, staticAnchor } from "../model/dnsmasq";
import { HostnetError } from "../model/errors";
import {
  asTakenOver,
  convergeSuccession,
  handoverIn,
  type Predecessor,
  processTitle,
  type Succession,
  serviceMark,
} from "../model/handover";
import { linkClaim } from "../model/link-kind";
import { linkSections, linkState } from "../model/link-state";
import { ownerOf } from "../model/mark";
import { placeWords } from "../model/namespaces";
import { contains } from "../model/scalars";
import { type Service, serviceFacts } from "../model/service";
import { comingUp, liveService, servicesIn } from "../model/service-live";
import { madeAs, removeService } from "../model/service-steps";
import { folderOf, serviceName } from "../model/service-unit";
import { fileText, linesIn, liveSettings, valuesIn } from "../model/settings";

type Want = DhcpArgs;

const nameOf = ({ namespace, name }: Want) => serviceName("dhcp", namespace, name);

/** The account that every system has; dnsmasq reads its files again as it. */
const account = "nobody";

function serviceOf(want: Want, ifindex?: number): Service {
  const name = nameOf(want);
  const data = `${folderOf(name)}/data`;
  return {
    name,
    description: `DHCP server ${want.name}${placeWords(want.namespace)} (pulumi-hostnet)`,
    namespace: want.namespace,
    argv: [
      ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", `--user=${account}`, "--bind-dynamic"],
      ...["--except-interface=lo", `--pid-file=${data}/pid`, `--dhcp-leasefile=${data}/leases`],
      ...[`--dhcp-hostsfile=${data}/hosts`, `--dhcp-optsfile=${data}/options`],
      ...linesIn(dhcpSettings, "argv", want),
    ],
    files: ["hosts", "options"].map((file) => ({ name: file, text: fileText(dhcpSettings, file, want), reload: true })),
    account,
    startedWith: `ifindex ${ifindex}`,
  };
}

/** dnsmasq itself says what is wrong with an option or a range; in a file that it reads again it would only log it. */
function check(want: Want): Step {
  const words = [...linesIn(dhcpSettings, "argv", want).map((word) => word.slice(2))];
  const options = linesIn(dhcpSettings, "options", want).map((line) => `dhcp-option=${line}`);
  const stdin = [...words, ...options].map((line) => `${line}\n`).join("");
  return { argv: ["dnsmasq", "--test", "--conf-file=/dev/stdin"], stdin };
}

interface Raw extends Succession {
  ifindex?: number;
}

const rawOf = (found: Found<unknown, unknown>) => found.raw as Raw;

/** Its clients keep their addresses. */
const predecessorOf = ({ process, leases }: OtherServer): Predecessor => ({
  title: processTitle("dnsmasq", process),
  processes: [process],
  carried: { from: leases, name: "leases" },
});

/** What nothing can be found without. */
const namedBy = ({ device, range, gateway, reservations }: Partial<Want>): Partial<Want> =>
  [range].flat().includes("static") ? { device, range, gateway, reservations } : { device, range };

const ifindexOf = (seen: Seen, want: Want) => linkState(seen, want.namespace, want.device)?.json.ifindex;

/** dnsmasq serves where its own address and a range are in one network; else it only logs each question. */
function unaddressed(seen: Seen, want: Want): string | undefined {
  const own = linkState(seen, want.namespace, want.device)?.json.addr_info ?? [];
  const ends = [want.range].flat().map((range) => (range === "static" ? [staticAnchor(want) ?? ""] : range.split("-")));
  const missing = ends.filter(
    (all) => !own.some(({ local, prefixlen }) => all.every((end) => contains(`${local}/${prefixlen}`, end))),
  );
  if (missing.length === 0) return undefined;
  const networks = missing.map((all) => all.join("-")).join(", ");
  return `${want.device} has no address in the network of ${networks}: nobody there is served until it has one`;
}

/** A server of another stack on the device. One of the same stack is what a rename is about to take away. */
function rivalOf(want: Want, seen: Seen, owners: string[]): string | undefined {
  const isRival = ({ name, ...written }: ReturnType<typeof servicesIn>[number]) => {
    const live = liveService(seen, serviceOf({ ...want, name }));
    const isOthers = !owners.includes(ownerOf((live && serviceMark(live)) ?? "") ?? "");
    return name !== want.name && isOthers && valuesIn<Want>(dhcpSettings, written).device === want.device;
  };
  return servicesIn(seen, "dhcp", want.namespace).find(isRival)?.name;
}

export const dhcpServer = kind({
  name: "DhcpServer",
  doc: "A DHCP server for IPv4: dnsmasq, supervised, inside a namespace. Its leases outlive its restarts and are gone with it, and after a reboot. Old clients take no offer with a bad UDP checksum, as a veth peer or TAP with transmit offload makes them: `offloads: { tx: false }` on the device.",
  args: dhcpArgs,
  facts: z.object({
    ...serviceFacts,
    leases: z
      .array(
        z.object({
          mac: z.string().describe("The client's MAC address."),
          address: z.string().describe("The address that it has."),
          hostname: z.string().optional().describe("The name that it gave, or was told."),
          expires: z.string().optional().describe("When the lease ends, in UTC (ISO 8601); absent when never."),
        }),
      )
      .describe("Who has which address, from dnsmasq's file."),
  }),
  identity: ["name", "namespace"],
  placedBy: "device",
  needs: ["ip", "ps", "dnsmasq"],
  mark: "comment",
  // Its files hold what is declared and nothing else: what is taken out of the program is not in them.
  reset: {},
  claims: (want) => [
    `DHCP server ${want.name}${placeWords(want.namespace)}`,
    `DHCP server on ${linkClaim(want.namespace, want.device)}`,
  ],
  observe: (want) => [...dhcpOthersSections, ...linkSections(want.namespace)],
  survey: () => dhcpOthersSections,
  list: (seen, namespace) => [
    ...servicesIn(seen, "dhcp", namespace).map(({ name, ...written }) => ({
      ...{ namespace, name },
      ...namedBy(valuesIn<Want>(dhcpSettings, written)),
    })),
    ...otherServers(seen, namespace).flatMap(({ args }) =>
      args ? [{ namespace, name: args.name, ...namedBy(args) }] : [],
    ),
  ],
  find(want, seen) {
    const ifindex = ifindexOf(seen, want);
    const service = serviceOf(want, ifindex);
    const live = liveService(seen, service);
    const other = otherServers(seen, want.namespace).find(({ args }) => args?.device === want.device);
    const predecessor = other && predecessorOf(other);
    if (other?.args && !live) {
      const { pid, since } = other.process;
      return {
        args: { ...other.args, namespace: want.namespace, name: want.name },
        facts: { pid, since, leases: [] },
        marks: [undefined],
        restarts: predecessor?.title,
        raw: { predecessor, ifindex } satisfies Raw,
      };
    }
    if (!live) return undefined;
    const { pid, since } = live.process ?? {};
    // It writes its number when it is ready.
    const ready = live.files.get("data/pid")?.trim() === String(pid);
    const values = liveSettings(dhcpSettings, want, live, (shown) => serviceOf(shown, ifindex));
    return {
      args: { ...values, namespace: want.namespace, name: want.name } as Partial<Want>,
      facts: { pid, since, leases: leasesIn(live.files.get("data/leases") ?? "") },
      marks: [serviceMark(live)],
      pending: want.running ? comingUp(service, live, ready) : undefined,
      idle: want.running ? unaddressed(seen, want) : undefined,
      restarts: handoverIn(live) && predecessor?.title,
      raw: { live, ifindex } satisfies Raw,
    };
  },
  asOurs(found) {
    const raw = rawOf(found);
    const { ifindex } = raw;
    const service = (want: Want) => serviceOf(want, ifindex);
    return asTakenOver(found, raw, dhcpArgs, {
      made: (want) => ({ live: madeAs(service(want)), ifindex }) satisfies Raw,
      told: (want, live) => liveSettings(dhcpSettings, want, live, service),
    });
  },
  converge(want, found, context: Context<unknown>) {
    const raw = found ? rawOf(found) : ({} as Raw);
    const ifindex = found ? raw.ifindex : context.seen && ifindexOf(context.seen, want);
    if (want.running && ifindex === undefined) {
      throw new HostnetError("INVALID", `there is no ${linkClaim(want.namespace, want.device)} to serve on`, {
        remedy: "Give `device` as the resource that makes it, so that it is there first.",
      });
    }
    const rival = found || !context.seen ? undefined : rivalOf(want, context.seen, ownersOf(context));
    if (rival) {
      throw new HostnetError("FOREIGN", `another stack's DHCP server, ${rival}, serves ${want.device} already`, {
        remedy: "Both would answer each client. Destroy that one, or serve another device.",
      });
    }
    return convergeSuccession(serviceOf(want, ifindex), raw, context, want, { before: [check(want)] });
  },
  remove(found, want) {
    const { live } = rawOf(found);
    return live ? removeService(nameOf(want), live) : [];
  },
});
