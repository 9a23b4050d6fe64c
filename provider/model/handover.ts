import type { z } from "zod";
import type { Context, Found } from "../kind";
import type { Step } from "./command";
import { HostnetError } from "./errors";
import type { Process } from "./processes";
import type { Service } from "./service";
import type { LiveService, ServiceFolder } from "./service-live";
import { convergeService, folderStep } from "./service-steps";
import { folderOf } from "./service-unit";
import { asTold } from "./settings";

/**
 * A service in the place of a process that somebody else has started: that is ended, and ours goes on with what it knew.
 * It stands in a file of the service's folder from before the first change until ours runs: cut off in between, the next
 * run knows what there is to end and to carry over. What the process has written elsewhere (its lease file, a file with
 * its number) stays as it leaves it: another one may use it too, and so a delete takes away the service alone.
 */
export interface Handover {
  /** The first one, and those that it has started. */
  processes: Pick<Process, "pid" | "args">[];
  /** A file that goes over, under its name in the service's data. */
  carried?: { from: string; name: string };
}

/** One that has begun: by whom, and what is to come of it. */
interface Begun extends Handover {
  mark: string;
  want: unknown;
}

/** What somebody else has started, and what there is to carry over of it. */
export interface Predecessor extends Handover {
  /** How it is called, for a person. */
  title: string;
}

/** What `find` has seen of a service that may take the place of another's. */
export interface Succession {
  /** Undefined as long as nothing of ours is there. */
  live?: LiveService;
  /** Undefined where there is nothing of it to end. */
  predecessor?: Predecessor;
}

const file = "predecessor";
const pathOf = (service: string) => `${folderOf(service)}/${file}`;

/** What was begun and has not come to its end. */
export function handoverIn(service: ServiceFolder | undefined): Begun | undefined {
  const text = service?.files.get(file)?.trim();
  // Half a file: nothing else was written after it.
  return text?.endsWith("}") ? (JSON.parse(text) as Begun) : undefined;
}

/** The service's own mark: from the first step of a take-over on it has one. */
export const serviceMark = (live: LiveService) => live.mark ?? live.appliedMark ?? handoverIn(live)?.mark;

/** To be done before anything else is written. */
function beginHandover(
  { name }: Service,
  { processes, carried }: Handover,
  want: unknown,
  { mark }: Context<unknown>,
): Step[] {
  const begun: Begun = { mark, processes: processes.map(({ pid, args }) => ({ pid, args })), carried, want };
  const argv = ["install", "-m", "600", "/dev/stdin", pathOf(name)];
  return [folderStep(name), { argv, stdin: `${JSON.stringify(begun)}\n` }];
}

/** $1 is carried over as $2, an account's ($3), unless it was before; number and command line of each process follow. */
const endText = `is() { [ "$(ps -ww -o args= -p "$1")" = "$2" ]; }
from=$1 to=$2 account=$3
shift 3
while [ $# -gt 0 ]; do
  ! is "$1" "$2" || kill "$1"
  tries=0
  while is "$1" "$2"; do
    [ $tries -lt 50 ] || { echo "process $1 does not end: $2" >&2; exit 1; }
    tries=$((tries + 1))
    sleep 0.2
  done
  shift 2
done
[ ! -e "$from" ] || [ -e "$to" ] || { install -m 600 -o "$account" "$from" "$to.new" && mv "$to.new" "$to"; }`;

/** Ends the processes, if they still are the same, and waits until they are gone: before that a file is not complete. */
function endPredecessor({ name, account = "root" }: Service, { processes, carried }: Handover): Step {
  const to = carried ? `${folderOf(name)}/data/${carried.name}` : "";
  const all = processes.flatMap(({ pid, args }) => [String(pid), args]);
  return { argv: ["sh", "-c", endText, "sh", carried?.from ?? "", to, account, ...all] };
}

/** To be done when ours runs. */
const closeHandover = ({ name }: Service): Step => ({ argv: ["rm", "-f", pathOf(name)] });

/** How a process is called, for a person. */
export const processTitle = (program: string, { pid }: Pick<Process, "pid">) => `${program}[${pid}]`;

/**
 * What a kind's `asOurs` says. `made`: what `find` keeps of a service when all has been done; `told`: the live values of
 * one that is a service already.
 */
export function asTakenOver<S extends z.ZodObject, F>(
  found: Found<z.output<S>, F>,
  { live, predecessor }: Succession,
  args: S,
  {
    made,
    told,
  }: { made(want: z.output<S>): Succession; told(want: z.output<S>, live: LiveService): Record<string, unknown> },
): Found<z.output<S>, F> {
  // A take-over that was cut off goes on.
  const begun = handoverIn(live);
  const own = Object.entries(found.args).filter(([path]) => path in args.shape);
  const { data } = args.safeParse(begun ? begun.want : { ...Object.fromEntries(own), running: true });
  if (!data) return found;
  if (begun ?? predecessor) return { ...found, args: data, raw: made(data) };
  return asTold(found, live, (ours) => told(data, ours));
}

/** What there is to end, also where that has begun. It is done for nobody who was not told so. Throws FOREIGN. */
export function handoverOf({ live, predecessor }: Succession, { adopts }: Context<unknown>): Handover | undefined {
  const begun = handoverIn(live);
  if (predecessor && !begun && !adopts) throw new HostnetError("FOREIGN", `${predecessor.title} does it already`);
  return begun ?? predecessor;
}

/** As `convergeService`; what there is to end is ended before `after`. Throws FOREIGN. */
export function convergeSuccession(
  service: Service,
  succession: Succession,
  context: Context<unknown>,
  want: { running: boolean },
  { before = [], after = [] }: { before?: Step[]; after?: Step[] },
): Step[] {
  const { live } = succession;
  const handover = handoverOf(succession, context);
  if (!handover) return convergeService(service, live, context, want.running, { before, after });
  const begin = handoverIn(live) ? [] : beginHandover(service, handover, want, context);
  const steps = convergeService(service, live, context, want.running, {
    before: [...before, ...begin],
    after: [endPredecessor(service, handover), ...after],
  });
  return [...steps, closeHandover(service)];
}
