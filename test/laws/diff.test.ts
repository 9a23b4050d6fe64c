import type { Kind } from "../../provider/kind";
import { kinds } from "../../provider/kinds";
import { diff, type Inputs, type Outputs } from "../../provider/lifecycle";
import { UNKNOWN } from "../../provider/model/unknown";
import { validate } from "../../provider/validate";
import { over, replaced, samplesOf, trials, updated } from "./samples";

const host = { name: "n1", address: "192.0.2.1", machineId: "m1", owner: "a1b2c3d4", epoch: "e1" };

const inputs = (kind: Kind, args: Record<string, unknown>, others: object = {}): Inputs => {
  const { value } = validate(kind.args, args);
  return { ...value, host, parents: {}, ...others } as unknown as Inputs;
};

const outputs = (kind: Kind, args: Record<string, unknown>) =>
  ({ ...inputs(kind, args), revision: "0a", live: {} }) as Outputs;

const top = (path: string) => path.split(".")[0] ?? path;

describe.each(trials)("%s", (_title, sample) => {
  const kind = kinds[sample.kind] as Kind;
  const olds = outputs(kind, sample.args);

  test("is replaced by what is its identity, deleted first", () => {
    const tried = samplesOf(sample.kind).flatMap(({ replaces }) => Object.keys(replaces));
    expect(kind.identity.filter((path) => !tried.includes(path))).toEqual([]);
    for (const path of Object.keys(sample.replaces)) {
      const [was, want] = replaced(sample, path);
      const besides = Object.keys(sample.replacesTogether?.[path] ?? {});
      const together = [path, ...besides.filter((one) => sample.updates[one] === undefined)];
      const { replaces, deleteBeforeReplace } = diff(kind, outputs(kind, was), inputs(kind, want));
      expect({ path, replaces: new Set(replaces), deleteBeforeReplace }).toEqual({
        path,
        replaces: new Set(together.map(top)),
        deleteBeforeReplace: true,
      });
    }
  });

  test("is replaced by an identity that is not known yet", () => {
    for (const path of kind.identity) {
      const { replaces } = diff(kind, olds, inputs(kind, over(sample.args, { [path]: UNKNOWN })));
      expect({ path, replaces }).toEqual({ path, replaces: [top(path)] });
    }
  });

  test("is updated by everything else", () => {
    for (const [path, update] of Object.entries(sample.updates)) {
      const before = outputs(kind, over(sample.args, update.with));
      const wants = updated(sample, path, update);
      // Only what is valid alone can be in state.
      const was = validate(kind.args, over(sample.args, update.with)).failures.length === 0 ? before : olds;
      expect({ path, ...diff(kind, was, inputs(kind, wants)) }).toEqual({ path });
      const unknown = over(wants, { [path]: UNKNOWN });
      expect({ path, ...diff(kind, was, inputs(kind, unknown)) }).toEqual({ path });
      // Taken out of the program again: with what it needs, where that is another object than the sample's.
      const based = over(sample.args, update.with);
      const valid = validate(kind.args, based).failures.length === 0;
      const rebuilt = valid && diff(kind, olds, inputs(kind, based)).replaces !== undefined;
      const without = rebuilt ? based : sample.args;
      expect({ path, ...diff(kind, outputs(kind, wants), inputs(kind, without)) }).toEqual({ path });
    }
  });

  test("never says that nothing changed: olds are outputs, and it would hide drift", () => {
    expect(diff(kind, olds, inputs(kind, sample.args))).toEqual({});
  });

  test("goes with its parents", () => {
    expect(diff(kind, olds, inputs(kind, sample.args, { parents: UNKNOWN }))).toMatchObject({ replaces: ["parents"] });
    expect(diff(kind, olds, inputs(kind, sample.args, { parents: { bridge: UNKNOWN } }))).toEqual({});
  });

  test("stays when the machine is reached in another way, and goes when it is another machine", () => {
    const at = (change: object) => diff(kind, olds, inputs(kind, sample.args, { host: { ...host, ...change } }));
    expect(at({ address: "192.0.2.9", user: "other", port: 2222, privateKeyPath: "~/.ssh/new", name: "n9" })).toEqual(
      {},
    );
    expect(at({ epoch: "e2" })).toEqual({});
    expect(at({ machineId: UNKNOWN, epoch: UNKNOWN })).toEqual({});
    expect(at({ machineId: "m2" })).toEqual({ replaces: ["host"], deleteBeforeReplace: true });
  });
});
