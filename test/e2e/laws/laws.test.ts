import { host as hostHandler } from "../../../provider/host";
import { MachineBatcher } from "../../../provider/host/batch";
import { closeAll } from "../../../provider/host/pool";
import type { HostRef } from "../../../provider/host/reach";
import type { StepFailure } from "../../../provider/host/types";
import type { Kind } from "../../../provider/kind";
import { kinds } from "../../../provider/kinds";
import * as lifecycle from "../../../provider/lifecycle";
import type { Section, Step } from "../../../provider/model/command";
import { show } from "../../../provider/model/command";
import { get, leaves, same } from "../../../provider/model/path";
import type { Sample } from "../../kinds/sample";
import { trials } from "../../laws/samples";
import type { Footprint } from "../helpers/footprint";
import { footprint, hosts } from "../helpers/lab";
import { type Group, groupsOf } from "./groups";
import { all } from "./shell";

/**
 * The laws of DESIGN section 5 over the whole registry, on a real machine, in this process: lifecycle is called as the
 * engine would call it, and the machine is looked at with its own tools. All kinds go through each phase together, as
 * the resources of one `up` do; so a run takes minutes, not hours. A kind that fails leaves the run, the others go on.
 */

type Outputs = lifecycle.Outputs;
type Args = Record<string, unknown>;

interface Subject {
  name: string;
  kind: Kind;
  sample: Sample;
  groups: Group[];
  /** What was declared last. */
  inputs: lifecycle.Inputs;
  state?: { id: string; outs: Outputs };
  failures: string[];
}

interface Need {
  name: string;
  args: Args;
  state?: { id: string; outs: Outputs };
}

const only = process.env.HOSTNET_LAW_KINDS?.split(",");
const chosen = trials.filter(([, { kind }]) => only === undefined || only.includes(kind));
const [machine] = hosts();
const node = machine?.name ?? "";
const subjects: Subject[] = [];
const needs: Need[] = [];
/** HOSTNET_LAW_TIMES=1 shows where time goes. */
const report = (text: string) => void (process.env.HOSTNET_LAW_TIMES && process.stderr.write(`${text}\n`));
let host: HostRef;
let before: Footprint;
let after: Footprint;

/** What is written to the machine while a phase runs. */
const written: Step[][] = [];
const write = MachineBatcher.prototype.write;
let half = false;
/** What ended the whole run. */
let trouble: unknown;

jest.spyOn(MachineBatcher.prototype, "write").mockImplementation(async function (
  this: MachineBatcher,
  steps: Step[],
  then: Section[],
) {
  written.push(steps);
  if (!half) return write.call(this, steps, then);
  // As if the machine had refused a step in the middle.
  const { seen } = await write.call(this, steps.slice(0, steps.length / 2), then);
  const result = { exitCode: 1, stdout: "", stderr: "broken by the test" };
  return { seen, failure: { step: steps[Math.floor(steps.length / 2)], result } as StepFailure };
});

const inputsOf = (kind: Kind, args: Args, on: HostRef = host): lifecycle.Inputs => {
  const { inputs, failures } = lifecycle.check(kind, { host: on, __provider: "text", ...args } as lifecycle.Inputs);
  if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
  return inputs;
};

function fail({ name, failures }: Subject, text: string): void {
  failures.push(text);
  report(`FAILED ${name}: ${text}`);
}

