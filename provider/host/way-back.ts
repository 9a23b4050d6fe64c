import type { LostAddress, NeighborChange, RouteChange, RuleChange, Section, Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { type LiveRoute, liveRoute, type RouteJson, tables } from "../model/route";
import type { RuleJson } from "../model/rule";
import { canonicalAddress, contains, family } from "../model/scalars";
import { wayBack } from "./management";
import type { Seen } from "./seen";
import type { HostFacts } from "./types";

/**
 * Law 10, for routes, rules and addresses: our packets' way back to the SSH client. The kernel tells the route that it
 * takes (`fibmatch`); a change is refused when it is of that route, or of one that would be taken in its place, or of a
 * rule that our packets follow before they come to it.
 */

/** What tells whether packets follow a rule and where to, of one that is there or of a change. */
type RuleWords = Omit<RuleChange, "family" | "removed">;

const keys = { match: "way-back:match", rules: "way-back:rules", neighbours: "way-back:neighbours" };

const plainAddress = (address: string) => address.split("%")[0] ?? address;

const remedy = "Reach the host by another address or way first, or make this change on its console.";

/** What has to be read to know the way; nothing where no SSH connection carries us. */
export function wayBackSections({ sshConnection }: HostFacts): Section[] {
  if (!sshConnection) return [];
  const width = `-${family(plainAddress(sshConnection.clientAddress))}`;
  return [matchSection(sshConnection), { key: keys.rules, argv: ["ip", "-N", "-j", width, "rule", "show"] }];
}

const matchSection = (sshConnection: NonNullable<HostFacts["sshConnection"]>): Section => ({
  key: keys.match,
  argv: ["ip", "-N", "-j", "-d", "route", "get", "fibmatch", ...wayBack(sshConnection)],
});

/** What has to be read to know by which neighbour our packets go, likewise. */
export const nextHopSections = ({ sshConnection }: HostFacts): Section[] =>
  sshConnection ? [matchSection(sshConnection), { key: keys.neighbours, argv: ["ip", "-j", "neighbour", "show"] }] : [];

/** Throws MANAGEMENT_PATH when the neighbour by which our packets go would have another MAC address than it has. READ_FAILED. */
export function refuseIfMisdirected({ sshConnection }: HostFacts, seen: Seen, changes: NeighborChange[]): void {
  if (!sshConnection) return;
  const client = plainAddress(sshConnection.clientAddress);
  const used = usedRoute(seen, client);
  if (!used) return;
  const known = seen.json<{ dst: string; dev: string; lladdr?: string }[]>(keys.neighbours);
  const has = ({ address, device }: NeighborChange) =>
    known.find(({ dst, dev }) => dev === device && canonicalAddress(dst) === address)?.lladdr;
  const isNext = ({ address, device }: NeighborChange) =>
    used.hops.some((hop) => hop.device === device && (hop.via ?? canonicalAddress(client)) === address);
  const cut = changes.find((change) => isNext(change) && has(change) !== change.mac);
  if (!cut) return;
  const { address, device, mac } = cut;
  const what = `our SSH connection goes by ${address} on ${device}, which has ${has(cut) ?? "no MAC address"}, not ${mac}`;
  throw new HostnetError("MANAGEMENT_PATH", what, { remedy });
}

/** Throws MANAGEMENT_PATH when our packets would go another way, or none, after one of the changes. READ_FAILED. */
export function refuseIfRerouted({ sshConnection }: HostFacts, seen: Seen, changes: RouteChange[]): void {
  if (!sshConnection) return;
  const client = plainAddress(sshConnection.clientAddress);
  const used = usedRoute(seen, client);
  if (used?.type === "local") return;
  const rules = seen.json<RuleJson[]>(keys.rules);
  /** Where the first rule stands that sends our packets to a table. */
  const turn = (table: RouteChange["table"]) => {
    const rule = rules.find((one) => tableOf(one) === table && follows(one, client, sshConnection.serverAddress, used));
    return rule?.priority ?? Number.POSITIVE_INFINITY;
  };
  const cuts = (change: RouteChange) => {
    if (!contains(prefixOf(change.to), client)) return false;
    if (!used) return true;
    if (isSame(change, used)) return change.removed === true || !sameWay(change, used);
    if (change.removed) return false;
    if (change.table !== used.table) return turn(change.table) < turn(used.table);
    const [length, before] = [lengthOf(change.to), lengthOf(used.to)];
    return (length > before || (length === before && change.metric < used.metric)) && !sameWay(change, used);
  };
  const cut = changes.find(cuts);
  if (!cut) return;
  const by = used ? `, which takes the route to ${used.to}${wayOf(used)}` : "";
  const what = `${cut.removed ? "without" : "by"} the route to ${cut.to} in table ${cut.table}`;
  throw new HostnetError("MANAGEMENT_PATH", `${what} our SSH connection to ${client}${by}, would lose its way back`, {
    remedy,
  });
}

/** Throws MANAGEMENT_PATH when a rule goes by which our packets find their route, or one comes that stands before it. */
export function refuseIfRuledOut({ sshConnection }: HostFacts, seen: Seen, changes: RuleChange[]): void {
  if (!sshConnection) return;
  const client = plainAddress(sshConnection.clientAddress);
  const used = usedRoute(seen, client);
  if (!used || used.type === "local") return;
  const ours = (rule: RuleWords) => follows(rule, client, sshConnection.serverAddress, used);
  const rules = seen.json<RuleJson[]>(keys.rules).filter((rule) => tableOf(rule) === used.table && ours(rule));
  const cut = changes.find((change) => {
    if (change.family !== family(client) || !ours(change)) return false;
    const leadsThere = tableOf(change) === used.table;
    // Another rule that leads there may stand behind it.
    if (change.removed) return leadsThere && rules.length === 1 && rules[0]?.priority === change.priority;
    return !leadsThere && change.nop === undefined && change.priority <= (rules[0]?.priority ?? 0);
  });
  if (!cut) return;
  const what = `${cut.removed ? "without" : "by"} the rule of priority ${cut.priority}`;
  throw new HostnetError(
    "MANAGEMENT_PATH",
    `${what} our SSH connection to ${client}, which takes the route to ${used.to}${wayOf(used)}, may lose its way back`,
    { remedy },
  );
}

/** The devices whose IPv6 goes by a step in the root namespace; `all` among them for all. */
export const withoutIpv6 = (steps: Step[]): string[] =>
  steps.flatMap(({ argv: [program, , setting = ""], namespace }) => {
    const [, device] = /^net[./]ipv6[./]conf[./](.+)[./]disable_ipv6=[^0]/.exec(setting) ?? [];
    return program === "sysctl" && namespace === undefined && device !== undefined ? [device] : [];
  });

/** Throws MANAGEMENT_PATH when IPv6, by which we came in, goes from a device of the path. */
export function refuseIfSilenced({ sshConnection }: HostFacts, path: string[], devices: string[]): void {
  if (!sshConnection || family(plainAddress(sshConnection.serverAddress)) === 4) return;
  const cut = devices.find((device) => device === "all" || path.includes(device));
  if (cut === undefined) return;
  throw new HostnetError("MANAGEMENT_PATH", `our SSH connection needs IPv6 on ${path.join(", ")}`, { remedy });
}

/** Throws MANAGEMENT_PATH when an address goes at which we came in, or by which the client's network is on a link. */
export function refuseIfLost({ sshConnection }: HostFacts, lost: LostAddress[]): void {
  if (!sshConnection) return;
  const server = plainAddress(sshConnection.serverAddress);
  const client = plainAddress(sshConnection.clientAddress);
  const cut = lost.find(({ address, peer, secondary }) => {
    const [local, length] = address.split("/");
    if (local === server) return true;
    const network = `${peer ?? local}/${length}`;
    // A primary IPv4 address takes the secondary ones of its subnet with it; an IPv6 one leaves those of its subnet.
    const takesServer = contains(network, server) && family(server) === 4;
    const takesClient = contains(network, client) && !contains(network, server);
    return !(secondary && family(address) === 4) && (takesServer || takesClient);
  });
  if (!cut) return;
  throw new HostnetError(
    "MANAGEMENT_PATH",
    `our SSH connection, from ${client} to ${server}, needs address ${cut.address}`,
    { remedy },
  );
}

/** The route that our packets take; undefined when there is none. */
function usedRoute(seen: Seen, client: string): LiveRoute | undefined {
  if (seen.result(keys.match).exitCode !== 0) return undefined;
  const [json] = seen.json<RouteJson[]>(keys.match);
  return json && liveRoute(json, family(client));
}

const prefixOf = (to: string) => (to === "default" ? "0.0.0.0/0" : to);
const lengthOf = (to: string) => Number(prefixOf(to).split("/")[1]);

const isSame = (change: RouteChange, used: LiveRoute) =>
  change.to === used.to && change.table === used.table && change.metric === used.metric;

/** The route leads by the next routers and devices by which our packets go already. */
function sameWay({ hops = [] }: RouteChange, used: LiveRoute): boolean {
  return (
    hops.length > 0 &&
    hops.length === used.hops.length &&
    hops.every(({ via, device }) =>
      used.hops.some((hop) => hop.via === via && (device === undefined || hop.device === device)),
    )
  );
}

const wayOf = ({ hops }: LiveRoute) =>
  hops.map(({ via, device }) => `${via ? ` via ${via}` : ""}${device ? ` dev ${device}` : ""}`).join(" and");

const tableOf = ({ table = "" }: RuleWords) => tables[table] ?? Number(table);

/** Our packets follow the rule: they are made here (no incoming device) and carry no mark. What is not asked of them fits. */
function follows(rule: RuleWords, client: string, server: string, used: LiveRoute | undefined): boolean {
  const within = (network: string | undefined, length: number | undefined, address: string) =>
    network === undefined || network === "all" || contains(`${network}/${length ?? widthOf(network)}`, address);
  const fits =
    within(rule.src, rule.srclen, plainAddress(server)) &&
    within(rule.dst, rule.dstlen, client) &&
    (rule.fwmark === undefined || Number(rule.fwmark) === 0) &&
    (rule.iif === undefined || rule.iif === "lo") &&
    (rule.oif === undefined || used === undefined || used.hops.some(({ device }) => device === rule.oif));
  return rule.not === undefined ? fits : !fits;
}

const widthOf = (address: string) => (family(address) === 4 ? 32 : 128);
