import { down, up } from "../lab";
import { stackName } from "./backend";
import { demo } from "./demo";
import { heading, log, runMain } from "./log";
import { findPulumi } from "./pulumi";

/** `npm run destroy [--keep-lab]`: takes the demonstration stack away, then the lab. */
async function main(): Promise<number> {
  const unknown = process.argv.slice(2).filter((arg) => arg !== "--keep-lab");
  if (unknown.length > 0) throw new Error(`usage: npm run destroy [-- --keep-lab] (not ${unknown.join(" ")})`);
  const pulumi = await findPulumi(log);
  if ((await demo(pulumi)).isDeployed()) {
    // Hosts that are not up cannot be given back as they were, so the lab is brought up for it.
    const stack = await demo(pulumi, await up({ log }));
    heading("pulumi destroy");
    const code = await stack.run(["destroy", "--yes", "--stack", stackName]);
    if (code !== 0) {
      log("\nThe stack could not be taken away; the reason is above. The lab is left as it is.");
      return code;
    }
  }
  if (!process.argv.includes("--keep-lab")) {
    heading("Lab");
    await down({ log });
  }
  return 0;
}

runMain(main);
