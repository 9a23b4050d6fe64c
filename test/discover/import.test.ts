import type { Discovered } from "../../provider/discover/plan";
import { programOf } from "../../provider/discover/program";
import { survey } from "../../provider/discover/survey";
import { driftOf } from "../../provider/drift-report";
import { declared } from "../../provider/graph/drawn";
import { machineIdentity } from "../../provider/host/identity";
import type { Entry } from "../../provider/import/entries";
import { Known } from "../../provider/import/known";
import { prepare } from "../../provider/import/prepare";
import type { Kind } from "../../provider/kind";
import { kinds } from "../../provider/kinds";
import { check, type Inputs } from "../../provider/lifecycle";
import { type Step, show } from "../../provider/model/command";
import { HostnetError } from "../../provider/model/errors";
import { resourcesOf, secret } from "../../provider/state";
import { RecordedMachine } from "./recorded-machine";

let machine: RecordedMachine;
let count = 0;
let reachable = true;
jest.mock("../../provider/host/batch", () => ({
  machine: async () => {
    if (!reachable) throw new HostnetError("UNREACHABLE", "no route to host");
    return machine;
  },
}));
beforeEach(() => {
  reachable = true;
  machine = new RecordedMachine(`machine ${++count}`);
});

const host = { name: "n1", args: { address: "192.0.2.1", user: "ops" } };

async function discovered(): Promise<Discovered[]> {
  const machineId = machineIdentity(machine.facts, undefined);
  const found = await survey(machine, machineId, Object.values(kinds));
  return [{ host, machineId, survey: found, chosen: found.things.filter(({ learned }) => !learned) }];
}

/** Takes everything; what the file held before the first mark, and in the end. */
async function imported(known = new Known([], []), more: object = {}) {
  const [found] = await discovered();
  const work = prepare([{ ...(found as Discovered), ...more }], known, false);
  const files: Entry[][] = [];
  const taken = await work.take((entries) => files.push(entries));
  return { work, taken, before: files[0] ?? [], file: files[1] ?? [] };
}

const state = (entries: Entry[]) => resourcesOf(JSON.stringify({ resources: entries }));
const kindOf = ({ type }: Entry) => type.split(":").at(-1) as string;

test("marks what is there and changes nothing else", async () => {
  const { file, work, taken } = await imported();
  expect(taken).toEqual({ plans: work.plans, failed: [] });
  expect(file).toHaveLength(work.count + 1);
  // The recorded machine refuses everything but marks and the ledger.
  expect(machine.written).toContainEqual(expect.stringMatching(/^blue ip link set dev eth0 alias hostnet:/));
  expect(machine.link("br0").ifalias).toMatch(/^hostnet:[0-9a-f]{16}:[0-9a-f]{12}$/);
});

test("takes what is restarted before all else, which may go with it", async () => {
  const ps = "30 1 200 Sat Nov 28 18:05:00 2026 dnsmasq -p0 -i eth0 -F 10.0.1.10,10.0.1.20\n";
  machine.answers.processes = { stdout: ps };
  machine.answers["netns-inodes"] = { stdout: "200 -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n" };
  for (const tool of ["dnsmasq", "ps"]) machine.facts.tools[tool] = `/bin/${tool}`;
  const order: string[] = [];
  // It does nothing of what it is told.
  machine.write = async (steps, then) => {
    order.push(show(steps[0] as Step));
    return { seen: await machine.observe(then) };
  };
  await imported();
  const [last, first] = [
    order.findLastIndex((text) => /^dnsmasq --test/.test(text)),
    order.findIndex((text) => / alias /.test(text)),
  ];
  expect(last).toBeGreaterThan(-1);
  expect(first).toBeGreaterThan(last);
});

test("writes entries as the engine would have them: inputs are what check gives, outputs hold them", async () => {
  const { file } = await imported();
  for (const entry of file.filter((one) => kindOf(one) !== "Host")) {
    const kind = kinds[kindOf(entry)];
    if (!kind) throw new Error(`no kind for ${entry.type}`);
    expect(check(kind, entry.inputs as Inputs)).toEqual({ inputs: entry.inputs, failures: [] });
    expect(entry.outputs).toMatchObject(entry.inputs);
    expect(entry.outputs).toMatchObject({ revision: expect.stringMatching(/^[0-9a-f]{12}$/), live: expect.anything() });
    expect(entry.inputs.__provider).toBe(`exports.handler=()=>require("pulumi-hostnet/provider").${kind.name}`);
    expect(entry).not.toHaveProperty("outputs.adopt");
  }
  const port = file.find((one) => one.name === "p-red" && kindOf(one) === "BridgePort");
  expect(port?.inputs).toMatchObject({ parents: { bridge: "br0" }, host: { address: "192.0.2.1", become: "sudo" } });
  expect(port?.id).toMatch(/^[0-9a-f]{16}\/BridgePort\/-\/p-red$/);
});

test("what was imported has not drifted", async () => {
  const { file } = await imported();
  expect(await driftOf(state(file))).toEqual([]);
});

