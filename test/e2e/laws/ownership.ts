import { host as hostHandler } from "../../../provider/host";
import type { HostRef } from "../../../provider/host/reach";
import type { MarkPlace } from "../../../provider/kind";
import { forget } from "../../../provider/ledger";
import * as lifecycle from "../../../provider/lifecycle";
import { show } from "../../../provider/model/command";
import { markOf } from "../../../provider/model/mark";
import { markKey } from "../../../provider/model/ovs-port";
import { must, type State, type Subject, secondProcess, type Trial, textOf } from "./trial";

/** Whose an object is: of this resource, of another one of the stack, of another stack, of nobody we know. */
export async function ownership(trial: Trial): Promise<void> {
  const who = trial.subjects.filter(({ kind }) => kind.mark !== "none" && !kind.permanent);
  const stranger: HostRef = { ...trial.host, owner: "feedfacefeedface" };
  const create = (process: typeof lifecycle, { kind, sample }: Subject, on?: HostRef) =>
    process.apply(kind, trial.inputsOf(kind, sample.args, on));

  const strangers = secondProcess();
  await trial.phase("another stack", (one) => refuses(create(strangers, one, stranger), /\[FOREIGN\]/), who);
  trial.wroteNothing("another stack");
  await trial.phase("a second create", (one) => refuses(create(lifecycle, one), /\[CONFLICT\]/), who);
  trial.wroteNothing("a second create");

  const other = secondProcess();
  const superseded = new Map<Subject, State>();
  const takenOver = async (subject: Subject) => {
    superseded.set(subject, must(subject));
    subject.state = await other.apply(subject.kind, subject.inputs);
  };
  await trial.phase("a later create takes over what a crash left", takenOver, who);
  await trial.phase("a superseded one", (one) => isNotOurs(one, superseded.get(one) as State), who);
  trial.wroteNothing("a superseded one");
  await trial.exists("after the deletion of a superseded one", true, who);

  await foreign(trial, who);

  const adopted = async (subject: Subject) => {
    const inputs = { ...trial.inputsOf(subject.kind, subject.sample.args, stranger), adopt: true };
    const taken = await strangers.apply(subject.kind, inputs);
    // The ledger of another stack is not ours to read: both take such an object for theirs.
    if (subject.kind.mark !== "ledger") await isNotOurs(subject, must(subject));
    await strangers.remove(subject.kind, taken.id, taken.outs);
  };
  await trial.phase("adopted by another stack", adopted, who);
  await trial.exists("after its deletion by the other stack", false, who);
  await trial.phase("made again", (subject) => trial.anew(subject, subject.sample.args), who);
  await hostHandler.delete("", stranger as never);
}

/** What bears no mark is not ours: neither created over, nor updated, nor deleted; taken over only when told so. */
async function foreign(trial: Trial, all: Subject[]): Promise<void> {
  const who = all.filter(({ kind }) => unmark[kind.mark]);
  const markOfSubject = (subject: Subject) => markOf(trial.host.owner, must(subject).outs.revision);
  await trial.onHost(
    "its mark taken away",
    (subject) => {
      const place = subject.kind.mark;
      const same = who.filter(({ kind, failures }) => kind.mark === place && failures.length === 0);
      const command = unmark[place]?.(trial.host.owner, same.map(must), same.map(markOfSubject)) ?? "";
      return [{ command, fault: (text) => (text.includes(markOfSubject(subject)) ? undefined : "there was none") }];
    },
    who,
  );
  const refused = async (subject: Subject) => {
    const { kind, sample } = subject;
    const inputs = trial.inputsOf(kind, sample.args);
    await refuses(lifecycle.apply(kind, inputs), /\[FOREIGN\]/);
    await refuses(lifecycle.apply(kind, inputs, must(subject).outs), /\[FOREIGN\]/);
    await isNotOurs(subject, must(subject));
  };
  await trial.phase("a foreign one", refused, who);
  trial.wroteNothing("a foreign one");
  await trial.exists("after the deletion of a foreign one", true, who);
  const adopt = async (subject: Subject) => {
    const inputs = { ...trial.inputsOf(subject.kind, subject.sample.args), adopt: true };
    subject.state = await lifecycle.apply(subject.kind, inputs);
  };
  await trial.phase("a foreign one, adopted", adopt, who);
}

/**
 * What takes marks away, and says which, by where they are. An object whose mark is part of what the kernel finds it by
 * (a cookie) cannot be without it.
 */
export const unmark: Partial<Record<MarkPlace, (owner: string, states: State[], marks: string[]) => string>> = {
  alias: (_owner, _states, marks) => `
    strip='grep -HxF "$@" /sys/class/net/*/ifalias | while IFS=: read -r file mark; do
      file=\${file%/ifalias}
      ip link set dev \${file##*/} alias "" && echo "$mark"
    done'
    for ns in "" $(ip netns list | cut -d" " -f1); do
      \${ns:+ip netns exec $ns} sh -c "$strip" sh ${marks.map((mark) => `-e ${mark}`).join(" ")}
    done`,
  externalIds: (_owner, _states, marks) => `
    for table in Bridge Port QoS Queue; do
      ovs-vsctl -f csv --no-headings --columns=_uuid,external_ids list $table |
        grep ${marks.map((mark) => `-e '${markKey}="*${mark}'`).join(" ")} |
        while IFS=, read -r row ids; do ovs-vsctl remove $table $row external_ids ${markKey} && echo "$ids"; done
    done`,
  ledger: (owner, states, marks) =>
    `${states.map(({ id }) => show(forget(owner, id))).join("; ")}; echo ${marks.join()}`,
};

/** It is not there for a refresh, and a delete leaves it. */
async function isNotOurs({ kind }: Subject, { id, outs }: State): Promise<void> {
  const seen = await lifecycle.read(kind, id, outs);
  if (seen.id !== undefined) throw new Error("still takes it for its own");
  await lifecycle.remove(kind, id, outs);
}

async function refuses(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  if (error === undefined) throw new Error(`did not refuse with ${pattern}`);
  if (!pattern.test(textOf(error))) throw error;
}
