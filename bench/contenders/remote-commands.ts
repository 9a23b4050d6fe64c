import type { Verb } from "../measure";
import type { Link } from "../workloads";

/** What somebody would write into a remote.Command for a link, with no process more than it takes. */
export function remoteCommand(link: Link, verb: Exclude<Verb, "again">): string {
  const names = link.kind === "LinuxBridge" ? [link.name] : [link.near.name, link.far.name];
  if (verb === "refresh") return names.map((name) => `ip -j -d addr show dev ${name}`).join(" && ");
  if (verb === "destroy") return `ip link del ${names[0]}`;
  if (link.kind === "LinuxBridge") return `ip link add ${link.name} up type bridge`;
  const { near, far } = link;
  return [
    `ip link add ${near.name} up type veth peer name ${far.name}`,
    `ip link set ${far.name} up master ${far.bridge}`,
    `ip addr add ${near.address} dev ${near.name}`,
  ].join(" && ");
}
