import { heading, log } from "./log";
import { type Login, quote, runAsRoot } from "./ssh";

/** An entry of the output `proof` that an example exports: who reaches whom, and what that shows. */
export interface Proof {
  /** The host's name in the lab. */
  host: string;
  /** The network namespace to ping from; the host's own when it is left out. */
  namespace?: string;
  to: string;
  says: string;
  /** False: nobody may answer. Default: true. */
  answered?: boolean;
}

/** The output `proof` of a stack, checked; an example without one has nothing to prove. */
export function proofsOf(outputs: unknown): Proof[] {
  const value = (outputs as { proof?: unknown } | undefined)?.proof;
  if (value === undefined) return [];
  const isProof = (each: Partial<Proof>) => typeof each?.host === "string" && typeof each.to === "string";
  if (!Array.isArray(value) || !value.every(isProof)) {
    throw new Error("The stack's output `proof` is not a list of { host, namespace, to, says, answered }.");
  }
  return value as Proof[];
}

/** The command that proves an entry, as a person would type it on the host. */
export function proofCommand(proof: Proof): string {
  const inside = proof.namespace ? `ip netns exec ${quote(proof.namespace)} ` : "";
  return `${inside}ping -c 3 -i 0.3 -W 2 ${quote(proof.to)}`;
}

/** Pings as the stack's outputs say and prints what came back; says whether all was as expected. */
export async function prove(outputs: unknown, hosts: Login[]): Promise<boolean> {
  const proofs = proofsOf(outputs);
  let good = true;
  heading("Proof");
  for (const proof of proofs) {
    const host = hosts.find((each) => each.name === proof.host);
    if (!host)
      throw new Error(`The stack's output \`proof\` names the host "${proof.host}", which the lab does not have.`);
    const result = await runAsRoot(host, proofCommand(proof));
    log(`${proof.says}\n  on ${proof.host}: sudo ${proofCommand(proof).replaceAll("'", "")}`);
    for (const line of resultLines(`${result.stdout}\n${result.stderr}`)) log(`    ${line}`);
    // ping ends with 1 when nobody answered, and with more when it could not even ask.
    const expected = proof.answered === false ? 1 : 0;
    if (result.exitCode === expected) continue;
    good = false;
    log(expected === 0 ? "    NOT ANSWERED" : "    ANSWERED, AND MUST NOT BE");
  }
  if (proofs.length === 0) log("The stack has no output `proof`: nothing to ping.");
  return good;
}

/** ping's lines that say something: answers, errors, the summary. */
export function resultLines(output: string): string[] {
  return output.split("\n").filter((line) => line.trim() !== "" && !/^(PING |--- )/.test(line));
}
