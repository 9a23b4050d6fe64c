import { readFileSync } from "node:fs";
import { join } from "node:path";
import { up } from "../lab";
import { stackName } from "./backend";
import { demo } from "./demo";
import { duration, heading, log, runMain } from "./log";
import { prove } from "./proof";
import { findPulumi } from "./pulumi";
import { root } from "./root";
import { setup } from "./setup";

/** The program that the root Pulumi.yaml points to. */
const program = () => /^main: *(\S+)/m.exec(readFileSync(join(root, "Pulumi.yaml"), "utf8"))?.[1] ?? ".";

const whatNext = (host: string) => `
What to try next:
  edit ${program()}/index.ts, then  npm run pulumi -- preview --diff
  break something (npx hostnet lab ssh ${host}), then  npm run pulumi -- up --refresh
  npm run destroy  takes the stack away and the lab down`;

/** `npm start`: whatever is missing, the lab, the main example deployed, and the proof that it works. */
async function main(): Promise<number> {
  const started = Date.now();
  heading("Set-up");
  await setup();
  const pulumi = await findPulumi(log);
  log(`Pulumi ${pulumi.version} (${pulumi.how === "PATH" ? pulumi.command : `${pulumi.how}, ${pulumi.bin}`})`);

  heading("Lab");
  const hosts = await up({ log });
  for (const host of hosts) log(`${host.name}: ${host.user}@${host.address} port ${host.port}`);

  heading("pulumi up");
  const stack = await demo(pulumi, hosts);
  const made = await stack.init();
  if (made !== 0) return made;
  const code = await stack.run(["up", "--yes", "--skip-preview", "--stack", stackName]);
  if (code !== 0) {
    log("\nThe deployment failed; the reason is above. `npm start` goes on from where it ended.");
    return code;
  }
  const outputs = await stack.read(["stack", "output", "--json", "--stack", stackName]);
  if (outputs === undefined) throw new Error("The stack's outputs cannot be read: npm run pulumi -- stack output");
  const proven = await prove(JSON.parse(outputs), hosts);
  log(`\n${proven ? "Everything works" : "The proof failed"}, after ${duration((Date.now() - started) / 1000)}.`);
  log(whatNext(hosts[0]?.name ?? "<host>"));
  return proven ? 0 : 1;
}

runMain(main);
