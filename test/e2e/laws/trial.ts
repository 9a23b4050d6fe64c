import { host as hostHandler } from "../../../provider/host";
import { MachineBatcher } from "../../../provider/host/batch";
import type { HostRef } from "../../../provider/host/reach";
import type { StepFailure } from "../../../provider/host/types";
import type { Kind } from "../../../provider/kind";
import * as lifecycle from "../../../provider/lifecycle";
import type { Section, Step } from "../../../provider/model/command";
import { show } from "../../../provider/model/command";
import { get, leaves, same } from "../../../provider/model/path";
import type { Sample, Update } from "../../kinds/sample";
import { kindNames, trials } from "../../laws/samples";
import { footprint, hosts } from "../helpers/lab";
import type { Group } from "./groups";
import { all } from "./shell";

export type Args = Record<string, unknown>;

export interface State {
  id: string;
  outs: lifecycle.Outputs;
}

/** A kind on trial, with one of its samples. */
export interface Subject {
  name: string;
  kind: Kind;
  sample: Sample;
  groups: Group[];
  /** What was declared last. */
  inputs: lifecycle.Inputs;
  state?: State;
  failures: string[];
}

/** A command for the host, and what is wrong when it says that. */
export interface Look {
  command: string;
  fault(text: string, exitCode: number): string | undefined;
}

/** HOSTNET_LAW_TIMES=1 shows where time goes. */
export const report = (text: string) => void (process.env.HOSTNET_LAW_TIMES && process.stderr.write(`${text}\n`));

export const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** What a write says that `Trial.half` has cut off. */
export const broken = /broken by the test/;

const only = process.env.HOSTNET_LAW_KINDS?.split(",");

/** The samples of half of the kinds (0 or 1), one for each of two machines; HOSTNET_LAW_KINDS=A,B takes only these. */
export const halfOf = (half: number) =>
  trials.filter(([, { kind }]) => only?.includes(kind) ?? kindNames.indexOf(kind) % 2 === half);

/** A machine of the lab, by its number, as a Host, and what it was like before it was one. Throws when the lab has too few. */
export async function hostOf(index: number) {
  const machine = hosts()[index];
  if (!machine) throw new Error("the lab has too few hosts");
  const { name, address, port, user, privateKeyPath, knownHostsPath } = machine;
  const login = { name, address, port, user, privateKeyPath, knownHostsPath };
  const start = Date.now();
  const before = await footprint(name);
  report(`footprint: ${Date.now() - start} ms`);
  const { inputs, failures } = hostHandler.check({} as never, login as never);
  expect(failures).toEqual([]);
  const { id, outs } = await hostHandler.create(inputs as never);
  return { name, before, id, inputs, host: outs as unknown as HostRef };
}

/** All kinds on one machine: they go through each phase together; one that fails leaves, the others go on. */
export class Trial {
  readonly subjects: Subject[] = [];
  /** As if the machine refused a step in the middle of every write. */
  half = false;
  /** What is written to the machine while a phase runs. */
  private readonly written: Step[][] = [];

  constructor(
    readonly node: string,
    readonly host: HostRef,
  ) {
    const trial = this;
    const write = MachineBatcher.prototype.write;
    jest.spyOn(MachineBatcher.prototype, "write").mockImplementation(async function (
      this: MachineBatcher,
      steps: Step[],
      then: Section[],
    ) {
      trial.written.push(steps);
      if (!trial.half) return write.call(this, steps, then);
      const done = Math.floor(steps.length / 2);
      const { seen } = await write.call(this, steps.slice(0, done), then);
      const result = { exitCode: 1, stdout: "", stderr: "broken by the test" };
      return { seen, failure: { step: steps[done], result } as StepFailure };
    });
  }

