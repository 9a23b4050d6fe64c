import { readFileSync } from "node:fs";
import { type ParsedKey, utils } from "ssh2";
import type { Login, Spec } from "../spec";
import { wavesFor } from "../workloads";
import { type Door, runOverOwnConnection } from "./dial";
import type { Ready } from "./process";
import { remoteCommand } from "./remote-commands";

/** How many operations are under way at once: Pulumi's default parallelism on two cores, and below sshd's MaxStartups. */
export const atOnce = 8;

/** One connection and one command for each link, the waves of creation one after the other, all hosts together. */
export function connectPerOperation({ hosts, links }: Spec, verb: "up" | "refresh" | "destroy"): Ready {
  const doors = hosts.map(doorOf);
  const operations = wavesFor(links, verb).map((wave) =>
    wave.flatMap((link) => doors.map((door) => ({ door, command: remoteCommand(link, verb) }))),
  );
  return async () => {
    for (const wave of operations) await inParallel(wave, ({ door, command }) => runOverOwnConnection(door, command));
    return {};
  };
}

async function inParallel<T>(items: T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** What is needed to log in, read and parsed once. */
export function doorOf({ address, port, user, privateKeyPath, knownHostsPath }: Login): Door {
  const key = utils.parseKey(readFileSync(privateKeyPath)) as ParsedKey;
  const line = readFileSync(knownHostsPath, "utf8")
    .split("\n")
    .find((each) => each.startsWith(`${address} `));
  return { address, port, user, key, hostKey: Buffer.from(line?.split(" ")[2] ?? "", "base64") };
}
