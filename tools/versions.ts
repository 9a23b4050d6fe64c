/** Major, minor, patch of the first version in a text such as `v3.259.0` or `v3.259.0-dev.1`; undefined if there is none. */
export function parseVersion(text: string): [number, number, number] | undefined {
  const match = /(?:^|[^\d.])v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text.trim());
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/**
 * Whether `version` is `least` or newer. A pre-release counts as its release: a development build of 3.254 has what
 * 3.254 has. A text without a version is not new enough.
 */
export function isAtLeast(version: string, least: string): boolean {
  const [have, need] = [parseVersion(version), parseVersion(least)];
  if (!have || !need) return false;
  for (let i = 0; i < 3; i++) {
    const difference = (have[i] as number) - (need[i] as number);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
