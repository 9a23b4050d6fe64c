import type { Discovered } from "../../../provider/discover/plan";
import { survey } from "../../../provider/discover/survey";
import { host as hostHandler } from "../../../provider/host";
import { closeAll } from "../../../provider/host/pool";
import { type HostRef, reach } from "../../../provider/host/reach";
import type { Entry } from "../../../provider/import/entries";
import { Known } from "../../../provider/import/known";
import { prepare } from "../../../provider/import/prepare";
import type { Kind } from "../../../provider/kind";
import { kinds } from "../../../provider/kinds";
import * as lifecycle from "../../../provider/lifecycle";
import { get, same, set } from "../../../provider/model/path";
import { resourcesOf, type StateResource } from "../../../provider/state";
import { validate } from "../../../provider/validate";
import type { Footprint } from "../../../tools/footprint";
import type { Sample } from "../../kinds/sample";
import type { trials } from "../../laws/samples";
import { footprint } from "../helpers/lab";
import { type Group, groupsOf } from "./groups";
import { Needs } from "./needs";
import { unmark } from "./ownership";
import { all } from "./shell";
import {
  type Args,
  broken,
  differing,
  halfOf,
  hostOf,
  must,
  report,
  type Subject,
  secondProcess,
  Trial,
  textOf,
} from "./trial";

/**
 * What somebody else has made, of every kind that can be found and with every attribute that its sample has: it is found,
 * described, taken over; nothing is then to be done; a change of one attribute is a change of that; a delete is one of it.
 * "Somebody else" is a Host of which nothing is left but the objects: their marks and its ledger are taken away.
 */

/** Where the sample's own object is not what a program would say. */
const others: Record<string, Partial<Sample>> = {
  // Of all parameters a host tells only of forwarding that somebody has set it.
  Sysctl: {
    ...{ needs: [], args: { key: "net.ipv4.ip_forward", value: "1" }, updates: {} },
    exists: "sysctl -n net.ipv4.ip_forward | grep -qx 1",
  },
  // One whose loopback was left down is there as well.
  Namespace: { exists: "ip netns list | grep -q '^s-ns\\b'" },
  // An address is said by the device that has it, where something declares that.
  Address: {
    ...{ needs: [], args: { device: "lo", address: "10.61.0.1/32" } },
    ...{
      exists: "ip address show dev lo | grep -q 'inet 10.61.0.1/32 '",
      vanish: "ip address del 10.61.0.1/32 dev lo",
    },
  },
};

/**
 * Of a service, its process as a person starts it, with nothing of ours around it: where that can be, else it is one of
 * whose unit the mark was taken away. $service and $folder are its.
 */
const byHand: Record<string, { can(args: Args): boolean; start: string }> = {
  DhcpServer: {
    // It is called as its device.
    can: ({ running, name, device }) => running !== false && name === device,
    start: `
      set -- $(echo "$line" | tr ' ' '\n' | grep -vE -- '--(keep-in|dhcp-hostsf|dhcp-optsf|dhcp-leasef|pid-f)')
      set -- "$@" --dhcp-leasefile=/tmp/s-dh.leases --pid-file=/tmp/s-dh.pid
      set -- "$@" $(sed -n '/^#/!s/^/--dhcp-option=/p' options) $(sed -n '/^#/!s/^/--dhcp-host=/p' hosts)
      "$@"`,
  },
  UdpVpn: {
    can: ({ running }) => running !== false,
    start: `eval "setsid -f $line" >/dev/null 2>&1`,
  },
};

const startedByHand = (name: string, start: string) => `
  set -e
  service=${name}; folder=/run/pulumi-hostnet/services/$service
  cd $folder/data
  line=$(sed -n 's|^ExecStart=/usr/bin/env ||p' ../$service.service)
  systemctl stop $service.service
  ${start}
  rm -rf $folder /run/systemd/system/$service.service`;

