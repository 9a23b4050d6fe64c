import { stackName } from "./backend";

/** Commands that run the program or reach the hosts. */
const withHosts = ["up", "update", "preview", "pre", "refresh", "destroy", "dn", "down", "import", "watch"];

/** Commands that take `--stack` and would ask which one. */
const needsStack = [...withHosts, "stack", "config", "state", "cancel", "logs"];

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

/** Whether the command runs the program or reaches the hosts, so that the lab has to be up. */
export function needsLab(args: string[]): boolean {
  return withHosts.includes(args[0] ?? "") && !args.includes("--help");
}
