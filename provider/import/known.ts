import type { Thing } from "../discover/survey";
import { markOf } from "../model/mark";
import type { StateResource } from "../state";
import type { KnownHost } from "./entries";

/** What a stack, or an earlier run that did not get into one, has already. */
export class Known {
  constructor(
    private readonly state: StateResource[],
    private readonly earlier: StateResource[],
  ) {}

  /** The Host of that machine. */
  host(machineId: string): KnownHost | undefined {
    const is = ({ kind, outputs }: StateResource) => kind === "Host" && outputs.machineId === machineId;
    const [found, isNew] = [this.state.find(is) ?? this.earlier.find(is), !this.state.some(is)];
    return found && { ...found, outputs: found.outputs as never, isNew };
  }

  /**
   * What the state calls the object; undefined when it has none of that id or mark. A pair that the program declares the
   * other way round than it is found has another id.
   */
  nameInState = ({ id, mark }: Thing) =>
    this.state.find((one) => one.id === id || (mark !== undefined && markIn(one) === mark))?.name;

  /** The nonce that an earlier run gave to it. */
  revision = ({ id }: Thing) => this.earlier.find((one) => one.id === id)?.outputs.revision as string | undefined;

  /** Its mark is ours, from a run that did not end. */
  isBegun(thing: Thing): boolean {
    const owners = [...this.earlier, ...this.state]
      .filter(({ kind }) => kind === "Host")
      .map(({ outputs }) => outputs.owner);
    return owners.includes(thing.mark?.split(":")[1]);
  }

  /** Names that new resources must not have: type and name. */
  get taken(): string[] {
    return this.state.map(({ kind, name }) => `${kind} ${name}`);
  }
}

/** The mark that a resource's object bears; undefined for a Host. */
function markIn({ outputs }: StateResource): string | undefined {
  const { host, revision } = outputs as { host?: { owner?: string }; revision?: string };
  return host?.owner !== undefined && revision !== undefined ? markOf(host.owner, revision) : undefined;
}
