import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../../lab";
import { root } from "../../tools/root";
import { sshArguments } from "../../tools/ssh";

/** Which part of layout.sh each of the lab's machines gets. */
const parts = ["compute", "network"];

/** layout.sh on both hosts at the same time, over one connection each. Throws an Error with all that it said. */
export async function runShell(hosts: LabHost[], verb: "up" | "down"): Promise<void> {
  const { execa } = await import("execa");
  const input = readFileSync(join(root, "bench", "layout", "layout.sh"));
  const results = await Promise.all(
    hosts.map((host, index) => {
      const command = `sudo -n bash -s ${parts[index]} ${verb}`;
      return execa("ssh", [...sshArguments(host), command], { input, all: true, reject: false });
    }),
  );
  const failed = results.find((result) => result.failed);
  if (failed) throw new Error(`layout.sh: ${failed.shortMessage}\n${failed.all}`);
}
