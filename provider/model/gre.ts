import type { LinkState } from "./link-state";
import { otherPlacesDevice, underlayOf } from "./tunnel";

/** `ip` prints a key of GRE as an address, whatever it was given as. */
export const greKey = (printed: unknown): number | undefined =>
  typeof printed === "string" ? printed.split(".").reduce((key, octet) => key * 256 + Number(octet), 0) : undefined;

/** What every packet loses to the tunnel: outer IP, GRE with its options, inner Ethernet, UDP. */
export function greOverhead(live: LinkState): number {
  const data: Record<string, unknown> = live.json.linkinfo?.info_data ?? {};
  const encap = (data.encap as { type: string } | undefined)?.type;
  const is6 = live.type?.startsWith("ip6") === true;
  return (
    (is6 ? 40 + (data.encap_limit === undefined ? 0 : 8) : 20) +
    (4 + (data.okey === undefined ? 0 : 4) + (data.ocsum ? 4 : 0) + (data.oseq ? 4 : 0)) +
    (live.type?.endsWith("tap") ? 14 : 0) +
    (encap === "gue" ? 12 : encap === "fou" ? 8 : 0)
  );
}

/** What a GRE device is beside its options. */
export function greListed(live: LinkState, namespace: string | undefined) {
  const { type, json } = live;
  const { local, remote } = (json.linkinfo?.info_data ?? {}) as Record<string, string | undefined>;
  return {
    layer: type?.endsWith("tap") ? undefined : 3,
    underlay: underlayOf(live, namespace),
    local: local === "any" ? undefined : local,
    remote: remote === "any" ? undefined : remote,
    ...otherPlacesDevice(live),
  };
}
