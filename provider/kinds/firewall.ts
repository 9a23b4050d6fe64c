import { z } from "zod";
import { kind } from "../kind";
import type { Section, Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { unmarked } from "../model/mark";
import { inNamespace, keyIn, namespaceExists, placeWords } from "../model/namespaces";
import { type FirewallArgs, firewallArgs } from "../model/nft-args";
import { difference, tableLine } from "../model/nft-delta";
import { endedFlows } from "../model/nft-flows";
import { plainlyDrops } from "../model/nft-guard";
import { type Reading, shownTable, surplusBlocks, wantedBlocks } from "../model/nft-normal";
import { offloadChecks, withOffload, withoutOffload } from "../model/nft-offload";
import { declaredTable, keeperOf, rulesetSection, tablesOf } from "../model/nft-ruleset";
import { contents, type Line, parseTable, titleOf } from "../model/nft-table";
import { get } from "../model/path";

type Want = FirewallArgs;

interface Raw extends Reading {
  /** What nft says is wrong with what is declared. */
  complaint?: string;
}

export const firewall = kind({
  name: "Firewall",
  doc: "One table of nftables, exact: what is in it and not declared goes. Rules are nft's own text, compared in the form in which nft prints them, so that no spelling makes drift. A change is checked by `nft -c` and applied atomically, as the difference: counters of rules that stay go on, and what rules have added to sets stays. Other tables are never touched, and an accept here does not override another table's drop. A change that would plainly cut the SSH connection is refused; what a rule with a condition does to it is not seen.",
  args: firewallArgs,
  facts: z.object({
    chains: z.number().describe("How many chains it has."),
    rules: z.number().describe("How many rules it has."),
  }),
  identity: ["name", "namespace", "family"],
  needs: ["nft"],
  mark: "comment",
  reset: { dormant: false },
  claims: (want) => [`nftables table ${titleOf(want)}${placeWords(want.namespace)}`],
  observe: (want) => [...inNamespace(want.namespace, liveSection(want)), normalSection(want)],
  find(want, seen) {
    if (!namespaceExists(seen, want.namespace)) return undefined;
    const { exitCode, stdout, stderr } = seen.result(keyIn(liveSection(want).key, want.namespace));
    if (exitCode !== 0) {
      if (/Error: No such file or directory/.test(stderr)) return undefined;
      throw new HostnetError("READ_FAILED", `could not read table ${titleOf(want)}`, {
        step: "nft list table",
        exitCode,
        stderr,
      });
    }
    const live = parseTable(stdout);
    const normal = seen.result(normalSection(want).key);
    const blocks = [...live.blocks.values()];
    const raw: Raw = {
      ...{ live, declared: want, normal: withOffload(want, parseTable(normal.stdout)) },
      complaint: normal.exitCode === 0 ? undefined : normal.stderr,
    };
    return {
      args: { namespace: want.namespace, name: want.name, family: want.family },
      facts: {
        chains: blocks.filter((block) => block.kind === "chain").length,
        rules: blocks.reduce((sum, { rules }) => sum + rules.length, 0),
      },
      marks: [live.comment ?? unmarked],
      raw,
    };
  },
  survey: (namespace) => inNamespace(namespace, rulesetSection),
  list: (seen, namespace) => tablesOf(seen, namespace).flatMap((one) => declaredTable(one, namespace).args ?? []),
  maker: ({ args: { family = "", name = "" }, raw }) => keeperOf({ family, name, table: (raw as Raw).live }),
  converge(want, live, context) {
    const raw = live?.raw as Raw | undefined;
    if (!raw) return write(want, [{ text: tableLine(want, context.mark), path: "" }, ...contents(want)]);
    if (raw.complaint !== undefined) throw invalid(want, raw.complaint);
    const change = difference(want, raw.live, wantedBlocks(want, raw, context.was), context.mark);
    const inside = [...write(want, change.lines), ...endedFlows(want, context.was, change)];
    const flag = write(want, change.flag);
    // It is asleep while it is changed.
    return want.dormant ? [...flag, ...inside] : [...inside, ...flag];
  },
  remove: (_live, want) => [{ argv: ["nft", "delete", "table", want.family, want.name], namespace: want.namespace }],
  shown: (path, want, live) =>
    path in { name: 1, namespace: 1, family: 1 } ? get(live.args, path) : get(shownTable(want, live.raw as Raw), path),
  surplus: (want, live) => surplusBlocks(want, (live.raw as Raw).live),
});

/** -y: priorities as numbers; -s: without counts; -a: with the handles of rules. */
const liveSection = ({ family, name }: Want): Section => ({
  key: `nft:${family}:${name}`,
  argv: ["nft", "-y", "-s", "-a", "list", "table", family, name],
});

/** Loads what it reads into the namespace that it is in, and prints the table that comes of it. */
const reprint = 'nft -f - && exec nft -y -s list table "$0" "$1"';

/**
 * What nft makes of the declared table: loaded in a network namespace of its own, which is gone with the process. The
 * devices of the host are not there: `lo` stands for each.
 */
const normalSection = (want: Want): Section => ({
  key: `nft-normal:${want.namespace ?? ""}:${want.family}:${want.name}`,
  argv: ["unshare", "-n", "sh", "-c", reprint, want.family, want.name],
  stdin: text(normalLines(want)),
  pure: true,
});

const normalLines = (want: Want): Line[] => [
  { text: `add table ${titleOf(want)}`, path: "" },
  ...contents(withoutOffload(want), () => '"lo"'),
];

const text = (lines: Line[]) => lines.map((line) => `${line.text}\n`).join("");

/** One transaction; checked before, so that a refusal is known to have changed nothing. */
function write(want: Want, lines: Line[]): Step[] {
  if (lines.length === 0) return [];
  const step = { stdin: text(lines), sources: lines.map(({ path }) => path), namespace: want.namespace };
  const devices = Object.values(want.chains ?? {}).flatMap((chain) =>
    plainlyDrops(chain) ? (chain.devices ?? []) : [],
  );
  const touches = want.namespace === undefined && devices.length > 0 ? devices : undefined;
  return [
    ...offloadChecks(want, lines),
    { argv: ["nft", "-c", "-f", "-"], ...step },
    { argv: ["nft", "-f", "-"], ...step, touches },
  ];
}

function invalid(want: Want, complaint: string): HostnetError {
  const [, line = "", message] = /:(\d+):[\d-]+: (?:Error: )?(.*)/.exec(complaint) ?? [];
  const path = normalLines(want)[Number(line) - 1]?.path;
  return new HostnetError("INVALID", `${path ? `${path}: ` : ""}nft says: ${message ?? complaint.split("\n")[0]}`, {
    ...{ stderr: complaint, remedy: "See nft(8) of the host's version." },
  });
}
