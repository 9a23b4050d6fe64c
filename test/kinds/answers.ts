import { Seen } from "../../provider/host/seen";
import type { Section } from "../../provider/model/command";

/** What a host answers to the sections: by key, text or something to be printed as JSON; nothing for the rest. */
export function answers(sections: Section[], byKey: Record<string, unknown>): Seen {
  const text = (value: unknown) =>
    typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  return new Seen(
    new Map(
      sections.map((section) => [
        section.key,
        { section, result: { exitCode: 0, stdout: text(byKey[section.key]), stderr: "" } },
      ]),
    ),
  );
}

/** The namespaces that `ip -j netns list` prints. */
export const netns = (...names: string[]) => names.map((name) => ({ name }));