/** All subjects that are still in the run do it at the same time. */
async function phase(label: string, act: (subject: Subject) => Promise<unknown>, who = subjects): Promise<void> {
  const start = Date.now();
  written.length = 0;
  await Promise.all(
    who
      .filter(({ failures }) => failures.length === 0)
      .map(async (subject) => {
        try {
          await act(subject);
        } catch (error) {
          fail(subject, `${label}: ${textOf(error)}`);
        }
      }),
  );
  report(`${label}: ${Date.now() - start} ms`);
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Root shell commands of all subjects, in one round trip; each subject judges what its own said. */
async function onHost(
  label: string,
  commandsOf: (subject: Subject) => { command: string; fault(text: string, exitCode: number): string | undefined }[],
): Promise<void> {
  const start = Date.now();
  const asked = subjects
    .filter(({ failures }) => failures.length === 0)
    .flatMap((subject) => commandsOf(subject).map((one) => ({ subject, ...one })));
  const said = await all(
    node,
    asked.map(({ command }) => command),
  );
  asked.forEach(({ subject, command, fault }, index) => {
    const { text = "", exitCode = 255 } = said[index] ?? {};
    const wrong = fault(text, exitCode);
    if (wrong) fail(subject, `${label}: ${wrong}\n  ${command}\n  said (${exitCode}): ${text.trim()}`);
  });
  report(`${label} (${asked.length} commands): ${Date.now() - start} ms`);
}

const exists = (label: string, there: boolean) =>
  onHost(label, ({ kind, sample }) =>
    kind.permanent
      ? []
      : [
          {
            command: sample.exists,
            fault: (_, code) => ((code === 0) === there ? undefined : there ? "is not there" : "is still there"),
          },
        ],
  );

async function apply(subject: Subject, args: Args): Promise<void> {
  const inputs = inputsOf(subject.kind, args);
  if (subject.state) {
    const { replaces } = lifecycle.diff(subject.kind, subject.state.outs, inputs);
    if (replaces) throw new Error(`would replace it because of ${replaces.join(", ")}`);
  }
  subject.inputs = inputs;
  subject.state = await lifecycle.apply(subject.kind, inputs, subject.state?.outs);
}

/** A replacement, as the engine does it: deleted first. */
async function anew(subject: Subject, args: Args): Promise<void> {
  const { id, outs } = must(subject.state);
  await lifecycle.remove(subject.kind, id, outs);
  subject.state = undefined;
  await apply(subject, args);
}

function must(state: Subject["state"]): { id: string; outs: Outputs } {
  if (!state) throw new Error("there is no state");
  return state;
}

const refuses = async (promise: Promise<unknown>, pattern: RegExp) => {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  if (error === undefined) throw new Error(`did not refuse with ${pattern}`);
  if (!pattern.test(textOf(error))) throw error;
  return error;
};

/** Phases that must not write: whoever did has failed. One count for all; the steps tell who it was. */
function wroteNothing(label: string): void {
  const steps = written.flat().map(show);
  if (steps.length === 0) return;
  const text = `${label} wrote: ${steps.join("; ")}`;
  for (const subject of subjects) {
    const own = subject.sample.args.name ?? subject.sample.args.device ?? subject.sample.args.to ?? "?";
    if (subjects.length === 1 || steps.some((step) => step.includes(String(own)))) fail(subject, text);
  }
  if (subjects.every(({ failures }) => !failures.includes(text))) throw new Error(text);
}

/** The declared paths at which a refresh shows something else. */
function drifted(inputs: lifecycle.Inputs, shown: lifecycle.Inputs | undefined): string[] {
  const paths = new Set([...leaves(inputs), ...leaves(shown ?? {})]);
  return [...paths].filter((path) => !path.startsWith("host.") && !same(get(inputs, path), get(shown, path)));
}

const related = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

/** A refresh shows exactly what was changed. */
async function refreshed(subject: Subject, expected: string[]): Promise<void> {
  const { id, outs } = must(subject.state);
  const { id: still, inputs, props } = await lifecycle.read(subject.kind, id, outs);
  if (still === undefined) throw new Error("counts as gone");
  const found = drifted(subject.inputs, inputs);
  const missing = expected.filter((path) => !found.some((other) => related(path, other)));
  const surplus = found.filter((path) => !expected.some((other) => related(path, other)));
  if (missing.length > 0) throw new Error(`does not show the drift of ${missing.join(", ")}`);
  if (surplus.length > 0) throw new Error(`shows drift where there is none: ${surplus.join(", ")}`);
  subject.state = { id, outs: props as Outputs };
}

/** Base → updated → the same again → changed behind our back → refreshed → mended → taken out of the program. */
async function attributes(round: number): Promise<void> {
  const who = subjects.filter(({ groups }) => groups[round]);
  const group = (subject: Subject) => subject.groups[round] as Group;
  const args = (subject: Subject) => group(subject).args;
  const others = who.filter((subject) => group(subject).base !== subject.sample.args);
  const label = (what: string) => `round ${round + 1}, ${what}`;
  const changed = who.filter((one) => !others.includes(one) && group(one).without !== one.sample.args);
  if (others.length > 0) await phase(label("another object"), (one) => anew(one, group(one).base), others);
  await phase(label("update"), (subject) => apply(subject, args(subject)), who);
  await phase(label("again"), (subject) => apply(subject, args(subject)), who);
  wroteNothing(label("again"));
  await onHost(label("after the update"), (subject) =>
    updatesOf(subject, round).map(([path, { shows, expect: pattern }]) => ({
      command: shows,
      fault: (text: string) => (pattern.test(text) ? undefined : `${path} is not shown as ${pattern}`),
    })),
  );
  await onHost(label("changed behind our back"), (subject) =>
    updatesOf(subject, round).flatMap(([path, { drift }]) =>
      drift ? [{ command: drift, fault: (_: string, code: number) => (code ? `no drift of ${path}` : undefined) }] : [],
    ),
  );
  const drifting = (subject: Subject) => updatesOf(subject, round).filter(([, { drift }]) => drift);
  await phase(
    label("refresh"),
    (subject) =>
      refreshed(
        subject,
        drifting(subject).map(([path, { driftShownAt }]) => driftShownAt ?? path),
      ),
    who,
  );
  wroteNothing(label("refresh"));
  await phase(
    label("mend"),
    (subject) => apply(subject, args(subject)),
    who.filter((one) => drifting(one).length > 0),
  );
  await phase(label("removed from the program"), (subject) => apply(subject, group(subject).without), who);
  await onHost(label("after its removal from the program"), (subject) =>
    updatesOf(subject, round).flatMap(([path, { shows, removed }]) =>
      removed
        ? [
            {
              command: shows,
              fault: (text: string) => (removed.test(text) ? undefined : `${path} is not shown as ${removed} again`),
            },
          ]
        : [],
    ),
  );
  await phase(label("as at first"), (one) => apply(one, one.sample.args), changed);
  if (others.length > 0) await phase(label("the first object again"), (one) => anew(one, one.sample.args), others);
}

const updatesOf = (subject: Subject, round: number) => subject.groups[round]?.updates ?? [];

/** A second process: with a memory of its own of which resources it keeps. */
function secondProcess(): typeof lifecycle {
  let copy: typeof lifecycle | undefined;
  jest.isolateModules(() => {
    copy = require("../../../provider/lifecycle");
  });
  return copy as typeof lifecycle;
}

/** Whose an object is: of this resource, of another one of the stack, of another stack. */
async function ownership(): Promise<void> {
  const who = subjects.filter(({ kind }) => kind.mark !== "none" && !kind.permanent);
  const stranger: HostRef = { ...host, owner: "feedfacefeedface" };
  await phase(
    "another stack",
    ({ kind, sample }) => refuses(lifecycle.apply(kind, inputsOf(kind, sample.args, stranger)), /\[FOREIGN\]/),
    who,
  );
  wroteNothing("another stack");
  await phase(
    "a second create",
    ({ kind, sample }) => refuses(lifecycle.apply(kind, inputsOf(kind, sample.args)), /\[CONFLICT\]/),
    who,
  );
  wroteNothing("a second create");

  const other = secondProcess();
  const superseded = new Map<Subject, { id: string; outs: Outputs }>();
  const takenOver = async (subject: Subject) => {
    superseded.set(subject, must(subject.state));
    subject.state = await other.apply(subject.kind, subject.inputs);
  };
  const isSuperseded = async (subject: Subject) => {
    const { id, outs } = superseded.get(subject) as { id: string; outs: Outputs };
    const seen = await lifecycle.read(subject.kind, id, outs);
    if (seen.id !== undefined) throw new Error("still takes it for its own");
    await lifecycle.remove(subject.kind, id, outs);
  };
  await phase("a later create takes over what a crash left", takenOver, who);
  await phase("a superseded one", isSuperseded, who);
  wroteNothing("a superseded one");
  await exists("after the deletion of a superseded one", true);

  const adopted = async (subject: Subject) => {
    const inputs = { ...inputsOf(subject.kind, subject.sample.args, stranger), adopt: true };
    const taken = await lifecycle.apply(subject.kind, inputs);
    // The ledger of another stack is not ours to read: both take such an object for theirs.
    if (subject.kind.mark !== "ledger") {
      superseded.set(subject, must(subject.state));
      await isSuperseded(subject);
    }
    await lifecycle.remove(subject.kind, taken.id, taken.outs);
  };
  await phase("adopted by another stack", adopted, who);
  await onHost("after its deletion by the other stack", (subject) =>
    who.includes(subject)
      ? [{ command: subject.sample.exists, fault: (_, code) => (code === 0 ? "is still there" : undefined) }]
      : [],
  );
  await phase("made again", (subject) => anew(subject, subject.sample.args), who);
  await hostHandler.delete("", stranger as never);
}

async function wholeLife(): Promise<void> {
  const broken = async (subject: Subject) => {
    const inputs = inputsOf(subject.kind, subject.sample.args);
    subject.inputs = inputs;
    if (subject.kind.mark === "none") return apply(subject, subject.sample.args);
    const { id, properties } = await refuses(lifecycle.apply(subject.kind, inputs), /broken by the test/);
    if (!id || !properties) throw new Error("what was begun is not in state");
    subject.state = { id, outs: properties };
  };
  half = true;
  await phase("create that fails half way", broken);
  half = false;
  await phase("the next up finishes it", (subject) => apply(subject, subject.sample.args));
  await exists("after its creation", true);
  const rounds = Math.max(...subjects.map(({ groups }) => groups.length));
  for (let round = 0; round < rounds; round++) await attributes(round);
  await ownership();

  await onHost("vanish", ({ sample }) =>
    sample.vanish ? [{ command: sample.vanish, fault: (_, code) => (code ? "did not vanish" : undefined) }] : [],
  );
  const vanishing = subjects.filter(({ sample }) => sample.vanish);
  await phase(
    "refresh of what vanished",
    async (subject) => {
      const { id, outs } = must(subject.state);
      const seen = await lifecycle.read(subject.kind, id, outs);
      if (seen.id !== undefined) throw new Error("does not count as gone");
      subject.state = undefined;
    },
    vanishing,
  );
  await phase("made again", (subject) => apply(subject, subject.sample.args), vanishing);
  await exists("after it was made again", true);
}

async function takeDown(): Promise<void> {
  const failed = subjects.filter(({ failures }) => failures.length > 0);
  const made = subjects.filter(({ state }) => state);
  const removal = ({ kind, state }: Subject) => lifecycle.remove(kind, must(state).id, must(state).outs);
  await phase("delete", removal, made);
  await exists("after the deletion", false);
  await phase("delete twice", removal, made);
  // Whatever a failed one left must not stand in the way of the next run.
  for (const { kind, state } of failed) if (state) await lifecycle.remove(kind, state.id, state.outs).catch(() => {});
  for (const { name, state } of needs.reverse()) {
    if (state) await lifecycle.remove(kinds[name] as Kind, state.id, state.outs);
  }
  await hostHandler.delete("", host as never);
}

/** One resource for all samples that need the same. */
async function makeNeeds(): Promise<void> {
  for (const { sample } of subjects) {
    for (const { kind: name, args } of sample.needs ?? []) {
      if (needs.some((need) => need.name === name && same(need.args, args))) continue;
      const need: Need = { name, args };
      needs.push(need);
      const kind = kinds[name] as Kind;
      need.state = await lifecycle.apply(kind, inputsOf(kind, args));
    }
  }
}

beforeAll(async () => {
  const { name, address, port, user, privateKeyPath, knownHostsPath } = machine as NonNullable<typeof machine>;
  const login = { name, address, port, user, privateKeyPath, knownHostsPath };
  const start = Date.now();
  before = await footprint(node);
  report(`footprint: ${Date.now() - start} ms`);
  const checked = await hostHandler.check({} as never, login as never);
  expect(checked.failures).toEqual([]);
  host = (await hostHandler.create(checked.inputs as never)).outs as unknown as HostRef;
  for (const [name, sample] of chosen) {
    const kind = kinds[sample.kind] as Kind;
    const inputs = inputsOf(kind, sample.args);
    subjects.push({ name, kind, sample, groups: groupsOf(kind, sample), inputs, failures: [] });
  }
  await onHost("before", ({ sample }) =>
    sample.before ? [{ command: sample.before, fault: (_, code) => (code ? "failed" : undefined) }] : [],
  );
  try {
    await makeNeeds();
    await wholeLife();
  } catch (error) {
    trouble = error;
    report(`ENDED by ${textOf(error)}`);
  }
  half = false;
  try {
    await takeDown();
    await all(
      node,
      subjects.flatMap(({ sample }) => sample.after ?? []),
    );
    after = await footprint(node);
  } catch (error) {
    // What went wrong first says more.
    trouble ??= error;
  }
}, 1_200_000);

afterAll(async () => {
  await closeAll();
});

test.each(chosen.map(([title]) => title))("%s keeps the laws", (name) => {
  if (trouble) throw trouble;
  const subject = subjects.find((one) => one.name === name);
  expect(subject?.failures.join("\n\n")).toBe("");
});

test("the machine is as it was before", () => expect(after).toEqual(before));
