/** What is needed to log in on a host of the lab: what `hostnet lab status --json` says of each. */
export interface Login {
  name: string;
  address: string;
  port: number;
  user: string;
  privateKeyPath: string;
  knownHostsPath: string;
}

export interface SshOptions {
  /** A control socket to share one connection through; it is opened by the first command and stays for a minute. */
  controlPath?: string;
  stdin?: string;
  timeoutMs?: number;
}

export interface SshResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The system's ssh for a host, without anything of the user's own configuration. */
export function sshArguments(host: Login, controlPath?: string): string[] {
  const options: Record<string, string> = {
    BatchMode: "yes",
    ConnectTimeout: "20",
    IdentitiesOnly: "yes",
    LogLevel: "ERROR",
    ServerAliveCountMax: "3",
    ServerAliveInterval: "5",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: host.knownHostsPath,
    ...(controlPath ? { ControlMaster: "auto", ControlPath: controlPath, ControlPersist: "60" } : {}),
  };
  return [
    ...["-F", "/dev/null", "-i", host.privateKeyPath, "-p", String(host.port)],
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    `${host.user}@${host.address}`,
  ];
}

/** Runs a bash command as root on a host; exit code 255 is ssh's own failure. It does not throw on an exit code. */
export async function runAsRoot(host: Login, command: string, options: SshOptions = {}): Promise<SshResult> {
  const { execa } = await import("execa");
  const become = host.user === "root" ? "" : "sudo -n ";
  const remote = `${become}bash -c ${quote(command)}`;
  const result = await execa("ssh", [...sshArguments(host, options.controlPath), remote], {
    input: options.stdin ?? "",
    timeout: options.timeoutMs ?? 120_000,
    stripFinalNewline: false,
    reject: false,
  });
  // Without an exit code ssh did not end by itself: it could not be started, or the time was over.
  if (result.exitCode === undefined) return { exitCode: 255, stdout: result.stdout, stderr: result.shortMessage ?? "" };
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** One word for a POSIX shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
