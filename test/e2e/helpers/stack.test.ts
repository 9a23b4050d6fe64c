import { createStack, type Stack } from "./stack";

const program = (size: number) => `
import * as pulumi from "@pulumi/pulumi";

const provider: pulumi.dynamic.ResourceProvider = {
  async create(inputs) { return { id: inputs.name, outs: inputs }; },
  async update(_id, _olds, news) { return { outs: news }; },
  async read(id, props) { return { id, props }; },
};
class Thing extends pulumi.dynamic.Resource {
  constructor(name: string, args: { name: string; size: number; more: { deep: number }[] }) {
    super(provider, name, args, undefined);
  }
}
const thing = new Thing("thing", { name: "thing", size: ${size}, more: [{ deep: ${size} }] });
export const id = thing.id;
`;

describe.each(["js", "ts"] as const)("a stack whose program is %s", (language) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await createStack({ program: program(1), language });
  }, 60_000);
  afterAll(() => stack.dispose(), 60_000);

  test("creates, is quiet, updates, refreshes and destroys", async () => {
    expect(await stack.up()).toMatchObject({ exitCode: 0, create: 1, resources: [{ name: "thing", op: "create" }] });
    expect(await stack.outputs()).toEqual({ id: "thing" });
    expect(await stack.up()).toMatchObject({ create: 0, update: 0, same: 1 });
    stack.write(program(2));
    const diffs = ["more[0].deep", "size"];
    expect(await stack.preview()).toMatchObject({ update: 1, resources: [{ name: "thing", op: "update", diffs }] });
    expect(await stack.up()).toMatchObject({ update: 1, same: 0, resources: [{ op: "update", diffs }] });
    expect((await stack.export()).deployment.resources).toHaveLength(3); // the stack, its provider, the thing
    expect(await stack.refresh()).toMatchObject({ exitCode: 0, same: 1, update: 0 });
    expect(stack.resourcesLeft()).toBe(1);
    expect(await stack.destroy()).toMatchObject({ delete: 1 });
    expect(stack.resourcesLeft()).toBe(0);
  }, 120_000);

  test("an error in the program fails and is told by the diagnostics", async () => {
    stack.write(`throw new Error("as the test wants it");`);
    await expect(stack.up()).rejects.toThrow("as the test wants it");
    const result = await stack.up({ expectFailure: true });
    expect(result.diagnostics.map(({ message }) => message).join("\n")).toContain("as the test wants it");
  }, 60_000);
});
