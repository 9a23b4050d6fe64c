import type { Step } from "../model/command";
import { groupDelete } from "./group-delete";
import { ipBatch } from "./ip-batch";
import { argvJudge, notStarted, type Program } from "./program";
import { writeFiles } from "./write-files";

/** `sysctl` goes on after a key that fails, and to set a key twice does no harm. */
const sysctl: Program = {
  bucket({ argv, stdin }) {
    const [, how = ""] = argv;
    return /^-e?qw$/.test(how) && argv.length > 2 && stdin === undefined ? how : undefined;
  },
  judge: argvJudge,
  join: (steps) => ({
    argv: ["sysctl", steps[0]?.argv[1] as string, ...steps.flatMap(({ argv }) => argv.slice(2))],
    namespace: steps[0]?.namespace,
  }),
  blame: ({ exitCode }) => (notStarted(exitCode) ? "all" : "apart"),
};

/** One transaction: all of it or, when it fails, nothing. */
const ovsVsctl: Program = {
  bucket({ argv, stdin }) {
    const head = argv.indexOf("--");
    const options = argv.slice(1, head);
    const alone = head < 1 || head === argv.length - 1 || stdin !== undefined || argv.includes("wait-until");
    return alone || !options.every((option) => option.startsWith("-")) ? undefined : options.join(" ");
  },
  judge() {
    const fits = argvJudge();
    const ids = new Set<string>();
    return (step) => {
      // Two `--id=@qos` in one transaction would be one row.
      const own = new Set(step.argv.filter((word) => word.startsWith("--id=@")));
      if ([...own].some((id) => ids.has(id)) || !fits(step)) return false;
      for (const id of own) ids.add(id);
      return true;
    };
  },
  join(steps) {
    const [first] = steps as [Step];
    // ovs-vswitchd makes one port after the other: where programs are emulated, 60 in half a minute (seen).
    const longer = (_: string, seconds: string) => `--timeout=${Number(seconds) + steps.length - 1}`;
    const options = first.argv.slice(0, first.argv.indexOf("--"));
    const head = options.map((word) => word.replace(/^--timeout=(\d+)$/, longer));
    const argv = [...head, ...steps.flatMap((step) => step.argv.slice(step.argv.indexOf("--")))];
    return { argv, namespace: first.namespace };
  },
  // With the database or ovs-vswitchd gone each would wait out its --timeout, one after the other.
  blame: ({ exitCode, stderr }) =>
    notStarted(exitCode) || /database connection failed|Alarm clock|timed? ?out/i.test(stderr) ? "all" : "apart",
};

/** Bundles for one bridge are one bundle: all of it or, when it fails, nothing. */
const ovsOfctl: Program = {
  bucket: ({ argv, stdin }) => (argv.includes("--bundle") && stdin !== undefined ? JSON.stringify(argv) : undefined),
  judge: () => () => true,
  join: (steps) => ({ ...(steps[0] as Step), stdin: steps.map(({ stdin }) => stdin).join("") }),
  blame: ({ exitCode }) => (notStarted(exitCode) ? "all" : "apart"),
};

/** A command that says the same to the host whoever asks: those who ask together share one. */
const shared: Program = {
  bucket: ({ argv, stdin }) => JSON.stringify([argv, stdin]),
  judge: () => () => true,
  join: (steps) => steps[0] as Step,
  blame: () => "all",
};

/** It goes on after a file that it cannot take away, and to do it twice does no harm. */
const removal: Program = {
  bucket: ({ argv, stdin }) => (argv[1] === "-f" && stdin === undefined ? "" : undefined),
  judge: argvJudge,
  join: (steps) => ({
    argv: ["rm", "-f", ...steps.flatMap(({ argv }) => argv.slice(2))],
    namespace: steps[0]?.namespace,
  }),
  blame: ({ exitCode }) => (notStarted(exitCode) ? "all" : "apart"),
};

/** systemd does the same to several units at once, each for itself; a failure does not say whose it was. */
const units: Program = {
  bucket: ({ argv }) => (/^(restart|reload|stop)$/.test(argv[1] ?? "") && argv.length === 3 ? argv[1] : undefined),
  judge: () => () => true,
  join: (steps) => ({ argv: [...(steps[0] as Step).argv.slice(0, 2), ...steps.flatMap(({ argv }) => argv.slice(2))] }),
  blame: ({ exitCode }) => (notStarted(exitCode) ? "all" : "apart"),
};

/** By name, the better way first; what is not here runs alone. */
export const programs: Record<string, Program[]> = {
  ip: [groupDelete, ipBatch],
  sysctl: [sysctl],
  "ovs-vsctl": [ovsVsctl],
  "ovs-ofctl": [ovsOfctl],
  udevadm: [{ ...shared, late: true, optional: true }],
  install: [writeFiles],
  rm: [removal],
  modprobe: [shared],
  systemctl: [{ ...shared, bucket: ({ argv }) => (argv[1] === "daemon-reload" ? "" : undefined) }, units],
  mkdir: [shared],
};
