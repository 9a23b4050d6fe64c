import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type Frame, Frames } from "../../provider/host/frames";
import { argvOf, quote, renderBatch, renderCommand } from "../../provider/host/render";
import { HostnetError } from "../../provider/model/errors";
import { posixShells } from "./helpers/shells";

const nonce = "0123456789abcdef0123456789abcdef";

/** Runs parts in a real shell, as a session would, and gives what came out on stdout for each. */
function run(shell: string[], parts: string[], together = false): Frame[] {
  const [file = "", ...args] = shell;
  const input = renderBatch(parts, { nonce, together });
  const { stdout } = spawnSync(file, args, { input, env: { PATH: process.env.PATH, LC_ALL: "C" } });
  const frames: Frame[] = [];
  new Frames(nonce, 1e9, (frame) => frames.push(frame)).feed(stdout);
  return frames;
}

/** Text that a command may be given: anything but NUL and halves of characters. */
const text = fc.oneof(
  fc.string({ unit: "binary" }).map((value) => value.replaceAll("\0", "")),
  fc.string({
    unit: fc.constantFrom("'", '"', "\\", "$", "`", "!", "\n", "\r", " ", "#", "~", "*", "-", "\u00c1", "%"),
  }),
  fc.string({ unit: "grapheme" }),
);

describe.each(posixShells)("quoting in %s", (_, shell) => {
  test("any word and any input come out as they went in, whatever is in them", () => {
    const property = fc.property(fc.array(text, { minLength: 20, maxLength: 40 }), (words) => {
      const asArgument = words.map((word) => renderCommand({ argv: ["printf", "%s", word] }));
      const asInput = words.slice(0, 3).map((word) => renderCommand({ argv: ["cat"], stdin: word }));
      const frames = run(shell, [...asArgument, ...asInput]);
      const came = frames.slice(1, -1).map(({ content }) => content.toString("utf8"));
      expect(came).toEqual([...words, ...words.slice(0, 3)]);
    });
    fc.assert(property, { numRuns: 8 });
  });

  test("a syntax error, an exit and a program that reads its input do not stop the shell", () => {
    const input = [["if then ("], ["exit 3"], ["cat", "echo after"]].map((parts) => renderBatch(parts, { nonce }));
    const [file = "", ...args] = shell;
    const { stdout } = spawnSync(file, args, { input: input.join("") });
    const ids: string[] = [];
    new Frames(nonce, 1e9, (frame) => ids.push(frame.id)).feed(stdout);
    expect(ids).toEqual(["0", "E", "0", "E", "0", "1", "2", "E"]);
  });

  test("the end of each command is told, on both streams, with its own status", () => {
    const frames = run(shell, ["true", "printf x; false", "sh -c 'kill -9 $$'"]);
    expect(frames.map(({ id, exitCode, content }) => [id, exitCode, content.toString()])).toEqual([
      ["0", expect.any(Number), ""],
      ["1", 0, ""],
      ["2", 1, "x"],
      ["3", 137, ""],
      ["E", expect.any(Number), ""],
    ]);
  });

  test("together, all run at once, and what they print stays in order, stderr with stdout", () => {
    const folder = mkdtempSync(join(tmpdir(), "hostnet-"));
    // Each waits for the next one: one after the other, the first would wait for ever.
    const waits = (own: number) =>
      `touch ${folder}/${own}; echo begin ${own}; while [ ! -e ${folder}/${own + 1} ]; do sleep 0.02; done; echo end >&2`;
    const frames = run(shell, [waits(0), waits(1), `touch ${folder}/2; cat; (exit 7)`], true);
    rmSync(folder, { recursive: true });
    expect(frames.map(({ id, exitCode, content }) => [id, exitCode, content.toString()])).toEqual([
      ["0", expect.any(Number), ""],
      ["1", 0, "begin 0\nend\n"],
      ["2", 0, "begin 1\nend\n"],
      ["3", 7, ""],
      ["E", expect.any(Number), ""],
    ]);
  });
});

test("text that no argument can hold is refused", () => {
  for (const word of ["a\0b", "\ud800", "\udc00x"]) expect(() => quote(word)).toThrow(HostnetError);
});

test("words of the shell itself are no programs", () => {
  for (const argv of [["eval", "id"], ["exit"], [""], [], ["_mark", "E"], ["."]]) {
    expect(() => argvOf({ argv })).toThrow(HostnetError);
  }
});

test("iproute2 enters a namespace itself, other programs are taken there", () => {
  const there = (...argv: string[]) => argvOf({ argv, namespace: "blue" }).join(" ");
  expect(there("ip", "-j", "link")).toBe("ip -n blue -j link");
  expect(there("/usr/sbin/bridge", "vlan")).toBe("/usr/sbin/bridge -n blue vlan");
  expect(there("ping", "-c1", "10.0.0.1")).toBe("ip netns exec blue ping -c1 10.0.0.1");
  expect(there("nft", "list", "ruleset")).toBe("nsenter --net=/run/netns/blue nft list ruleset");
  expect(argvOf({ argv: ["sh", "-c", "true"], namespace: "blue", socketsOnly: true }).join(" ")).toBe(
    "nsenter --net=/run/netns/blue sh -c true",
  );
  expect(argvOf({ argv: ["ip", "link"] })).toEqual(["ip", "link"]);
});

test("frames are found however the stream is cut", () => {
  const output = ["\n", "x\n", "", "no newline", `\n${nonce.slice(0, 20)}\n`, "\n\n"];
  const stream = Buffer.from(output.map((part, index) => `${part}\n${nonce} ${index} ${index * 7}\n`).join(""));
  const property = fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 30 }), (cuts) => {
    const frames: Frame[] = [];
    const parser = new Frames(nonce, 1e6, (frame) => frames.push(frame));
    const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
    for (let index = 1; index < at.length; index++) parser.feed(stream.subarray(at[index - 1], at[index]));
    expect(frames.map(({ content }) => content.toString())).toEqual(output);
    expect(frames.map(({ exitCode }) => exitCode)).toEqual(output.map((_, index) => index * 7));
  });
  fc.assert(property);
});

test("what is beyond the cap is dropped, and the frame says so", () => {
  const frames: Frame[] = [];
  const parser = new Frames(nonce, 5, (frame) => frames.push(frame));
  for (const chunk of ["1234", "5678", `\n${nonce} 1 0\nabc\n${nonce} 2 0\n`]) parser.feed(Buffer.from(chunk));
  expect(frames.map(({ content, truncated }) => [content.toString(), truncated])).toEqual([
    ["12345", true],
    ["abc", false],
  ]);
});
