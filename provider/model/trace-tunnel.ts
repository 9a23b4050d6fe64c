import { greKey } from "./gre";
import type { OvsRow } from "./ovs-row";
import type { CountedLink } from "./trace-view";

/** What has to fit between the two ends of a tunnel, be it the kernel's or Open vSwitch's. */
export interface Tunnel {
  type: "gre" | "vxlan" | "geneve";
  local?: string;
  /** An address, or `flow`: a flow says where packets go. */
  remote: string;
  /** The key (of VXLAN and Geneve the VNI) with which packets come and go; undefined: none. */
  inKey?: number | "flow";
  outKey?: number | "flow";
}

const kernelTypes: Record<string, Tunnel["type"]> = {
  gre: "gre",
  gretap: "gre",
  ip6gretap: "gre",
  ip6gre: "gre",
  vxlan: "vxlan",
  geneve: "geneve",
};
const ovsTypes: Record<string, Tunnel["type"]> = { gre: "gre", ip6gre: "gre", vxlan: "vxlan", geneve: "geneve" };

/** The tunnel that a device or an interface of Open vSwitch is; undefined for others, and for what only serves tunnels. */
export function tunnelOf(link: CountedLink | undefined, ovs?: OvsRow): Tunnel | undefined {
  return ovs ? ofOvs(ovs) : ofKernel(link?.linkinfo);
}

function ofOvs(row: OvsRow): Tunnel | undefined {
  const type = ovsTypes[row.text("type") ?? ""];
  const { local_ip: local, remote_ip: remote, key, in_key = key, out_key = key } = row.map("options");
  if (!type || !remote) return undefined;
  const keyOf = (text: string | undefined) =>
    text === undefined ? zeroOf(type) : text === "flow" ? text : Number(text);
  return { type, local, remote, inKey: keyOf(in_key), outKey: keyOf(out_key) };
}

function ofKernel(info: CountedLink["linkinfo"]): Tunnel | undefined {
  const type = kernelTypes[info?.info_kind ?? ""];
  const { local, remote, ikey, okey, id } = (info?.info_data ?? {}) as Record<string, string | number | undefined>;
  if (!type || !remote || remote === "any") return undefined;
  const ends = {
    type,
    local: local === undefined || local === "any" ? undefined : String(local),
    remote: String(remote),
  };
  return type === "gre"
    ? { ...ends, inKey: greKey(ikey), outKey: greKey(okey) }
    : { ...ends, inKey: Number(id), outKey: Number(id) };
}

/** VXLAN and Geneve always have a VNI; without a key of its own Open vSwitch sends 0. */
const zeroOf = (type: Tunnel["type"]) => (type === "gre" ? undefined : 0);

/** Bytes that a tunnel puts around an IP packet of its inside: outer IPv4, its own header, the inner frame's. */
export function overhead({ type, remote, outKey }: Tunnel): number {
  const outer = remote.includes(":") ? 40 : 20;
  return outer + 14 + (type === "gre" ? 4 + (outKey === undefined ? 0 : 4) : 16);
}

const words = { gre: "key", vxlan: "VNI", geneve: "VNI" };

/** A tunnel's key in words. */
export const keyText = (type: Tunnel["type"], key: number | "flow" | undefined) =>
  key === undefined ? `no ${words[type]}` : `${words[type]} ${key}`;
