import type { Seen } from "../host/seen";
import type { Section } from "./command";

/** A process as `ps` shows it. */
export interface Process {
  pid: number;
  parent: number;
  /** The inode of its network namespace; undefined where it has none any more (a zombie). */
  netns: string | undefined;
  /** When it was started, in ISO 8601. */
  since: string;
  /** Its command line, or what it has put in its place. */
  args: string;
}

// LC_ALL=C is the session's; in UTC a time needs no zone.
const psSection: Section = {
  key: "processes",
  argv: ["env", "TZ=UTC", "ps", "-ww", "-eo", "pid=,ppid=,netns=,lstart=,args="],
};

// The long form looks at each file; a short one, as `find -printf %i`, may tell the inode below the mount.
export const netnsSection: Section = { key: "netns-inodes", argv: ["ls", "-iLn", "/run/netns"] };

/** All processes of the host and the inodes of all namespaces: one question for all who ask. */
export const processSections = [psSection, netnsSection];

/** Which unit of systemd's, or container, each process is of: `ps -o unit` takes three times as long. */
export const cgroupsSection: Section = {
  key: "cgroups",
  argv: ["grep", "-rs", "--include=cgroup.procs", "", "/sys/fs/cgroup"],
};

/** All processes; none where the host has no `ps` of procps. */
export function processesOf(seen: Seen): Process[] {
  return seen.derive("processes", () =>
    seen
      .result("processes")
      .stdout.split("\n")
      .flatMap((line) => {
        const found = /^ *(\d+) +(\d+) +(\d+|-) +\w{3} (\w{3} +\d+ [\d:]{8} \d{4}) (.*)$/.exec(line);
        if (!found) return [];
        const [, pid, parent, netns, started, args = ""] = found;
        const since = new Date(`${started} UTC`).toISOString();
        return [{ pid: Number(pid), parent: Number(parent), netns: netns === "-" ? undefined : netns, since, args }];
      }),
  );
}

/** The namespaces that have a name, by it: `ls` prints inode, mode, links, user, group, size, three words of time, name. */
const inodes = (seen: Seen): Map<string, string> =>
  seen.derive("netns-inodes", () => {
    const lines = seen.result("netns-inodes").stdout.matchAll(/^ *(\d+) -.* (\S+)$/gm);
    return new Map([...lines].map(([, inode = "", name = ""]) => [name, inode]));
  });

/** The inode of a namespace, of the host's own when it has no name; undefined when it is not there. */
export function netnsInode(seen: Seen, namespace: string | undefined): string | undefined {
  // The host's own is where `ps` itself ran.
  if (namespace === undefined) return processesOf(seen).find(({ args }) => args.startsWith("ps -ww -eo pid="))?.netns;
  return inodes(seen).get(namespace);
}

/** The processes inside a namespace. */
export function processesIn(seen: Seen, namespace: string): Process[] {
  const inode = netnsInode(seen, namespace);
  return inode === undefined ? [] : processesOf(seen).filter(({ netns }) => netns === inode);
}

/** The namespace of that inode: without a name the host's own; undefined where no name leads to it. */
export function placeOfNetns(seen: Seen, inode: string | undefined): { namespace: string | undefined } | undefined {
  if (inode === undefined) return undefined;
  if (inode === netnsInode(seen, undefined)) return { namespace: undefined };
  const [namespace] = [...inodes(seen)].find(([, own]) => own === inode) ?? [];
  return namespace === undefined ? undefined : { namespace };
}

/** Where a person's own processes are, and those of nobody. */
const sessions = /^(sshd?(@.*)?\.service|session-.*\.scope|init\.scope)$/;

/** The unit of systemd's that runs a process and would bring it back; undefined for what a person has started. */
export function runnerOf(seen: Seen, { pid }: Process): string | undefined {
  const units = seen.derive("cgroups", () => {
    const lines = seen
      .result("cgroups")
      .stdout.matchAll(/^.*\/([^/]+\.(?:service|scope))\/(?:.*\/)?cgroup\.procs:(\d+)$/gm);
    return new Map([...lines].map(([, unit, process]) => [Number(process), unit]));
  });
  const unit = units.get(pid);
  return unit === undefined || sessions.test(unit) ? undefined : unit;
}
