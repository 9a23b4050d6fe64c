import { randomBytes } from "node:crypto";
import type { HostRef } from "./host/host-ref";
import { decommissioned, reach } from "./host/reach";
import type { Seen } from "./host/seen";
import type { Machine } from "./host/types";
import type { Context, Found, Kind, Path } from "./kind";
import { type Entry, entrySection, forget, readEntry, record } from "./ledger";
import { type Step, show } from "./model/command";
import { HostnetError } from "./model/errors";
import { markOf, nonceOf, ownership } from "./model/mark";
import { get, leaves, same, set } from "./model/path";
import { hasUnknown, isUnknown } from "./model/unknown";
import { log } from "./log";
import { refuseToCut, type Guard, guardSections } from "./guard";
import { explain } from "./explain";
import { validate } from "./validate";

/** Program inputs in normal form: the arguments of the kind, and what every resource has. */
export interface Inputs {
  host: HostRef;
  /** Names of the resources given as arguments, by path: written by resource.ts. */
  parents?: Record<string, string>;
  adopt?: boolean;
  __provider?: string;
  [argument: string]: unknown;
}

/** What is in state: the inputs as declared, and what was learned. */
export interface Outputs extends Inputs {
  /** The nonce of this resource's mark. */
  revision: string;
  /** Everything observed. */
  live: unknown;
  /** Arguments of updates that failed half way: values in them may still be on the host. */
  was?: Record<string, unknown>[];
}

export interface Failure {
  property: string;
  reason: string;
}

const common = ["host", "parents", "adopt", "__provider", "revision", "live", "was"];

/** The kind's own arguments among all properties. */
function argumentsOf(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !common.includes(key)));
}

/** Normal form and refusals; no network. A refusal names no property: the engine would print its value, secrets included. */
export function check(kind: Kind, news: Inputs): { inputs: Inputs; failures: Failure[] } {
  const { host, parents, adopt, __provider } = news;
  const checked = validate(kind.args, argumentsOf(news));
  const failures = checked.failures.map(({ path, reason }) => ({ property: "", reason: `${path}: ${reason}` }));
  if (adopt !== undefined && typeof adopt !== "boolean" && !isUnknown(adopt)) {
    failures.push({ property: "", reason: `adopt: must be true or false; given was ${JSON.stringify(adopt)}` });
  }
  if (host === undefined) failures.push({ property: "", reason: "host: is required; give the Host, or a parent that has one" });
  const known = { host, ...(parents && { parents }), ...(adopt !== undefined && { adopt }), __provider };
  return { inputs: { ...(checked.value ?? argumentsOf(news)), ...known }, failures };
}

/** Only what must be replaced: the engine compares the inputs itself, and then shows exactly what differs. */
export function diff(kind: Kind, olds: Outputs, news: Inputs): { replaces?: string[]; deleteBeforeReplace?: boolean } {
  alive.add(olds.revision);
  const was = argumentsOf(olds);
  const want = argumentsOf(news);
  const differs = (path: Path) => unknownAt(want, path) || !same(get(was, path), get(want, path));
  const paths = kind.identity.filter(differs);
  if (paths.length === 0 && !hasUnknown(want)) paths.push(...(kind.replaces?.(was, want) ?? []));
  const replaces = new Set(paths.map((path) => path.split(".")[0] ?? path));
  // Unknown as a whole: the engine asks what would become of this resource if its parent were replaced.
  if (isUnknown(news.parents)) replaces.add("parents");
  const machine = news.host?.machineId;
  if (machine && !isUnknown(machine) && machine !== olds.host.machineId) replaces.add("host");
  return replaces.size > 0 ? { replaces: [...replaces], deleteBeforeReplace: true } : {};
}

function unknownAt(tree: Record<string, unknown>, path: Path): boolean {
  const keys = path.split(".");
  return keys.some((_, index) => isUnknown(get(tree, keys.slice(0, index + 1).join("."))));
}

/** Nonces of resources that this run keeps: another resource may not take their objects over. */
const alive = new Set<string>();

