import * as lifecycle from "../../../provider/lifecycle";
import type { Group } from "./groups";
import { differing, must, type Subject, type Trial, updatesOf } from "./trial";

/**
 * A round with one group of updates of each subject: base → updated, broken off half way and finished → the same again
 * → changed behind our back → refreshed → mended → taken out of the program.
 */
export async function attributes(trial: Trial, round: number): Promise<void> {
  const who = trial.subjects.filter(({ groups }) => groups[round]);
  const group = (subject: Subject) => subject.groups[round] as Group;
  const label = (what: string) => `round ${round + 1}, ${what}`;
  const others = who.filter((subject) => group(subject).base !== subject.sample.args);
  const changed = who.filter((one) => !others.includes(one) && group(one).without !== one.sample.args);
  const drifting = (subject: Subject) => updatesOf(subject, round).filter(([, { drift }]) => drift);
  const shown = (when: string, updates: typeof drifting) =>
    trial.onHost(
      label(when),
      (subject) =>
        updates(subject).map(([path, { shows, expect: pattern }]) => ({
          command: shows,
          fault: (text) => (pattern.test(text) ? undefined : `${path} is not shown as ${pattern}`),
        })),
      who,
    );

  if (others.length > 0) await trial.phase(label("another object"), (one) => trial.anew(one, group(one).base), others);
  trial.half = true;
  await trial.phase(label("an update that fails half way"), (one) => trial.applyHalf(one, group(one).args), who);
  trial.half = false;
  await trial.phase(label("update"), (one) => trial.apply(one, group(one).args), who);
  await trial.phase(label("again"), (one) => trial.apply(one, group(one).args), who);
  trial.wroteNothing(label("again"));
  await shown("after the update", (subject) => updatesOf(subject, round));

  await trial.onHost(
    label("changed behind our back"),
    (subject) =>
      drifting(subject).map(([path, { drift = "" }]) => ({
        command: drift,
        fault: (_, code) => (code ? `no drift of ${path}` : undefined),
      })),
    who,
  );
  const expected = (subject: Subject) => drifting(subject).map(([path, { driftShownAt }]) => driftShownAt ?? path);
  await trial.phase(label("refresh"), (one) => refreshed(one, expected(one)), who);
  trial.wroteNothing(label("refresh"));
  const mending = who.filter((one) => drifting(one).length > 0);
  await trial.phase(label("mend"), (one) => trial.apply(one, group(one).args), mending);
  await shown("after the mend", drifting);

  await trial.phase(label("removed from the program"), (one) => trial.apply(one, group(one).without), who);
  await trial.onHost(
    label("after its removal from the program"),
    (subject) =>
      updatesOf(subject, round).flatMap(([path, { shows, removed }]) => {
        const fault = (text: string) => (removed?.test(text) ? undefined : `${path} is not shown as ${removed} again`);
        return removed ? [{ command: shows, fault }] : [];
      }),
    who,
  );
  await trial.phase(label("as at first"), (one) => trial.apply(one, one.sample.args), changed);
  if (others.length > 0) {
    await trial.phase(label("the first object again"), (one) => trial.anew(one, one.sample.args), others);
  }
}

/** A refresh shows exactly what was changed. */
async function refreshed(subject: Subject, expected: string[]): Promise<void> {
  const { id, outs } = must(subject);
  const { id: still, inputs, props } = await lifecycle.read(subject.kind, id, outs);
  if (still === undefined) throw new Error("counts as gone");
  const found = drifted(subject.inputs, inputs);
  const missing = expected.filter((path) => !found.some((other) => related(path, other)));
  const surplus = found.filter((path) => !expected.some((other) => related(path, other)));
  if (missing.length > 0) throw new Error(`does not show the drift of ${missing.join(", ")}`);
  if (surplus.length > 0) throw new Error(`shows drift where there is none: ${surplus.join(", ")}`);
  subject.state = { id, outs: props as lifecycle.Outputs };
}

/** The declared paths at which a refresh shows something else. */
function drifted(inputs: lifecycle.Inputs, shown: lifecycle.Inputs | undefined): string[] {
  return differing(inputs, shown).filter((path) => !path.startsWith("host."));
}

const related = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