/**
 * What no look at a host can tell: what is meant to be exact, what a driver has from the start, and IPv6 where it is on
 * because there are addresses.
 */
const unseen = /(^|\.)(addressesExact|offloads|ringSize|ipv6)$/;

let chosen: typeof trials;
let trial: Trial;
let maker: HostRef;
const makers = secondProcess();
let inState: StateResource[];
let known: Known;
let before: Footprint;
let after: Footprint;
/** What ended the whole run. */
let trouble: unknown;
/** What could not be taken away, or looked at, in the end. */
let untidy: unknown;

async function round(number: number): Promise<void> {
  const who = trial.subjects.filter(({ groups, failures }) => groups[number] && failures.length === 0);
  const group = (subject: Subject) => subject.groups[number] as Group;
  const label = (what: string) => `round ${number + 1}, ${what}`;
  // What the sample's command looks for is the sample's object.
  const isUsual = (one: Subject) => group(one).base === one.sample.args && !isStopped(one.kind, group(one).args);
  const usual = who.filter(isUsual);
  const made = new Map<Subject, { id: string; outs: lifecycle.Outputs }>();
  await trial.phase(
    label("made by another"),
    async (subject) => {
      subject.inputs = trial.inputsOf(subject.kind, group(subject).args, maker);
      const state = await makers.apply(subject.kind, subject.inputs);
      made.set(subject, state);
    },
    who,
  );
  await trial.exists(label("made by another"), true, usual);
  await forgetMaker([...made.values()]);
  const others = who.filter((one) => made.has(one) && byHand[one.kind.name]?.can(group(one).args));
  await trial.run(
    label("started by hand"),
    (subject) => startedByHand(serviceOf(subject), byHand[subject.kind.name]?.start ?? ""),
    others,
  );
  try {
    await cutOff(label("cut off"), others);
    await takenOver(number, who, usual);
    await trial.exists(label("delete"), false, usual);
  } finally {
    await rememberMaker();
    // A permanent object has its old values back only from its maker.
    const permanent = [...made].filter(([{ kind }]) => kind.permanent);
    await Promise.all(permanent.map(([{ kind }, { id, outs }]) => makers.remove(kind, id, outs)));
  }
}

async function takenOver(number: number, who: Subject[], usual: Subject[]): Promise<void> {
  const group = (subject: Subject) => subject.groups[number] as Group;
  const label = (what: string) => `round ${number + 1}, ${what}`;
  // First all kinds are looked for, so that it is seen which of two says a thing; then those on trial.
  const looked = number === 0 ? Object.values(kinds) : [...new Set(who.map(({ kind }) => kind))];
  const entries = await imported(label("import"), who, looked);
  await trial.phase(
    label("taken over"),
    async (subject) => {
      const entry = entries.get(subject);
      if (!entry) throw new Error("was not taken");
      const [state] = resourcesOf(JSON.stringify({ resources: [entry] }));
      subject.inputs = state?.inputs as lifecycle.Inputs;
      subject.state = { id: entry.id, outs: state?.outputs as lifecycle.Outputs };
      const unsaid = group(subject)
        .updates.map(([path]) => path)
        .filter((path) => get(subject.inputs, path) === undefined && !unseen.test(path));
      if (unsaid.length > 0) throw new Error(`is described without ${unsaid.join(", ")}`);
      const { inputs, failures } = lifecycle.check(subject.kind, subject.inputs);
      expect(failures).toEqual([]);
      expect(JSON.parse(JSON.stringify(inputs))).toEqual(subject.inputs);
    },
    who,
  );
  await trial.exists(label("taken over"), true, usual);
  await trial.phase(label("quiet"), quiet, who);
  await trial.phase(label("apply again"), (subject) => applied(subject, subject.inputs), who);
  trial.wroteNothing(label("apply again"));

  // One attribute is taken out of the program.
  const dropped = new Map<Subject, string>();
  await trial.phase(
    label("one changed"),
    async (subject) => {
      const path = droppable(subject, group(subject));
      if (path === undefined) return;
      dropped.set(subject, path);
      await applied(subject, set(subject.inputs, path, undefined) as lifecycle.Inputs);
    },
    who,
  );
  await trial.onHost(
    label("one changed"),
    (subject) => {
      const update = group(subject).updates.find(([path]) => path === dropped.get(subject))?.[1];
      // What is given back as it was may have what it had when it was taken over.
      const patterns = [update?.removed, subject.kind.permanent ? update?.expect : undefined].flatMap(
        (one) => one ?? [],
      );
      const fault = (text: string) =>
        patterns.some((one) => one.test(text)) ? undefined : `${dropped.get(subject)} is not shown as ${patterns[0]}`;
      return update ? [{ command: update.shows, fault }] : [];
    },
    who,
  );
  await trial.phase(label("quiet after it"), quiet, who);
  await removed(label("delete"), who);
}