/** Create and update: brings the host to what is declared, and proves it. */
export async function apply(kind: Kind, news: Inputs, olds?: Outputs): Promise<{ id: string; outs: Outputs }> {
  const want = argumentsOf(news);
  const at = { host: news.host.name, resource: title(kind, want) };
  const id = identityOf(kind, news.host, want);
  const revision = olds?.revision ?? randomBytes(6).toString("hex");
  const was = [...(olds?.was ?? []), ...(olds ? [argumentsOf(olds)] : [])];
  let begun = false;
  try {
    const machine = await reach(news.host);
    missingTool(kind, machine);
    const context: Context<unknown> = { mark: markOf(news.host.owner, revision), owner: news.host.owner, was };
    const target = withResets(kind, want, was);
    const run = new Run(kind, machine, news.host, target, context);
    await run.look();
    const entry = run.entry;
    claim(kind, run.found, entry, context, { created: olds === undefined, adopt: news.adopt === true });
    alive.add(revision);
    await run.prepare(entry, () => {
      begun = true;
    });
    await run.converge();
    return { id, outs: { ...news, revision, live: liveOf(run.found) } };
  } catch (cause) {
    const error = explain(cause).at(at);
    if (!begun) throw error;
    // In state as begun: the next `up` goes on from there, whatever was reached.
    const properties: Outputs = { ...news, revision, live: {}, was: was.slice(-3) };
    throw Object.assign(error, { id, properties, reasons: [error.message] });
  }
}

/** The live values of what is declared. {} when the object is proven gone. Throws when the host cannot be asked. */
export async function read(kind: Kind, id: string, olds: Outputs): Promise<{ id?: string; props?: Outputs; inputs?: Inputs }> {
  if (kind.mark === "none") return { id, props: olds, inputs: inputsOf(olds) };
  const want = argumentsOf(olds);
  try {
    const machine = await reach(olds.host, { otherMachine: "gone" });
    if (!machine) return {};
    const context = contextFor(olds);
    const run = new Run(kind, machine, olds.host, want, context);
    await run.look();
    if (!run.found || !run.isOurs()) return {};
    alive.add(olds.revision);
    const shown = drift(kind, want, run.found, context);
    const common = { host: olds.host, parents: olds.parents, adopt: olds.adopt, __provider: olds.__provider };
    const inputs: Inputs = withoutUndefined({ ...shown, ...common });
    return { id, inputs, props: { ...inputs, revision: olds.revision, live: liveOf(run.found), ...(olds.was && { was: olds.was }) } };
  } catch (cause) {
    throw explain(cause).at({ host: olds.host.name, resource: title(kind, want) });
  }
}

/** Takes away what is ours, and proves it gone. Absent is done; what is not ours any more is left. */
export async function remove(kind: Kind, olds: Outputs): Promise<void> {
  if (kind.mark === "none" || decommissioned(olds.host)) return;
  const want = argumentsOf(olds);
  const at = { host: olds.host.name, resource: title(kind, want) };
  try {
    const machine = await reach(olds.host, { otherMachine: "gone" });
    if (!machine) {
      log(`${at.host}: ${at.resource}: another machine answers now; what was on the old one counts as gone`);
      return;
    }
    const run = new Run(kind, machine, olds.host, want, contextFor(olds));
    await run.look();
    if (run.found && !run.isOurs()) {
      if (run.isForeign()) log(`${at.host}: ${at.resource}: is not ours any more, and is left as it is`);
      return;
    }
    await run.takeAway();
  } catch (cause) {
    throw explain(cause).at(at);
  }
}

function contextFor(olds: Outputs): Context<unknown> {
  return { mark: markOf(olds.host.owner, olds.revision), owner: olds.host.owner, was: olds.was ?? [] };
}

const deadlineMs = 15_000;
const rounds = 3;

/** One resource at work on its host. */
class Run {
  found: Found<unknown, unknown> | undefined;
  entry: Entry | undefined;
  private seen: Seen | undefined;

  constructor(
    private readonly kind: Kind,
    private readonly machine: Machine,
    private readonly host: HostRef,
    private readonly want: Record<string, unknown>,
    private readonly context: Context<unknown>,
  ) {}

  private get key() {
    return identityOf(this.kind, this.host, this.want);
  }

  private sections(guard = false) {
    const asked = [...this.kind.observe(this.want), entrySection(this.host.owner)];
    return guard ? [...asked, ...guardSections(this.machine.facts)] : asked;
  }

  async look(): Promise<void> {
    this.take(await this.machine.observe(this.sections()));
  }

  private take(seen: Seen): void {
    this.seen = seen;
    this.found = this.kind.find(this.want, seen);
    this.entry = readEntry(seen, this.host.owner, this.key);
    this.context.memory = this.entry?.memory;
  }

  /** All marks that are there, those in the ledger included. */
  private marks(): (string | undefined)[] {
    const onObject = this.found?.marks ?? [];
    const inLedger = this.entry && markOf(this.host.owner, this.entry.nonce);
    // The ledger speaks for objects without a place for a mark, and for those whose alias is somebody else's.
    if (inLedger) return onObject.length > 0 ? onObject.map((mark) => (ownership(mark, this.context.mark) === "this" ? mark : inLedger)) : [inLedger];
    return onObject.length > 0 ? onObject : [undefined];
  }

