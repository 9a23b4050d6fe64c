import type { Context } from "../kind";
import type { Step } from "./command";
import { HostnetError } from "./errors";
import type { Process } from "./processes";
import type { Service } from "./service";
import type { ServiceFolder } from "./service-live";
import { folderStep } from "./service-steps";
import { folderOf } from "./service-unit";

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
export interface Begun extends Handover {
  mark: string;
  want: unknown;
}

const file = "predecessor";
const pathOf = (service: string) => `${folderOf(service)}/${file}`;

/** What was begun and has not come to its end. */
export function handoverIn(service: ServiceFolder | undefined): Begun | undefined {
  const text = service?.files.get(file)?.trim();
  // Half a file: nothing else was written after it.
  return text?.endsWith("}") ? (JSON.parse(text) as Begun) : undefined;
}

/** To be done before anything else is written. */
export function beginHandover(
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
export function endPredecessor({ name, account = "root" }: Service, { processes, carried }: Handover): Step {
  const to = carried ? `${folderOf(name)}/data/${carried.name}` : "";
  const all = processes.flatMap(({ pid, args }) => [String(pid), args]);
  return { argv: ["sh", "-c", endText, "sh", carried?.from ?? "", to, account, ...all] };
}

/** To be done when ours runs. */
export const closeHandover = ({ name }: Service): Step => ({ argv: ["rm", "-f", pathOf(name)] });

/** How a process is called, for a person. */
export const processTitle = (program: string, { pid }: Pick<Process, "pid">) => `${program}[${pid}]`;

/** What somebody else has started is ended for nobody who was not told so. Throws FOREIGN. */
export function mustAdopt(title: string, context: Context<unknown>): void {
  if (!context.adopts) throw new HostnetError("FOREIGN", `${title} does it already`);
}
