import type { Counts } from "./hosts";
import type { LayoutFigures } from "./layout/figures";
import { median, ratio, rounded, type Verb, verbs } from "./measure";
import { type Contender, contenders, type Sample, type Samples, type Way, ways } from "./samples";
import { type Workload, type WorkloadName, workload } from "./workloads";

type PerVerb = Partial<Record<Verb, number>>;

/** Ours through the CLI against the same program with a provider that does nothing. */
export interface EngineRatios {
  upVsNoop: number;
  /** A second `up`, with nothing to do. */
  upAgainVsNoop: number;
  refreshVsNoop: number;
  destroyVsNoop: number;
}

/** All figures are medians over the rounds; each ratio is one of seconds within a round, but for `cpu`. */
export interface WorkloadFigures extends EngineRatios {
  hosts: number;
  linksPerHost: number;
  /** The same of processor time on our side, which other work on the machine distorts less. */
  cpu: EngineRatios;
  /** One connection and command for each link against ours, without the engine: how many times our time it takes. */
  connectPerOperationVsUs: number;
  connectPerOperationVsUsRefresh: number;
  connectPerOperationVsUsDestroy: number;
  /** Our time without the engine against that of one `ip -batch` that looks at nothing and proves nothing. */
  hostTimeVsShell: PerVerb;
  /** Most that the sshd of any host counted in any operation of ours. */
  connectionsPerHost: number;
  channelsPerHost: number;
  /** Most in any operation; `roundTrips` has them all. */
  roundTripsPerBatch: number;
  roundTrips: PerVerb;
  /** Started on a host, whatever for: sshd's own, shells, `ip`. Without the engine; then ours through it. */
  processesPerHost: { ours: PerVerb; connectPerOperation: PerVerb; oursThroughEngine: PerVerb };
  /** At the CLI's own parallelism, where also the stand-in for remote.Command goes through the engine. */
  defaultParallelism?: EngineRatios & { connectPerOperationUpVsUs: number; connectPerOperationDestroyVsUs: number };
  seconds: Partial<Record<Way, Partial<Record<Contender, PerVerb>>>>;
}

export type Figures = Partial<Record<WorkloadName, WorkloadFigures>> & { layout?: LayoutFigures };

/** Of the workloads of links. */
export function figuresOf(samples: Samples, quick: boolean): Figures {
  const names = [...new Set(samples.all.map((sample) => sample.workload))];
  return Object.fromEntries(names.map((name) => [name, figures(samples, workload(name, quick))]));
}

function figures(samples: Samples, { name, hosts, links }: Workload): WorkloadFigures {
  const of = (way: Way, contender: Contender, verb?: Verb) =>
    samples.of({ workload: name, way, contender, ...(verb ? { verb } : {}) });
  const times = (way: Way, contender: Contender, verb: Verb) => of(way, contender, verb).map(({ seconds }) => seconds);
  const engine = (way: Way, what: "seconds" | "cpuSeconds" = "seconds"): EngineRatios => {
    const one = (verb: Verb) => {
      const [ours, noop] = (["ours", "noop"] as const).map((contender) => of(way, contender, verb).map((s) => s[what]));
      return rounded(ratio(ours as number[], noop as number[]));
    };
    return {
      upVsNoop: one("up"),
      upAgainVsNoop: one("again"),
      refreshVsNoop: one("refresh"),
      destroyVsNoop: one("destroy"),
    };
  };
  const against = (way: Way, verb: Verb, above: Contender, below: Contender) =>
    rounded(ratio(times(way, above, verb), times(way, below, verb)));
  const perOperation = (way: Way, verb: Verb) => against(way, verb, "connectPerOperation", "ours");
  const vsShell = (verb: Verb) => against("process", verb, "ours", "shellScript");

  const ours = samples.of({ workload: name, contender: "ours" });
  const most = (what: keyof Counts) => Math.max(...ours.flatMap((sample) => sample.hosts.map((host) => host[what])));
  const roundTrips = perVerb((verb) =>
    of("process", "ours", verb).flatMap(({ roundTripsPerBatch }) => roundTripsPerBatch ?? []),
  );
  const processes = (way: Way, contender: Contender) => perVerb((verb) => of(way, contender, verb).map(busiest));
  return {
    hosts,
    linksPerHost: links.length,
    ...engine("parallel64"),
    cpu: engine("parallel64", "cpuSeconds"),
    connectPerOperationVsUs: perOperation("process", "up"),
    connectPerOperationVsUsRefresh: perOperation("process", "refresh"),
    connectPerOperationVsUsDestroy: perOperation("process", "destroy"),
    hostTimeVsShell: { up: vsShell("up"), refresh: vsShell("refresh"), destroy: vsShell("destroy") },
    connectionsPerHost: most("connections"),
    channelsPerHost: most("channels"),
    roundTripsPerBatch: Math.max(...Object.values(roundTrips)),
    roundTrips,
    processesPerHost: {
      ours: processes("process", "ours"),
      connectPerOperation: processes("process", "connectPerOperation"),
      oursThroughEngine: processes("parallel64", "ours"),
    },
    ...(of("parallelDefault", "ours").length > 0
      ? {
          defaultParallelism: {
            ...engine("parallelDefault"),
            connectPerOperationUpVsUs: perOperation("parallelDefault", "up"),
            connectPerOperationDestroyVsUs: perOperation("parallelDefault", "destroy"),
          },
        }
      : {}),
    seconds: secondsOf((way, contender) => perVerb((verb) => times(way, contender, verb))),
  };
}

/** The host on which most processes were started. */
const busiest = ({ hosts }: Sample) => Math.max(...hosts.map(({ processes }) => processes));

/** The median for each verb that was measured. */
function perVerb(values: (verb: Verb) => number[]): PerVerb {
  const measured = verbs.map((verb) => [verb, values(verb)] as const).filter(([, all]) => all.length > 0);
  return Object.fromEntries(measured.map(([verb, all]) => [verb, rounded(median(all))]));
}

function secondsOf(of: (way: Way, contender: Contender) => PerVerb): WorkloadFigures["seconds"] {
  return Object.fromEntries(
    ways.flatMap((way) => {
      const all = contenders.map((contender) => [contender, of(way, contender)] as const);
      const measured = all.filter(([, seconds]) => Object.keys(seconds).length > 0);
      return measured.length > 0 ? [[way, Object.fromEntries(measured)]] : [];
    }),
  );
}
