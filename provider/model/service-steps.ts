import { posix } from "node:path";
import type { Seen } from "../host/seen";
import type { Context } from "../kind";
import type { Step } from "./command";
import { loadDigest, type Service, startDigest, unitOf } from "./service";
import { type LiveService, serviceAt } from "./service-live";
import { fileOf, folderOf, servicesFolder, supervisor, supervisorText, unitName } from "./service-unit";

/** The files whose text is another one, or that are not there. */
function writes(service: Service, live: LiveService, mark: string): Step[] {
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
  const differing = all.filter(({ path, text }) => live.files.get(path.slice(folder.length + 1)) !== text);
  return [
    ...(differing.length > 0 ? folders : []),
    ...differing.map(({ path, text, words }) => ({
      argv: ["install", "-m", "600", ...words, "/dev/stdin", path],
      stdin: text,
    })),
  ];
}

/**
 * What makes the live service into the declared one. `checks` are steps that refuse a wrong configuration before
 * anything is written.
 */
export function convergeService(
  service: Service,
  found: LiveService | undefined,
  context: Context<unknown>,
  running: boolean,
  checks: Step[] = [],
): Step[] {
  const live = found ?? serviceAt(context.seen as Seen, service);
  const written = writes(service, live, context.mark);
  const changes = written.length > 0 ? [...checks, ...written] : [];
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

/** For the unit that systemd has read before; all units are read again with it, which takes a second and more. */
const reread = (live: LiveService): Step[] => (live.unitRead ? [{ argv: ["systemctl", "daemon-reload"] }] : []);

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
    // systemd forgets a unit that has ended, and of which there is no file (CollectMode).
    { argv: ["rm", "-f", `/run/systemd/system/${unitName(name)}`] },
    // With the last service, the folder of all: in one step, or a delete cut off between would leave that for ever.
    {
      argv: [
        ...["find", posix.dirname(servicesFolder), "(", "-path", folderOf(name), "-o", "-path", `${folderOf(name)}/*`],
        ...["-o", "-path", servicesFolder, "-empty", ")", "-delete"],
      ],
    },
  ];
}
