import type { Seen } from "../host/seen";
import { linkClaim } from "../model/link-kind";
import { fallbackDevices, type LinkJson, linksIn } from "../model/link-state";
import type { DeviceOnHost } from "../model/managers";
import { deviceNameTaken } from "../model/ovs-device";
import { validate } from "../validate";
import type { Thing } from "./survey";

/** A device, or a table of nftables, that is there and that no kind declares. */
export interface Left {
  name: string;
  namespace?: string;
  type: string;
  why: string;
}

/** Each device that nothing found stands for. */
export function leftovers(
  places: (string | undefined)[],
  seen: Seen,
  things: Thing[],
  devices: DeviceOnHost[],
): Left[] {
  const claimed = new Set(things.flatMap(({ kind, args }) => kind.claims(validate(kind.args, args).value)));
  return places.flatMap((namespace) =>
    linksIn(seen, namespace)
      .filter(({ ifname }) => !claimed.has(linkClaim(namespace, ifname)))
      .map((link) => ({
        name: link.ifname,
        namespace,
        type: link.linkinfo?.info_kind ?? link.link_type,
        why: reason(link, namespace, devices),
      })),
  );
}

function reason(link: LinkJson, namespace: string | undefined, devices: DeviceOnHost[]): string {
  if (fallbackDevices.has(link.ifname)) return "the kernel makes it by itself";
  const manager = namespace === undefined ? devices.find(({ name }) => name === link.ifname)?.managedBy : undefined;
  if (manager) return `${manager} manages it`;
  if (link.linkinfo?.info_kind === "veth") return "its other end is in a namespace without a name";
  const taken = deviceNameTaken(link.ifname, namespace);
  if (taken) return `no resource may have its name: it ${taken}`;
  return `no resource describes a device of type ${link.linkinfo?.info_kind ?? link.link_type}`;
}
