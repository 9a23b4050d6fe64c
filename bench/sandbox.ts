import { which } from "../tools/which";

/**
 * The whole benchmark runs in network, mount and process namespaces of its own, on a /run in memory: its hosts, veths,
 * files and processes are seen by nobody else, and are gone with it in any case, killed or not.
 */
const mark = "HOSTNET_BENCH_INSIDE";

export const isInside = () => process.env[mark] !== undefined;

/** Where everything is that the benchmark writes. In memory. */
export const workFolder = "/run/bench";

// The shell is process 1: it waits for the orphans that Node would not. Nothing is on /run but what is ours.
const first = 'mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/bench && ip link set lo up && "$@"; exit $?';

/** Runs this very program again inside; resolves to what it printed. */
export async function enter(script: string, args: string[], env: Record<string, string>): Promise<string> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      "The benchmark makes network namespaces with SSH servers in them, which takes root: run it as root.",
    );
  }
  const { execa } = await import("execa");
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const program = [process.execPath, ...process.execArgv, script, ...args];
  const child = execa(
    "setpriv",
    ["--pdeathsig", "KILL", which("unshare") ?? "unshare", ...namespaces, "sh", "-c", first, "sh", ...program],
    {
      stdio: ["inherit", "pipe", "inherit"],
      env: { ...env, [mark]: "1" },
      maxBuffer: 64 * 1024 * 1024,
      reject: false,
    },
  );
  // Process 1 of a namespace is deaf to signals that it does not handle; the end of unshare is the end of all.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill("SIGKILL"));
  const { exitCode, signal, stdout } = await child;
  if (signal) throw new Error(`The benchmark was ended by ${signal}; nothing of it is left.`);
  if (exitCode !== 0) throw new Error("The benchmark failed; the reason is above.");
  return stdout;
}
