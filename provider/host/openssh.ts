import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onExit } from "signal-exit";
import { HostnetError } from "../model/errors";
import { type ChildChannel, spawnChannel } from "./child";
import { opensshArguments, type TempFiles } from "./openssh-arguments";
import { explainSsh } from "./openssh-errors";
import type { Target } from "./target";
import { type ChannelEnd, ChannelRefused, type Connection, type Transport } from "./transport";

/** The system's `ssh` as a child: for certificates, FIDO keys, GSSAPI, ProxyCommand and post-quantum key exchange. */
export function opensshTransport(program = "ssh"): Transport {
  return { connect: async (target, deadline) => new OpensshConnection(target, deadline, program) };
}

/** One child, one connection, one channel: a second shell would be a second login. */
class OpensshConnection implements Connection {
  readonly dialsOnOpen = true;
  private channel?: ChildChannel;
  loggedIn?: () => void;
  private end: (cause?: unknown) => void = () => {};
  readonly closed = new Promise<unknown>((resolve) => {
    this.end = resolve;
  });

  constructor(
    private readonly target: Target,
    private readonly deadline: number,
    private readonly program: string,
  ) {}

  async open(commandLine: string): Promise<ChildChannel> {
    if (this.channel) throw new ChannelRefused("one ssh process carries one shell");
    const folder = await mkdtemp(join(tmpdir(), "hostnet-ssh-"));
    // Not at the end of the connection: an idle one ends with the process, and nobody would remove the key.
    const removal = { recursive: true, force: true };
    // Nor would anybody when the process ends before that, by itself or by a signal that nobody else deals with.
    const ignore = onExit(() => rmSync(folder, removal));
    const forget = async () => {
      await rm(folder, removal);
      ignore();
    };
    this.loggedIn = forget;
    try {
      const files: TempFiles = async (name, text, mode = 0o600) => {
        const path = join(folder, name);
        await writeFile(path, text, { mode });
        return path;
      };
      const seconds = Math.max(1, Math.ceil((this.deadline - performance.now()) / 1000));
      const args = await opensshArguments(this.target, seconds, files);
      const channel = await spawnChannel(this.program, [...args, commandLine], { ...process.env, LC_ALL: "C" });
      this.channel = channel;
      void channel.closed.then(({ cause }) => {
        this.end(cause);
        void forget();
      });
      return channel;
    } catch (error) {
      await forget();
      throw error instanceof HostnetError
        ? error
        : new HostnetError("UNREACHABLE", `${this.program} cannot be started`, { cause: error });
    }
  }

  explain(stderr: string, end: ChannelEnd): HostnetError | undefined {
    return explainSsh(stderr, end, this.target);
  }

  async close(): Promise<void> {
    await this.channel?.finish(1000);
    this.end();
  }
}
