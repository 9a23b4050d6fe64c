import { basename } from "node:path";
import { HostnetError } from "./errors";
import { toLeaveAlone } from "./managers";
import { addressesIn } from "./networkd-file";
import { fileOf, type Uplink } from "./networkd-uplink";
import { family } from "./scalars";

/** Who would undo it, and what to write where, so that it can be done. */
export function refusal(uplink: Uplink): HostnetError | undefined {
  const { device, bridge, manager, addresses, card, source, bridgeHasIpv6 } = uplink;
  const refuse = (why: string, remedy: string) =>
    new HostnetError("IN_USE", `${device} cannot give its addresses to ${bridge}: ${why}`, { remedy });
  if (card !== undefined || manager === undefined) return undefined;
  if (manager !== "networkd") {
    if (addresses.length === 0) return undefined;
    const all = addresses.map(({ address }) => address);
    return refuse(
      `it has ${all.join(", ")} from ${manager}, which would give it them again`,
      `${capital(toLeaveAlone(device, manager))}; and give them to ${bridge}: \`addresses: ${JSON.stringify(all)}\`.`,
    );
  }
  const ownFile = `a file that fits only ${device}, as /etc/systemd/network/10-${device}.network`;
  const dynamic = addresses.find((one) => one.dynamic);
  if (dynamic) {
    return refuse(
      `it has ${dynamic.address} by DHCP or router advertisement, and ${bridge} would get another`,
      `In ${ownFile}, say DHCP=no, IPv6AcceptRA=no, Address= and Gateway=; then 'networkctl reload'.`,
    );
  }
  const given = addressesIn(uplink.theirs);
  const foreign = addresses.find(({ address }) => !given.includes(address));
  if (foreign) {
    return refuse(
      `it has ${foreign.address}, which ${source ?? "no file of networkd"} does not say, so that it would be gone after a reboot`,
      `Write Address=${foreign.address} into ${ownFile}, or take it off: 'ip address del ${foreign.address} dev ${device}'.`,
    );
  }
  const ipv6 = given.find((address) => family(address) === 6);
  if (ipv6 && !bridgeHasIpv6) {
    return refuse(
      `it has ${ipv6}, and IPv6 is off on ${bridge}`,
      `Give it to ${bridge} too: \`addresses: ["${ipv6}"]\`.`,
    );
  }
  if (source && basename(source) < basename(fileOf(device))) {
    return refuse(`${source} comes before the file that would be written`, `Rename it, as to 10-${device}.network.`);
  }
  return undefined;
}

const capital = (text: string) => text.replace(/^./, (letter) => letter.toUpperCase());
