import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inTypeScript } from "./host/helpers/script";

const folder = mkdtempSync(join(tmpdir(), "hostnet-dynamic-provider-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that the engine would have, and what it says before it ends by itself. */
async function ended(end: (child: ReturnType<typeof spawn>) => void): Promise<[string, number | null]> {
  const script = join(folder, "dynamic-provider.js");
  const text = `const { endWithEngine } = require(${JSON.stringify(require.resolve("../provider/process"))});
    const say = (word) => async () => void process.stdout.write(word);
    endWithEngine(say("killed"), say("interrupted"));
    setTimeout(() => process.exit(9), 20_000);
    process.stdout.write("ready ");`;
  writeFileSync(script, inTypeScript(text));
  const env = { ...process.env, NODE_PATH: join(__dirname, "..", "node_modules") };
  const child = spawn(process.execPath, [script], { env, stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk) => {
    if (said === "") end(child);
    said += chunk;
  });
  const [status] = await once(child, "close");
  return [said, status];
}

test("ends with an engine that is killed, and when that interrupts it; each time there is a last thing to do", async () => {
  expect(await ended((child) => child.stdin?.end())).toEqual(["ready killed", 1]);
  expect(await ended((child) => child.kill("SIGINT"))).toEqual(["ready interrupted", 1]);
});