test("the file is there before the first mark, and a second run goes on from it with the same nonces", async () => {
  const first = await imported();
  expect(first.before.map(({ name, id }) => [name, id])).toEqual(first.file.map(({ name, id }) => [name, id]));
  const again = await imported(new Known([], state(first.before)));
  const revisions = (entries: Entry[]) => entries.map(({ id, outputs }) => [id, outputs.revision]);
  expect(revisions(again.file)).toEqual(revisions(first.file));
});

test("a pair that the stack declares the other way round is the stack's already", async () => {
  const { file } = await imported();
  const turned = file.map((entry) => {
    if (kindOf(entry) !== "VethPair") return entry;
    const [machineId, kind, places = "", names = ""] = entry.id.split("/");
    const swapped = [places, names].map((two) => two.split(",").reverse().join(","));
    const swap = ({ a, b, ...others }: Record<string, unknown>) => ({ ...others, a: b, b: a });
    return {
      ...{ ...entry, id: [machineId, kind, ...swapped].join("/") },
      ...{ inputs: swap(entry.inputs), outputs: swap(entry.outputs) },
    };
  });
  expect(turned.map(({ id }) => id)).not.toEqual(file.map(({ id }) => id));
  const { work } = await imported(new Known(state(turned), []));
  expect(work.count).toBe(0);
  expect(work.left).toContainEqual(expect.objectContaining({ why: "the stack has it already, as p-red" }));
});

