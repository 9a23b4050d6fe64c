import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Entry,
  entriesOf,
  forgetOwner,
  ledgersSection,
  markInLedgers,
  record,
  recordMissingNetns,
} from "../provider/ledger";
import { answers } from "./kinds/answers";

describe("an entry", () => {
  const entry: Entry = { id: "m1/Sysctl/-/net.ipv4.ip_forward", nonce: "0011", memory: { value: "0" } };
  const { argv, stdin = "" } = record("aa", entry);
  const seen = (text: string) => {
    return answers([ledgersSection], { ledgers: `${argv.at(-1)}:${text}\n` });
  };

  test("is read as it was written", () => {
    const whole = seen(stdin.trim());
    expect(entriesOf(whole, entry.id)).toEqual([{ ...entry, owner: "aa" }]);
    expect(markInLedgers(whole, entry.id)).toBe("hostnet:aa:0011");
  });

  test("is known on a machine that was given another id since", () => {
    const whole = seen(stdin.trim());
    const id = entry.id.replace("m1", "m2");
    expect(markInLedgers(whole, id)).toBe("hostnet:aa:0011");
    expect(entriesOf(whole, `${id}6`)).toEqual([]);
  });

  test("that was written and not yet put in the place of another does not count", () => {
    const path = argv.at(-1);
    const stdout = `${path}:${stdin.trim()}\n${path}.new:${stdin.trim().replace("0011", "0022")}\n`;
    expect(markInLedgers(answers([ledgersSection], { ledgers: stdout }), entry.id)).toBe("hostnet:aa:0011");
  });

  test.each([0, 1, 20, -1])("that a full /run has cut off after %p bytes is none, as is an empty file", (bytes) => {
    const part = seen(stdin.trim().slice(0, bytes));
    expect(entriesOf(part, entry.id)).toEqual([]);
  });
});

test.each([
  ["is there", true, false],
  ["is not there", false, true],
])("that ip's folder of namespaces %s is recorded", (_, isThere, isRecorded) => {
  const root = mkdtempSync(join(tmpdir(), "hostnet-ledger-"));
  if (isThere) mkdirSync(join(root, "netns"));
  const { argv, stdin } = recordMissingNetns("aa");
  const [program = "", ...args] = argv.map((word) => word.replace(/^\/run/, root));
  expect(spawnSync("sh", ["-c", 'cat | "$@"', "sh", program, ...args], { input: stdin }).status).toBe(0);
  expect(existsSync(join(root, "pulumi-hostnet", "aa", "no-netns-folder"))).toBe(isRecorded);
  rmSync(root, { recursive: true });
});

describe("the end of an owner", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "hostnet-ledger-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** The same steps on another folder. */
  function forget(ledger = "", heir?: string): (number | null)[] {
    const steps = forgetOwner(answers([ledgersSection], { ledgers: ledger }), "aa", heir);
    return steps.map(({ argv: [program = "", ...args], stdin }) => {
      const there = args.map((word) => word.replace("/run/pulumi-hostnet", root));
      // A pipe, as the shell on the host gives it: Node gives a socket, which nobody can open by its name.
      return spawnSync("sh", ["-c", 'cat | "$@"', "sh", program, ...there], { input: stdin }).status;
    });
  }

  test("takes the folder of all owners with it when it was the last", () => {
    mkdirSync(join(root, "aa"));
    expect(forget()).toEqual([0, 0]);
    expect(existsSync(root)).toBe(false);
  });

  test("leaves what another has", () => {
    mkdirSync(join(root, "aa"));
    mkdirSync(join(root, "bb"));
    expect(forget()).toEqual([0, 0]);
    expect([existsSync(join(root, "aa")), existsSync(join(root, "bb"))]).toEqual([false, true]);
  });

  test("leaves to its heir what resources that have not moved yet have there, and what it knows of the host", () => {
    const file = (owner: string, name: string) => join(root, owner, name);
    mkdirSync(join(root, "aa"));
    mkdirSync(join(root, "cc"));
    for (const name of ["epoch", "no-netns-folder", "Sysctl.0011"]) writeFileSync(file("aa", name), "x\n");
    expect(forget("/run/pulumi-hostnet/aa/no-netns-folder:x\n", "cc")).toEqual([0, 0, 0]);
    expect(readdirSync(join(root, "aa"))).toEqual(["Sysctl.0011"]);
    expect(readdirSync(join(root, "cc"))).toEqual(["no-netns-folder"]);
    rmSync(file("aa", "Sysctl.0011"));
    expect([forget("", "cc"), forget("", "cc")]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(existsSync(join(root, "aa"))).toBe(false);
  });

  test("is no failure where a reboot has taken all of it", () => {
    rmSync(root, { recursive: true });
    expect(forget()).toEqual([0, 0]);
  });
});
