import { hostArgs, hostFacts } from "../provider/host-args";
import { kinds } from "../provider/kinds";
import { commandPages } from "./generate-cli";
import { componentTopics } from "./generate-components";
import { referencePages } from "./generate-docs";
import { TypeWriter } from "./generate-types";
import { settle } from "./generated";

/**
 * Writes what is derived from the schemas: the public classes (inferred types lose their documentation in an installed
 * package, and the SDK's own TypeScript 3.8 does not read zod's) and the reference pages, also of components and of the command line. `--check` only compares.
 */
const subjects = [
  {
    name: "Host",
    doc: "A Linux machine, reached over SSH. All else is declared on one.",
    args: hostArgs,
    facts: hostFacts,
  },
  ...Object.values(kinds).sort((a, b) => a.name.localeCompare(b.name)),
];

settle([
  ["provider/resources.ts", new TypeWriter().write(subjects)],
  ...referencePages(subjects, componentTopics()),
  ...commandPages(),
]);
