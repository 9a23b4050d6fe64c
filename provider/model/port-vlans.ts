import { z } from "zod";
import type { Seen } from "../host/seen";
import type { Section, Step } from "./command";
import { keyIn } from "./namespaces";
import { vlanId } from "./scalars";

/** A VLAN of a bridge's port, or several of one kind. */
export const portVlan = z
  .strictObject({
    id: z
      .union([
        vlanId,
        z.string().regex(/^[1-9]\d{0,3}-[1-9]\d{0,3}$/, "must be 1 to 4094, or a range of these, as '100-199'"),
      ])
      .describe("VLAN id, 1 to 4094, or a range, as '100-199'."),
    pvid: z.boolean().optional().describe("Packets without a tag belong to it; of all VLANs one. Default: false."),
    untagged: z.boolean().optional().describe("Packets leave without its tag. Default: false."),
  })
  .superRefine(({ id, pvid }, issues) => {
    const [first = 0, last = 0] = bounds(id);
    const add = (path: string, message: string) => issues.addIssue({ code: "custom", path: [path], message });
    if (first > last || last > 4094) add("id", "must be 1 to 4094, the smaller one first");
    if (pvid && first !== last) add("pvid", "must not be set for a range: a port has one");
  })
  .meta({ title: "PortVlan" });

export type PortVlan = z.output<typeof portVlan>;

/** The whole list: what of it cannot be is left to the kernel by nobody. */
export const portVlans = z.array(portVlan).superRefine((list, issues) => {
  const ids = list.flatMap(expand).map(([id]) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined)
    issues.addIssue({ code: "custom", message: `must have each VLAN once; ${twice} is there twice` });
  if (list.filter((vlan) => vlan.pvid).length > 1)
    issues.addIssue({ code: "custom", message: "must have one VLAN with `pvid` at most" });
});

const bounds = (id: number | string) => (typeof id === "number" ? [id, id] : id.split("-").map(Number));

/** Whether a VLAN is in the list, by itself or in a range. */
export const hasVlan = (list: PortVlan[], vlan: number) =>
  list.some(({ id }) => {
    const [first = 0, last = 0] = bounds(id);
    return vlan >= first && vlan <= last;
  });

/** A VLAN and its flags as text, for comparing. */
type Flagged = [id: number, flags: string];

function expand({ id, pvid, untagged }: PortVlan): Flagged[] {
  const [first = 0, last = 0] = bounds(id);
  const flags = [...(pvid ? ["pvid"] : []), ...(untagged ? ["untagged"] : [])].join(" ");
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => [first + index, flags]);
}

/** Neighbours of one kind become a range; a pvid stays alone (`bridge` refuses a range with one). */
function compress(vlans: Flagged[]): [id: string, flags: string][] {
  const runs: { first: number; last: number; flags: string }[] = [];
  for (const [id, flags] of [...vlans].sort(([a], [b]) => a - b)) {
    const run = runs.at(-1);
    if (run && run.last === id - 1 && run.flags === flags && !flags.includes("pvid")) run.last = id;
    else runs.push({ first: id, last: id, flags });
  }
  return runs.map(({ first, last, flags }) => [first === last ? String(first) : `${first}-${last}`, flags]);
}

export const vlansSection: Section = { key: "portvlans", argv: ["bridge", "-j", "vlan", "show"] };

/** A VLAN in an entry of `bridge -j vlan show`. */
export interface VlanJson {
  vlan: number;
  flags?: string[];
}

/** A port's VLANs as the kernel lists them. */
export function liveVlans(seen: Seen, namespace: string | undefined, device: string): PortVlan[] {
  const all = seen.json<{ ifname: string; vlans: VlanJson[] }[]>(keyIn("portvlans", namespace));
  return portVlansOf(all.find(({ ifname }) => ifname === device)?.vlans ?? []);
}

export function portVlansOf(vlans: VlanJson[]): PortVlan[] {
  const listed = vlans.map(({ vlan, flags = [] }): Flagged => {
    const words = [flags.includes("PVID") ? "pvid" : "", flags.includes("Egress Untagged") ? "untagged" : ""];
    return [vlan, words.filter(Boolean).join(" ")];
  });
  return compress(listed).map(([id, flags]) => ({
    id: id.includes("-") ? id : Number(id),
    ...(flags.includes("pvid") && { pvid: true }),
    ...(flags.includes("untagged") && { untagged: true }),
  }));
}

export interface VlanPlan {
  device: string;
  namespace?: string;
  want: PortVlan[];
  live: PortVlan[];
}

/** First what is added, so that a packet always has its VLAN: naming one again sets its flags, and a pvid moves. */
export function convergeVlans({ device, namespace, want, live }: VlanPlan): Step[] {
  const [wanted, there] = [want, live].map((list) => new Map(list.flatMap(expand))) as [
    Map<number, string>,
    Map<number, string>,
  ];
  const missing = [...wanted].filter(([id, flags]) => there.get(id) !== flags);
  const gone = [...there].filter(([id]) => !wanted.has(id)).map(([id]): Flagged => [id, ""]);
  const touches = namespace === undefined ? [device] : undefined;
  const step = (verb: string, id: string, flags: string): Step => ({
    argv: ["bridge", "vlan", verb, "vid", id, "dev", device, ...flags.split(" ").filter(Boolean)],
    namespace,
    touches,
  });
  return [
    ...compress(missing).map(([id, flags]) => step("add", id, flags)),
    ...compress(gone).map(([id]) => step("del", id, "")),
  ];
}
