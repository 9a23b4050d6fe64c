import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Proof } from "../../tools/proof";
import { footprint, hosts, onHost } from "./helpers/lab";
import { createStack } from "./helpers/stack";

/** Every example is short, deployed as a user does it, proven by what it exports as `proof`, quiet, and taken away without a trace. */
const root = join(__dirname, "..", "..", "examples");
const examples = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
  .map(({ name }) => name);

/** The cloud is a whole layout in one program. */
const linesOf = (name: string) => (name === "neutron" ? 80 : 60);

it.each(examples)("%s is short", (name) => {
  expect(
    readFileSync(join(root, name, "index.ts"), "utf8")
      .trimEnd()
      .split("\n").length,
  ).toBeLessThanOrEqual(linesOf(name));
});

/** What the hosts were like after the last example: that is before the next one. */
let left: unknown[] | undefined;

// three-nodes has a test of its own, with a third machine.
describe.each(examples.filter((name) => name !== "three-nodes"))("%s", (name) => {
  it("is deployed, proven, quiet, and destroyed without a trace", async () => {
    const names = hosts().map((host) => host.name);
    const before = left ?? (await Promise.all(names.map(footprint)));
    left = undefined;
    const stack = await createStack({ program: "", dir: join(root, name) });
    try {
      expect(await stack.up()).toMatchObject({ failed: 0 });
      const { proof } = (await stack.outputs()) as { proof: Proof[] };
      expect(proof.length).toBeGreaterThan(0);
      for (const { host, namespace, to, answered = true } of proof) {
        expect(await onHost(host, `ip netns exec ${namespace} ping -c 2 -i 0.3 -W 5 ${to}`)).toMatchObject({
          exitCode: answered ? 0 : 1,
        });
      }
      expect(await stack.up({ args: ["--refresh"] })).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });
      await stack.destroy();
      left = await Promise.all(names.map(footprint));
      expect(left).toEqual(before);
    } finally {
      await stack.dispose();
    }
  }, 900_000);
});
