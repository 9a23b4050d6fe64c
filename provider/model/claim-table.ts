/** What is taken, and by whom. */
export type ClaimTable = Map<string, { title: string; shared: boolean }>;

/** `shared X` may be claimed by many that say so, but not beside `X`. */
const sharedPrefix = "shared ";

/** The first claim that somebody else has; undefined when all are free. */
export function takenBy(
  table: ClaimTable,
  wanted: string[],
): { claim: string; key: string; title: string } | undefined {
  for (const claim of wanted) {
    const { key, shared } = parse(claim);
    const other = table.get(key);
    if (other && !(shared && other.shared)) return { claim, key, title: other.title };
  }
  return undefined;
}

export function enter(table: ClaimTable, title: string, claims: string[]): void {
  for (const claim of claims) {
    const { key, shared } = parse(claim);
    table.set(key, { title, shared });
  }
}

function parse(claim: string) {
  const shared = claim.startsWith(sharedPrefix);
  return { key: shared ? claim.slice(sharedPrefix.length) : claim, shared };
}