/** An import that ends in the middle, when processes are being ended: all that there is of it is in its file. */
async function cutOff(label: string, who: Subject[]): Promise<void> {
  const still = who.filter(({ failures }) => failures.length === 0);
  if (still.length === 0) return;
  trial.half = true;
  try {
    await imported(label, still, [...new Set(still.map(({ kind }) => kind))]);
  } finally {
    trial.half = false;
  }
}

/** As `hostnet import` does it, for these objects alone. */
async function imported(label: string, who: Subject[], looked: Kind[]): Promise<Map<Subject, Entry>> {
  const { name, machineId } = trial.host;
  const machine = await reach(trial.host);
  const start = Date.now();
  const found = await survey(machine, machineId, looked);
  report(`${label}, survey (${found.things.length} things): ${Date.now() - start} ms`);
  // What can never change is in the id as the program says it: the thing is the same when both claim one thing.
  const claimsOf = (kind: Kind, args: unknown) =>
    kind.claims(validate(kind.args, args).value).filter((claim) => !claim.startsWith("shared "));
  const thingOf = ({ kind, inputs }: Subject) => {
    const claims = claimsOf(kind, lifecycle.argumentsOf(inputs));
    return found.things.find(
      (thing) => thing.kind === kind && claimsOf(kind, thing.args).some((claim) => claims.includes(claim)),
    );
  };
  const things = new Set(who.map(thingOf));
  const discovered: Discovered = {
    host: { name, args: { address: trial.host.address } },
    machineId,
    survey: found,
    chosen: found.things.filter((thing) => things.has(thing)),
  };
  const work = prepare([discovered], known, true);
  for (const subject of who) {
    const thing = thingOf(subject);
    const why = work.left.find((left) => left.thing === thing)?.why;
    if (!thing) trial.fail(subject, `${label}: is not found; unread: ${JSON.stringify(found.unread)}`);
    else if (why) trial.fail(subject, `${label}: ${why}\n  ${JSON.stringify(thing.args)}`);
    else report(`  ${subject.name}: ${JSON.stringify(thing.args)}`);
  }
  let entries: Entry[] = [];
  const read = Date.now();
  let first: Entry[] | undefined;
  const { failed } = await work.take((some) => {
    first ??= some;
    entries = some;
  });
  // What a run writes before its first mark is all that a later one knows of it.
  known = new Known(inState, trial.half ? resourcesOf(JSON.stringify({ resources: first })) : []);
  report(`${label}, take (${work.count} things): ${Date.now() - read} ms`);
  for (const { what, why } of failed) {
    const subject = who.find(({ kind }) => what.startsWith(`${kind.name} `));
    if (subject && !(trial.half && broken.test(why))) trial.fail(subject, `${label}: ${what}: ${why}`);
  }
  const entryOf = (subject: Subject) => entries.find(({ id }) => id === thingOf(subject)?.id);
  return new Map(who.flatMap((subject) => (entryOf(subject) ? [[subject, entryOf(subject) as Entry]] : [])));
}

