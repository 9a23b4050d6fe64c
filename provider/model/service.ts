import { createHash } from "node:crypto";
import { posix } from "node:path";
import { z } from "zod";
import type { Context } from "../kind";
import type { Step } from "./command";
import type { LiveService } from "./service-live";
import { fileOf, folderOf, servicesFolder, supervisor, supervisorText, unitName } from "./service-unit";

/**
 * A program that must run as long as its resource exists, in a network namespace. What started it brings it back when
 * it dies: systemd, by a unit in /run, or, on a host without it, a loop of shell of our own.
 */
export interface Service {
  /** Names its unit and its folder, whoever made it: `hostnet-dhcp:blue:eth0`. */
  name: string;
  /** For a person who meets the unit. */
  description: string;
  argv: string[];
  namespace?: string;
  /** A program that it starts by itself, mostly in another namespace. */
  child?: { argv: string[]; namespace?: string };
  /** What it reads. */
  files: ServiceFile[];
  /** The account that the program takes on, which has to read its files. Default: root. */
  account?: string;
  /** It shows a title of its own instead of its command line. */
  retitled?: true;
  /** What it finds when it starts and does not look at again; another text means a new start. */
  startedWith?: string;
}

export interface ServiceFile {
  name: string;
  text: string;
  /** It is read again on SIGHUP; a change of any other file means a new start. */
  reload?: true;
}

/** How a service is called, where its device or namespace does not say it. */
export const serviceLabel = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/,
    "must be 1 to 64 letters, digits, '_', '.' or '-', beginning with a letter, digit or '_'",
  );

/** Arguments that all services take. */
export const serviceShape = {
  running: z
    .boolean()
    .default(true)
    .describe(
      "Whether the process runs. It is started again when it ends by itself. A refresh shows false when it is stopped, in another namespace, or was not started as it is declared. Default: true.",
    ),
};

/** What `live` tells of every service. */
export const serviceFacts = {
  pid: z.number().optional().describe("The number of the process; absent while it does not run."),
  since: z.string().optional().describe("When the process was started, in UTC (ISO 8601)."),
};

const hash = (parts: string[]) => createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);

/** The unit of a service. On a host without systemd it is there too, for a person to read. */
export function unitOf(service: Service, mark: string): string {
  const inside = service.namespace ? ["ip", "netns", "exec", service.namespace] : [];
  const lines = [
    `# Made by pulumi-hostnet, which puts right what is changed here. ${mark}`,
    "[Unit]",
    `Description=${service.description}`,
    // With an end that is no success it would stay in the list of units after it is gone.
    "CollectMode=inactive-or-failed",
    "StartLimitIntervalSec=0",
    "[Service]",
    "Type=exec",
    `ExecStart=/usr/bin/env ${[...inside, ...service.argv].map(unitWord).join(" ")}`,
    ...(service.files.some(({ reload }) => reload) ? ["ExecReload=/bin/kill -HUP $MAINPID"] : []),
    "Restart=always",
    "RestartSec=1",
    // How socat ends on SIGTERM.
    "SuccessExitStatus=143",
    "UMask=0077",
    `StandardError=truncate:${folderOf(service.name)}/log`,
  ];
  return `${lines.join("\n")}\n`;
}

/** One word of a unit's command line (systemd.service(5), "Command lines"). */
function unitWord(word: string): string {
  if (/^[A-Za-z0-9_@+=:,./-]+$/.test(word)) return word;
  return `"${word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$")}"`;
}

/** What the process has to be started with; the mark is not among it. */
export function startDigest(service: Service): string {
  const files = service.files.filter(({ reload }) => !reload).flatMap(({ name, text }) => [name, text]);
  return hash([unitOf(service, ""), ...files, service.startedWith ?? ""]);
}

/** What the process has to have read since. */
export function loadDigest(service: Service): string {
  return hash(service.files.filter(({ reload }) => reload).flatMap(({ name, text }) => [name, text]));
}

/** The files whose text is another one, or that are not there. */
function writes(service: Service, live: LiveService | undefined, mark: string): Step[] {
  const account = service.account ? ["-o", service.account] : [];
  const folder = folderOf(service.name);
  const all = [
    { path: fileOf(service.name), text: unitOf(service, mark), words: [] as string[] },
    ...service.files.map(({ name, text }) => ({ path: `${folder}/data/${name}`, text, words: account })),
  ];
  const folders: Step[] = [
    { argv: ["install", "-d", "-m", "711", folder] },
    { argv: ["install", "-d", "-m", "700", ...account, `${folder}/data`] },
  ];
  const differing = all.filter(({ path, text }) => live?.files.get(path.slice(folder.length + 1)) !== text);
  return [
    ...(differing.length > 0 ? folders : []),
    ...differing.map(({ path, text, words }) => ({
      argv: ["install", "-m", "600", ...words, "/dev/stdin", path],
      stdin: text,
    })),
  ];
}

