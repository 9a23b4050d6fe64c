import { type Command, InvalidArgumentError, Option } from "commander";
import type { HostPlan } from "../discover/plan";
import { machine } from "../host/batch";
import { machineIdentity } from "../host/identity";
import type { Machine } from "../host/types";
import { hostArgs } from "../host-args";
import { HostnetError } from "../model/errors";
import { validate } from "../validate";

/** How a command reaches hosts, as Host has it. */
export interface HostOptions {
  privateKeyPath?: string;
  knownHostsPath?: string;
  hostKey?: string;
  jumpHost?: string[];
  become?: string;
  transport?: string;
}

/** The options of every command that reaches hosts. */
export function withHostOptions(command: Command): Command {
  return command
    .option("-i, --private-key-path <path>", "a private key file (default: as your ssh config says)")
    .option("--known-hosts-path <path>", "the known_hosts file that must hold the machines' keys")
    .option("--host-key <key>", "pin the host key: SHA256:… or a public key")
    .option("-J, --jump-host <host>", "go through this host first; may be repeated", collect)
    .addOption(new Option("--become <how>", "how to become root").choices(["sudo", "none"]))
    .addOption(new Option("--transport <which>", "how to connect").choices(["ssh2", "openssh", "local"]));
}

export const collect = (value: string, all: string[] = []) => [...all, value];

/** `n1=ops@192.0.2.1:2222` with the options, as the arguments of a Host. Throws INVALID. */
export function hostPlan(text: string, options: HostOptions): HostPlan {
  const [, given, user, address, bracketed, port] =
    /^(?:([^=@]+)=)?(?:([^@]+)@)?(?:([^:[\]]+|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)|\[([^\]]+)\])(?::(\d+))?$/.exec(
      text,
    ) ?? [];
  const host = address ?? bracketed;
  if (host === undefined) throw new InvalidArgumentError("must be [NAME=][USER@]ADDRESS[:PORT].");
  const name = given ?? host;
  const { jumpHost = [], ...others } = options;
  const args = {
    ...{ name, address: host, port: port === undefined ? undefined : Number(port), user },
    ...pick(others, ["privateKeyPath", "knownHostsPath", "hostKey", "become", "transport"]),
    jumpHosts: jumpHost.length > 0 ? jumpHost : undefined,
  };
  const { failures } = validate(hostArgs, args);
  if (failures.length > 0) {
    throw new HostnetError("INVALID", failures.map(({ path, reason }) => `${path}: ${reason}`).join("; "), {
      host: name,
    });
  }
  return { name, args: JSON.parse(JSON.stringify(args)) };
}

/** The hosts of a command line, each by a name of its own: files and resources are called so. Throws INVALID. */
export function hostPlans(texts: string[], options: HostOptions): HostPlan[] {
  const plans = texts.map((text) => hostPlan(text, options));
  const twice = plans.find(({ name }, index) => plans.findIndex((other) => other.name === name) < index);
  if (twice) {
    throw new HostnetError("INVALID", `two of the hosts are called ${twice.name}`, {
      remedy: "Name them, as n1=192.0.2.1 n2=192.0.2.2.",
    });
  }
  return plans;
}

const pick = (from: object, keys: string[]) =>
  Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));

/** The machine, and which it is. */
export async function reachHost({ args }: HostPlan): Promise<{ machine: Machine; machineId: string }> {
  const connection = validate(hostArgs, args).value;
  if (!connection) throw new HostnetError("INVALID", "the host's arguments are not valid");
  const found = await machine(connection);
  return { machine: found, machineId: machineIdentity(found.facts, connection.identity) };
}
