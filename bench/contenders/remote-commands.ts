import type { Verb } from "../measure";
import type { Link } from "../workloads";

type OnHost = Exclude<Verb, "again">;

/** Options of `ip`. */
const options: Record<OnHost, string> = { up: "", refresh: "-j -d ", destroy: "" };

/** What `ip` is told of a link. */
function lines(link: Link, verb: OnHost): string[] {
  const names = link.kind === "LinuxBridge" ? [link.name] : [link.near.name, link.far.name];
  if (verb === "refresh") return names.map((name) => `addr show dev ${name}`);
  if (verb === "destroy") return [`link del ${names[0]}`];
  if (link.kind === "LinuxBridge") return [`link add ${link.name} up type bridge`];
  const { near, far } = link;
  return [
    `link add ${near.name} up type veth peer name ${far.name}`,
    `link set ${far.name} up master ${far.bridge}`,
    `addr add ${near.address} dev ${near.name}`,
  ];
}

/** What somebody would write into a remote.Command for a link, with no process more than it takes. */
export const remoteCommand = (link: Link, verb: OnHost): string =>
  lines(link, verb)
    .map((line) => `ip ${options[verb]}${line}`)
    .join(" && ");

/** The same for many links, in one process. */
export const remoteScript = (links: Link[], verb: OnHost): string =>
  `ip ${options[verb]}-batch - <<'end'\n${links.flatMap((link) => lines(link, verb)).join("\n")}\nend`;
