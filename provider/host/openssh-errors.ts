import { type ErrorCode, HostnetError } from "../model/errors";
import { hopLabel, pinnedName } from "./openssh-arguments";
import type { Target } from "./target";
import type { ChannelEnd } from "./transport";
import { UnfitKey } from "./unfit-key";

/** What `ssh` says on stderr, in the C locale, and what it means. The first that fits counts. */
const meanings: [RegExp, ErrorCode, string?][] = [
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|marked as revoked|Offending \S+ key/i, "HOST_KEY_MISMATCH"],
  [/No \S+ host key is known for|Host key verification failed/i, "HOST_KEY_UNKNOWN"],
  // With its parenthesis: a host's banner may speak of permission too.
  [/Permission denied \(|Too many authentication failures|no mutual signature/i, "AUTH"],
  [/Load key .*: |Bad permissions/i, "AUTH"],
  // What is for good of a jump host. Behind it comes a complaint that the connection was closed.
  [
    /Unable to negotiate|administratively prohibited|open failed: connect failed: .*(not known|No address)/i,
    "UNREACHABLE",
  ],
  [/Connection refused/i, "UNREACHABLE", "ECONNREFUSED"],
  [/No route to host/i, "UNREACHABLE", "EHOSTUNREACH"],
  [/Network is unreachable/i, "UNREACHABLE", "ENETUNREACH"],
  [/timed out/i, "UNREACHABLE", "ETIMEDOUT"],
  [/Temporary failure in name resolution/i, "UNREACHABLE", "EAI_AGAIN"],
  [/kex_exchange_identification|Connection (reset|closed) by|Broken pipe/i, "UNREACHABLE", "ECONNRESET"],
  [/Could not resolve hostname|Bad configuration option|Bad owner/i, "UNREACHABLE"],
];

function unfitKey(line: string, target: Target): UnfitKey | undefined {
  const [, type, label] = /No (\S+) host key is known for (\S+)/i.exec(line) ?? [];
  const pinned = label === pinnedName ? target : target.jumpHosts.find((_, index) => label === hopLabel(index));
  return type && pinned ? new UnfitKey(pinned, type) : undefined;
}

/** 255 is ssh's own failure; any other status is the remote command's. */
const ownFailure = 255;

export function explainSsh(stderr: string, end: ChannelEnd, target: Target): HostnetError | undefined {
  const { code, syscall, path } = (end.cause ?? {}) as NodeJS.ErrnoException;
  if (syscall?.startsWith("spawn")) {
    return new HostnetError("UNREACHABLE", `${path} cannot be started on this machine (${code})`, {
      cause: end.cause,
      remedy: 'Install OpenSSH\'s client (on Debian: apt install openssh-client), or leave out transport: "openssh".',
    });
  }
  if (end.exitCode !== ownFailure && end.exitCode !== undefined) return undefined;
  const lines = stderr.split(/\r?\n/).filter(Boolean);
  for (const [pattern, code, errno] of meanings) {
    const line = lines.find((text) => pattern.test(text));
    if (line === undefined) continue;
    // A fingerprint that is pinned cannot be shown to ssh as a key that it knows.
    const unfit = code === "HOST_KEY_UNKNOWN" ? unfitKey(line, target) : undefined;
    const cause = unfit ?? (errno ? Object.assign(new Error(line), { code: errno }) : end.cause);
    return new HostnetError(
      unfit ? "HOST_KEY_MISMATCH" : code,
      `ssh ${target.alias}: ${line.replace(/[^\x20-\x7e]+/g, " ").trim()}`,
      { cause },
    );
  }
  if (lines.length === 0 && end.exitCode === undefined) return undefined;
  if (end.exitCode !== ownFailure) return undefined;
  const said = lines.at(-1)?.replace(/[^\x20-\x7e]+/g, " ");
  return new HostnetError("UNREACHABLE", `ssh ${target.alias}: ${said ?? "ended without a word"}`, {
    cause: end.cause,
  });
}
