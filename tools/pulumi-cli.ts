import { up } from "../lab";
import { stackName } from "./backend";
import { demo } from "./demo";
import { log, runMain } from "./log";
import { findPulumi } from "./pulumi";

/** Commands that run the program or reach the hosts. */
const needsLab = ["up", "update", "preview", "pre", "refresh", "destroy", "dn", "down", "import", "watch"];

/** Commands that take `--stack` and would ask which one. */
const needsStack = [...needsLab, "stack", "config", "state", "cancel", "logs"];

/** The arguments with our stack named where the command wants one and the user names none. */
export function withStack(args: string[]): string[] {
  const [command, subcommand] = args;
  const names = args.some((arg) => /^(-s|--stack)(=|$)/.test(arg));
  if (names || !needsStack.includes(command ?? "") || args.includes("--help")) return args;
  if (command === "stack" && ["ls", "init", "select", "rm", "rename"].includes(subcommand ?? "")) return args;
  const end = args.indexOf("--");
  const at = end < 0 ? args.length : end;
  return [...args.slice(0, at), "--stack", stackName, ...args.slice(at)];
}

/** `npm run pulumi -- <args>`: the right Pulumi CLI on the demonstration stack, with the lab up where it is needed. */
async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const pulumi = await findPulumi(log);
  const hosts = needsLab.includes(args[0] ?? "") && !args.includes("--help") ? await up({ log }) : undefined;
  return (await demo(pulumi, hosts)).run(withStack(args));
}

if (require.main === module) runMain(main);
