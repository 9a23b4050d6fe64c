/** Every way in which hostnet fails, with what to do next. Codes are stable: scripts may match them. */
export const codes = {
  INVALID: "Correct what is named above.",
  UNREACHABLE: "Check address, port, firewall and jump hosts, and that the machine is up.",
  HOST_KEY_UNKNOWN: "Compare the key's fingerprint on the host, then pin it with `hostKey` or add it to known_hosts.",
  HOST_KEY_MISMATCH: "Find out why the key is another: was the machine replaced? Only then pin the new one.",
  AUTH: "Check user, key and agent.",
  SHELL: "Give the user a login shell that runs commands: no restricted one, no ForceCommand, no rc file in the way.",
  BECOME: "Allow the user to become root by sudo without a password, or log in as root.",
  TIMEOUT: "Run the command again: what was sent may still have run, and hostnet looks first and goes on.",
  CONNECTION_LOST: "Run the command again: what was sent may have run, and hostnet looks first and goes on.",
  OTHER_MACHINE: "Check the address; if the machine was replaced, run `pulumi up`, which makes everything anew on it.",
  MISSING_TOOL: "Install the program on the host.",
  MISSING_FEATURE: "Use a kernel that has it, or load its module with `modprobe`.",
  FOREIGN: "Take over what is there with `adopt: true`, or by `hostnet import`; or choose another name.",
  CONFLICT: "Declare it in one resource only.",
  MANAGEMENT_PATH: "Make the change on the host's console, or reach the host by another way first.",
  IN_USE: "Free it from what uses it, then run the command again.",
  STEP_FAILED: "Correct what the host refuses, in its own words above, then run the command again.",
  READ_FAILED: "Check on the host why this cannot be read, then run the command again.",
  NOT_CONVERGED: "Find out what else sets it on the host (a daemon, udev, the driver), then run the command again.",
  INTERNAL: "Report this, please: it is a defect of pulumi-hostnet.",
  CHECK_FAILED: "Find out where the path ends, then run the command again.",
} as const;

export type ErrorCode = keyof typeof codes;

/** What hosts say that asks for more than the code's own text, mostly of a thing that the program makes later, or not. */
const complaints: [RegExp, string][] = [
  [
    /^Cannot find device|Device does not exist|^Device "\S+" does not exist/m,
    "The device is not there, or not yet: check the name; give its resource in place of the name, or `dependsOn` it, so that it is made first.",
  ],
  [
    /^Cannot open network namespace|Invalid "netns" value/m,
    "The namespace is not there, or not yet: check the name; give the Namespace in place of it, so that it is made first.",
  ],
  [
    /no bridge named/,
    "The bridge is not there, or not yet: check the name; give the OvsBridge in place of it, so that it is made first.",
  ],
  [
    /Nexthop has invalid gateway|Network is unreachable|Nexthop device is not up/,
    "`via` must be in the network of an address of a device that is up: `dependsOn` the resource that has the address; or say `onlink: true` with `device`.",
  ],
  [
    /Invalid prefsrc address/,
    "`source` must be an address of the host or namespace: `dependsOn` the resource that has it, so that it is there first.",
  ],
  [
    /RTNETLINK answers: File exists|already exists\.$/m,
    "Something else on the host has what tells it from others: a tunnel's addresses and key or VNI (`ip -d link`, in all namespaces), a route's destination and metric (`ip route show table all`). Take that away, or say another.",
  ],
  [
    /Address already in use/,
    "Somebody has the UDP port already: `ss -lunp`, `ip -d link show type vxlan` and `ovs-vsctl show` tell who. Choose another port, or take theirs away.",
  ],
  [
    /no usable protocol/,
    "OpenFlow 1.3 and 1.4, which hostnet speaks, cannot say this flow, whatever the bridge's `protocols`. An action needs its protocol in the match: `ip` for mod_nw_src, `tcp` for mod_tp_dst, a VLAN (`dl_vlan=5`, `vlan_tci=0x1000/0x1000`) for strip_vlan.",
  ],
];

/** What to do about a command's complaint; undefined where nothing better is known than the code's own text. */
export const remedyFor = (said: string) => complaints.find(([pattern]) => pattern.test(said))?.[1];

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

/** Something of another kind stands where an object is to be: nobody can take it over. */
export const otherKind = (what: string, is: string) =>
  new HostnetError("FOREIGN", `${what} is there already and is ${is}`, {
    remedy:
      "Choose another name, or take away what is there. What this stack has had there as another kind goes by an `up` of its own, before the new one is declared.",
  });