test("what cannot be taken in the end is in no program and no file; what refers to it says its name", async () => {
  const write = machine.write.bind(machine);
  machine.write = async (steps, then) => {
    const step = steps.find(({ argv }) => argv.join(" ").startsWith("ip link set dev br0 alias"));
    if (!step) return write(steps, then);
    const failure = { step, result: { exitCode: 2, stdout: "", stderr: "not today\n" } };
    return { seen: await machine.observe(then), failure };
  };
  const { taken, file } = await imported();
  expect(taken.failed).toEqual([{ what: "LinuxBridge br0", why: expect.stringMatching(/not today/) }]);
  const [program] = programOf(taken.plans);
  expect(program?.text).toMatch(/^\/\/ not taken: LinuxBridge br0: .*not today.*$/m);
  expect(program?.text).not.toMatch(/new hostnet\.LinuxBridge\("br0"/);
  expect(program?.text).toMatch(/new hostnet\.BridgePort\("p-red", \{[^}]*bridge: "br0"/);
  expect(file.map(kindOf)).not.toContain("LinuxBridge");
  const port = file.find((one) => one.name === "p-red" && kindOf(one) === "BridgePort");
  expect([port?.inputs.parents, port?.outputs.parents]).toEqual([{}, {}]);
});

test("what the stack has already is not taken twice", async () => {
  const { file } = await imported();
  const { work } = await imported(new Known(state(file), []));
  expect(work.count).toBe(0);
  expect(work.left.find(({ thing }) => thing.kind.name === "LinuxBridge")?.why).toBe(
    "the stack has it already, as br0",
  );
});

test("into a stack that has the Host: it is not made again, and names that are taken are not given", async () => {
  const { file } = await imported();
  const other = { ...(file.find((one) => kindOf(one) === "Host") as Entry) };
  const bridge = file.find((one) => kindOf(one) === "LinuxBridge") as Entry;
  machine = new RecordedMachine(machine.facts.machineId);
  const known = new Known(state([other, { ...bridge, id: "somewhere/LinuxBridge/-/br0" }]), []);
  const { file: added } = await imported(known);
  expect(added.map(kindOf)).not.toContain("Host");
  expect(added.find((one) => kindOf(one) === "LinuxBridge")?.name).toBe("br0-2");
  expect(added.find((one) => kindOf(one) === "Namespace")?.inputs.host).toMatchObject({ owner: other.outputs.owner });
});

test("another stack's, docker's and what would be changed are not taken, with the reason", async () => {
  machine.link("br0").ifalias = "hostnet:aa:bb";
  const [found] = (await discovered()) as [Discovered];
  const pair = found.survey.things.find(({ id }) => id.endsWith("eth0,p-red"));
  pair?.steps.push({ argv: ["ip", "link", "set", "dev", "p-red", "mtu", "1400"] });
  const { left } = prepare([found], new Known([], []), false);
  const why = (kind: string) => left.filter(({ thing }) => thing.kind.name === kind).map((one) => one.why);
  expect(why("LinuxBridge")).toEqual(["it is marked as another stack's"]);
  expect(why("VethPair")).toEqual(["it would be changed: ip link set dev p-red mtu 1400"]);
  expect(why("BridgePort")).toEqual([undefined]);
});

test("a literal key is a secret wherever it stands, and comes back in the clear", async () => {
  const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n";
  const { file } = await imported(new Known([], []), { host: { ...host, args: { ...host.args, privateKey: key } } });
  expect(JSON.stringify(file).split(JSON.stringify(key).slice(1, -1))).toHaveLength(1);
  const text = JSON.stringify(file).replaceAll(JSON.stringify(secret(key)), '"hidden"');
  expect(text).not.toContain("PRIVATE KEY");
  const [first] = state(file);
  expect(first?.inputs.privateKey).toBe(key);
});

describe("drift", () => {
  const changed = async (change: () => void) => {
    const { file } = await imported();
    change();
    return driftOf(state(file));
  };

  test("is named by resource and property", async () => {
    expect(await changed(() => Object.assign(machine.link("eth1", "green"), { mtu: 1400 }))).toEqual([
      { host: "n1", kind: "VethPair", name: "blue/eth1", what: "changed", path: "b.mtu", declared: 9000, live: 1400 },
    ]);
  });

  test("says nothing of what changes are ignored of", async () => {
    const { file } = await imported();
    Object.assign(machine.link("eth1", "green"), { mtu: 1400 });
    const ignoring = (...ignoreChanges: string[]) =>
      driftOf(state(file.map((entry) => (entry.name === "blue/eth1" ? { ...entry, ignoreChanges } : entry))));
    for (const path of ["b", "b.mtu", 'b["mtu"]', "b.*", "*"]) expect(await ignoring("a.mtu", path)).toEqual([]);
    const drifted = [expect.objectContaining({ path: "b.mtu" })];
    for (const path of ["a", "b.mt", "b.addresses[0]", "parents"]) expect(await ignoring(path)).toEqual(drifted);
  });

  test("says of what is as declared that it is of no use so", async () => {
    const { file } = await imported();
    const bridge = kinds.LinuxBridge as Kind;
    const find = bridge.find.bind(bridge);
    const idle = "it serves nobody";
    jest.spyOn(bridge, "find").mockImplementation((...asked) => {
      const found = find(...asked);
      return found && { ...found, idle };
    });
    const found = await driftOf(state(file)).finally(() => jest.restoreAllMocks());
    const names = file.flatMap((entry) => (kindOf(entry) === "LinuxBridge" ? entry.name : []));
    expect(found).toEqual(names.map((name) => ({ host: "n1", kind: "LinuxBridge", name, what: "idle", why: idle })));
    const drawn = declared(state(file), found).drawn.find(({ title }) => title === names[0]);
    expect(drawn).toMatchObject({ change: undefined, drift: ["it serves nobody"] });
  });

  test("does not say what is secret, neither as it was declared nor as it is", async () => {
    const { file } = await imported();
    const pair = file.find(({ name }) => name === "blue/eth1") as Entry;
    Object.assign(pair.outputs.b as object, { mtu: secret(9000) });
    Object.assign(machine.link("eth1", "green"), { mtu: 1400 });
    const [found, ...others] = await driftOf(state(file));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ path: "b.mtu", declared: "[secret]", live: "[secret]" });
    const drawn = declared(state(file)).drawn.find(({ title }) => title === "blue/eth1");
    expect(drawn?.args).toMatchObject({ b: { mtu: "[secret]" } });
    Object.assign(file[0]?.outputs as object, { user: secret("ops") });
    expect(declared(state(file)).on[0]?.args).toMatchObject({ address: "192.0.2.1", user: "[secret]" });
  });

  test("tells what is gone from what is somebody else's", async () => {
    const gone = await changed(() => {
      const routes = machine.answers.routes4 as { stdout: { dst?: string }[] };
      routes.stdout = routes.stdout.filter(({ dst }) => dst !== "10.99.0.0/16");
      machine.link("br0").ifalias = "mine";
    });
    expect(gone.map(({ kind, what }) => [kind, what])).toEqual([
      ["LinuxBridge", "foreign"],
      ["Route", "gone"],
    ]);
  });

  test("a host that was rebooted says so once", async () => {
    const found = await changed(() => {
      machine.facts.bootId = "another";
    });
    expect(found).toEqual([{ host: "n1", kind: "Host", name: "n1", what: "rebooted" }]);
  });

  test("a host that does not answer is said once, and not for each of its resources", async () => {
    const found = await changed(() => {
      reachable = false;
    });
    const why = "no route to host [UNREACHABLE]";
    expect(found).toEqual([{ host: "n1", kind: "Host", name: "n1", what: "unread", why }]);
  });
});

test("a name may hold '::', and encrypted secrets are refused with the way out", () => {
  const urn = "urn:pulumi:s::p::pulumi-nodejs:dynamic/hostnet:Route::blue/::/0";
  const type = "pulumi-nodejs:dynamic/hostnet:Route";
  const text = JSON.stringify({ deployment: { resources: [{ urn, type, id: "i" }] } });
  expect(resourcesOf(text)).toEqual([
    { urn, name: "blue/::/0", kind: "Route", id: "i", inputs: {}, outputs: {}, shown: {} },
  ]);
  const sealed = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
  const encrypted = JSON.stringify({ deployment: { resources: [{ urn, type, id: "i", inputs: { a: sealed } }] } });
  expect(() => resourcesOf(encrypted)).toThrow(/--show-secrets/);
});
