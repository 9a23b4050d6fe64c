import { median, ratio, rounded } from "../measure";
import {
  type LabCounts,
  type LayoutContender,
  type LayoutSample,
  type LayoutVerb,
  layoutContenders,
  type SessionCounts,
} from "./samples";

type PerContender<T> = Record<LayoutContender, T>;

/** The main example on two machines of the lab. Medians over the rounds; each ratio is one of seconds within a round. */
export interface LayoutFigures {
  /** `pulumi up` against the same resources whose provider does nothing. */
  upVsNoop: number;
  /** What is above the no-op, against layout.sh over one connection a host: how many times its time it takes. */
  hostTimeVsShell: number;
  hosts: number;
  resources: number;
  /** Most of any host, of one `up` of ours. */
  connectionsPerHost: number;
  channelsPerHost: number;
  roundTripsPerHost: number;
  commandsPerHost: number;
  /** Most started on any host by an `up`. */
  processesPerHost: PerContender<number>;
  seconds: PerContender<Record<LayoutVerb, number>>;
}

/** What a run of the layout has measured. */
export interface LayoutResults {
  samples: LayoutSample[];
  /** By host, in one `up` of ours. */
  sessions: SessionCounts[];
  resources: number;
}

export function layoutFigures({ samples, sessions, resources }: LayoutResults): LayoutFigures {
  const of = (contender: LayoutContender, verb: LayoutVerb) =>
    samples.filter((sample) => sample.contender === contender && sample.verb === verb);
  const seconds = (contender: LayoutContender, verb: LayoutVerb = "up") =>
    of(contender, verb).map((each) => each.seconds);
  const [ours, noop] = [seconds("ours"), seconds("noop")];
  const beyondEngine = ours.map((each, round) => each - (noop[round] as number));
  const most = (what: keyof SessionCounts) => Math.max(...sessions.map((each) => each[what]));
  const each = <T>(value: (contender: LayoutContender) => T) =>
    Object.fromEntries(layoutContenders.map((contender) => [contender, value(contender)])) as PerContender<T>;
  return {
    upVsNoop: rounded(ratio(ours, noop)),
    hostTimeVsShell: rounded(ratio(beyondEngine, seconds("shell"))),
    hosts: sessions.length,
    resources,
    connectionsPerHost: most("connections"),
    channelsPerHost: most("channels"),
    roundTripsPerHost: most("roundTrips"),
    commandsPerHost: most("commands"),
    processesPerHost: each((contender) => median(of(contender, "up").map(({ hosts }) => mostProcesses(hosts)))),
    seconds: each((contender) => ({
      up: rounded(median(seconds(contender))),
      destroy: rounded(median(seconds(contender, "destroy"))),
    })),
  };
}

const mostProcesses = (hosts: LabCounts[]) => Math.max(...hosts.map(({ processes }) => processes));
