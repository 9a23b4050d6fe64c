import type { Seen } from "../host/seen";
import type { Section } from "./command";
import { netnsInode, type Process, processesOf, processSections } from "./processes";
import { loadDigest, type Service, startDigest } from "./service";
import { serviceName, servicesFolder, supervisor, unitName } from "./service-unit";

/** A service as its folder has it. */
export interface ServiceFolder {
  /** The texts of its files, by their path below its folder. */
  files: Map<string, string>;
  /** The command line in the unit, without what takes it into its namespace. */
  argv: string[];
}

/** A service as the host has it. */
export interface LiveService extends ServiceFolder {
  /** True where systemd runs the host. */
  systemd: boolean;
  /** systemd has read the unit, and reads it again only when it is told to. */
  unitRead: boolean;
  /** The mark in the unit. */
  mark?: string;
  /** The mark, and the digests of what the process was started with and has read since, as the last `up` left them. */
  appliedMark?: string;
  started?: string;
  loaded?: string;
  /** `starting`: it is between an end and the next start, or just being started. */
  state: "running" | "starting" | "stopped";
  process?: Process;
  /** It runs where and as its unit says. */
  right: boolean;
  /** Without systemd: the loop, and what runs of it. */
  pids: number[];
  /** The last words of the process on stderr. */
  said: string;
}

const filesSection: Section = { key: "services", argv: ["grep", "-ars", "", servicesFolder] };

const unitsSection: Section = {
  key: "units",
  argv: ["systemctl", "show", "hostnet-*.service", "--property=Id,ActiveState,MainPID"],
};

/** Four questions for all services of a host. */
export const serviceSections: Section[] = [filesSection, unitsSection, ...processSections];

function filesOf(seen: Seen): Map<string, Map<string, string>> {
  return seen.derive("services", () => {
    const services = new Map<string, Map<string, string>>();
    for (const line of seen.result("services").stdout.split("\n")) {
      const path = line.startsWith(`${servicesFolder}/`) ? line.slice(servicesFolder.length + 1) : "";
      const [, name, file, text] = /^([^/]+)\/(\1\.service|(?:data\/)?[^/:]+):(.*)$/.exec(path) ?? [];
      if (name === undefined || file === undefined) continue;
      const files = services.get(name) ?? new Map<string, string>();
      services.set(name, files.set(file, `${files.get(file) ?? ""}${text}\n`));
    }
    return services;
  });
}

/** What systemd says of the unit; undefined where another program runs the host. */
function unitOfSystemd(seen: Seen, name: string): { state: string; pid: number; read: boolean } | undefined {
  const { exitCode, stdout } = seen.result("units");
  if (exitCode !== 0) return undefined;
  const block = stdout.split("\n\n").find((text) => text.split("\n").includes(`Id=${unitName(name)}`));
  const property = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(block ?? "")?.[1];
  const state = property("ActiveState") ?? "inactive";
  return { state, pid: Number(property("MainPID") ?? 0), read: block !== undefined };
}

/** The processes that systemd or our own loops keep running for all services there are. */
export function servicePids(seen: Seen): Set<number> {
  const main = [...seen.result("units").stdout.matchAll(/^MainPID=(\d+)$/gm)].map(([, pid]) => Number(pid));
  const processes = processesOf(seen);
  const loops = processes.filter(({ args }) => args.startsWith(`sh ${servicesFolder}/`)).map(({ pid }) => pid);
  const run = processes.filter(({ parent }) => loops.includes(parent)).map(({ pid }) => pid);
  return new Set([...main, ...run].filter((pid) => pid !== 0));
}

/** Where a program of that name runs that is no service of ours: the first process of each. */
export function othersRunning(seen: Seen, program: string): Process[] {
  const ours = servicePids(seen);
  // Some put words of their own in the place of their command line: `lldpd: monitor.`
  const name = new RegExp(`^(\\S*/)?${program}([: ]|$)`);
  const running = processesOf(seen).filter(({ args }) => name.test(args));
  const known = new Set([...ours, ...running.map(({ pid }) => pid)]);
  return running.filter(({ pid, parent }) => !ours.has(pid) && !known.has(parent));
}

