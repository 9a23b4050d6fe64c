import type { Seen } from "../host/seen";
import type { Section, Step } from "./command";
import { HostnetError } from "./errors";

/**
 * Flows as ovs-ofctl reads and prints them. What is declared and what a bridge has are compared in the form in which
 * OpenFlow 1.3 and 1.4 give them back (the texts of both are the same, seen with OVS 3.1): `set_tunnel:0x64` becomes
 * `set_field:0x64->tun_id` in both, as `parse-flows` encodes a flow and decodes it again, without any bridge.
 */
const versions = "OpenFlow13,OpenFlow14";

export interface Flow {
  table: number;
  priority: number;
  match: string;
  actions: string;
  idleTimeout?: number | undefined;
  hardTimeout?: number | undefined;
  importance?: number | undefined;
}

export interface LiveFlow extends Flow {
  cookie: bigint;
  /** `send_flow_rem` and the like, as they are printed. */
  flags?: string;
}

/** What a flow without a priority has (OFP_DEFAULT_PRIORITY). */
export const defaultPriority = 32768;

/** All flows of a bridge, of whoever: one process, whatever sets there are. */
export const flowsSection = (bridge: string): Section => ({
  key: `flows:${bridge}`,
  argv: ["ovs-ofctl", "-O", versions, "--no-names", "--no-stats", "dump-flows", bridge],
});

/** The same, read. Throws READ_FAILED. */
export function flowsOf(seen: Seen, bridge: string): LiveFlow[] {
  const { exitCode, stdout, stderr } = seen.result(flowsSection(bridge).key);
  if (exitCode === 0) return parseFlows(stdout);
  throw new HostnetError("READ_FAILED", `the flows of bridge ${bridge} could not be read`, {
    ...{ step: "ovs-ofctl dump-flows", exitCode, stderr },
    remedy: "The bridge must speak OpenFlow 1.3 or 1.4: look at its `protocols`, and at ovs-vswitchd.log on the host.",
  });
}

/** What ovs-ofctl makes of declared flows; no bridge is asked. */
export const parsedSection = (bridge: string, name: string, flows: Flow[]): Section => ({
  key: `flows:${bridge}:${name}`,
  argv: ["ovs-ofctl", "-O", "OpenFlow14", "parse-flows", "-"],
  stdin: flows.map((flow) => `${lineOf(flow)}\n`).join(""),
  pure: true,
});

/** What ovs-ofctl says of all flows together when OpenFlow 1.4 cannot say one of them. */
export const isUnsayable = (complaint: string | undefined) => complaint?.includes("no usable protocol") === true;

/** Fails at the first flow that is so. */
export const findUnsayable = (flows: Flow[]): Step[] =>
  flows.map((flow, at) => ({
    argv: ["ovs-ofctl", "-O", "OpenFlow14", "parse-flow", lineOf(flow)],
    sources: [`flows[${at}]`],
  }));

/**
 * One atomic change. Before OpenFlow 1.4 there are bundles too (ONF extension 230). To know names, ovs-ofctl first asks
 * the bridge for its ports and for the features of all 254 tables: 130 ms where 25 do with numbers (seen with OVS 3.1).
 */
export const bundle = (bridge: string, lines: string[]) => ({
  argv: ["ovs-ofctl", "-O", versions, "--no-names", "--bundle", "add-flows", bridge, "-"],
  stdin: lines.map((line) => `${line}\n`).join(""),
});

/** What tells flows apart: a second one of these overwrites the first. */
const placeOf = ({ table, priority, match }: Flow) =>
  [`table=${table}`, `priority=${priority}`, ...(match ? [match] : [])].join(",");

export const keyOf = placeOf;

/** A flow as ovs-ofctl takes it. */
export function lineOf(flow: Flow): string {
  const { idleTimeout = 0, hardTimeout = 0, importance = 0 } = flow;
  const numbers = Object.entries({ idle_timeout: idleTimeout, hard_timeout: hardTimeout, importance });
  const words = numbers.flatMap(([key, value]) => (value > 0 ? [`${key}=${value}`] : []));
  return [placeOf(flow), ...words, `actions=${flow.actions}`].join(",");
}

const attributes =
  /^(cookie|table|duration|n_packets|n_bytes|idle_age|hard_age|idle|hard|importance)(?:_timeout)?[:=](.*)$/;

const flags = /^(send_flow_rem|check_overlap|reset_counts|no_packet_counts|no_byte_counts)$/;

/** What every flow has that was added by OpenFlow 1.0: it has had its effect then. */
const spent = "reset_counts";

/** The flows in what `dump-flows` or `parse-flows` prints; other lines of it are passed over. */
export function parseFlows(text: string): LiveFlow[] {
  return text.split("\n").flatMap((line) => {
    const [, head, actions] = /^(?:.*: ADD)? ?(.*?)\bactions=(.*)$/.exec(line) ?? [];
    if (head === undefined || actions === undefined) return [];
    const values = new Map<string, string>();
    const flagged: string[] = [];
    let words = "";
    // The match is one word without a space.
    for (const word of head.split(/,?\s+/).filter(Boolean)) {
      const [, name, value] = attributes.exec(word) ?? [];
      if (name !== undefined) values.set(name, value ?? "");
      else if (flags.test(word)) flagged.push(...(word === spent ? [] : [word]));
      else words = word;
    }
    const [, priority, match] = /^priority=(\d+),?(.*)$/.exec(words) ?? [];
    const number = (name: string) => Number(values.get(name) ?? 0);
    return [
      {
        ...{ table: number("table"), priority: Number(priority ?? defaultPriority), match: match ?? words, actions },
        ...{ idleTimeout: number("idle"), hardTimeout: number("hard"), importance: number("importance") },
        cookie: BigInt(values.get("cookie") ?? 0),
        ...(flagged.length > 0 ? { flags: flagged.join(" ") } : {}),
      },
    ];
  });
}

/** The names of ports in a flow: they stand in double quotes, and nothing else does. */
const quotedName = /"([^"]*)"/g;

export const portNames = (flows: Flow[]) => [
  ...new Set(
    flows.flatMap((flow) => [...`${flow.match} ${flow.actions}`.matchAll(quotedName)].map(([, name = ""]) => name)),
  ),
];

/** The flow with something else for each port's name. */
export const replacePorts = (flow: Flow, portOf: (name: string) => string): Flow => {
  const put = (text: string) => text.replace(quotedName, (_, name: string) => portOf(name));
  return { ...flow, match: put(flow.match), actions: put(flow.actions) };
};

/**
 * `parse-flows` asks no bridge, so it knows no names: each gets a number for it, one that stands nowhere in the flows.
 */
export function placeholders(flows: Flow[]): Map<string, string> {
  const text = JSON.stringify(flows).toLowerCase();
  let number = 60_000;
  const free = () => {
    while (text.includes(String(number)) || text.includes(number.toString(16))) number++;
    return String(number++);
  };
  return new Map(portNames(flows).map((name) => [name, free()]));
}
