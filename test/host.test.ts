import { machineIdentity } from "../provider/host/identity";
import type { HostRef } from "../provider/host/reach";
import { Seen } from "../provider/host/seen";
import type { Section } from "../provider/model/command";
import { UNKNOWN } from "../provider/model/unknown";

/** Which machine answers at which address. */
let wire: Record<string, string> = {};
const writes: unknown[] = [];
let looks = 0;

jest.mock("../provider/host/batch", () => ({
  machine: async ({ address }: HostRef & { address: string }) => {
    const machineId = wire[address];
    if (machineId === undefined) throw new Error("no route to host");
    const see = (sections: Section[]) =>
      new Seen(
        new Map(sections.map((section) => [section.key, { section, result: { exitCode: 0, stdout: "", stderr: "" } }])),
      );
    return {
      facts: { machineId, bootId: "b", hostname: "h", kernel: "6.1", tools: { ip: "/sbin/ip" }, versions: {} },
      observe: async (sections: Section[]) => {
        looks++;
        return see(sections);
      },
      write: async (steps: unknown, sections: Section[]) => {
        writes.push(steps);
        return { seen: see(sections) };
      },
    };
  },
}));
jest.mock("../provider/log", () => ({ warn: () => {}, tell: () => {} }));

/** As in a new process: who is on which machine is known of one run only. */
function newRun() {
  let host: typeof import("../provider/host").host | undefined;
  let owners: typeof import("../provider/owners") | undefined;
  jest.isolateModules(() => {
    host = require("../provider/host").host;
    owners = require("../provider/owners");
  });
  const { check, diff, ...others } = host as NonNullable<typeof host>;
  return {
    ...others,
    ...(owners as NonNullable<typeof owners>),
    refreshed: diff,
    /** As the engine does it for a resource of the program. */
    diff: (...asked: Parameters<typeof diff>) => {
      check({}, asked[2]);
      return diff(...asked);
    },
  };
}

const at = (name: string, address: string) =>
  ({ name, address, become: "none", identity: "machineId" }) as unknown as Parameters<
    ReturnType<typeof newRun>["create"]
  >[0];
const was = (name: string, address: string, machine: string) =>
  ({
    ...at(name, address),
    machineId: machineIdentity({ machineId: machine } as Parameters<typeof machineIdentity>[0], "machineId"),
    owner: `owner-${name}`,
    epoch: "e",
  }) as unknown as Parameters<ReturnType<typeof newRun>["update"]>[1];

const conflict = /is the same machine as \w, or a clone/;

describe("two Hosts of a stack", () => {
  const [a, b] = [was("a", "10.0.0.1", "M1"), was("b", "10.0.0.2", "M2")];

  it("may change places", async () => {
    wire = { "10.0.0.1": "M1", "10.0.0.2": "M2" };
    const host = newRun();
    const [toB, toA] = [at("a", "10.0.0.2"), at("b", "10.0.0.1")];
    expect(await Promise.all([host.diff("", a, toB), host.diff("", b, toA)])).toEqual(Array(2).fill({ changes: true }));
    expect((await host.update("", a, toB)).outs).toMatchObject({ machineId: b.machineId });
    expect((await host.update("", b, toA)).outs).toMatchObject({ machineId: a.machineId });
  });

  it("may leave a machine to a new one", async () => {
    wire = { "10.0.0.1": "M1", "10.0.0.3": "M3" };
    const host = newRun();
    await host.diff("", a, at("a", "10.0.0.3"));
    expect((await host.create(at("c", "10.0.0.1"))).outs).toMatchObject({ machineId: a.machineId });
  });

  it.each([[["a", "b"]], [["b", "a"]]])(
    "cannot be on one machine: who was there stays, asked in the order %s",
    async (order) => {
      wire = { "10.0.0.1": "M1", "10.0.0.2": "M1" };
      const host = newRun();
      for (const name of order)
        await host.diff("", name === "a" ? a : b, name === "a" ? at("a", "10.0.0.1") : at("b", "10.0.0.2"));
      await expect(host.update("", b, at("b", "10.0.0.2"))).rejects.toThrow(conflict);
      await expect(host.create(at("c", "10.0.0.1"))).rejects.toThrow(conflict);
      expect((await host.update("", a, at("a", "10.0.0.1"))).outs).toMatchObject({ machineId: a.machineId });
    },
  );

  it("may be one and its replacement, which has its ledger until all have moved", async () => {
    wire = { "10.0.0.1": "M1" };
    const host = newRun();
    await host.diff("", a, at("a", "10.0.0.1"));
    const { outs } = await host.create(at("a", "10.0.0.1"));
    const written = () => JSON.stringify(writes.splice(0));
    written();
    await host.delete("", a);
    expect(written()).not.toContain("-rf");
    await host.delete("", { ...a, ...outs });
    expect(written()).toContain(`"rm","-rf","/run/pulumi-hostnet/${outs.owner}"`);
  });

  it("may be one that a refresh has asked about and the program has no longer, and one by another name", async () => {
    wire = { "10.0.0.1": "M1" };
    const host = newRun();
    await host.refreshed("", a, at("a", "10.0.0.1"));
    expect((await host.create(at("c", "10.0.0.1"))).outs).toMatchObject({ machineId: a.machineId });
  });

  it("leaves to who does not answer the machine on which it was", async () => {
    wire = { "10.0.0.9": "M1" };
    const host = newRun();
    await host.diff("", a, at("a", "10.0.0.1"));
    await expect(host.create(at("c", "10.0.0.9"))).rejects.toThrow(conflict);
  });
});

it("is new with one exchange, and looks first where it was before", async () => {
  wire = { "10.0.0.1": "M1" };
  const host = newRun();
  [looks, writes.length] = [0, 0];
  await host.create(at("a", "10.0.0.1"));
  expect([looks, writes.length]).toEqual([0, 1]);
  await host.update("", was("a", "10.0.0.1", "M1"), at("a", "10.0.0.1"));
  expect([looks, writes.length]).toEqual([1, 2]);
});

it("is known for its machine's by who takes its place, once a refresh has read it", async () => {
  wire = { "10.0.0.1": "M1" };
  const a = was("a", "10.0.0.1", "M1");
  const host = newRun();
  await host.read("", a);
  const { outs } = await host.create(at("b", "10.0.0.1"));
  expect([host.relativesOf(outs), host.relativesOf(a)]).toEqual([[a.owner], [outs.owner]]);
  expect(host.relativesOf({ ...a, machineId: "another" })).toEqual([]);
});

it("is reached as the program says, whatever is in state of those that are on it", async () => {
  wire = { "10.0.0.2": "M1", "10.0.0.9": "M9" };
  const a = was("a", "10.0.0.1", "M1");
  const host = newRun();
  await host.diff("", a, { ...at("a", UNKNOWN) });
  await host.diff("", a, at("a", "10.0.0.9"));
  expect(host.asOfNow(a)).toBe(a);
  await host.diff("", a, at("a", "10.0.0.2"));
  expect(host.asOfNow(a)).toEqual({ ...at("a", "10.0.0.2"), machineId: a.machineId, owner: a.owner, epoch: a.epoch });
  await host.diff("", a, { ...at("a", "10.0.0.1"), decommissioned: true });
  expect(host.asOfNow(a)).toMatchObject({ address: "10.0.0.1", decommissioned: true });
});