  isOurs = () => this.marks().every((mark) => ownership(mark, this.context.mark) === "this");
  isForeign = () => this.marks().some((mark) => ["foreign", "none"].includes(ownership(mark, this.context.mark)));

  /** The ledger's entry, with old values, written before the first change. */
  async prepare(entry: Entry | undefined, begun: () => void): Promise<void> {
    const inLedger = this.kind.mark === "ledger" || this.kind.remember !== undefined || this.foreignAlias();
    this.first = [];
    if (this.kind.mark === "none" || !inLedger) {
      this.begun = begun;
      return;
    }
    const memory = entry ? entry.memory : this.kind.remember?.(this.found, this.want);
    this.context.memory = memory;
    const nonce = nonceOf(this.context.mark);
    if (entry?.nonce !== nonce || !same(entry.memory, memory)) {
      this.first = [record(this.host.owner, { id: this.key, nonce, memory })];
    }
    this.begun = begun;
  }

  private first: Step[] = [];
  private begun: () => void = () => {};

  private foreignAlias(): boolean {
    return this.kind.mark === "alias" && (this.found?.marks ?? []).some((mark) => mark && !mark.startsWith("hostnet:"));
  }

  async converge(): Promise<void> {
    await this.settle();
    let steps = [...this.first, ...this.kind.converge(this.want, this.found, this.context)];
    let last: Step[] = [];
    for (let round = 0; steps.length > 0; round++) {
      if (round === rounds || same(last, steps)) throw this.notConverged(steps);
      await this.write(steps);
      await this.settle();
      last = steps;
      steps = this.kind.converge(this.want, this.found, this.context);
    }
    if (!this.found && this.kind.mark !== "none") throw this.notConverged([]);
  }

  /** Waits while the host is at it by itself. */
  private async settle(): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    for (let pause = 50; this.found?.pending !== undefined; pause = Math.min(pause * 2, 1000)) {
      if (Date.now() > deadline) throw new HostnetError("NOT_CONVERGED", `still waiting for ${this.found.pending}`);
      await new Promise((resolve) => setTimeout(resolve, pause));
      await this.look();
    }
  }

  private async write(steps: Step[]): Promise<void> {
    await this.guard(steps);
    this.begun();
    const { seen, failure } = await this.machine.write(steps, this.sections());
    if (failure) {
      const { exitCode, stderr, stdout } = failure.result;
      throw new HostnetError("STEP_FAILED", (stderr.trim() || stdout.trim() || "a command failed").split("\n")[0] ?? "", {
        step: show(failure.step),
        exitCode,
        stderr,
      });
    }
    this.take(seen);
  }

  /** Law 10: what would cut our own connection is not done. Asked only when a step touches a device of the host's own. */
  private async guard(steps: Step[]): Promise<void> {
    if (!this.machine.facts.sshConnection || !steps.some((step) => step.touches)) return;
    const created = this.found === undefined;
    if (created && !steps.some((step) => step.touches?.some((device) => this.existed(device)))) return;
    const seen = await this.machine.observe(this.sections(true));
    refuseToCut(this.machine.facts, seen, steps satisfies Guard);
  }

  /** A device that the kind looked for and did not find is only now made: it carries nothing. */
  private existed(device: string): boolean {
    return this.found !== undefined || device !== get(this.want, this.kind.identity[0] ?? "");
  }

  async takeAway(): Promise<void> {
    const { kind, want, context } = this;
    const steps = this.found ? kind.remove(this.found, want, context) : [];
    const all = [...steps, ...(this.entry && this.entry.nonce === nonceOf(context.mark) ? [forget(this.host.owner, this.key)] : [])];
    if (all.length === 0) return;
    await this.write(all);
    if (kind.permanent ? this.found && kind.remove(this.found, want, context).length > 0 : this.found && steps.length > 0) {
      const deadline = Date.now() + deadlineMs;
      while (this.found && !kind.permanent && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await this.look();
      }
      if (this.found) throw new HostnetError("NOT_CONVERGED", "is still there after it was deleted", { step: steps.map(show).join("; ") });
    }
  }

  private notConverged(steps: Step[]): HostnetError {
    const text = this.found ? "does not show what was declared" : "is not there after it was made";
    const broken = this.found?.broken ? `: ${this.found.broken}` : "";
    return new HostnetError("NOT_CONVERGED", `${text}${broken}`, { step: steps.map(show).join("; ") || undefined });
  }
}

