import { z } from "zod";
import type { HostRef } from "../provider/host/reach";
import { Seen } from "../provider/host/seen";
import type { Machine } from "../provider/host/types";
import { kind } from "../provider/kind";
import { apply, check, diff, type Inputs, type Outputs, read, remove } from "../provider/lifecycle";
import type { Result, Section, Step } from "../provider/model/command";
import { HostnetError } from "../provider/model/errors";
import { UNKNOWN } from "../provider/model/unknown";
import { meet, reachedBy } from "../provider/owners";
import { release } from "../provider/ownership";

/** A host that knows one thing: named boxes with a colour, a size and a mark. */
interface Box {
  colour?: string;
  size?: number;
  mark?: string;
}
const boxes = new Map<string, Box>();
const files = new Map<string, string>();
let written: string[][] = [];
let refuse: string | undefined;
/** What it says then; by default that it does. */
let refusal: string | undefined;
let machineId = "m1";
let reachable = true;
/** The device that carries our connection, where one does. */
let carrier: string | undefined;
let observed = 0;
/** The questions of the last look. */
let asked: Section[] = [];
/** What other deployments were writing, done to its end. */
let othersFinish = () => {};

const answer = (stdout: string): Result => ({ exitCode: 0, stdout, stderr: "" });

function execute({ argv: [word = "", ...rest], stdin }: Step): Result {
  // A full /run has the file cut off.
  if (word === "install") files.set(rest.at(-1) ?? "", (stdin ?? "").trim().slice(0, refuse === word ? 30 : undefined));
  if (word === "mv") {
    files.set(rest.at(-1) ?? "", files.get(rest.at(-2) ?? "") ?? "");
    files.delete(rest.at(-2) ?? "");
  }
  if (word === "rm") files.delete(rest.at(-1) ?? "");
  const [name = "", key = "", value = ""] = rest;
  if (word === refuse) return { exitCode: 2, stdout: "", stderr: `${refusal ?? `the box refuses ${word}`}\n` };
  if (word === "make") boxes.set(name, { mark: key });
  if (word === "set") boxes.set(name, { ...boxes.get(name), [key]: key === "size" ? Number(value) : value });
  if (word === "burn") boxes.delete(name);
  return answer("");
}

const machine: Machine = {
  facts: {
    get sshConnection() {
      return carrier
        ? { clientAddress: "192.0.2.9", clientPort: 1, serverAddress: "192.0.2.1", serverPort: 22 }
        : undefined;
    },
    machineId: "x",
    bootId: "b",
    hostname: "h",
    kernel: "6.1",
    tools: { ip: "/sbin/ip" },
    versions: {},
    systemd: true,
  },
  observe: async (sections, how) => {
    observed++;
    if (how?.whileNobodyWrites) othersFinish();
    return see(sections);
  },
  write: async (steps, then) => {
    for (const step of steps) {
      written.push(step.argv);
      const result = execute(step);
      if (result.exitCode !== 0) return { seen: see(then), failure: { step, result } };
    }
    return { seen: see(then) };
  },
};

function see(sections: Section[]): Seen {
  asked = sections;
  const text = (section: Section) =>
    section.key.startsWith("management:")
      ? JSON.stringify([{ ifname: carrier, dev: carrier }])
      : section.key.startsWith("ledger")
        ? [...files].map(([path, line]) => `${path}:${line}\n`).join("")
        : JSON.stringify(Object.fromEntries(boxes));
  return new Seen(new Map(sections.map((section) => [section.key, { section, result: answer(text(section)) }])));
}

const told: string[] = [];
jest.mock("../provider/log", () => ({
  warn: (text: string) => told.push(`warning: ${text}`),
  tell: (text: string) => told.push(text),
}));

jest.mock("../provider/host/reach", () => ({
  decommissioned: (host: HostRef) => host.decommissioned === true,
  reach: async () => {
    if (!reachable) throw new Error("no route to host");
    return machine;
  },
  reachIfSame: async (host: HostRef) => {
    if (!reachable || host.address === "192.0.2.99") throw new Error("no route to host");
    return host.machineId === machineId ? machine : undefined;
  },
}));

const box = kind({
  name: "Box",
  doc: "",
  args: z.strictObject({ name: z.string(), colour: z.string().optional(), size: z.number().optional() }),
  facts: z.object({ size: z.number().optional() }),
  identity: ["name"],
  needs: ["ip"],
  mark: "alias",
  reset: { size: 1 },
  claims: (want) => [want.name],
  observe: () => [{ key: "boxes", argv: ["boxes"] }],
  find(want, seen) {
    const found = seen.json<Record<string, Box>>("boxes")[want.name];
    return found && { args: { name: want.name, ...found }, facts: { size: found.size }, marks: [found.mark] };
  },
  converge(want, live, { mark }) {
    const has = (live?.args ?? {}) as Box;
    return [
      ...(live ? [] : [{ argv: ["make", want.name, mark] }]),
      ...(live && has.mark !== mark ? [{ argv: ["set", want.name, "mark", mark] }] : []),
      ...(["colour", "size"] as const).flatMap((key) =>
        want[key] === undefined || want[key] === has[key]
          ? []
          : [{ argv: ["set", want.name, key, String(want[key])], touches: [want.name] }],
      ),
    ];
  },
  remove: (_live, want) => [{ argv: ["burn", want.name], touches: [want.name] }],
});

