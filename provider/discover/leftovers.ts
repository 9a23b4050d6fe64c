import type { z } from "zod";
import type { Seen } from "../host/seen";
import { linkClaim } from "../model/link-kind";
import { fallbackDevices, type LinkJson, linksIn } from "../model/link-state";
import type { DeviceOnHost } from "../model/managers";
import { deviceNameTaken, isDatapathDevice } from "../model/ovs-device";
import { get } from "../model/path";
import { interfaceName, namespaceName } from "../model/scalars";
import { validate } from "../validate";
import { listed, undeclared } from "./attached";
import { titleOf } from "./names";
import { standingOn } from "./references";
import type { Thing } from "./survey";

/** What is there and no kind declares: a device, a table of nftables, flows, a server. */
export interface Left {
  name: string;
  namespace?: string;
  type: string;
  why: string;
}

/** How it is called, for a person. */
export const titleOfLeft = ({ type, name, namespace }: Left) =>
  `${type} ${name}${namespace === undefined ? "" : ` in ${namespace}`}`;

/** Whoever makes a device without being asked: such a one is worth no word to a person. */
const makers: [(name: string) => boolean, string][] = [
  [(name) => fallbackDevices.has(name), "the kernel"],
  [isDatapathDevice, "Open vSwitch"],
];

const makerOf = (name: string) => makers.find(([is]) => is(name))?.[1];

export const isNotable = ({ name }: Left) => makerOf(name) === undefined;

/** Each namespace and device that nothing found stands for. */
export function leftovers(
  places: (string | undefined)[],
  seen: Seen,
  things: Thing[],
  devices: DeviceOnHost[],
): Left[] {
  const claimed = new Set(things.flatMap(({ kind, args }) => kind.claims(validate(kind.args, args).value)));
  const nameless = places.flatMap((name) => {
    const wrong = name === undefined ? undefined : refusal(namespaceName, name);
    return name === undefined || wrong === undefined ? [] : [{ name, type: "namespace", why: nameRefused(wrong) }];
  });
  const all = places.flatMap((namespace) =>
    linksIn(seen, namespace).map((link) => ({ link, namespace, claim: linkClaim(namespace, link.ifname) })),
  );
  const standing = standingOn(new Set(all.map(({ claim }) => claim)), things.filter(isForProgram));
  const unclaimed = all
    .filter(({ claim }) => !claimed.has(claim))
    .map(({ link, namespace, claim }) => ({
      name: link.ifname,
      namespace,
      type: link.linkinfo?.info_kind ?? link.link_type,
      why: reason(link, namespace, devices) + before(standing.get(claim)),
    }));
  return [...nameless, ...unclaimed];
}

/** What nobody else makes, nor sees to. */
const isForProgram = ({ managedBy, learned }: Thing) => !managedBy && !learned;

const before = (things: Thing[] = []) =>
  things.length === 0 ? "" : `; on an empty machine it must be there before ${listed(things.map(titleOf))}`;

/** Values that no program can say, of what is nobody else's. */
export const unsaidOf = (things: Thing[]): Left[] =>
  things
    .filter((thing) => thing.unsaid.length > 0 && isForProgram(thing))
    .map(({ kind, args, unsaid }) => ({
      ...{ name: String(get(args, kind.identity[0] ?? "")), namespace: args.namespace as string | undefined },
      ...{ type: kind.name, why: undeclared(unsaid) },
    }));

function reason(link: LinkJson, namespace: string | undefined, devices: DeviceOnHost[]): string {
  const maker = makerOf(link.ifname);
  if (maker) return `${maker} makes it by itself`;
  const manager = namespace === undefined ? devices.find(({ name }) => name === link.ifname)?.managedBy : undefined;
  if (manager) return `${manager} manages it`;
  if (namespace !== undefined && refusal(namespaceName, namespace)) return "no resource may have its namespace's name";
  const taken = refusal(interfaceName, link.ifname) ?? deviceNameTaken(link.ifname, namespace);
  if (taken) return nameRefused(taken);
  if (link.linkinfo?.info_kind === "veth") return "its other end is in a namespace without a name";
  const kind = link.linkinfo?.info_kind;
  return kind === undefined && link.link_type === "ether"
    ? "it is no network card, and the kernel does not say what it is"
    : `no resource describes a device of type ${kind ?? link.link_type}`;
}

const refusal = (schema: z.ZodType, name: string) => schema.safeParse(name).error?.issues[0]?.message;

const nameRefused = (why: string) => `no resource may have its name: it ${why}`;
