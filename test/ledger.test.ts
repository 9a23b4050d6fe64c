import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forgetOwner, ledgerSection } from "../provider/ledger";
import { answers } from "./kinds/answers";

describe("the end of an owner", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "hostnet-ledger-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** The same steps on another folder. */
  function forget(): (number | null)[] {
    const steps = forgetOwner(answers([ledgerSection("aa")], {}), "aa");
    return steps.map(({ argv: [program = "", ...args] }) => {
      const there = args.map((word) => word.replace("/run/pulumi-hostnet", root));
      return spawnSync(program, there).status;
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

  test("is no failure where a reboot has taken all of it", () => {
    rmSync(root, { recursive: true });
    expect(forget()).toEqual([0, 0]);
  });
});
