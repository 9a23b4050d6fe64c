import * as lifecycle from "../../../provider/lifecycle";
import { isSame, type Need, type Needs } from "./needs";
import { all } from "./shell";
import { type Args, differing, must, type Subject, type Trial, textOf } from "./trial";

/**
 * What somebody does to an object that is more than a changed value, for every kind that it can be done to: the device is
 * renamed, moved to another namespace, replaced by one of another kind; what it stands on is deleted. A refresh notices
 * each, and an `up` mends it, but for what somebody else has in its place.
 */

interface Device {
  name: string;
  namespace?: string;
}

/** Where a device goes that is moved away, and how one is called that is renamed. */
const elsewhere = "s-elsewhere";
const renamed = "s-renamed";

/** `ip` in the device's namespace. */
const ipOf = ({ namespace }: Device) => (namespace ? `ip -n ${namespace}` : "ip");

/** The first device that the object is, by its claims; none where it is no device, or Open vSwitch's. */
function deviceOf({ kind, inputs }: Subject): Device | undefined {
  if (kind.mark !== "alias") return undefined;
  const claims = kind.claims(lifecycle.argumentsOf(inputs) as never);
  const [found] = claims.flatMap((claim) => {
    const [, name, namespace] = /^device (\S+)(?: in namespace (\S+))?$/.exec(claim) ?? [];
    return name ? [{ name, namespace }] : [];
  });
  return found;
}

/** What is done, and what then has to be taken away again before the object can be made anew. */
const acts: Record<
  string,
  { act(device: Device, index: number): string; undo(device: Device, index: number): string }
> = {
  renamed: {
    act: (device, index) =>
      `${ipOf(device)} link set dev ${device.name} down && ${ipOf(device)} link set dev ${device.name} name ${renamed}${index}`,
    undo: (device, index) => `${ipOf(device)} link del dev ${renamed}${index}`,
  },
  moved: {
    act: (device) => `${ipOf(device)} link set dev ${device.name} netns ${elsewhere}`,
    undo: (device) => `ip -n ${elsewhere} link del dev ${device.name}`,
  },
  replaced: {
    act: (device) =>
      `${ipOf(device)} link del dev ${device.name} && ${ipOf(device)} link add name ${device.name} type dummy`,
    undo: (device) => `${ipOf(device)} link del dev ${device.name}`,
  },
};

export async function tampering(trial: Trial, needs: Needs): Promise<void> {
  const who = trial.subjects.filter(deviceOf);
  const place = (subject: Subject) => who.indexOf(subject);
  if (who.length > 0) {
    await all(trial.node, [`ip netns add ${elsewhere}`]);
    for (const [what, { act, undo }] of Object.entries(acts)) {
      const done = await tried(trial, what, who, (one) => act(deviceOf(one) as Device, place(one)));
      await trial.phase(`refresh of what was ${what}`, noticed, done);
      if (what === "replaced") await trial.phase("one in its place", isForeign, done);
      await trial.run(`${what}, taken away`, (one) => undo(deviceOf(one) as Device, place(one)), done);
      await mended(trial, what, done);
    }
    await all(trial.node, [`ip netns del ${elsewhere}`]);
  }

  const standing = trial.subjects.filter(
    (one) => one.kind.mark !== "none" && needs.all.some((need) => standsOn(one, need)),
  );
  await all(trial.node, needs.all.map(deletionOf));
  await trial.phase("refresh of what stood on it", noticed, standing);
  await needs.make();
  await mended(trial, "what stood on it", standing);
}

/** A command of each; the kernel does not move a bridge, nor rename everything. Gives those with whom it was done. */
async function tried(trial: Trial, label: string, who: Subject[], command: (subject: Subject) => string) {
  const refused = new Set<Subject>();
  await trial.onHost(
    label,
    (subject) => [
      {
        command: command(subject),
        fault(text, code) {
          if (code === 0) return undefined;
          refused.add(subject);
          return /Invalid argument|not supported|NETNS/i.test(text) ? undefined : "failed";
        },
      },
    ],
    who,
  );
  return who.filter((subject) => !refused.has(subject));
}

/** It counts as gone, or shows a difference. */
async function noticed(subject: Subject): Promise<void> {
  const { id, outs } = must(subject);
  const seen = await lifecycle.read(subject.kind, id, outs);
  if (seen.id && differing(subject.inputs, seen.inputs).length === 0) throw new Error("is shown as it was declared");
  subject.state = seen.id && seen.props ? { id: seen.id, outs: seen.props } : undefined;
}

/** What there still is of the object goes first, as in a replacement; what has its place does not. */
async function isForeign(subject: Subject): Promise<void> {
  const { kind, inputs, state } = subject;
  if (state) await lifecycle.remove(kind, state.id, state.outs);
  subject.state = undefined;
  const error = await lifecycle.apply(kind, inputs).then(
    () => undefined,
    (thrown) => thrown,
  );
  if (!/\[FOREIGN\]/.test(textOf(error ?? ""))) throw error ?? new Error("was taken for its own");
}

async function mended(trial: Trial, what: string, who: Subject[]): Promise<void> {
  const mend = (subject: Subject) => {
    const { kind, state, sample } = subject;
    const replaces = state && lifecycle.diff(kind, state.outs, trial.inputsOf(kind, sample.args)).replaces;
    return (replaces ? trial.anew : trial.apply).call(trial, subject, sample.args);
  };
  await trial.phase(`up after: ${what}`, mend, who);
  await trial.exists(`after: ${what}`, true, who);
}

const nameOf = ({ args }: Need) => String(args.name ?? (args.a as Args).name);

/** The sample's own arguments name it; some need it only for what they are replaced by. */
const standsOn = ({ sample }: Subject, need: Need) =>
  (sample.needs ?? []).some((one) => isSame(one, need)) &&
  JSON.stringify(sample.args).includes(JSON.stringify(nameOf(need)));

function deletionOf(need: Need): string {
  const name = nameOf(need);
  if (need.kind === "Namespace") return `ip netns del ${name}`;
  if (need.kind === "OvsBridge") return `ovs-vsctl --if-exists del-br ${name}`;
  if (need.kind === "OvsPort") return `ovs-vsctl --if-exists del-port ${name}`;
  const { namespace } = (need.args.a ?? need.args) as Device;
  return `${ipOf({ name, namespace })} link del dev ${name} 2>/dev/null || true`;
}
