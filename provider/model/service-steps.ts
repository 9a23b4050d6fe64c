import { posix } from "node:path";
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
    folderStep(service.name),
    { argv: ["install", "-d", "-m", "700", ...account, `${folder}/data`] },
  ];
  const known = (path: string) => live.files.get(path.slice(folder.length + 1));
  const differing = all.filter(({ path, text }) => known(path) !== text);
  return [
    ...(differing.some(({ path }) => known(path) === undefined) ? folders : []),
    ...differing.map(({ path, text, words }) => ({
      argv: ["install", "-m", "600", ...words, "/dev/stdin", path],
      stdin: text,
    })),
  ];
}

/** The folder in which all of a service is. */
export const folderStep = (name: string): Step => ({ argv: ["install", "-d", "-m", "711", folderOf(name)] });

/**
 * What makes the live service into the declared one. `before` comes before anything else of it is written (it
 * refuses a wrong configuration, say), `after` when all is written and before it is started.
 */
export function convergeService(
  service: Service,
  found: LiveService | undefined,
  context: Context<unknown>,
  running: boolean,
  { before = [], after = [] }: { before?: Step[]; after?: Step[] } = {},
): Step[] {
  const live = found ?? (context.seen ? serviceAt(context.seen, service) : nothing);
  const written = writes(service, live, context.mark);
  const changes = [...(isWritten(service, live) ? [] : before), ...written, ...after];
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

/** A service of which there is nothing yet. */
const nothing: LiveService = {
  ...{ systemd: true, unitRead: false, files: new Map(), argv: [], state: "stopped", right: false, pids: [], said: "" },
};

/** The service as it is when all has been done. */
export const madeAs = (service: Service, mark = ""): LiveService => ({
  ...{ ...nothing, argv: service.argv, mark, appliedMark: mark, state: "running", right: true },
  files: new Map([
    [unitName(service.name), unitOf(service, mark)],
    ...service.files.map(({ name, text }) => [`data/${name}`, text] as const),
  ]),
  ...{ started: startDigest(service), loaded: loadDigest(service) },
});

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

/** Ends it; its unit and files stay. */
export const stop = (name: string, live: LiveService): Step[] =>
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
