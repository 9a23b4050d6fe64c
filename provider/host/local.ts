import { HostnetError } from "../model/errors";
import { type ChildChannel, spawnChannel } from "./child";
import type { Connection, Transport } from "./transport";

/** The machine itself: `sh`, and `sudo -n` where we are not root. */
export function localTransport(env: Record<string, string> = {}): Transport {
  return { connect: async () => new LocalConnection(env) };
}

class LocalConnection implements Connection {
  private readonly channels = new Set<ChildChannel>();
  private end: () => void = () => {};
  readonly closed = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  constructor(private readonly env: Record<string, string>) {}

  async open(commandLine: string) {
    try {
      // The command line names SSH_CONNECTION: it is set, so that our own does not look like the host's.
      const channel = await spawnChannel("/bin/sh", ["-c", commandLine], { SSH_CONNECTION: "", ...this.env });
      this.channels.add(channel);
      void channel.closed.then(() => this.channels.delete(channel));
      return channel;
    } catch (cause) {
      throw new HostnetError("SHELL", "/bin/sh cannot be started", { cause });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.channels].map((channel) => channel.finish(1000)));
    this.end();
  }
}
