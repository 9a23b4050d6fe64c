import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabHost } from "../../lab";
import { type Footprint, footprintScript, parseFootprint } from "../../tools/footprint";
import { runAsRoot, sshArguments } from "../../tools/ssh";
import type { LabCounts } from "./samples";

/** A machine of the lab, looked at through a connection that stays open and is in no count. */
export class Machine {
  private constructor(
    readonly host: LabHost,
    private readonly controlPath: string,
    private readonly master: ChildProcess,
    private own: LabCounts = { connections: 0, processes: 0 },
  ) {}

  static async open(host: LabHost, folder: string): Promise<Machine> {
    const controlPath = join(folder, host.name);
    const options = ["-N", "-o", "ControlMaster=yes", "-o", `ControlPath=${controlPath}`];
    const master = spawn("ssh", [...options, ...sshArguments(host)], { stdio: "ignore", detached: true });
    for (let tries = 0; !existsSync(controlPath); tries++) {
      if (tries === 300) throw new Error(`${host.name} does not let us log in within 60 s`);
      await sleep(200);
    }
    const machine = new Machine(host, controlPath, master);
    machine.own = difference(await machine.counted(), await machine.counted());
    return machine;
  }

  close(): void {
    this.master.kill();
  }

  /** What a bash command of root prints. Throws an Error when it fails. */
  async ask(command: string, stdin?: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.try(command, stdin);
    if (exitCode !== 0) throw new Error(`${this.host.name}: ${command}: exit code ${exitCode}: ${stderr || stdout}`);
    return stdout;
  }

  try(command: string, stdin?: string) {
    return runAsRoot(this.host, command, { controlPath: this.controlPath, stdin, timeoutMs: 300_000 });
  }

  footprint = async (): Promise<Footprint> => parseFootprint(await this.ask("bash -s", footprintScript));

  /** Starts to count; the function returned tells what was counted since, without what it takes to ask. */
  async count(): Promise<() => Promise<LabCounts>> {
    const before = await this.counted();
    return async () => difference(this.own, difference(before, await this.counted()));
  }

  private async counted(): Promise<LabCounts> {
    const [connections, processes] = (await this.ask(counters)).trim().split("\n").map(Number);
    return { connections: connections as number, processes: processes as number };
  }
}

const counters = `journalctl -q -o cat -t sshd | grep -c '^Accepted publickey'; sed -n 's/^processes //p' /proc/stat`;

const difference = (before: LabCounts, after: LabCounts): LabCounts => ({
  connections: after.connections - before.connections,
  processes: after.processes - before.processes,
});
