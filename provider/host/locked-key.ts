import { Worker } from "node:worker_threads";
import { BaseAgent, type ParsedKey, utils } from "ssh2";

/**
 * What runs in the thread: it decrypts the key, says what came of it, and signs what it is given, in order. A text, as
 * a thread that is started from TypeScript sources could load no file of them.
 */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const { utils } = require(workerData.ssh2);
const parsed = utils.parseKey(workerData.text, workerData.passphrase);
const key = Array.isArray(parsed) ? parsed[0] : parsed;
if (key instanceof Error) parentPort.postMessage({ error: key.message });
else {
  parentPort.postMessage({ bytes: key.getPublicSSH() });
  parentPort.on("message", ({ data, hash }) => {
    const signature = key.sign(Buffer.from(data), hash);
    parentPort.postMessage(signature instanceof Error ? { error: signature.message } : { bytes: signature });
  });
}`;

type Answer = { bytes: Uint8Array } | { error: string };

/** One thread; each question gets one answer, in order. It keeps the process alive only while one is awaited. */
class Thread {
  private readonly worker: Worker;
  private readonly waiting: ((answer: Answer) => void)[] = [];

  constructor(workerData: object) {
    this.worker = new Worker(program, { eval: true, workerData });
    this.worker.unref();
    this.worker.on("message", (answer: Answer) => this.settle(answer));
    // One error, or a thread that ended, answers all.
    const end = (error: string) => {
      while (this.waiting.length > 0) this.settle({ error });
    };
    this.worker.on("error", (error) => end(error.message));
    this.worker.on("exit", () => end("its thread has ended"));
  }

  /** The next answer. */
  answer(): Promise<Answer> {
    this.worker.ref();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  ask(question: object): Promise<Answer> {
    this.worker.postMessage(question);
    return this.answer();
  }

  private settle(answer: Answer): void {
    this.waiting.shift()?.(answer);
    if (this.waiting.length === 0) this.worker.unref();
  }
}

/**
 * A private key that was encrypted, as an agent that has no other. To decrypt it (bcrypt in plain JavaScript) takes
 * 0.4 s and more, in which every other host would wait: a thread does it, once, keeps the key and signs with it.
 */
export class LockedKey extends BaseAgent<ParsedKey> {
  private constructor(
    private readonly thread: Thread,
    readonly publicKey: ParsedKey,
  ) {
    super();
  }

  /** The key, or what the decryption failed with. */
  static async unlock(text: string, passphrase: string): Promise<LockedKey | Error> {
    const thread = new Thread({ ssh2: require.resolve("ssh2"), text, passphrase });
    const answer = await thread.answer();
    if ("error" in answer) return new Error(answer.error);
    const blob = Buffer.from(answer.bytes);
    const type = blob.toString("latin1", 4, 4 + blob.readUInt32BE(0));
    const key = utils.parseKey(`${type} ${blob.toString("base64")}`);
    return key instanceof Error ? key : new LockedKey(thread, key);
  }

  override getIdentities(done: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    done(undefined, [this.publicKey]);
  }

  /** ssh2 names the hash for RSA alone. */
  override sign(_key: unknown, data: Buffer, ...rest: unknown[]): void {
    const done = rest.at(-1) as (error: Error | undefined, signature?: Buffer) => void;
    const { hash } = (rest.length > 1 && (rest[0] as { hash?: string })) || {};
    void this.thread.ask({ data, hash }).then((answer) => {
      if ("error" in answer) done(new Error(answer.error));
      else done(undefined, Buffer.from(answer.bytes));
    });
  }
}
