import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { declared } from "../provider/graph/drawn";
import { render } from "../provider/graph/render";
import { resourcesOf } from "../provider/state";
import { stackName } from "./backend";
import type { Demo } from "./demo";
import { stateDir } from "./root";

/** Draws the demonstration stack, as `hostnet graph` does; resolves to the page's path. */
export async function draw(stack: Demo): Promise<string> {
  const state = await stack.read(["stack", "export", "--show-secrets", "--stack", stackName]);
  if (state === undefined) throw new Error("The stack's state cannot be read: npm run pulumi -- stack export");
  const file = join(stateDir, "network.html");
  writeFileSync(file, await render(declared(resourcesOf(state)), "html"));
  return file;
}
