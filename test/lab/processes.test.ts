import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endMachine, labProcesses, machineOf } from "../../lab/processes";

const root = "/home/me/.local/state/pulumi-hostnet/lab";
const qemu = (pidFile: string) => ["/usr/bin/qemu-system-x86_64", "-name", "any", "-pidfile", pidFile, "-nodefaults"];

describe("machineOf", () => {
  test("knows QEMU and its supervisor by the pid file in their arguments", () => {
    expect(machineOf(qemu(`${root}/n1/qemu.pid`), root)).toBe("n1");
    expect(machineOf(["sh", "/x/lab/files/supervise", "log", ...qemu(`${root}/n2/qemu.pid`)], root)).toBe("n2");
  });

  test.each([
    ["another lab's machine", qemu("/home/you/.local/state/pulumi-hostnet/lab/n1/qemu.pid")],
    ["somebody else's QEMU", ["qemu-system-x86_64", "-m", "512"]],
    ["an option without a value", ["qemu-system-x86_64", "-pidfile"]],
    ["an editor that has our file open", ["vi", "-pidfile", `${root}/n1/qemu.pid`]],
    ["another shell script", ["sh", "/x/script", "-pidfile", `${root}/n1/qemu.pid`]],
    ["a zombie or kernel thread", []],
  ])("leaves alone %s", (_, commandLine) => {
    expect(machineOf(commandLine, root)).toBeUndefined();
  });
});

test("a machine is found by its process and ended by force if need be; a process with a stale number is not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hostnet-lab-test-"));
  const ignoresTerm = "process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000)";
  const args = ["-e", ignoresTerm, "--", "-pidfile", join(folder, "n1", "qemu.pid")];
  const machine = spawn(process.execPath, args, { argv0: "qemu-system-x86_64", stdio: ["ignore", "pipe", "ignore"] });
  const bystander = spawn(process.execPath, args, { argv0: "qemu-not-ours", stdio: "ignore" });
  try {
    await new Promise((resolve) => machine.stdout?.once("data", resolve));
    expect(await labProcesses(folder)).toEqual(new Map([["n1", [machine.pid]]]));
    await endMachine("n1", folder);
    expect(await labProcesses(folder)).toEqual(new Map());
    expect(bystander.exitCode).toBeNull();
    expect(bystander.signalCode).toBeNull();
  } finally {
    machine.kill("SIGKILL");
    bystander.kill("SIGKILL");
    await rm(folder, { recursive: true });
  }
}, 20_000);
