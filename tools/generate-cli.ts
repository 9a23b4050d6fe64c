import type { Command } from "commander";
import { hostnet } from "../provider/cli/program";
import { cell } from "./generate-docs";

/** The reference of the `hostnet` command, from its own help: a page a command. */
export function commandPages(): [path: string, text: string][] {
  const program = hostnet();
  const commands = visible(program);
  const index = [
    "# The command `hostnet`",
    "",
    `${program.description()}. Generated from its own help.`,
    "",
    ...commands.map((one) => `- [hostnet ${one.name()}](${one.name()}.md): ${one.description()}`),
    "",
  ].join("\n");
  const pages = commands.map((one): [string, string] => [`${folder}/${one.name()}.md`, page(one)]);
  return [[`${folder}/README.md`, index], ...pages];
}

const folder = "docs/reference/cli";

const visible = (command: Command) =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== "help");

function page(command: Command): string {
  const below = visible(command);
  return [
    `# hostnet ${command.name()}`,
    ...section(command),
    ...below.flatMap((one) => [`## ${wholeName(one)}`, ...section(one)]),
  ]
    .join("\n\n")
    .concat("\n");
}

const wholeName = (command: Command): string =>
  command.parent ? `${wholeName(command.parent)} ${command.name()}` : command.name();

function section(command: Command): string[] {
  const help = command.createHelp();
  const items = [
    ...help.visibleArguments(command).map((one) => [help.argumentTerm(one), help.argumentDescription(one)]),
    ...help.visibleOptions(command).map((one) => [help.optionTerm(one), help.optionDescription(one)]),
  ];
  const rows = items.map(([term = "", text = ""]) => `| \`${cell(term)}\` | ${cell(text)} |`);
  const usage = `\`\`\`\n${help.commandUsage(command)}\n\`\`\``;
  return [capital(help.commandDescription(command)), usage, ["| | |", "|---|---|", ...rows].join("\n")];
}

const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
