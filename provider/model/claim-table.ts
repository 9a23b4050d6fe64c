/** What is taken, by whom, and among whom it is shared; undefined: by nobody else. */
export type ClaimTable = Map<string, { title: string; among: string | undefined }>;

/** `shared X` may be claimed by many that say so, `shared (G) X` by many of G; neither beside `X` or those of another group. */
const shared = /^shared (?:\((.+?)\) )?(.+)$/;

/** The first claim that somebody else has; undefined when all are free. */
export function takenBy(
  table: ClaimTable,
  wanted: string[],
): { claim: string; key: string; title: string } | undefined {
  for (const claim of wanted) {
    const { key, among } = parse(claim);
    const other = table.get(key);
    if (other && (among === undefined || among !== other.among)) return { claim, key, title: other.title };
  }
  return undefined;
}

export function enter(table: ClaimTable, title: string, claims: string[]): void {
  for (const claim of claims) {
    const { key, among } = parse(claim);
    table.set(key, { title, among });
  }
}

function parse(claim: string): { key: string; among: string | undefined } {
  const [, among = "", key] = shared.exec(claim) ?? [];
  return key === undefined ? { key: claim, among: undefined } : { key, among };
}
