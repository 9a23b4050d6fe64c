/** What is done to a deployment: the first `up`, a second one without a change, `refresh`, `destroy`. */
export const verbs = ["up", "again", "refresh", "destroy"] as const;
export type Verb = (typeof verbs)[number];

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: number[]): number {
  if (values.length === 0) throw new Error("there is nothing to take the median of");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/**
 * The median of the rounds' own ratios: both figures of a round were measured one after the other, so what slows the
 * machine down for a while slows both.
 */
export function ratio(above: number[], below: number[]): number {
  if (above.length !== below.length) throw new Error("each round has to have both figures");
  return median(above.map((value, round) => value / (below[round] as number)));
}

/** Two digits behind the point: no more is known. */
export const rounded = (value: number) => Math.round(value * 100) / 100;