/** A refresh shows no difference. */
async function quiet(subject: Subject): Promise<void> {
  const { id, outs } = must(subject);
  const { id: still, inputs } = await lifecycle.read(subject.kind, id, outs);
  if (still === undefined) throw new Error("counts as gone");
  const drifted = differing(subject.inputs, inputs);
  if (drifted.length > 0) throw new Error(`shows drift of ${drifted.join(", ")}`);
}

async function applied(subject: Subject, inputs: lifecycle.Inputs): Promise<void> {
  const { outs } = must(subject);
  const { replaces } = lifecycle.diff(subject.kind, outs, inputs);
  if (replaces) throw new Error(`would be replaced because of ${replaces.join(", ")}`);
  subject.state = await lifecycle.apply(subject.kind, inputs, outs);
  subject.inputs = inputs;
}

/** An update that the host shows as taken back when it alone is no more in the program. */
function droppable({ kind, inputs }: Subject, { updates, base }: Group): string | undefined {
  const args = lifecycle.argumentsOf(inputs);
  const fits = ([path, { removed }]: Group["updates"][number]) =>
    removed !== undefined &&
    get(base, path) === undefined &&
    get(args, path) !== undefined &&
    validate(kind.args, set(args, path, undefined)).failures.length === 0 &&
    same(get(validate(kind.args, set(args, path, undefined)).value, path), undefined);
  return updates.find(fits)?.[0];
}

async function removed(label: string, who: Subject[]): Promise<void> {
  const taken = who.filter(({ state }) => state);
  const remove = async (subject: Subject) => {
    const { id, outs } = must(subject);
    subject.state = undefined;
    await lifecycle.remove(subject.kind, id, outs);
  };
  await trial.phase(label, remove, taken);
}

async function forgetMaker(states: { id: string; outs: lifecycle.Outputs }[]): Promise<void> {
  const marks = states.map(({ outs }) => `hostnet:${maker.owner}:${outs.revision}`);
  const commands = (["alias", "externalIds"] as const).map((place) => unmark[place]?.(maker.owner, [], marks) ?? "");
  await all(trial.node, [
    ...commands,
    ...[withoutComments(marks), withoutCookies(marks), withoutOwners(marks)],
    `mv ${ledgerOf(maker)} ${aside}`,
  ]);
}

/** Sets of flows as they would be had somebody added them by ovs-ofctl, who gives no cookie. */
const withoutCookies = (marks: string[]) => `
ovs-vsctl -f csv --no-headings --columns=name,external_ids list Bridge | grep -F ${marks.map((mark) => `-e ${mark}`).join(" ")} |
  while IFS=, read -r bridge ids; do
    ofctl() { ovs-ofctl -O OpenFlow14 "$@"; }
    flows=$(ofctl --no-stats --no-names dump-flows $bridge | sed -E 's/cookie=0x[0-9a-f]+,? ?//g')
    ofctl del-flows $bridge && echo "$flows" | ofctl add-flows $bridge -
    ovs-vsctl remove Bridge $bridge external_ids $(echo "$ids" | grep -o 'hostnet-flows-[a-z]*')
  done`;

/** A process that does not run, or cannot do its work, is none that a sample's command finds. */
const isStopped = (kind: Kind, { running, up }: Args) =>
  "running" in kind.args.shape && (running === false || up === false);

/** The unit of a sample's service, which its command looks for. */
const serviceOf = ({ sample }: Subject) => /hostnet-[^ ]+(?=\.service)/.exec(sample.exists)?.[0] ?? "";

/** Units without a word of who wrote them. */
const withoutOwners = (marks: string[]) =>
  `find /run/pulumi-hostnet/services -name '*.service' -o -name applied |
     xargs -r sed -i ${marks.map((mark) => `-e s/${mark}//`).join(" ")}`;

