import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { type Login, quote, type SshResult, sshArguments } from "../../../tools/ssh";

/** How long a shell stays that nobody asks. */
const idleMs = 20_000;

/**
 * Root's shells on a host, that stay: on an emulated machine a login shell, sudo and bash take a fifth of a second of the
 * processors, and the tests ask a thousand times. What is asked at the same time has a shell each, over one connection.
 */
export class RootShells {
  private readonly idle: RootShell[] = [];

  constructor(
    private readonly host: Login,
    private readonly controlPath: string,
  ) {}

  /** Runs a bash command. It does not throw on an exit code; 255 is ssh's own, with its reason in stderr. */
  async run(command: string, stdin: string | undefined, timeoutMs: number): Promise<SshResult> {
    const known = this.idle.pop();
    clearTimeout(known?.timer);
    const shell = known ?? (await this.open());
    shell.holdsProcess(true);
    const result = await shell.run(command, stdin, timeoutMs);
    if (shell.alive) this.keep(shell);
    // The connection of before a reboot is noticed when it is used.
    const isOld = known !== undefined || /mux_client|Broken pipe|closed by remote|master/i.test(result.stderr);
    const again = !shell.alive && !shell.late && isOld;
    return again ? (await this.open()).run(command, stdin, timeoutMs) : result;
  }

  private keep(shell: RootShell): void {
    this.idle.push(shell);
    shell.holdsProcess(false);
    shell.timer = setTimeout(() => {
      this.forget(shell);
      shell.end();
    }, idleMs);
    shell.timer.unref();
  }

  private forget(shell: RootShell): void {
    clearTimeout(shell.timer);
    if (this.idle.includes(shell)) this.idle.splice(this.idle.indexOf(shell), 1);
  }

  private async open(): Promise<RootShell> {
    const { execa } = await import("execa");
    const become = this.host.user === "root" ? "" : "sudo -n ";
    const args = [...sshArguments(this.host, this.controlPath), `exec ${become}bash`];
    const child = execa("ssh", args, { stdin: "pipe", buffer: false, reject: false });
    const shell = new RootShell(child, child.stdin, child.stdout, child.stderr);
    void child.then(() => {
      shell.alive = false;
      this.forget(shell);
    });
    return shell;
  }
}

class RootShell {
  alive = true;
  /** It was ended by us, as its command did not end in time. */
  late = false;
  timer?: NodeJS.Timeout;

  constructor(
    private readonly child: { ref(): void; unref(): void; kill(): void },
    private readonly stdin: Writable,
    private readonly stdout: Readable,
    private readonly stderr: Readable,
  ) {
    stdin.on("error", () => {});
  }

  /** Whether our process waits for it: not for one that nobody asks. */
  holdsProcess(yes: boolean): void {
    // The pipes of a child are sockets.
    for (const each of [this.child, this.stdin, this.stdout, this.stderr] as Socket[]) yes ? each.ref() : each.unref();
  }

  end(): void {
    this.stdin.end();
  }

  async run(command: string, stdin: string | undefined, timeoutMs: number): Promise<SshResult> {
    const end = `end-${randomBytes(12).toString("hex")}`;
    const input = stdin === undefined ? "</dev/null" : `<<'${end}'\n${stdin.replace(/\n?$/, "\n")}${end}`;
    const tell = `printf '\\n%s %s\\n' ${end} $status`;
    const answers = Promise.all([upTo(end, this.stdout), upTo(end, this.stderr)]);
    this.stdin.write(`( eval ${quote(command)} ) ${input}\nstatus=$?; ${tell}; ${tell} >&2\n`);
    const timer = setTimeout(() => {
      this.late = true;
      this.child.kill();
    }, timeoutMs);
    const [stdout, stderr] = await answers;
    clearTimeout(timer);
    if (stdout.status !== undefined && stderr.status !== undefined) {
      return { exitCode: stdout.status, stdout: stdout.text, stderr: stderr.text };
    }
    this.alive = false;
    const why = this.late ? `no answer within ${timeoutMs / 1000} s` : "the connection broke";
    return { exitCode: 255, stdout: stdout.text, stderr: `${stderr.text}${why}\n` };
  }
}

/** What comes before the line that ends an answer, and the exit code in it: none when the stream ends before. */
function upTo(end: string, stream: Readable): Promise<{ text: string; status?: number }> {
  return new Promise((resolve) => {
    let all = Buffer.alloc(0);
    const settle = (text: Buffer, status?: number) => {
      stream.off("data", take);
      stream.off("close", closed);
      resolve({ text: text.toString("utf8"), status });
    };
    const closed = () => settle(all);
    const take = (chunk: Buffer) => {
      all = Buffer.concat([all, chunk]);
      const at = all.indexOf(`\n${end} `);
      if (at >= 0 && all.at(-1) === 0x0a)
        settle(all.subarray(0, at), Number.parseInt(all.toString("latin1", at + end.length + 2), 10));
    };
    stream.on("data", take);
    stream.on("close", closed);
    if (stream.destroyed) closed();
  });
}
