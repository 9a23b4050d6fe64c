/** What stood in a stream before one of the marks that `renderBatch` prints. */
export interface Frame {
  /** Number of the command, or `L` or `E`. */
  id: string;
  exitCode: number;
  content: Buffer;
  /** True when there was more than the cap allows; the rest was dropped. */
  truncated: boolean;
}

const empty = Buffer.alloc(0);

/** Cuts one stream at the marks of one batch. Chunks may be cut anywhere, also within a mark. */
export class Frames {
  private readonly mark: Buffer;
  private rest: Buffer = empty;
  private parts: Buffer[] = [];
  private size = 0;
  private truncated = false;

  constructor(
    nonce: string,
    private readonly cap: number,
    private readonly onFrame: (frame: Frame) => void,
  ) {
    this.mark = Buffer.from(`\n${nonce} `);
  }

  feed(chunk: Buffer): void {
    let data = this.rest.length ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = empty;
    for (;;) {
      const at = data.indexOf(this.mark);
      if (at < 0) {
        // The last bytes may be the beginning of a mark.
        const safe = Math.max(0, data.length - this.mark.length + 1);
        this.keep(data.subarray(0, safe));
        this.rest = Buffer.from(data.subarray(safe));
        return;
      }
      const end = data.indexOf("\n", at + this.mark.length);
      this.keep(data.subarray(0, at));
      if (end < 0) {
        this.rest = Buffer.from(data.subarray(at));
        return;
      }
      const [id = "", exitCode] = data.toString("latin1", at + this.mark.length, end).split(" ");
      const frame = { id, exitCode: Number(exitCode), content: this.soFar(), truncated: this.truncated };
      this.parts = [];
      this.size = 0;
      this.truncated = false;
      data = data.subarray(end + 1);
      this.onFrame(frame);
    }
  }

  /** What has come since the last mark. */
  soFar(): Buffer {
    return Buffer.concat([...this.parts, this.rest]);
  }

  private keep(part: Buffer): void {
    const room = this.cap - this.size;
    if (part.length > room) this.truncated = true;
    const kept = part.subarray(0, Math.max(0, room));
    if (kept.length === 0) return;
    this.parts.push(kept);
    this.size += kept.length;
  }
}
