/** What is done to the layout: everything made, and everything taken away. */
export type LayoutVerb = "up" | "destroy";

/** The example by the CLI, the same resources by the CLI with a provider that does nothing, layout.sh. */
export const layoutContenders = ["ours", "noop", "shell"] as const;
export type LayoutContender = (typeof layoutContenders)[number];

/** What a host of the lab counted. */
export interface LabCounts {
  /** Logins that its sshd accepted. */
  connections: number;
  /** Processes started on it, whatever for. */
  processes: number;
}

export interface LayoutSample {
  workload: "layout";
  contender: LayoutContender;
  verb: LayoutVerb;
  round: number;
  seconds: number;
  /** Of processors on our side; of the shell's nobody asks. */
  cpuSeconds?: number;
  hosts: LabCounts[];
}

/** What our sessions with a host counted in one `up`, the first of a run, which is not timed. */
export interface SessionCounts {
  connections: number;
  channels: number;
  roundTrips: number;
  commands: number;
}
