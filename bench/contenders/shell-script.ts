import type { Spec } from "../spec";
import { wavesFor } from "../workloads";
import { doorOf } from "./connect-per-operation";
import { runOverOwnConnection } from "./dial";
import type { Ready } from "./process";
import { remoteScript } from "./remote-commands";

/**
 * All links in one `ip -batch`, over one connection a host, all hosts at once. It looks at nothing, marks nothing and proves
 * nothing: what is left is the login and the kernel's own time.
 */
export function shellScript({ hosts, links }: Spec, verb: "up" | "refresh" | "destroy"): Ready {
  const doors = hosts.map(doorOf);
  const script = remoteScript(wavesFor(links, verb).flat(), verb);
  return async () => {
    await Promise.all(doors.map((door) => runOverOwnConnection(door, script)));
    return {};
  };
}