  inputsOf(kind: Kind, args: Args, on: HostRef = this.host): lifecycle.Inputs {
    const { inputs, failures } = lifecycle.check(kind, { host: on, __provider: "text", ...args } as lifecycle.Inputs);
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("; "));
    return inputs;
  }

  fail({ name, failures }: Subject, text: string): void {
    failures.push(text);
    report(`FAILED ${name}: ${text}`);
  }

  /** All subjects that are still in the run do it at the same time. */
  async phase(label: string, act: (subject: Subject) => Promise<unknown>, who = this.subjects): Promise<void> {
    const start = Date.now();
    this.written.length = 0;
    const still = who.filter(({ failures }) => failures.length === 0);
    await Promise.all(
      still.map((subject) => act(subject).catch((error) => this.fail(subject, `${label}: ${textOf(error)}`))),
    );
    report(`${label} (${still.length} resources): ${Date.now() - start} ms`);
  }

  /** Root shell commands of all subjects, in one round trip; each subject judges what its own said. */
  async onHost(label: string, looks: (subject: Subject) => Look[], who = this.subjects): Promise<void> {
    const start = Date.now();
    const asked = who
      .filter(({ failures }) => failures.length === 0)
      .flatMap((subject) => looks(subject).map((one) => ({ subject, ...one })));
    const said = await all(
      this.node,
      asked.map(({ command }) => command),
    );
    asked.forEach(({ subject, command, fault }, index) => {
      const { text = "", exitCode = 255 } = said[index] ?? {};
      const wrong = fault(text, exitCode);
      if (wrong) this.fail(subject, `${label}: ${wrong}\n  ${command}\n  said (${exitCode}): ${text.trim()}`);
    });
    report(`${label} (${asked.length} commands): ${Date.now() - start} ms`);
  }

  /** A root shell command of each subject that has one, which has to succeed. */
  run(label: string, command: (subject: Subject) => string | undefined, who = this.subjects): Promise<void> {
    const looks = (subject: Subject) => {
      const text = command(subject);
      return text ? [{ command: text, fault: (_: string, code: number) => (code ? "failed" : undefined) }] : [];
    };
    return this.onHost(label, looks, who);
  }

  /** The samples' own commands. */
  prepare = (): Promise<void> => this.run("before", ({ sample }) => sample.before);

  /** A permanent object is there before and after us. */
  exists(label: string, there: boolean, who = this.subjects): Promise<void> {
    const wrong = there ? "is not there" : "is still there";
    return this.onHost(
      label,
      ({ sample }) => [{ command: sample.exists, fault: (_, code) => ((code === 0) === there ? undefined : wrong) }],
      who.filter(({ kind }) => !kind.permanent),
    );
  }

  /** Create or update, as the engine does it; and an update it must be when there is something. */
  async apply(subject: Subject, args: Args): Promise<void> {
    const { kind, state } = subject;
    const inputs = this.inputsOf(kind, args);
    const { replaces } = state ? lifecycle.diff(kind, state.outs, inputs) : {};
    if (replaces) throw new Error(`would replace it because of ${replaces.join(", ")}`);
    subject.inputs = inputs;
    try {
      subject.state = await lifecycle.apply(kind, inputs, state?.outs);
    } catch (error) {
      const { id, properties } = error as { id?: string; properties?: lifecycle.Outputs };
      if (id && properties) subject.state = { id, outs: properties };
      throw error;
    }
  }

  /** The same, cut off in its first write, where it writes; what is begun must then be in state. */
  async applyHalf(subject: Subject, args: Args): Promise<void> {
    const before = subject.state;
    const error = await this.apply(subject, args).then(
      () => undefined,
      (thrown) => thrown,
    );
    if (error === undefined) return;
    if (!broken.test(textOf(error))) throw error;
    if (subject.state === before) throw new Error("what was begun is not in state");
  }

  /** A replacement, as the engine does it: deleted first. */
  async anew(subject: Subject, args: Args): Promise<void> {
    const { id, outs } = must(subject);
    await lifecycle.remove(subject.kind, id, outs);
    subject.state = undefined;
    await this.apply(subject, args);
  }

  /** Whoever wrote in the last phase has failed. One count for all; the steps tell who it was. */
  wroteNothing(label: string): void {
    const steps = this.written.flat().map(show);
    if (steps.length === 0) return;
    const text = `${label} wrote: ${steps.join("; ")}`;
    const names = ({ sample: { args } }: Subject) => String(args.name ?? args.device ?? args.to ?? "?");
    const guilty = this.subjects.filter((subject) => steps.some((step) => step.includes(names(subject))));
    for (const subject of guilty.length > 0 ? guilty : this.subjects) this.fail(subject, text);
  }
}

/** The paths at which a refresh shows something else than what was declared. */
export function differing(declared: lifecycle.Inputs, shown: lifecycle.Inputs | undefined): string[] {
  const paths = new Set([...leaves(declared), ...leaves(shown ?? {})]);
  return [...paths].filter((path) => !same(get(declared, path), get(shown, path)));
}

export function must({ state }: Subject): State {
  if (!state) throw new Error("there is no state");
  return state;
}

/** The subject's updates of a round, by path. */
export const updatesOf = (subject: Subject, round: number): [string, Update][] => subject.groups[round]?.updates ?? [];

/** A second process: with a memory of its own of which resources it keeps, and which Hosts it has met. */
export function secondProcess(): typeof lifecycle {
  let copy: typeof lifecycle | undefined;
  jest.isolateModules(() => {
    copy = require("../../../provider/lifecycle");
  });
  return copy as typeof lifecycle;
}
