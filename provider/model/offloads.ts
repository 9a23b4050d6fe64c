import { z } from "zod";
import type { Context } from "../kind";
import type { Step } from "./command";
import type { LinkState } from "./link-state";

/** The features of a device that may be switched, by the short words of ethtool(8), with the long ones it prints. */
const offloadNames = {
  rx: "rx-checksumming",
  tx: "tx-checksumming",
  sg: "scatter-gather",
  tso: "tcp-segmentation-offload",
  gso: "generic-segmentation-offload",
  gro: "generic-receive-offload",
  lro: "large-receive-offload",
  rxvlan: "rx-vlan-offload",
  txvlan: "tx-vlan-offload",
} as const;

type Offload = keyof typeof offloadNames;

export const offloads = z.partialRecord(z.enum(Object.keys(offloadNames) as [Offload, ...Offload[]]), z.boolean());

/** The part of a link's arguments that is meant here. */
interface Want {
  name: string;
  namespace?: string | undefined;
  offloads?: z.output<typeof offloads> | undefined;
}

/** A feature of a device. */
export interface Feature {
  on: boolean;
  /** It cannot be switched (`[fixed]`), or has been asked for what another feature keeps it from (`[requested on]`). */
  stuck: boolean;
}

/** What `ethtool -k` prints of one device. Of a feature that has parts only these say why it is as it is. */
export function featuresIn(text: string): Record<string, Feature> {
  const groups = text.split(/\n(?=\S)/).flatMap((group) => {
    const [, name, value] = /^([a-z0-9-]+): (on|off)/.exec(group) ?? [];
    return name ? [{ name, on: value === "on", lines: group.trim().split("\n") }] : [];
  });
  const isStuck = ([head = "", ...parts]: string[]) =>
    [head, ...parts].some((line) => line.includes("[requested")) ||
    (parts.length > 0 ? parts : [head]).every((line) => line.includes("[fixed]"));
  return Object.fromEntries(groups.map(({ name, on, lines }) => [name, { on, stuck: isStuck(lines) }]));
}

export function liveOffloads(features: Record<string, Feature>): Record<string, boolean> {
  return Object.fromEntries(
    Object.entries(offloadNames).flatMap(([short, long]) => {
      const feature = features[long];
      return feature === undefined ? [] : [[short, feature.on]];
    }),
  );
}

/** `ethtool` fails when all that it was asked for has to wait for another feature; the kernel remembers it (wanted_features). */
const askFor = 'ethtool -K "$0" "$@" || ethtool -k "$0" | grep -q requested';

export function convergeOffloads(
  { name, namespace, offloads }: Want,
  live: LinkState,
  context: Context<unknown>,
): Step[] {
  const isOn = (feature: Offload) => live.features?.[offloadNames[feature]]?.on;
  const isStuck = (feature: Offload) => live.features?.[offloadNames[feature]]?.stuck === true;
  const wordsOf = (wanted: [Offload, boolean][]) =>
    wanted.filter(([feature, on]) => isOn(feature) !== on).flatMap(([feature, on]) => [feature, on ? "on" : "off"]);
  const before = context.was.flatMap((args) => Object.keys((args as Partial<Want>).offloads ?? {}) as Offload[]);
  const gone = [...new Set(before)].filter((feature) => offloads && offloads[feature] === undefined);
  const words = wordsOf(Object.entries(offloads ?? {}) as [Offload, boolean][]);
  // What is declared no more goes back to what drivers start with, everything on but LRO, as far as this one can.
  const back = wordsOf(gone.filter((feature) => !isStuck(feature)).map((feature) => [feature, feature !== "lro"]));
  return [
    ...(words.length > 0 ? [{ argv: ["ethtool", "-K", name, ...words], namespace }] : []),
    ...(back.length > 0 ? [{ argv: ["sh", "-c", askFor, name, ...back], namespace }] : []),
  ];
}