/** May we write to what is there? Throws FOREIGN or CONFLICT. */
function claim(
  kind: Kind,
  found: Found<unknown, unknown> | undefined,
  entry: Entry | undefined,
  context: Context<unknown>,
  { created, adopt }: { created: boolean; adopt: boolean },
): void {
  if (!found || kind.mark === "none") return;
  const inLedger = entry && markOf(context.owner, entry.nonce);
  const marks = found.marks.length > 0 ? found.marks : [inLedger];
  for (const mark of marks) {
    const whose = ownership(mark && mark.startsWith("hostnet:") ? mark : (inLedger ?? mark), context.mark);
    if (whose === "this") continue;
    if (whose === "sibling") {
      const nonce = nonceOf(mark?.startsWith("hostnet:") ? mark : (inLedger ?? ""));
      if (alive.has(nonce)) throw new HostnetError("CONFLICT", "belongs to another resource of this stack already");
      continue;
    }
    if (adopt || (kind.permanent && created) || (kind.permanent && whose === "none")) continue;
    const whom = whose === "none" ? "something that is not ours" : mark?.startsWith("hostnet:") ? "another stack's" : `somebody's ('${mark}')`;
    throw new HostnetError("FOREIGN", `is there already and is ${whom}`);
  }
}

/** What was declared before and no longer is goes back to its default. */
function withResets(kind: Kind, want: Record<string, unknown>, was: Record<string, unknown>[]): Record<string, unknown> {
  let target = want;
  for (const [path, value] of Object.entries(kind.reset)) {
    const declared = was.some((args) => get(args, path) !== undefined);
    if (declared && get(want, path) === undefined) target = set(target, path, value);
  }
  return target;
}

/**
 * The declared arguments with live values where they differ. A value differs when taking the live one for declared
 * leaves less to do: so every spelling of the same value is none, and the kind says once what it compares.
 */
export function drift(kind: Kind, want: Record<string, unknown>, found: Found<unknown, unknown>, context: Context<unknown>) {
  const todo = (args: Record<string, unknown>) => {
    try {
      return JSON.stringify(kind.converge(args, found, context));
    } catch (error) {
      return String(error);
    }
  };
  const before = todo(want);
  if (before === "[]") return want;
  return leaves(want).reduce((shown, path) => {
    if (kind.identity.includes(path) && !found.broken) return shown;
    const live = kind.shown ? kind.shown(path, want, found) : get(found.args, path);
    if (same(live, get(want, path)) || todo(set(want, path, live)) === before) return shown;
    return set(shown, path, live);
  }, want);
}

function liveOf(found: Found<unknown, unknown> | undefined): unknown {
  return withoutUndefined((found?.facts ?? {}) as Record<string, unknown>);
}

/** The engine takes no undefined anywhere. */
const withoutUndefined = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const inputsOf = ({ revision: _revision, live: _live, was: _was, ...inputs }: Outputs): Inputs => inputs;

/** `<machineId>/<Kind>/<namespace or ->/<identity>`. */
export function identityOf(kind: Kind, host: HostRef, want: Record<string, unknown>): string {
  const parts = kind.identity.filter((path) => !path.endsWith("namespace")).map((path) => get(want, path));
  const spaces = kind.identity.filter((path) => path.endsWith("namespace")).map((path) => get(want, path) ?? "-");
  const text = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  const named = parts.filter((part) => part !== undefined).map(text);
  return [host.machineId, kind.name, spaces.length > 0 ? spaces.join(",") : "-", named.join(",")].join("/");
}

/** The kind and name of a resource, for messages. */
function title(kind: Kind, want: Record<string, unknown>): string {
  const names = kind.identity.map((path) => get(want, path)).filter((value) => value !== undefined && typeof value !== "object");
  return `${kind.name} ${names.join(" ")}`;
}

function missingTool(kind: Kind, machine: Machine): void {
  const missing = kind.needs.filter((tool) => machine.facts.tools[tool] === undefined);
  if (missing.length > 0) {
    throw new HostnetError("MISSING_TOOL", `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not installed`, {
      remedy: packagesFor(missing),
    });
  }
}

const packages: Record<string, string> = {
  "ovs-vsctl": "openvswitch-switch",
  "ovs-ofctl": "openvswitch-switch",
  ip: "iproute2",
  bridge: "iproute2",
  sysctl: "procps",
  ping: "iputils-ping",
  arping: "iputils-arping",
  ethtool: "ethtool",
};

const packagesFor = (tools: string[]) =>
  `On Debian: apt install ${[...new Set(tools.map((tool) => packages[tool] ?? tool))].join(" ")}`;
