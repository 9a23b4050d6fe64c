/** Rules of nftables that may drop packets, from what `nft -a list ruleset` prints. */

interface Rule {
  text: string;
  handle: string;
  packets?: number;
}

interface Chain {
  family: string;
  table: string;
  name: string;
  hook?: string;
  policy?: string;
  rules: Rule[];
}

/** Where in a namespace packets were lost: by which tables, at which hooks, between which devices. */
export interface Stage {
  families: string[];
  hooks: string[];
  /** The devices by which they come and go; rules for others do not count. */
  devices: string[];
}

/**
 * What may drop packets at a stage, in words; undefined when nothing can. A rule that counts and has counted `sent`
 * packets, or half of them, between the two looks is the one; else all that drop are named, two at most.
 */
export function dropper(before: string, after: string, stage: Stage, sent: number): string | undefined {
  const [was, is] = [chainsIn(before), chainsIn(after)];
  const candidates = is
    .filter(({ family, hook }) => stage.families.includes(family) && stage.hooks.includes(hook ?? ""))
    .flatMap((base) => droppingFrom(base, is, stage.devices));
  const counted = candidates.find(({ chain, rule }) => {
    const earlier = sameChain(was, chain)?.rules.find(({ handle }) => handle === rule?.handle);
    return rule?.packets !== undefined && rule.packets - (earlier?.packets ?? 0) >= sent / 2;
  });
  const named = [...new Set((counted ? [counted] : candidates).map(words))];
  if (named.length === 0) return undefined;
  const more = named.length > 2 ? `, or one of ${named.length - 2} more` : "";
  return `${named.slice(0, 2).join(", or ")}${more}`;
}

interface Candidate {
  chain: Chain;
  /** Without one it is the chain's policy. */
  rule?: Rule;
}

function words({ chain: { family, table, name }, rule }: Candidate): string {
  const where = `chain ${name} of the nftables table ${family} ${table}`;
  return rule ? `the rule \`${rule.text}\` in ${where}` : `the policy drop of ${where}`;
}

function droppingFrom(base: Chain, all: Chain[], devices: string[]): Candidate[] {
  const chains = [base];
  // The list grows while it is walked.
  for (const chain of chains) {
    for (const { text } of chain.rules) {
      const target = /\b(?:jump|goto) (\S+)/.exec(text)?.[1];
      const next = target && sameChain(all, { ...chain, name: target });
      if (next && !chains.includes(next) && fits(text, devices)) chains.push(next);
    }
  }
  const rules = chains.flatMap((chain) =>
    chain.rules
      .filter(({ text }) => /\b(drop|reject)\b/.test(text) && fits(text, devices))
      .map((rule) => ({ chain, rule })),
  );
  return base.policy === "drop" ? [...rules, { chain: base }] : rules;
}

/** False for a rule that names a device, and none of these. */
function fits(text: string, devices: string[]): boolean {
  const names = [...text.matchAll(/\b[io]if(?:name)? "([^"]+)"/g)].map(([, name = ""]) => name);
  return names.every((name) => name.endsWith("*") || devices.includes(name));
}

const sameChain = (chains: Chain[], { family, table, name }: Pick<Chain, "family" | "table" | "name">) =>
  chains.find((one) => one.family === family && one.table === table && one.name === name);

function chainsIn(ruleset: string): Chain[] {
  const chains: Chain[] = [];
  let [family, table] = ["", ""];
  let chain: Chain | undefined;
  for (const line of ruleset.split("\n").map((text) => text.trim())) {
    const opened = /^table (\S+) (\S+) \{/.exec(line);
    const begun = /^chain (\S+) \{/.exec(line);
    const base = /^type \S+ hook (\S+) .*?(?:policy (\w+);)?$/.exec(line);
    const rule = /^(.*) # handle (\d+)$/.exec(line);
    if (opened) {
      [, family = "", table = ""] = opened;
    } else if (begun) {
      chain = { family, table, name: begun[1] ?? "", rules: [] };
      chains.push(chain);
    } else if (line === "}") chain = undefined;
    else if (chain && base) Object.assign(chain, { hook: base[1], policy: base[2] });
    else if (chain && rule) chain.rules.push(ruleOf(rule[1] ?? "", rule[2] ?? ""));
  }
  return chains;
}

function ruleOf(text: string, handle: string): Rule {
  const packets = /\bcounter packets (\d+) bytes \d+/.exec(text);
  return {
    text: text.replace(/\bcounter packets \d+ bytes \d+/, "counter"),
    handle,
    packets: packets ? Number(packets[1]) : undefined,
  };
}
