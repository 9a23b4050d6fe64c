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

export function liveOffloads(features: Record<string, boolean>): Record<string, boolean> {
  return Object.fromEntries(
    Object.entries(offloadNames).flatMap(([short, long]) => {
      const value = features[long];
      return value === undefined ? [] : [[short, value]];
    }),
  );
}

export function convergeOffloads(want: Want, live: LinkState, context: Context<unknown>): Step[] {
  const before = context.was.flatMap((args) => Object.keys((args as Partial<Want>).offloads ?? {}) as Offload[]);
  // What is declared no more goes back to what drivers start with: everything on but LRO.
  const back = Object.fromEntries(before.map((feature) => [feature, feature !== "lro"]));
  const wanted = Object.entries({ ...(want.offloads ? back : {}), ...want.offloads }) as [Offload, boolean][];
  const differing = wanted.filter(([feature, on]) => live.features?.[offloadNames[feature]] !== on);
  if (differing.length === 0) return [];
  const words = differing.flatMap(([feature, on]) => [feature, on ? "on" : "off"]);
  return [{ argv: ["ethtool", "-K", want.name, ...words], namespace: want.namespace }];
}
