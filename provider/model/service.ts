import { createHash } from "node:crypto";
import { z } from "zod";
import { folderOf } from "./service-unit";

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