/**
 * The services of that sort that have a unit in a namespace, whosever they are: by the last part of their names, or the
 * one that there is (`only`).
 */
export function servicesIn(
  seen: Seen,
  what: string,
  namespace: string | undefined,
  only = false,
): (ServiceFolder & { name: string; inside?: string })[] {
  return [...filesOf(seen)].flatMap(([service, files]) => {
    const name = service.split(":").at(-1) ?? "";
    const unit = files.get(unitName(service));
    const isHere = service === serviceName(what, namespace, only ? undefined : name);
    return isHere && unit !== undefined ? [{ name, files, ...commandIn(unit) }] : [];
  });
}

/** The service as it is; undefined when there is nothing of it. */
export function liveService(seen: Seen, service: Service): LiveService | undefined {
  const live = serviceAt(seen, service);
  return live.files.size === 0 && live.state === "stopped" ? undefined : live;
}

/** The same, and where there is nothing of it, what it starts from. */
export function serviceAt(seen: Seen, service: Service): LiveService {
  const { name } = service;
  const files = filesOf(seen).get(name) ?? new Map<string, string>();
  const unit = unitOfSystemd(seen, name);
  const processes = processesOf(seen);
  const loops = processes.filter(({ args }) => args.startsWith(`sh ${supervisor(name)} `));
  const runs = unit
    ? processes.filter(({ pid }) => pid === unit.pid)
    : processes.filter(({ parent, args }) => loops.some(({ pid }) => pid === parent) && args !== "sleep 1");
  const active = unit ? !["inactive", "failed"].includes(unit.state) : loops.length > 0;
  const [appliedMark, started, loaded] = files.get("applied")?.split("\n") ?? [];
  const [process] = runs;
  const { argv } = commandIn(files.get(unitName(name)) ?? "");
  const is = isOf(seen, { ...service, argv }, process);
  return {
    systemd: unit !== undefined,
    unitRead: unit?.read ?? false,
    files,
    mark: / (hostnet:[0-9a-f]+:[0-9a-f]+)\n/.exec(files.get(unitName(name)) ?? "")?.[1],
    argv,
    appliedMark,
    started,
    loaded,
    state: !active ? "stopped" : is === "starting" ? "starting" : "running",
    process,
    right: active && is === "right",
    pids: [...loops, ...runs].map(({ pid }) => pid),
    said: files.get("log")?.trim().split("\n").at(-1) ?? "",
  };
}

/** The words of a unit's command line, as `unitOf` writes it, and the namespace inside which it runs. */
function commandIn(unit: string): { argv: string[]; inside?: string } {
  const [, inside, line = ""] = /^ExecStart=\/usr\/bin\/env (?:ip netns exec (\S+) )?(.*)$/m.exec(unit) ?? [];
  const argv = [...line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(
    ([, quoted, plain]) =>
      plain ?? (quoted ?? "").replace(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$$$", "$"),
  );
  return { argv, inside };
}

/** Whether the process is the service's: the right command line in the right namespace, and so what it has started. */
function isOf(seen: Seen, { argv, namespace, child, retitled }: Service, process: Process | undefined) {
  const text = argv.join(" ");
  // `env`, `ip netns exec` and the supervisor's own fork are still on their way.
  if (!process || (process.args !== text && process.args.endsWith(` ${text}`))) return "starting";
  const isAt = (one: Process, place: string | undefined) => one.netns === netnsInode(seen, place);
  const first = (retitled || process.args === text) && isAt(process, namespace);
  if (!child) return first ? "right" : "wrong";
  const childText = child.argv.join(" ");
  const second = processesOf(seen).find(({ parent, args }) => parent === process.pid && args === childText);
  if (!second) return "starting";
  return first && isAt(second, child.namespace) ? "right" : "wrong";
}

/** What the host is still at, once all is written: the process has to come up. */
export function comingUp(service: Service, live: LiveService | undefined, ready: boolean): string | undefined {
  if (!live || live.started !== startDigest(service) || live.loaded !== loadDigest(service)) return undefined;
  if (live.state !== "starting" && (!live.right || ready)) return undefined;
  const said = live.said ? `; its last words: ${live.said}` : "";
  return `${service.argv[0]} to come up${said}`;
}