/** A box that leaves dust, which stays when the box goes behind our back. */
const dusty = {
  ...box,
  sweep: (want: { name: string }, seen: Seen) =>
    seen.json<Record<string, Box>>("boxes")[`${want.name}-dust`] ? [{ argv: ["burn", `${want.name}-dust`] }] : [],
};

const host = { name: "node1", address: "192.0.2.1", machineId: "m1", owner: "a1b2", epoch: "e1" } as HostRef;
const inputs = (args: object): Inputs => ({ host, __provider: "text", ...args });

beforeEach(() => {
  boxes.clear();
  files.clear();
  written = [];
  refuse = undefined;
  machineId = "m1";
  reachable = true;
  carrier = undefined;
  observed = 0;
  othersFinish = () => {};
  told.length = 0;
});

const words = () => written.map((argv) => argv.join(" "));

describe("apply", () => {
  it("makes, marks, proves, and a second time does nothing", async () => {
    const { id, outs } = await apply(box, inputs({ name: "b", colour: "red", size: 3 }));
    expect(id).toBe("m1/Box/-/b");
    expect(outs).toEqual({
      host,
      __provider: "text",
      name: "b",
      colour: "red",
      size: 3,
      revision: expect.stringMatching(/^[0-9a-f]{12}$/),
      live: { size: 3 },
    });
    expect(boxes.get("b")?.mark).toBe(`hostnet:a1b2:${outs.revision}`);
    written = [];
    const again = await apply(box, inputs({ name: "b", colour: "red", size: 3 }), outs);
    expect(written).toEqual([]);
    expect(again.outs).toEqual(outs);
  });

  it("leaves alone what was never declared, and resets what is declared no more", async () => {
    const { outs } = await apply(box, inputs({ name: "b", size: 5, colour: "red" }));
    boxes.set("b", { ...boxes.get("b"), colour: "blue" });
    const { outs: after } = await apply(box, inputs({ name: "b" }), outs);
    expect(boxes.get("b")).toMatchObject({ size: 1, colour: "blue" });
    expect(after).not.toHaveProperty("size");
  });

  it("refuses what is not ours and does not touch it; adopt takes it over", async () => {
    boxes.set("b", { colour: "theirs" });
    await expect(apply(box, inputs({ name: "b", colour: "red" }))).rejects.toThrow(
      /node1: Box b: is there already and carries no mark of ours \[FOREIGN\]/,
    );
    const ways = (kind: typeof box) => apply(kind, inputs({ name: "b" })).catch(({ message }) => String(message));
    expect(await ways(box)).not.toMatch(/hostnet import/);
    expect(await ways({ ...box, list: () => [] })).toMatch(/hostnet import/);
    boxes.set("b", { colour: "theirs", mark: "hostnet:ffff:01" });
    await expect(apply(box, inputs({ name: "b", colour: "red" }))).rejects.toThrow(
      /another stack's, or of a Host that was renamed along with this: then `up --refresh`/,
    );
    expect(written).toEqual([]);
    expect(told).toEqual([]);
    await apply(box, inputs({ name: "b", colour: "red", adopt: true }));
    expect(told).toEqual(["node1: Box b was there already; it is taken over; changed: colour"]);
    expect(boxes.get("b")).toMatchObject({ colour: "red", mark: expect.stringMatching(/^hostnet:a1b2:/) });
  });

  test("what bears no mark yet, since its create was killed and its last batch still runs, is taken over once it is through", async () => {
    boxes.set("b", {});
    othersFinish = () => boxes.set("b", { mark: "hostnet:a1b2:0123456789ab" });
    const { outs } = await apply(box, inputs({ name: "b" }));
    expect(boxes.get("b")?.mark).toBe(`hostnet:a1b2:${outs.revision}`);
    expect(told).toEqual([]);
  });

  it("takes over what a crashed create of the same owner left, but not what another resource keeps", async () => {
    boxes.set("b", { mark: "hostnet:a1b2:dead00" });
    const { outs } = await apply(box, inputs({ name: "b" }));
    expect(boxes.get("b")?.mark).toBe(`hostnet:a1b2:${outs.revision}`);
    await expect(apply(box, inputs({ name: "b" }))).rejects.toThrow(/another resource of this stack.*\[CONFLICT\]/);
  });

  it("takes over what a refresh has found by its old name in the program, but not what the program still declares", async () => {
    const { id, outs } = await apply(box, inputs({ name: "r" }));
    release(outs.revision);
    await read(box, id, outs);
    diff(box, outs, inputs({ name: "r" }));
    const renamed = await apply(box, check(box, inputs({ name: "r" })).inputs);
    expect(boxes.get("r")?.mark).toBe(`hostnet:a1b2:${renamed.outs.revision}`);
    release(renamed.outs.revision);
    diff(box, renamed.outs, inputs({ name: "r" }));
    await expect(apply(box, inputs({ name: "r" }))).rejects.toThrow(/another resource of this stack.*\[CONFLICT\]/);
  });

  it.each([
    ["deleted", (id: string, outs: Outputs) => remove(box, id, outs)],
    ["refreshed", (id: string, outs: Outputs) => read(box, id, outs)],
  ])("takes over what counts as gone once it was %s, as its machine was given another id", async (_, look) => {
    const { id, outs } = await apply(box, inputs({ name: "b" }));
    machineId = "m2";
    const onOther = inputs({ name: "b", host: { ...host, machineId } });
    expect(diff(box, outs, onOther).replaces).toEqual(["host"]);
    await look(id, outs);
    const again = await apply(box, onOther);
    expect(boxes.get("b")?.mark).toBe(`hostnet:a1b2:${again.outs.revision}`);
  });

  describe("of a Host that was replaced, or renamed in the program", () => {
    const heir = { ...host, owner: "c3d4" } as HostRef;
    const ledgered = {
      ...box,
      mark: "ledger",
      remember: (live?: { facts: object }) => live?.facts,
      remove: (_live: unknown, want: { name: string }, { memory }: { memory?: unknown }) =>
        boxes.has(want.name) ? [{ argv: ["burn", want.name, JSON.stringify(memory)] }] : [],
    } as unknown as typeof box;
    const entries = () => [...files.keys()].map((path) => path.split("/")[3]);

    it("gives what is there the mark of its new owner, and takes what a sibling of the old one left", async () => {
      const { outs } = await apply(box, inputs({ name: "b", size: 2 }));
      const moved = await apply(box, inputs({ name: "b", size: 2, host: heir }), outs);
      expect(boxes.get("b")?.mark).toBe(`hostnet:c3d4:${outs.revision}`);
      expect(moved.outs).not.toHaveProperty("formerOwners");
      boxes.set("b", { size: 2, mark: "hostnet:a1b2:0123456789ab" });
      await apply(box, inputs({ name: "b", size: 2, host: heir }), outs);
      expect(boxes.get("b")?.mark).toBe(`hostnet:c3d4:${outs.revision}`);
      await expect(apply(box, inputs({ name: "b", host }), moved.outs)).resolves.toBeDefined();
      boxes.set("b", { mark: "hostnet:ffff:0123456789ab" });
      await expect(apply(box, inputs({ name: "b", host: heir }), outs)).rejects.toThrow(/another stack's/);
    });

    it("reads the ledgers of all owners in one process", async () => {
      const { outs } = await apply(ledgered, inputs({ name: "b", size: 2, adopt: true }));
      await apply(ledgered, inputs({ name: "b", size: 2, host: heir }), outs);
      expect(asked.filter(({ argv }) => argv[0] === "grep")).toHaveLength(1);
    });

    it("moves the ledger's entry with its old values, and leaves no empty folder of the old owner", async () => {
      const id = "m1/Box/-/b";
      boxes.set("b", { size: 7 });
      const { outs } = await apply(ledgered, inputs({ name: "b", size: 2, adopt: true }));
      expect(entries()).toEqual(["a1b2"]);
      const moved = await apply(ledgered, inputs({ name: "b", size: 2, host: heir }), outs);
      expect(entries()).toEqual(["c3d4"]);
      expect(words()).toContain("rmdir --ignore-fail-on-non-empty /run/pulumi-hostnet/a1b2");
      await remove(ledgered, id, moved.outs);
      expect(words().find((step) => step.startsWith("burn"))).toBe('burn b {"size":7}');
      expect(entries()).toEqual([]);
    });

    it.each([
      ["under the mark of the old owner", "a1b2"],
      ["under that of the new one", "c3d4"],
    ])("knows what an update that was broken off has left %s", async (_, owner) => {
      const { id, outs } = await apply(box, inputs({ name: "b", size: 2 }));
      refuse = "set";
      const { properties } = await apply(box, inputs({ name: "b", size: 3, host: heir }), outs).catch(
        (thrown) => thrown,
      );
      refuse = undefined;
      boxes.set("b", { ...boxes.get("b"), mark: `hostnet:${owner}:${outs.revision}` });
      expect((await read(box, id, properties)).props).toMatchObject({ formerOwners: ["a1b2"] });
      const { outs: mended } = await apply(box, inputs({ name: "b", size: 3, host: heir }), properties);
      expect(boxes.get("b")).toEqual({ size: 3, mark: `hostnet:c3d4:${outs.revision}` });
      expect(mended).not.toHaveProperty("formerOwners");
      boxes.set("b", { mark: `hostnet:${owner}:${outs.revision}` });
      await remove(box, id, properties);
      expect(boxes.size).toBe(0);
    });
  });

  describe("of a Host that was renamed along with what is on it", () => {
    const [old, heir] = ["0a0a", "0b0b"].map((owner) => ({ ...host, machineId: "m7", owner }) as HostRef);
    const on = (host: HostRef | undefined, args: object) => check(box, { ...inputs(args), host } as Inputs).inputs;
    beforeEach(() => {
      machineId = "m7";
    });

    it("takes over what the old one has, once a refresh has met that, and the old one's delete leaves it", async () => {
      const was = await apply(box, on(old, { name: "b", size: 2 }));
      await expect(apply(box, on(heir, { name: "b", size: 2 }))).rejects.toThrow(/\[FOREIGN\]/);
      meet(old as HostRef);
      meet(heir as HostRef);
      release(was.outs.revision);
      const { outs } = await apply(box, on(heir, { name: "b", size: 2 }));
      expect(boxes.get("b")).toEqual({ size: 2, mark: `hostnet:0b0b:${outs.revision}` });
      await remove(box, was.id, was.outs);
      expect(boxes.has("b")).toBe(true);
      boxes.set("b", { mark: "hostnet:ffff:01" });
      expect(told).toEqual([]);
      await remove(box, was.id, was.outs);
      expect(told).toEqual(["warning: node1: Box b is not ours any more; it is left as it is"]);
    });

    it("gives it back when the names are taken back before the old ones are deleted", async () => {
      const was = await apply(box, on(old, { name: "t", size: 2 }));
      release(was.outs.revision);
      meet(old as HostRef);
      const { id, outs } = await apply(box, on(heir, { name: "t", size: 3 }));
      release(outs.revision);
      diff(box, was.outs, on(old, { name: "t", size: 2 }));
      await remove(box, id, outs);
      expect(boxes.get("t")).toEqual({ size: 2, mark: `hostnet:0a0a:${was.outs.revision}` });
    });
  });

  it("says of what another stack has in its ledger alone that it is another stack's", async () => {
    const ledgered = {
      ...box,
      mark: "ledger",
      find: (...asked: Parameters<typeof box.find>) => {
        const found = box.find(...asked);
        return found && { ...found, marks: [] };
      },
    } as unknown as typeof box;
    const others = inputs({ name: "b", host: { ...host, owner: "c3d4" } });
    await apply(ledgered, inputs({ name: "b" }));
    await expect(apply(ledgered, others)).rejects.toThrow(/is another stack's/);
    files.clear();
    await expect(apply(ledgered, others)).rejects.toThrow(/carries no mark of ours/);
  });

  it("keeps in state what was begun: id, properties with __provider, and reasons", async () => {
    refuse = "set";
    const error = await apply(box, inputs({ name: "b", size: 9 })).catch((thrown) => thrown);
    expect(error).toMatchObject({
      id: "m1/Box/-/b",
      reasons: [expect.stringContaining("the box refuses set [STEP_FAILED]")],
    });
    expect(error.properties).toMatchObject({ __provider: "text", name: "b", revision: expect.any(String) });
    refuse = undefined;
    const { outs } = await apply(box, inputs({ name: "b", size: 9 }), error.properties);
    expect(boxes.get("b")).toEqual({ size: 9, mark: `hostnet:a1b2:${outs.revision}` });
    expect(outs).not.toHaveProperty("was");
  });

  it("says what the kind says of an object that came out broken, not which step failed for it", async () => {
    refuse = "set";
    const said = (broken: string | undefined) => {
      const leaking = {
        ...box,
        find: (...asked: Parameters<typeof box.find>) => {
          const found = box.find(...asked);
          return found && { ...found, broken };
        },
        converge: (...asked: Parameters<typeof box.converge>) => {
          if (asked[1]?.broken) throw new HostnetError("MISSING_FEATURE", `it is broken: ${asked[1].broken}`);
          return box.converge(...asked);
        },
      };
      return apply(leaking as typeof box, inputs({ name: "b", size: 9 })).catch(({ message }) => message);
    };
    expect(await said("it leaks")).toMatch(/it is broken: it leaks \[MISSING_FEATURE\]/);
    boxes.clear();
    expect(await said(undefined)).toMatch(/the box refuses set \[STEP_FAILED\]/);
    refuse = undefined;
  });

  it.each([
    [["a", "b"], "-:2: what is this", /: b: -:2: what is this \[STEP_FAILED\]/],
    [["a", "b"], "what is this", /: what is this \[STEP_FAILED\]/],
    [["a"], "what is this", /: a: what is this \[STEP_FAILED\]/],
  ])("names the argument, of %j, that %j is said of", async (sources, said, message) => {
    [refuse, refusal] = ["set", said];
    const sourced = {
      ...box,
      converge: (...asked: Parameters<typeof box.converge>) =>
        box.converge(...asked).map((step) => ({ ...step, sources })),
    };
    await expect(apply(sourced as typeof box, inputs({ name: "b", size: 9 }))).rejects.toThrow(message);
    [refuse, refusal] = [undefined, undefined];
  });

  it.each([
    ['Cannot find device "eth9"', /next: The device is not there, or not yet: .*`dependsOn`/],
    ['Cannot open network namespace "gone": No such file or directory', /next: The namespace is not there, or not yet/],
    ['Error: argument "gone" is wrong: Invalid "netns" value', /next: The namespace is not there, or not yet/],
    ["ovs-vsctl: no bridge named br-x", /next: The bridge is not there, or not yet: .*OvsBridge/],
    ["Error: Invalid prefsrc address.", /next: `source` must be an address of the host or namespace/],
    ["RTNETLINK answers: Address already in use", /next: Somebody has the UDP port already: `ss -lunp`/],
    ["RTNETLINK answers: File exists", /next: Something else on the host has what tells it from others/],
    ["Error: A VXLAN device with the specified VNI already exists.", /next: Something else .* VNI/],
    ["Error: Nexthop has invalid gateway.", /next: `via` must be in the network of an address .*`dependsOn`/],
    ["Error: Any other word.", /next: Correct what the host refuses/],
  ])("says what to do where the host says %j", async (said, next) => {
    refuse = "set";
    refusal = said;
    const error = await apply(box, inputs({ name: "b", size: 9 })).catch((thrown) => thrown);
    [refuse, refusal] = [undefined, undefined];
    expect(error.reasons).toEqual([expect.stringMatching(next)]);
  });

  it("knows for its own what a create left that was cut off before the mark, and nothing else that has none", async () => {
    refuse = "make";
    const { properties, id } = await apply(box, inputs({ name: "b" })).catch((thrown) => thrown);
    boxes.set("b", {});
    refuse = undefined;
    expect((await read(box, id, properties)).id).toBe(id);
    const { outs } = await apply(box, inputs({ name: "b" }), properties);
    expect(boxes.get("b")?.mark).toBe(`hostnet:a1b2:${properties.revision}`);
    expect(outs).not.toHaveProperty("unfinished");
    boxes.set("b", {});
    await expect(apply(box, inputs({ name: "b" }), outs)).rejects.toThrow(/carries no mark of ours/);
  });

  it("has nothing in state nor in the ledger of what somebody else made between the look and the write", async () => {
    const ledgered = { ...box, mark: "ledger" } as typeof box;
    const real = machine.write;
    const write = jest.spyOn(machine, "write").mockImplementationOnce(async (steps, then) => {
      const [entry, step] = steps as [Step, Step];
      boxes.set("b", {});
      const result = { exitCode: 2, stdout: "", stderr: "RTNETLINK answers: File exists\n" };
      return { ...(await real([entry], then)), failure: { step, result } };
    });
    const error = await apply(ledgered, inputs({ name: "b" })).catch((thrown) => thrown);
    write.mockRestore();
    expect(error).toMatchObject({ code: "STEP_FAILED", message: expect.stringContaining("File exists") });
    expect(error).not.toHaveProperty("id");
    expect([...files]).toEqual([]);
    await expect(apply(ledgered, inputs({ name: "b" }))).rejects.toThrow(/\[FOREIGN\]/);
  });

  it("remembers through failed updates what was declared before", async () => {
    const { outs } = await apply(box, inputs({ name: "b", size: 9 }));
    refuse = "set";
    const error = await apply(box, inputs({ name: "b" }), outs).catch((thrown) => thrown);
    refuse = undefined;
    await apply(box, inputs({ name: "b" }), error.properties);
    expect(boxes.get("b")?.size).toBe(1);
  });

  it("has nothing in state when nothing was begun", async () => {
    reachable = false;
    const error = await apply(box, inputs({ name: "b" })).catch((thrown) => thrown);
    expect(error).not.toHaveProperty("id");
  });

  it.each([
    ["nothing where nothing of the first write ran", { nothingRan: true }, undefined],
    ["that something may be there where that is not known", {}, true],
  ])("has in state %s", async (_, details, unfinished) => {
    const write = jest.spyOn(machine, "write").mockRejectedValueOnce(new HostnetError("TIMEOUT", "no lock", details));
    const error = await apply(box, inputs({ name: "b" })).catch((thrown) => thrown);
    write.mockRestore();
    expect(error).toMatchObject({ code: "TIMEOUT" });
    expect([error.id, error.properties?.unfinished]).toEqual([unfinished && "m1/Box/-/b", unfinished]);
  });

  it("has in state what one write began, though nothing of the next one ran", async () => {
    const bySteps = {
      ...box,
      converge: (...asked: Parameters<typeof box.converge>) => box.converge(...asked).slice(0, 1),
    };
    const real = machine.write;
    const write = jest.spyOn(machine, "write").mockImplementationOnce(real);
    write.mockRejectedValueOnce(new HostnetError("TIMEOUT", "no lock", { nothingRan: true }));
    const error = await apply(bySteps, inputs({ name: "b", size: 9 })).catch((thrown) => thrown);
    write.mockRestore();
    expect(error).toMatchObject({ id: "m1/Box/-/b", properties: { unfinished: true } });
    expect(words()).toHaveLength(1);
  });

  it("says which program is missing and how to get it", async () => {
    const needy = { ...box, needs: ["ovs-vsctl"] };
    await expect(apply(needy, inputs({ name: "b" }))).rejects.toThrow(
      /no ovs-vsctl \[MISSING_TOOL\]\n.*apt install openvswitch-switch/s,
    );
  });

  it("does not try for ever what does not hold", async () => {
    const stubborn = { ...box, converge: () => [{ argv: ["set", "b", "colour", "x"] }] };
    await expect(apply(stubborn, inputs({ name: "b" }))).rejects.toThrow(/NOT_CONVERGED/);
    expect(words()).toEqual(["set b colour x"]);
  });
});

describe("read", () => {
  const made = async (args: object) => (await apply(box, inputs(args))).outs;

  it("shows the live values of declared arguments only, in inputs and outputs", async () => {
    const outs = await made({ name: "b", size: 3 });
    boxes.set("b", { ...boxes.get("b"), size: 4, colour: "green" });
    const { id, inputs: shown, props } = await read(box, "m1/Box/-/b", outs);
    expect(id).toBe("m1/Box/-/b");
    expect(shown).toEqual({ host, __provider: "text", name: "b", size: 4 });
    expect(props).toEqual({ ...shown, revision: outs.revision, live: { size: 4 } });
  });

  it("says that it asks nothing after its look, so that its batch waits for those who come next", async () => {
    const outs = await made({ name: "b" });
    const observe = jest.spyOn(machine, "observe");
    await read(box, "m1/Box/-/b", outs);
    expect(observe.mock.calls.map(([, look]) => look)).toEqual([{ last: true }]);
    observe.mockRestore();
  });

  it("waits for what the host is still at, and shows where it ends", async () => {
    const outs = await made({ name: "b", size: 3 });
    let looks = 0;
    const busy = {
      ...box,
      find: (want: { name: string }, seen: Seen) => {
        const found = box.find(want, seen);
        return found && ++looks < 3
          ? { ...found, args: { ...found.args, size: undefined }, pending: "its start" }
          : found;
      },
    };
    expect((await read(busy, "m1/Box/-/b", outs)).inputs).toMatchObject({ size: 3 });
    expect(looks).toBe(3);
  });

  it("is blank only on proof of absence", async () => {
    const outs = await made({ name: "b" });
    boxes.delete("b");
    expect(await read(box, "id", outs)).toEqual({});
    boxes.set("b", {});
    expect(await read(box, "id", outs)).toEqual({});
    machineId = "m2";
    expect(await read(box, "id", outs)).toEqual({});
    reachable = false;
    await expect(read(box, "id", outs)).rejects.toThrow(/no route to host/);
  });
});

describe("delete", () => {
  it("removes only what carries its own nonce", async () => {
    const { outs } = await apply(box, inputs({ name: "b" }));
    boxes.set("b", { mark: "hostnet:a1b2:0other" });
    await remove(box, "id", outs);
    boxes.set("b", {});
    await remove(box, "id", outs);
    expect(boxes.has("b")).toBe(true);
    boxes.set("b", { mark: `hostnet:a1b2:${outs.revision}` });
    await remove(box, "id", outs);
    expect(boxes.has("b")).toBe(false);
    await remove(box, "id", outs);
  });

  it("has done what went by itself between its look and its step, and fails of what is there still", async () => {
    const remembering = { ...box, remember: () => ({}) } as unknown as typeof box;
    const { id, outs } = await apply(remembering, inputs({ name: "b" }));
    expect(files.size).toBe(1);
    refuse = "burn";
    await expect(remove(remembering, id, outs)).rejects.toThrow(/refuses burn \[STEP_FAILED\]/);
    expect([boxes.size, files.size]).toEqual([1, 1]);
    const { write } = machine;
    const spy = jest.spyOn(machine, "write").mockImplementationOnce((...asked) => {
      boxes.delete("b");
      return write(...asked);
    });
    await remove(remembering, id, outs);
    spy.mockRestore();
    expect([boxes.size, files.size]).toEqual([0, 0]);
  });

  it("keeps old values as long as they are not proven to be given back", async () => {
    const lasting = {
      ...box,
      mark: "ledger",
      permanent: true,
      remember: (live?: { facts: object }) => live?.facts,
      remove: (
        live: { facts: { size?: number } },
        want: { name: string },
        { memory }: { memory?: { size: number } },
      ) =>
        memory && live.facts.size !== memory.size
          ? [{ argv: [stubborn ? "ask" : "set", want.name, "size", String(memory.size)] }]
          : [],
    } as unknown as typeof box;
    let stubborn = true;
    boxes.set("b", { size: 7 });
    const { id, outs } = await apply(lasting, inputs({ name: "b", size: 2 }));
    await expect(remove(lasting, id, outs)).rejects.toThrow(/is still there after it was taken away \[NOT_CONVERGED\]/);
    stubborn = false;
    await remove(lasting, id, outs);
    expect([boxes.get("b")?.size, files.size]).toEqual([7, 0]);
  });

  it("gives back what a sibling found, though the file was cut off when its object was taken over", async () => {
    const ledgered = {
      ...box,
      mark: "ledger",
      remember: (live?: { facts: object }) => live?.facts,
      remove: (_live: unknown, want: { name: string }, { memory }: { memory?: object }) => [
        { argv: ["burn", want.name, JSON.stringify(memory)] },
      ],
    } as unknown as typeof box;
    boxes.set("b", { size: 7 });
    const { outs: sibling } = await apply(ledgered, inputs({ name: "b", size: 2, adopt: true }));
    release(sibling.revision);
    refuse = "install";
    await expect(apply(ledgered, inputs({ name: "b", size: 3 }))).rejects.toThrow(/refuses install/);
    refuse = undefined;
    const { id, outs } = await apply(ledgered, inputs({ name: "b", size: 3 }));
    await remove(ledgered, id, outs);
    expect(words().at(-2)).toBe('burn b {"size":7}');
    expect(files.size).toBe(0);
  });

  describe("of what another stack has, too", () => {
    const theirs = { ...host, owner: "c3d4" } as HostRef;
    const thirds = { ...host, owner: "e5f6" } as HostRef;
    /** A sysctl of a box: what is as we set it gets the value back that it had. */
    const shared = {
      ...box,
      mark: "ledger",
      permanent: true,
      find: (...asked: Parameters<typeof box.find>) => {
        const found = box.find(...asked);
        return found && { ...found, marks: [] };
      },
      remember: (live?: { args: object }) => live?.args,
      converge: (want: Box & { name: string }, live: { args: Box }) =>
        (["colour", "size"] as const)
          .filter((key) => want[key] !== undefined && want[key] !== live.args[key])
          .map((key) => ({ argv: ["set", want.name, key, String(want[key])] })),
      remove: (live: { args: Box }, want: Box & { name: string }, { memory }: { memory?: Box }) =>
        (["colour", "size"] as const)
          .filter((key) => memory && want[key] === live.args[key] && memory[key] !== live.args[key])
          .map((key) => ({ argv: ["set", want.name, key, String(memory?.[key])] })),
    } as unknown as typeof box;

    it("is left to the next, who gives back what the first one found", async () => {
      boxes.set("b", { size: 7, colour: "none" });
      const first = await apply(shared, inputs({ name: "b", size: 2, colour: "red" }));
      const second = await apply(shared, inputs({ name: "b", size: 2, host: theirs }));
      const third = await apply(shared, inputs({ name: "b", size: 2, host: thirds }));
      await remove(shared, first.id, first.outs);
      expect(told).toEqual(["node1: Box b is left as it is: another Host declares it too, and gives it back"]);
      expect(boxes.get("b")).toEqual({ size: 2, colour: "red" });
      await remove(shared, second.id, second.outs);
      expect(boxes.get("b")).toEqual({ size: 2, colour: "red" });
      await remove(shared, third.id, third.outs);
      expect(boxes.get("b")).toEqual({ size: 7, colour: "none" });
      expect(files.size).toBe(0);
    });

    it("is left to a Host of the same stack that took its place", async () => {
      machineId = "m9";
      const [old, heir] = ["0c0c", "0d0d"].map((owner) => ({ ...host, machineId, owner }) as HostRef);
      boxes.set("b", { size: 7 });
      const first = await apply(shared, inputs({ name: "b", size: 2, host: old }));
      meet(heir as HostRef);
      const second = await apply(shared, inputs({ name: "b", size: 2, host: heir }));
      await remove(shared, first.id, first.outs);
      expect(boxes.get("b")?.size).toBe(2);
      await remove(shared, second.id, second.outs);
      expect([boxes.get("b")?.size, files.size]).toEqual([7, 0]);
    });

    it("is given back as it was before by one that came later, whose former turns count no more", async () => {
      boxes.set("b", { size: 7 });
      const first = await apply(shared, inputs({ name: "b", size: 2 }));
      const second = await apply(shared, inputs({ name: "b", size: 3, host: theirs }));
      await remove(shared, second.id, second.outs);
      expect(boxes.get("b")?.size).toBe(2);
      const again = await apply(shared, inputs({ name: "b", size: 2, host: theirs }));
      await remove(shared, first.id, first.outs);
      const last = await apply(shared, inputs({ name: "b", size: 2 }));
      await remove(shared, again.id, again.outs);
      expect(boxes.get("b")?.size).toBe(2);
      await remove(shared, last.id, last.outs);
      expect(boxes.get("b")?.size).toBe(7);
    });
  });

  it.each([
    ["is there", () => {}],
    ["was gone already", () => boxes.delete("k")],
  ])(
    "hands back what a resource had that the program declares again, as its rename was broken off: %s",
    async (_, meanwhile) => {
      const first = await apply(box, check(box, inputs({ name: "k", size: 2 })).inputs);
      release(first.outs.revision);
      const renamed = await apply(box, inputs({ name: "k", size: 3 }));
      release(renamed.outs.revision);
      meanwhile();
      diff(box, first.outs, inputs({ name: "k", size: 2 }));
      await remove(box, renamed.id, renamed.outs);
      expect(boxes.get("k")).toEqual({ size: 2, mark: `hostnet:a1b2:${first.outs.revision}` });
      await remove(box, first.id, first.outs);
      expect(boxes.size).toBe(0);
    },
  );

  it("takes away what was made anew after it was to stay", async () => {
    const first = await apply(box, check(box, inputs({ name: "s" })).inputs);
    diff(box, first.outs, inputs({ name: "s" }));
    await remove(box, first.id, first.outs);
    const second = await apply(box, inputs({ name: "s" }));
    await remove(box, second.id, second.outs);
    expect(boxes.size).toBe(0);
  });

  it("takes away what a resource has that is replaced by another object", async () => {
    const first = await apply(box, check(box, inputs({ name: "p" })).inputs);
    const second = await apply(box, check(box, inputs({ name: "q" })).inputs);
    diff(box, first.outs, inputs({ name: "q" }));
    await remove(box, second.id, second.outs);
    expect([...boxes.keys()]).toEqual(["p"]);
  });

  it("reaches the machine as its Host has it now, of what is in the program no more", async () => {
    machineId = "m8";
    const moved = { ...host, machineId, address: "192.0.2.99", knownHostsPath: "/gone" } as HostRef;
    const { id, outs } = await apply(box, inputs({ name: "b", host: moved }));
    await expect(remove(box, id, outs)).rejects.toThrow(/no route to host/);
    reachedBy("m8", { ...moved, name: "gone", decommissioned: true });
    await remove(box, id, outs);
    expect(boxes.has("b")).toBe(true);
    reachedBy("m8", host);
    await remove(box, id, outs);
    expect(boxes.has("b")).toBe(false);
  });

  it("never touches another machine, and none that is decommissioned", async () => {
    const { outs } = await apply(box, inputs({ name: "b" }));
    machineId = "m2";
    await remove(box, "id", outs);
    expect(boxes.has("b")).toBe(true);
    reachable = false;
    await remove(box, "id", { ...outs, host: { ...host, decommissioned: true } as HostRef });
    await expect(remove(box, "id", outs)).rejects.toThrow(/no route to host/);
  });
});

describe("the path of our own connection", () => {
  it("is looked at together with the resource: one look before a write of an update or a delete", async () => {
    carrier = "eth0";
    const { outs } = await apply(box, inputs({ name: "b" }));
    observed = 0;
    const { outs: news } = await apply(box, inputs({ name: "b", size: 2 }), outs);
    expect(observed).toBe(1);
    await remove(box, "id", news);
    expect([observed, boxes.size]).toEqual([2, 0]);
  });

  it("is not asked for what is only now made, IPv6 off or not", async () => {
    const silent: typeof box = {
      ...box,
      claims: ({ name }) => [`device ${name as string}`],
      converge: (want, found, context) => [
        ...box.converge(want, found, context),
        ...(found ? [] : [{ argv: ["sysctl", "-qw", `net/ipv6/conf/${want.name}/disable_ipv6=1`] }]),
      ],
    };
    carrier = "eth0";
    await apply(silent, inputs({ name: "b", size: 2 }));
    expect([observed, boxes.size]).toEqual([1, 1]);
  });

  it("is not cut: neither by an update nor by a delete", async () => {
    const { outs } = await apply(box, inputs({ name: "b" }));
    carrier = "b";
    written = [];
    await expect(apply(box, inputs({ name: "b", size: 2 }), outs)).rejects.toThrow(/our SSH connection needs/);
    await expect(remove(box, "id", outs)).rejects.toThrow(/our SSH connection needs/);
    expect(written).toEqual([]);
  });
});

describe("what a lost object has left", () => {
  it("goes with the next write, or with delete, and stays beside an object that is there", async () => {
    boxes.set("b-dust", {});
    const { id, outs } = await apply(dusty, inputs({ name: "b" }));
    expect(words()).toEqual(["burn b-dust", expect.stringMatching(/^make b /)]);
    boxes.set("b-dust", {});
    await apply(dusty, inputs({ name: "b" }), outs);
    expect(boxes.has("b-dust")).toBe(true);
    boxes.delete("b");
    await remove(dusty, id, outs);
    expect([...boxes.keys()]).toEqual([]);
  });

  it("is proven to be gone", async () => {
    const { id, outs } = await apply(dusty, inputs({ name: "b" }));
    boxes.clear();
    boxes.set("b-dust", {});
    refuse = "burn";
    await expect(remove(dusty, id, outs)).rejects.toThrow(/the box refuses burn/);
  });
});

describe("diff", () => {
  const olds = { ...inputs({ name: "b", size: 1 }), parents: { a: "x" }, revision: "r", live: {} } as Outputs;

  it.each([
    ["an argument", { name: "b", size: 2 }, {}],
    ["an identity argument", { name: "c", size: 1 }, { replaces: ["name"], deleteBeforeReplace: true }],
    ["an unknown identity", { name: UNKNOWN }, { replaces: ["name"], deleteBeforeReplace: true }],
    ["an unknown argument", { name: "b", size: UNKNOWN }, {}],
    ["parents by another name", { name: "b", parents: { a: "y" } }, {}],
    [
      "parents unknown as a whole",
      { name: "b", parents: UNKNOWN },
      { replaces: ["parents"], deleteBeforeReplace: true },
    ],
    ["another address of the host", { name: "b", host: { ...host, address: "192.0.2.9" } }, {}],
    ["a machine not yet known", { name: "b", host: { ...host, machineId: UNKNOWN } }, {}],
    [
      "another machine",
      { name: "b", host: { ...host, machineId: "m2" } },
      { replaces: ["host"], deleteBeforeReplace: true },
    ],
    ["a host unknown as a whole", { name: "b", host: UNKNOWN }, {}],
  ])("%s", (_, news, expected) => {
    expect(diff(box, olds, { ...inputs({}), ...news } as Inputs)).toEqual(expected);
  });
});

describe("check", () => {
  it("names no property, so that the engine prints no value", () => {
    const { failures } = check(box, inputs({ name: 5 }));
    expect(failures).toEqual([{ property: "", reason: "name: must be a string; given was 5" }]);
  });

  it("passes on host, parents, adopt and __provider", () => {
    const given = inputs({ name: "b", parents: { x: "y" }, adopt: true });
    expect(check(box, given)).toEqual({ inputs: given, failures: [] });
  });
});
