import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { which } from "../../tools/which";

const command = which("chromium");

/** `describe`, or a loud skip where there is no Chromium. */
export function describeChromium(name: string, tests: () => void): void {
  if (!command) process.stderr.write(`note: no chromium here, "${name}" does not run (apt-get install chromium)\n`);
  (command ? describe : describe.skip)(name, tests);
}

type Answer = Record<string, never> & { result: { value: never }; data: string };

/** A headless Chromium, spoken to by its DevTools protocol over a pipe. */
export class Chromium {
  private readonly folder = mkdtempSync(join(tmpdir(), "chromium-"));
  private readonly child = spawn(
    command as string,
    [
      ...["--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
      // Its sandbox refuses root, as whom tests run in containers; the page is our own.
      ...["--no-sandbox", `--user-data-dir=${this.folder}`, "--window-size=1400,900", "about:blank"],
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  private readonly waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  private session: string | undefined;
  private last = 0;
  /** What the page has complained of. */
  readonly errors: string[] = [];

  constructor() {
    let text = "";
    (this.child.stdio[4] as Readable).on("data", (chunk: Buffer) => {
      const messages = (text + chunk).split("\0");
      text = messages.pop() as string;
      for (const message of messages) this.take(JSON.parse(message));
    });
    this.child.once("exit", (code) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`chromium ended with ${code}`));
    });
  }

  private take(message: { id?: number; method?: string; params?: object; result?: Answer; error?: object }): void {
    const { id, method, params, result, error } = message;
    if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded") this.errors.push(JSON.stringify(params));
    if (id === undefined) return;
    const call = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) call?.reject(new Error(JSON.stringify(error)));
    else call?.resolve(result as Answer);
  }

  send(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.last;
    const sessionId = this.session;
    (this.child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  /** Opens a page's text, from the disk. */
  async open(html: string): Promise<void> {
    const file = join(this.folder, "page.html");
    writeFileSync(file, html);
    this.session = undefined;
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    this.session = sessionId;
    for (const domain of ["Page", "Runtime", "Log"]) await this.send(`${domain}.enable`);
    const size = { width: 1400, height: 900, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", size);
    await this.send("Page.navigate", { url: pathToFileURL(file).href });
    await this.value(
      `new Promise((done) => document.readyState === "complete" ? done() : addEventListener("load", done))`,
    );
  }

  /** What an expression in the page is, once it is settled. */
  async value<T = unknown>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if ("exceptionDetails" in answer) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  }

  async mouse(type: "Moved" | "Pressed" | "Released" | "Wheel", x: number, y: number, deltaY = 0): Promise<void> {
    const button = type === "Wheel" ? {} : { button: "left", ...(type !== "Moved" && { clickCount: 1 }) };
    const wheel = type === "Wheel" ? { deltaX: 0, deltaY } : {};
    const buttons = type === "Released" || type === "Wheel" ? 0 : 1;
    // The browser hands such events to a page with a frame, and answers before.
    const event = { Moved: "pointermove", Pressed: "pointerdown", Released: "pointerup", Wheel: "wheel" }[type];
    const once = "{ once: true, capture: true }";
    await this.value(`void (taken = new Promise((done) => addEventListener("${event}", () => done(), ${once})))`);
    await this.send("Input.dispatchMouseEvent", { type: `mouse${type}`, x, y, buttons, ...button, ...wheel });
    await this.value("taken");
  }

  async click(x: number, y: number): Promise<void> {
    await this.mouse("Pressed", x, y);
    await this.mouse("Released", x, y);
  }

  async type(text: string): Promise<void> {
    await this.send("Input.insertText", { text });
  }

  async press(key: "Enter" | "Escape"): Promise<void> {
    const code = {
      key,
      code: key,
      windowsVirtualKeyCode: key === "Enter" ? 13 : 27,
      ...(key === "Enter" && { text: "\r" }),
    };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...code });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...code });
  }

  /** A picture of the page, as PNG. */
  async screenshot(): Promise<Buffer> {
    return Buffer.from((await this.send("Page.captureScreenshot", { format: "png" })).data, "base64");
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.session = undefined;
    if (this.child.exitCode === null) {
      this.send("Browser.close").catch(() => undefined);
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
