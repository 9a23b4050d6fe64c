import { host as hostHandler } from "../../../provider/host";
import { closeAll } from "../../../provider/host/pool";
import type { Kind } from "../../../provider/kind";
import { kinds } from "../../../provider/kinds";
import * as lifecycle from "../../../provider/lifecycle";
import type { Footprint } from "../../../tools/footprint";
import type { trials } from "../../laws/samples";
import { footprint } from "../helpers/lab";
import { attributes } from "./attributes";
import { groupsOf } from "./groups";
import { Needs } from "./needs";
import { ownership } from "./ownership";
import { all } from "./shell";
import { tampering } from "./tampering";
import { broken, halfOf, hostOf, must, report, type Subject, Trial, textOf } from "./trial";

/**
 * The laws of DESIGN section 5 over the whole registry, on a real machine, in this process: lifecycle is called as the
 * engine would call it, and the machine is looked at with its own tools. All kinds go through each phase together, as
 * the resources of one `up` do; so a run takes minutes, not hours. A kind that fails leaves the run, the others go on.
 * HOSTNET_LAW_KINDS=A,B takes only these.
 */

let chosen: typeof trials;
let trial: Trial;
let needs: Needs;
let before: Footprint;
let after: Footprint;
/** What ended the whole run. */
let trouble: unknown;
/** What could not be taken away, or looked at, in the end. */
let untidy: unknown;

async function wholeLife(): Promise<void> {
  const { subjects } = trial;
  trial.half = true;
  await trial.phase("a create that fails half way", async (subject) => {
    await trial.applyHalf(subject, subject.sample.args);
    must(subject);
  });
  trial.half = false;
  await trial.phase("the next up finishes it", (subject) => trial.apply(subject, subject.sample.args));
  await trial.exists("after its creation", true);
  const rounds = Math.max(...subjects.map(({ groups }) => groups.length));
  for (let round = 0; round < rounds; round++) await attributes(trial, round);
  await ownership(trial);

  const vanishing = subjects.filter(({ sample }) => sample.vanish);
  const vanish = ({ sample: { vanish = "" } }: Subject) => [
    { command: vanish, fault: (_: string, code: number) => (code ? "did not vanish" : undefined) },
  ];
  await trial.onHost("vanish", vanish, vanishing);
  const isGone = async (subject: Subject) => {
    const { id, outs } = must(subject);
    const seen = await lifecycle.read(subject.kind, id, outs);
    subject.state = seen.id && seen.props ? { id: seen.id, outs: seen.props } : undefined;
    // Of what only half has vanished, the rest goes too before the whole is made again.
    if (seen.props && !lifecycle.diff(subject.kind, seen.props, subject.inputs).replaces) {
      throw new Error("does not count as gone, and would not be made again");
    }
  };
  const again = (subject: Subject) =>
    (subject.state ? trial.anew : trial.apply).call(trial, subject, subject.sample.args);
  await trial.phase("refresh of what vanished", isGone, vanishing);
  await trial.phase("made again", again, vanishing);
  await trial.exists("after it was made again", true);
  await tampering(trial, needs);
}

async function takeDown(): Promise<void> {
  const made = trial.subjects.filter(({ state }) => state);
  const removal = (subject: Subject) => lifecycle.remove(subject.kind, must(subject).id, must(subject).outs);
  trial.half = true;
  const half = (error: unknown) => {
    if (!broken.test(textOf(error))) throw error;
  };
  await trial.phase("a delete that fails half way", (subject) => removal(subject).catch(half), made);
  trial.half = false;
  await trial.phase("delete", removal, made);
  await trial.exists("after the deletion", false);
  await trial.phase("delete twice", removal, made);
  trial.wroteNothing("delete twice");
  // Whatever a failed one left must stand in the way of nobody.
  const failed = made.filter(({ failures }) => failures.length > 0);
  for (const subject of failed) await removal(subject).catch(() => {});
  await all(
    trial.node,
    failed.flatMap(({ sample }) => sample.vanish ?? []),
  );
  const [fault] = await needs.takeAway();
  untidy ??= fault;
  await all(
    trial.node,
    trial.subjects.flatMap(({ sample }) => sample.after ?? []),
  );
  await hostHandler.delete("", trial.host as never);
}

/** Two machines take half of the kinds each, at the same time: a test file for each. `half`: 0 or 1. */
export function laws(half: number): void {
  chosen = halfOf(half);
  beforeAll(() => trialOn(half), 3_600_000);
  afterAll(closeAll);

  test.each(chosen.map(([title]) => title))("%s keeps the laws", (name) => {
    if (trouble) throw trouble;
    const subject = trial.subjects.find((one) => one.name === name);
    expect(subject?.failures.join("\n\n")).toBe("");
  });

  test("the machine is as it was before", () => {
    if (untidy) throw untidy;
    expect(after).toEqual(before);
  });
}

async function trialOn(index: number): Promise<void> {
  const start = Date.now();
  const { name, host, ...machine } = await hostOf(index);
  before = machine.before;
  trial = new Trial(name, host);
  const { subjects } = trial;
  for (const [title, sample] of chosen) {
    const kind = kinds[sample.kind] as Kind;
    const inputs = trial.inputsOf(kind, sample.args);
    subjects.push({ name: title, kind, sample, groups: groupsOf(kind, sample), inputs, failures: [] });
  }
  needs = new Needs(trial);
  await trial.prepare();
  try {
    await needs.make();
    await wholeLife();
  } catch (error) {
    trouble = error;
    report(`ENDED by ${textOf(error)}`);
  }
  trial.half = false;
  try {
    await takeDown();
    after = await footprint(name);
  } catch (error) {
    // What went wrong first says more.
    untidy ??= error;
  }
  report(`together: ${Date.now() - start} ms`);
}
