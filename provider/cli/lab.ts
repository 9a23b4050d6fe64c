import { Command, InvalidArgumentError, Option } from "commander";
import { down, type LabHost, reboot, reset, sshCommand, status, up } from "../../lab";

/** Progress is for eyes: stdout stays free for `--json` and for what a machine answers. */
const log = (line: string) => console.error(line);

/** `hostnet lab …`: real Linux machines to try things on. */
export function labCommand(): Command {
  const lab = new Command("lab")
    .description("real Linux machines (QEMU) to try things on; no root, loopback only")
    .enablePositionalOptions();

  lab
    .command("up")
    .description(
      "bring the lab up: seconds from snapshots, minutes the first time; HOSTNET_LAB_DEBIAN=trixie: of Debian 13",
    )
    .option("--hosts <n>", "how many machines, 1 to 4", count, 2)
    .option("--json", "print the machines as JSON")
    .action(async ({ hosts, json }) => print(await up({ hosts, log }), json));
  lab
    .command("down")
    .description("end the lab and throw away what changed in its machines")
    .action(() => down({ log }));
  lab
    .command("status")
    .description("show the machines and how to log in")
    .option("--json", "print the machines as JSON")
    .action(async ({ json }) => print(await status(), json));
  lab
    .command("ssh")
    .description("log in to a machine, or run a command on it")
    .argument("<name>", "n1 to n4")
    .argument("[command...]")
    .passThroughOptions()
    .action(ssh);
  lab
    .command("reboot")
    .description("reboot machines, side by side, and wait until they are back")
    .argument("<names...>")
    .action((names: string[]) => reboot(names, { log }));
  lab
    .command("reset")
    .description("put a machine that is new at the same address")
    .argument("<name>")
    .addOption(new Option("--host-key <which>", "its SSH host key").choices(["keep", "new"]).default("new"))
    .action((name: string, { hostKey }) => reset(name, { hostKey, log }));
  return lab;
}

function count(text: string): number {
  if (!/^[1-4]$/.test(text)) throw new InvalidArgumentError("1 to 4.");
  return Number(text);
}

async function ssh(name: string, command: string[]): Promise<void> {
  const [program = "ssh", ...args] = await sshCommand(name);
  const { execa } = await import("execa");
  const result = await execa(program, [...args, ...command], { stdio: "inherit", reject: false });
  process.exitCode = result.exitCode ?? 255;
}

function print(hosts: LabHost[], json = false): void {
  if (json) console.log(JSON.stringify(hosts, undefined, 2));
  else if (hosts.length === 0) console.log("The lab is down. Bring it up: hostnet lab up");
  else printForEyes(hosts);
}

function printForEyes(hosts: LabHost[]): void {
  for (const { name, address, port, user, running, uptime } of hosts) {
    const state = running ? `up ${uptime ?? "?"} s` : "not running (hostnet lab up starts it again)";
    console.log(`${name}  ${user}@${address}:${port}  ${state}`);
  }
  const { privateKeyPath, knownHostsPath, interfaces } = hosts[0] as LabHost;
  const { management, underlay, external } = interfaces;
  console.log(`NICs: ${management} management, ${underlay} underlay, ${external} external`);
  console.log(`Log in: hostnet lab ssh ${hosts[0]?.name}, or with the key ${privateKeyPath}`);
  console.log(`Known hosts: ${knownHostsPath}`);
}
