import { argvJudge, notStarted, type Program } from "./program";

/** `sh -c script sh PATH TEXT…`: without a process a file. */
const script = `umask 077
while [ $# -gt 1 ]; do
  [ -d "\${1%/*}" ] || (umask 022; exec mkdir -p "\${1%/*}") || exit
  printf %s "$2" >"$1" || exit
  shift 2
done
`;

/** `install -D -m 600 /dev/stdin PATH`, as each resource in the ledger has one: many in one process. */
export const writeFiles: Program = {
  bucket: ({ argv, stdin }) =>
    argv.length === 6 && argv.slice(1, 5).join(" ") === "-D -m 600 /dev/stdin" && stdin !== undefined ? "" : undefined,
  judge: argvJudge,
  join: (steps) => ({
    argv: ["sh", "-c", script, "sh", ...steps.flatMap(({ argv, stdin = "" }) => [argv.at(-1) ?? "", stdin])],
    namespace: steps[0]?.namespace,
  }),
  // Each once more: who has no room for his own is told so by `install`.
  blame: ({ exitCode }) => (notStarted(exitCode) ? "all" : "apart"),
};
