/** Every way in which hostnet fails, with what to do next. Codes are stable: scripts may match them. */
export const codes = {
  INVALID: "An argument is not allowed.",
  UNREACHABLE: "The host does not answer. Check address, port, firewall and jump hosts.",
  HOST_KEY_UNKNOWN:
    "The host's key is not known. Compare its fingerprint on the host, then pin it with `hostKey` or add it to known_hosts.",
  HOST_KEY_MISMATCH:
    "The host's key is not the one that is known. Was the machine replaced? Pin the new key only if you know why it changed.",
  AUTH: "The host refused the login. Check user, key and agent.",
  SHELL:
    "The login shell does not run commands as a shell should: a restricted shell, a ForceCommand or an rc file is in the way.",
  BECOME: "The user may not become root without a password. Allow it with sudo, or log in as root.",
  TIMEOUT:
    "The deadline passed before the host answered. What was sent may still have run; the next `up` looks and goes on.",
  CONNECTION_LOST:
    "The connection broke while commands ran. What was sent may have run; the next `up` looks and goes on.",
  OTHER_MACHINE: "Another machine answers at this address than the one this resource was made on.",
  MISSING_TOOL: "A program is missing on the host.",
  MISSING_FEATURE: "The host's kernel does not have what is needed.",
  FOREIGN:
    "Something that is not ours is there already. Take it over with `adopt: true`, or by `hostnet import`; or choose another name.",
  CONFLICT: "Two resources declare the same thing.",
  MANAGEMENT_PATH: "The change would cut the connection through which the host is reached.",
  IN_USE: "Something that is not ours still uses it.",
  STEP_FAILED: "What the host says is its own word: change what it refuses. The next `up` goes on from there.",
  READ_FAILED: "The host's state could not be read completely.",
  NOT_CONVERGED: "The host took the commands, but does not show what was declared.",
  INTERNAL: "This is a defect of pulumi-hostnet: please report it.",
  CHECK_FAILED: "A connectivity check did not find what it expects.",
} as const;

export type ErrorCode = keyof typeof codes;

/** What hosts say of a thing that is missing, mostly because the program does not order it before what needs it. */
const missing: [RegExp, string][] = [
  [
    /^Cannot find device|Device does not exist|^Device "\S+" does not exist/m,
    "The device is not there, or not yet: check the name; give its resource in place of the name, or `dependsOn` it, so that it is made first.",
  ],
  [
    /^Cannot open network namespace/m,
    "The namespace is not there, or not yet: check the name; give the Namespace in place of it, so that it is made first.",
  ],
  [
    /Nexthop has invalid gateway|Network is unreachable|Nexthop device is not up/,
    "`via` must be in the network of an address of a device that is up: `dependsOn` the resource that has the address; or say `onlink: true` with `device`.",
  ],
];

/** What to do about a command's complaint; undefined where nothing better is known than the code's own text. */
export const remedyFor = (said: string) => missing.find(([pattern]) => pattern.test(said))?.[1];

export interface ErrorDetails {
  /** The host's name in the program, or its address. */
  host?: string;
  /** Kind and name of the resource, as `LinuxBridge br0`. */
  resource?: string;
  /** The command as a person would type it. It is for reading; what ran was never shell text. */
  step?: string;
  exitCode?: number;
  stderr?: string;
  /** What to do, where something better than the code's own text is known. */
  remedy?: string;
  cause?: unknown;
  /** True when none of the commands that were asked for has run, nor will; else some may have. */
  nothingRan?: boolean;
}

/** True when it is known that what failed has changed nothing. */
export const nothingRan = (error: unknown) => error instanceof HostnetError && error.details.nothingRan === true;

/**
 * The one error of this library. Its first line says code, host, resource and what happened, because Pulumi shows
 * only that on the resource's row; the lines below give the step and the remedy.
 */
export class HostnetError extends Error {
  override readonly name = "HostnetError";
  readonly details: ErrorDetails;

  constructor(
    readonly code: ErrorCode,
    readonly summary: string,
    details: ErrorDetails = {},
  ) {
    super(render(code, summary, details), { cause: details.cause });
    this.details = details;
  }

  /** The same error with more known about where it happened. What is known already stays. */
  at(details: ErrorDetails): HostnetError {
    return new HostnetError(this.code, this.summary, { ...details, ...this.details });
  }
}

function render(code: ErrorCode, summary: string, details: ErrorDetails): string {
  const where = [details.host, details.resource].filter(Boolean).join(": ");
  const lines = [`${where ? `${where}: ` : ""}${summary} [${code}]`];
  if (details.step) {
    const status = details.exitCode === undefined ? "" : ` (exit status ${details.exitCode})`;
    lines.push(`  step: ${details.step}${status}`);
  }
  if (details.stderr?.trim()) lines.push(`  stderr: ${details.stderr.trim().slice(0, 2000)}`);
  lines.push(`  next: ${details.remedy ?? codes[code]}`);
  return lines.join("\n");
}
