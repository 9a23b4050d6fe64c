import { z } from "zod";
import type { LinkState } from "./link-state";
import { placeWords } from "./namespaces";
import { between, hex } from "./scalars";

/** What kernel tunnels have in common: GRE, VXLAN. */

type Want = Record<string, unknown>;

export const inherit = z.literal("inherit");

/** Of the outer packets; each kind of tunnel prints it in a way of its own. */
export const tos = {
  schema: z
    .union([inherit, between(0, 254).refine((value) => value % 2 === 0, "must be even: bit 0 means `inherit`")])
    .optional()
    .describe(
      "Type of service, over IPv6 traffic class, of the outer packets (`tos`): even, 0 to 254, or `inherit`. Kernel default: 0.",
    ),
  word: "tos",
  default: 0,
  encode: (value: number | "inherit") => ["tos", value === "inherit" ? value : hex(value)],
};

/** The device is in a namespace, and its packets travel in the host's own. */
export const isHostUnderlay = ({ underlay, namespace }: Want) => underlay === "host" && namespace !== undefined;

/** The namespace that its packets travel in. */
export const underlayPlace = (want: Want) =>
  isHostUnderlay(want) ? undefined : (want.namespace as string | undefined);

/** `host` for a device in a namespace that was made in another place: its packets travel there. */
export const underlayOf = ({ json }: LinkState, namespace: string | undefined) =>
  namespace !== undefined && json.link_netnsid !== undefined ? "host" : undefined;

/** `ip` looks the device of an underlay up where the tunnel's own device is: in another place its name is not known. */
export const otherPlacesDevice = ({ json }: LinkState) =>
  json.link_netnsid === undefined ? {} : { device: undefined };

/** What is wrong when its packets travel in another place (`away`: not where the device is) than is wanted. */
export const strayUnderlay = (away: boolean, want: Want) =>
  away === isHostUnderlay(want) ? undefined : `its underlay is ${away ? "another namespace" : "its own namespace"}`;

/** The kernel lets nobody else listen there; `among`: those who share one socket. */
export const udpPortClaim = (among: string, udpPort: number, over: 4 | 6, namespace?: string) =>
  `shared (${among}) UDP port ${udpPort} over IPv${over}${placeWords(namespace)}`;