/**
 * What makes the live service into the declared one. A new one is only written: who starts it is known when the host
 * has been looked at once more. `checks` are steps that refuse a wrong configuration before anything is written.
 */
export function convergeService(
  service: Service,
  live: LiveService | undefined,
  context: Context<unknown>,
  running: boolean,
  checks: Step[] = [],
): Step[] {
  const written = writes(service, live, context.mark);
  const changes = written.length > 0 ? [...checks, ...written] : [];
  if (!live) return changes;
  const applied: Step = {
    argv: ["install", "-m", "600", "/dev/stdin", `${folderOf(service.name)}/applied`],
    stdin: `${context.mark}\n${startDigest(service)}\n${loadDigest(service)}\n`,
  };
  if (!running) return [...changes, ...(live.state === "stopped" ? [] : stop(service.name, live))];
  if (!live.right || live.started !== startDigest(service) || !startsAs(service, live)) {
    return [...changes, ...start(service, live), applied];
  }
  if (live.loaded !== loadDigest(service) || !holds(service, live, true)) {
    return [...changes, reload(service, live), applied];
  }
  // Only the mark is another one: whose it is has changed, not what it does.
  return changes.length > 0 || live.appliedMark !== context.mark ? [...changes, ...reread(live), applied] : [];
}

/** The unit and the files that are read at the start are there as declared, whosever mark is in the unit. */
export function startsAs(service: Service, live: LiveService): boolean {
  const unit = live.files.get(unitName(service.name)) ?? "";
  return unit === unitOf(service, live.mark ?? "") && holds(service, live, false);
}

const holds = ({ files }: Service, live: LiveService, reloaded: boolean) =>
  files.every(({ name, text, reload }) => (reload ?? false) !== reloaded || live.files.get(`data/${name}`) === text);

/** All its files are there as declared. */
export const isWritten = (service: Service, live: LiveService) => startsAs(service, live) && holds(service, live, true);

const reread = (live: LiveService): Step[] => (live.systemd ? [{ argv: ["systemctl", "daemon-reload"] }] : []);

function start(service: Service, live: LiveService): Step[] {
  const { name, argv, namespace } = service;
  if (live.systemd) {
    return [
      { argv: ["ln", "-sfn", fileOf(name), `/run/systemd/system/${unitName(name)}`] },
      ...reread(live),
      { argv: ["systemctl", "restart", unitName(name)] },
    ];
  }
  const inside = namespace ? ["ip", "netns", "exec", namespace] : [];
  return [
    ...kill(live),
    { argv: ["install", "-m", "600", "/dev/stdin", supervisor(name)], stdin: supervisorText },
    { argv: ["setsid", "-f", "sh", supervisor(name), folderOf(name), ...inside, ...argv] },
  ];
}

function reload(service: Service, live: LiveService): Step {
  return live.systemd
    ? { argv: ["systemctl", "reload", unitName(service.name)] }
    : { argv: ["kill", "-HUP", String(live.process?.pid)] };
}

const stop = (name: string, live: LiveService): Step[] =>
  live.systemd ? [{ argv: ["systemctl", "stop", unitName(name)] }] : kill(live);

const kill = (live: LiveService): Step[] =>
  live.pids.length > 0 ? [{ argv: ["kill", ...live.pids.map(String)] }] : [];

/** Ends it and takes away all that it has read and written: the last of it, by which it is found, last. */
export function removeService(name: string, live: LiveService, elsewhere: Step[] = []): Step[] {
  return [
    ...(live.state === "stopped" ? [] : stop(name, live)),
    ...elsewhere,
    { argv: ["rm", "-f", `/run/systemd/system/${unitName(name)}`] },
    ...reread(live),
    // With the last service, the folder of all: in one step, or a delete cut off between would leave that for ever.
    {
      argv: [
        ...["find", posix.dirname(servicesFolder), "(", "-path", folderOf(name), "-o", "-path", `${folderOf(name)}/*`],
        ...["-o", "-path", servicesFolder, "-empty", ")", "-delete"],
      ],
    },
  ];
}
