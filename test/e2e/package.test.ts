import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declareHost } from "./helpers/declare";
import { mustOnHost } from "./helpers/lab";
import { createStack } from "./helpers/stack";

/** What npm would publish, installed into an empty project elsewhere, deploys: a user's program in TypeScript. */
const root = join(__dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "hostnet-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = `
import * as hostnet from "pulumi-hostnet";
const host = ${"HOST"};
const blue = new hostnet.Namespace("pk-blue", { host });
export const name: import("@pulumi/pulumi").Output<string> = blue.name;
`;

it("holds what it needs and nothing of the tests, and deploys from a project of its own", async () => {
  const { execa } = await import("execa");
  const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  const paths = (packed?.files ?? []).map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      "dist/provider/index.js",
      "dist/provider/handler.js",
      "dist/provider/cli/index.js",
      "LICENSE",
      "docs/guide/README.md",
      "examples/neutron/index.ts",
    ]),
  );
  expect(paths.filter((path) => /^(test|provider|node_modules)\/|^examples\/.*\.js$/.test(path))).toEqual([]);

  const { devDependencies } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages[""];
  const pulumi = `@pulumi/pulumi@${String(devDependencies["@pulumi/pulumi"]).replace("^", "")}`;
  writeFileSync(join(folder, "package.json"), '{ "name": "elsewhere", "private": true, "main": "index.ts" }\n');
  writeFileSync(join(folder, "Pulumi.yaml"), "name: elsewhere\nruntime: nodejs\n");
  writeFileSync(join(folder, "index.ts"), program.replace("HOST", declareHost("n1")));
  await execa("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `./${packed?.filename}`, pulumi], {
    cwd: folder,
  });
  expect(readdirSync(join(folder, "node_modules"))).toContain("pulumi-hostnet");

  const stack = await createStack({ program: "", dir: folder });
  try {
    expect(await stack.up()).toMatchObject({ create: 2, failed: 0 });
    expect(await mustOnHost("n1", "ip netns list")).toMatch(/pk-blue/);
    await stack.destroy();
  } finally {
    await stack.dispose();
  }
}, 900_000);
