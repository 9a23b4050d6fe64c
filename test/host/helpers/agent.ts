import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Sandbox, until } from "./sandbox";

/** A real ssh-agent that holds these keys, and ends with the test. Gives its socket. */
export async function startAgent(box: Sandbox, keyPaths: string[]): Promise<string> {
  const socket = box.path(`agent-${Math.random().toString(36).slice(2)}`);
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  box.keep(agent, () => agent.kill());
  await until("ssh-agent listens", () => existsSync(socket));
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  const added = spawnSync("ssh-add", ["-q", ...keyPaths], { env, encoding: "utf8" });
  if (added.status !== 0) throw new Error(`ssh-add: ${added.stderr}`);
  return socket;
}
