import { writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { readIdentity } from "./identity";
import { readPort } from "./machine";
import { knownHostsFile, loginKeyFile, machineNames } from "./paths";
import { run, until } from "./run";

export const user = "ops";
export const address = "127.0.0.1";

/** Arguments of the system's ssh that log in to a machine, whatever the user's own configuration says. */
export async function sshArguments(name: string): Promise<string[]> {
  const options = [
    `UserKnownHostsFile="${knownHostsFile()}"`,
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    "IdentitiesOnly=yes",
    `IdentityFile="${loginKeyFile()}"`,
  ].flatMap((option) => ["-o", option]);
  return ["-F", "none", ...options, "-p", String(await readPort(name)), `${user}@${address}`];
}

/** Runs a command on a machine; rejects with its stderr when it fails. */
export async function runOn(name: string, command: string, timeout = 60_000): Promise<string> {
  const quick = ["BatchMode=yes", "ConnectTimeout=30", "ServerAliveInterval=10"].flatMap((option) => ["-o", option]);
  return run("ssh", [...quick, ...(await sshArguments(name)), command], { timeout });
}

/** Waits until sshd greets: the forwarded port itself is open as soon as QEMU runs. */
export async function waitForGreeting(name: string, timeout: number): Promise<void> {
  const port = await readPort(name);
  const message = () => `${name} does not answer on ${address}:${port} after ${timeout / 1000} s`;
  await until(async () => (await greets(port)) || undefined, timeout, message);
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(3000, () => end(false));
    socket.once("data", (data) => end(data.toString().startsWith("SSH-")));
    socket.once("error", () => end(false));
    socket.once("close", () => resolve(false));
  });
}

/** Writes known_hosts anew from the machines there are: their keys are made here, so none is ever taken on trust. */
export async function writeKnownHosts(): Promise<void> {
  const lines = await Promise.all(
    machineNames.map(async (name) => {
      const port = await readPort(name).catch(() => undefined);
      const identity = await readIdentity(name).catch(() => undefined);
      return port && identity ? `[${address}]:${port} ${identity.hostKey}\n` : "";
    }),
  );
  await writeFile(knownHostsFile(), lines.join(""));
}
