import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, connect } from "node:net";
import type { Readable, Writable } from "node:stream";
import { Server, type ServerChannel, utils } from "ssh2";

export interface ServerOptions {
  hostKey: string | string[];
  /** Lines of public keys that may log in; all may where it is left out. */
  authorized?: string[];
  /** The program that runs a command line, as a login shell does. */
  shell?: string[];
  /** Put before the PATH of the bootstrap, for false programs of a test. */
  bin?: string;
  env?: Record<string, string>;
  /** What becomes of the command line before it runs. */
  rewrite?: (commandLine: string) => string;
  maxSessions?: number;
  /** How many sessions are refused before the first is given, as by a sshd that has not yet waited for a child. */
  refusedFirst?: number;
  /** Sessions are given, and no command is run in them. */
  refusesExec?: boolean;
  /** Takes the place of running anything. */
  onExec?: (command: string, channel: ServerChannel) => void;
}

/** ssh2's own server on a free port of the loopback, which runs what it is told in real shells. */
export async function startServer(options: ServerOptions) {
  const children = new Set<ChildProcess>();
  const clients = new Set<{ end(): void }>();
  const seen = { connections: 0, auths: [] as string[], execs: [] as string[] };
  const authorized = options.authorized?.map((line) => {
    const key = utils.parseKey(line);
    if (key instanceof Error) throw key;
    return key;
  });

  const server = new Server({ hostKeys: [options.hostKey].flat() }, (client) => {
    seen.connections++;
    clients.add(client);
    let sessions = 0;
    let toRefuse = options.refusedFirst ?? 0;
    client.on("error", () => {});
    client.on("close", () => clients.delete(client));
    client.on("authentication", (auth) => {
      if (auth.method !== "publickey") return auth.reject(["publickey"]);
      const blob = auth.key.data;
      if (!auth.signature) seen.auths.push(blob.toString("base64"));
      const known = authorized?.find((key) => key.getPublicSSH().equals(blob));
      if (authorized && !known) return auth.reject(["publickey"]);
      if (!auth.signature || !known) return auth.accept();
      return known.verify(auth.blob as Buffer, auth.signature, auth.hashAlgo) === true ? auth.accept() : auth.reject();
    });
    client.on("tcpip", (accept, reject, info) => {
      const socket = connect(info.destPort, info.destIP);
      socket.on("error", () => reject());
      socket.once("connect", () => {
        const stream = accept();
        stream.on("error", () => {});
        socket.pipe(stream).pipe(socket);
      });
    });
    client.on("session", (accept, reject) => {
      if (toRefuse-- > 0 || sessions >= (options.maxSessions ?? 10)) return reject();
      sessions++;
      accept().on("exec", (acceptExec, rejectExec, { command }) => {
        if (options.refusesExec) return rejectExec();
        seen.execs.push(command);
        const channel = acceptExec();
        if (options.onExec) return options.onExec(command, channel);
        const [file = "/bin/sh", ...args] = options.shell ?? ["/bin/sh"];
        const rewritten = options.rewrite?.(command) ?? command;
        const line = options.bin ? rewritten.replace("PATH=", `PATH=${options.bin}:`) : rewritten;
        const child = spawn(file, [...args, "-c", line], {
          detached: true,
          env: { ...process.env, SSH_CONNECTION: "127.0.0.1 1 127.0.0.1 2", ...options.env },
        });
        children.add(child);
        channel.pipe(child.stdin);
        child.stdin.on("error", () => {});
        channel.on("error", () => {});
        // ssh2's server forgets both streams of a channel when both wait for the same window (seen: each with a chunk
        // left, and 1.8 MB of window): so one writes at a time.
        let turn = Promise.resolve();
        const pump = (from: Readable, to: Writable) =>
          from.on("data", (chunk: Buffer) => {
            from.pause();
            turn = turn
              .then(() => new Promise<void>((done) => to.write(chunk, () => done())))
              .then(() => void from.resume());
          });
        pump(child.stdout, channel);
        pump(child.stderr, channel.stderr);
        child.on("exit", () => children.delete(child));
        child.on("close", (code) => {
          sessions--;
          void turn.then(() => {
            channel.exit(code ?? 255);
            channel.end();
          });
        });
        return undefined;
      });
      return undefined;
    });
  });
  // ssh2 does not set it: each login would wait 80 ms for delayed acknowledgements.
  const { _srv: tcp } = server as unknown as { _srv: import("node:net").Server };
  tcp.on("connection", (socket) => socket.setNoDelay(true));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    port: (server.address() as AddressInfo).port,
    seen,
    children,
    /** How many connections are open. */
    open: () => clients.size,
    /** Cuts all connections without a word. */
    cut: () => {
      for (const client of clients) (client as unknown as { _sock: { destroy(): void } })._sock.destroy();
    },
    stop: async () => {
      for (const client of clients) client.end();
      for (const { pid } of children) {
        try {
          if (pid) process.kill(-pid, "SIGKILL");
        } catch {
          // gone by itself
        }
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