/** Tables as they would be had they been made without a comment: none can be taken from one that is there. */
const withoutComments = (marks: string[]) => `
for ns in "" $(ip netns list | cut -d" " -f1); do
  at() { \${ns:+ip netns exec $ns} "$@"; }
  at nft list tables 2>/dev/null | while read -r _ family name; do
    text=$(at nft -s list table $family $name)
    echo "$text" | grep -qF ${marks.map((mark) => `-e ${mark}`).join(" ")} || continue
    { echo "delete table $family $name"; echo "$text" | grep -v '^\tcomment '; } | at nft -f -
  done
done`;

const ledgerOf = ({ owner }: HostRef) => `/run/pulumi-hostnet/${owner}`;
const aside = "/run/hostnet-law-maker";

const rememberMaker = () => all(trial.node, [`mkdir -p /run/pulumi-hostnet; mv ${aside} ${ledgerOf(maker)}`]);

async function trialOn(index: number): Promise<void> {
  const start = Date.now();
  const { name, id, inputs, host, ...machine } = await hostOf(index);
  before = machine.before;
  trial = new Trial(name, host);
  maker = { ...host, owner: "decafbaddecafbad" };
  const state = { urn: "", kind: "Host", name, id, inputs: inputs as never, outputs: host as never, shown: {} };
  inState = [state];
  known = new Known(inState, []);
  for (const [title, sample] of chosen) {
    const kind = kinds[sample.kind] as Kind;
    // Those that need another object, too: each round makes its own. What has nothing to update is tried as it is.
    const { args } = sample;
    const groups = groupsOf(kind, { ...sample, updates: besides(sample) });
    if (groups.length === 0) groups.push({ updates: [], args, base: args, without: args });
    trial.subjects.push({ name: title, kind, sample, groups, inputs: {} as never, failures: [] });
  }
  const needs = new Needs(trial);
  try {
    await trial.prepare();
    await needs.make();
    const rounds = Math.max(...trial.subjects.map(({ groups }) => groups.length));
    for (let number = 0; number < rounds; number++) await round(number);
  } catch (error) {
    trouble = error;
    report(`ENDED by ${textOf(error)}`);
  }
  try {
    for (const { sample, failures } of trial.subjects) if (failures.length > 0) await all(name, [sample.vanish ?? ":"]);
    const [fault] = await needs.takeAway();
    untidy ??= fault;
    // What another made stays in the database when the port is given rows of ours.
    await all(name, ["ovs-vsctl -- --all destroy QoS -- --all destroy Queue"]);
    await all(
      name,
      trial.subjects.flatMap(({ sample }) => sample.after ?? []),
    );
    for (const gone of [host, maker]) await hostHandler.delete("", gone as never);
    after = await footprint(name);
  } catch (error) {
    untidy ??= error;
  }
  report(`together: ${Date.now() - start} ms`);
}

/** The updates but those, alone in their group, of what every object of the kind says anyway. */
const besides = ({ args, updates }: Sample) =>
  Object.fromEntries(Object.entries(updates).filter(([path, { apart }]) => !apart || get(args, path) === undefined));

/** Two machines take half of the kinds each, as in laws.ts: the same machine's laws must not run at the same time. */
export function imports(half: number): void {
  chosen = halfOf(half)
    .filter(([, { kind }]) => kinds[kind]?.list !== undefined)
    .map(([title, sample]) => [title, { ...sample, ...others[sample.kind] }]);
  beforeAll(() => trialOn(half), 3_600_000);
  afterAll(closeAll);

  test.each(chosen.map(([title]) => title))("%s made by another is imported, changed, deleted", (name) => {
    if (trouble) throw trouble;
    expect(trial.subjects.find((one) => one.name === name)?.failures.join("\n\n")).toBe("");
  });

  test("the machine is as it was before things made by another", () => {
    if (untidy) throw untidy;
    expect(after).toEqual(before);
  });
}
