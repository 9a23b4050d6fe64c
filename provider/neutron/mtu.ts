import { family } from "../model/scalars";

export type TunnelType = "gre" | "vxlan";

/** What a tunnel adds to a packet: Ethernet header within, GRE with key or UDP and VXLAN, and the outer IP header. */
const encapsulation = { gre: 14 + 8, vxlan: 14 + 16 } as const;

/** What a guest's packets may have on the tunnels between these addresses. */
export const tunnelMtu = (type: TunnelType, underlay: number, address: string): number =>
  underlay - encapsulation[type] - (family(address) === 4 ? 20 : 40);
