import * as pulumi from "@pulumi/pulumi";
import * as hostnet from "../provider";
import { take } from "../provider/claims";

interface Registered {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}
let registered: Registered[] = [];

beforeAll(() =>
  pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      registered.push({ type, name, inputs });
      const found = type.endsWith(":Interface") ? { live: { name: "enp3s0" }, namespace: "of the state" } : {};
      return { id: `id-${name}`, state: { ...inputs, machineId: "m1", owner: "a1", epoch: "e1", ...found } };
    },
    call: () => ({}),
  }),
);

beforeEach(() => {
  registered = [];
});

/** The inputs as registered, once all that was declared has been. */
async function inputsOf(name: string): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 3000; tries++) {
    const found = registered.find((resource) => resource.name === name);
    if (found) return found.inputs;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${name} was not registered`);
}

const newHost = (name = "node1") => new hostnet.Host(name, { address: "192.0.2.1", port: 2222 });

it("registers a text under 100 bytes that requires the handler by name", async () => {
  new hostnet.LinuxBridge("br0", { host: newHost() });
  const { __provider } = await inputsOf("br0");
  expect(__provider).toBe('exports.handler=()=>require("pulumi-hostnet/provider").LinuxBridge');
  expect(String(__provider).length).toBeLessThan(100);
  expect(registered.at(-1)?.type).toBe("pulumi-nodejs:dynamic/hostnet:LinuxBridge");
});

it("gives a resource the leaves of its host: what was given or has a default, and what the machine told", async () => {
  new hostnet.Namespace("ns1", { host: newHost() });
  const { host } = await inputsOf("ns1");
  expect(host).toEqual({ name: "node1", address: "192.0.2.1", port: 2222, machineId: "m1", owner: "a1", epoch: "e1" });
});

it("gives a check the leaves of the other hosts that it may look at", async () => {
  const [host, other] = [newHost(), new hostnet.Host("node2", { address: "192.0.2.2" })];
  new hostnet.ConnectivityCheck("path", { host, to: "10.0.1.2", hosts: [other] });
  const { hosts, parents } = await inputsOf("path");
  expect(hosts).toEqual([{ name: "node2", address: "192.0.2.2", machineId: "m1", owner: "a1", epoch: "e1" }]);
  expect(parents).toEqual({});
});

it("names a resource by the last part of its Pulumi name", async () => {
  new hostnet.LinuxBridge("node1/br1", { host: newHost() });
  expect(await inputsOf("node1/br1")).toMatchObject({ name: "br1" });
});

it("takes resources for names, echoes these as parents, and takes the host from them", async () => {
  const host = newHost();
  const blue = new hostnet.Namespace("blue", { host });
  const br = new hostnet.LinuxBridge("br2", { host, name: "br" });
  new hostnet.VethPair("cable", { a: { name: "eth0", namespace: blue }, b: { name: "port", bridge: br } });
  expect(await inputsOf("cable")).toMatchObject({
    a: { name: "eth0", namespace: "blue" },
    b: { name: "port", bridge: "br" },
    parents: { "a.namespace": "blue", "b.bridge": "br" },
    host: { name: "node1" },
  });
});

it("takes the device's real name of a parent that is chosen by what it is, and else the declared one", async () => {
  const host = newHost();
  const chosen = new hostnet.Interface("uplink", { host, selector: { mac: "52:54:00:00:00:03" } });
  const named = new hostnet.Interface("eth9", { host });
  new hostnet.Macvlan("on-chosen", { parent: chosen });
  new hostnet.Macvlan("on-named", { parent: named });
  expect(await inputsOf("on-chosen")).toMatchObject({ parent: "enp3s0", parents: { parent: "enp3s0" } });
  expect(await inputsOf("on-named")).toMatchObject({ parent: "eth9", parents: { parent: "eth9" } });
});

it("is in the namespace of the device that it is given as a resource, unless it says another", async () => {
  const blue = new hostnet.Namespace("blue", { host: newHost() });
  const device = new hostnet.Vxlan("vx", { namespace: blue, vni: 1 });
  new hostnet.Address("there", { device, address: "10.0.0.1/24" });
  new hostnet.Address("elsewhere", { device, namespace: "red", address: "10.0.0.2/24" });
  const nic = new hostnet.Interface("nic", { host: newHost("node3"), name: "eth0" });
  new hostnet.Address("on-host", { device: nic, address: "10.0.0.4/24" });
  expect(await inputsOf("on-host")).not.toHaveProperty("namespace");
  new hostnet.Address("by-name", { host: newHost("node2"), device: "vx", address: "10.0.0.3/24" });
  expect((await inputsOf("there")).namespace).toBe("blue");
  expect((await inputsOf("elsewhere")).namespace).toBe("red");
  expect(await inputsOf("by-name")).not.toHaveProperty("namespace");
});

it("refuses a missing host, a parent of the wrong kind, and parents on two hosts", () => {
  const [one, two] = [newHost("one"), newHost("two")];
  const blue = new hostnet.Namespace("blue2", { host: one });
  expect(() => new hostnet.LinuxBridge("br3", {})).toThrow("LinuxBridge 'br3': host is missing");
  const Untyped = hostnet.LinuxBridge as unknown as new (name: string) => hostnet.LinuxBridge;
  expect(() => new Untyped("br8")).toThrow("LinuxBridge 'br8': host is missing");
  const br = new hostnet.LinuxBridge("br4", { host: one });
  const wrong = br as unknown as hostnet.Namespace;
  expect(() => new hostnet.LinuxBridge("br5", { namespace: wrong })).toThrow(
    "namespace takes a name or a Namespace; given was a LinuxBridge",
  );
  const nic = new hostnet.Interface("eth1", { host: one }) as unknown as hostnet.Namespace;
  expect(() => new hostnet.LinuxBridge("br7", { namespace: nic })).toThrow("given was an Interface");
  expect(() => new hostnet.LinuxBridge("br9", { host: one }, { import: "m1/LinuxBridge/-/br9" })).toThrow(
    "LinuxBridge 'br9': takes no option `import`; `adopt: true` or `hostnet import`",
  );
  expect(() => new hostnet.Host("h9", { address: "192.0.2.1" }, { id: "Host/0123" })).toThrow(
    "Host 'h9': takes no option `id`",
  );
  expect(() => new hostnet.LinuxBridge("br6", { host: two, namespace: blue })).toThrow(
    "host and namespace are on different hosts",
  );
});

it("ignores the name of a parent along with the argument that it is given as", () => {
  const resourcesOn = (host: hostnet.Host, ...names: string[]) =>
    names.map((name) => new hostnet.LinuxBridge(name, { host }));
  let seen: string[] | undefined;
  const look = ({ opts }: pulumi.ResourceTransformationArgs) => {
    seen = (opts as pulumi.CustomResourceOptions).ignoreChanges;
    return undefined;
  };
  const ignored = (...ignoreChanges: string[]) => {
    const [one, two] = resourcesOn(newHost(), "p1", "p2");
    const ends = { a: { name: "v0", bridge: one }, b: { name: "w0", bridge: two } };
    new hostnet.VethPair(`${ignoreChanges}`, ends, { ignoreChanges, transformations: [look] });
    return seen;
  };
  expect(ignored("a.bridge", "b.mtu")).toEqual(["a.bridge", 'parents["a.bridge"]', "b.mtu"]);
  expect(ignored("b", "a.bridges")).toEqual(["b", 'parents["b.bridge"]', "a.bridges"]);
  const members = resourcesOn(newHost(), "m0", "m1");
  new hostnet.Bond("bond", { members }, { ignoreChanges: ["members[1]"], transformations: [look] });
  expect(seen).toEqual(["members[1]", 'parents["members.1"]']);
});

it("shows nothing but its properties where it is an output of the stack", () => {
  const host = newHost();
  const shown = (resource: object) => Object.keys(resource).filter((key) => !key.startsWith("__"));
  expect(shown(host)).toEqual(expect.arrayContaining(["address", "owner"]));
  expect(shown(host)).not.toContain("given");
  const namespace = shown(new hostnet.Namespace("shown", { host }));
  expect(namespace).toEqual(expect.arrayContaining(["name", "live"]));
  for (const internal of ["on", "called", "placed"]) expect(namespace).not.toContain(internal);
});

it("marks a literal key as secret", async () => {
  const host = new hostnet.Host("keyed", { address: "192.0.2.1", privateKey: "KEY" });
  await inputsOf("keyed");
  expect(await pulumi.isSecret(host.privateKey)).toBe(true);
});

it("refuses two resources of a host that declare the same device, naming both; shared claims only beside their like", () => {
  const [one, two] = [{}, {}];
  expect(take(one, "LinuxBridge 'a'", ["device br7"])).toBeUndefined();
  expect(take(two, "LinuxBridge 'b'", ["device br7"])).toBeUndefined();
  expect(take(one, "VethPair 'c'", ["device x", "device br7"])).toBe(
    "VethPair 'c' and LinuxBridge 'a' both declare device br7 [CONFLICT]",
  );
  expect(take(one, "Address 'd'", ["shared addresses of device y"])).toBeUndefined();
  expect(take(one, "Address 'e'", ["shared addresses of device y"])).toBeUndefined();
  expect(take(one, "LinuxBridge 'f'", ["addresses of device y"])).toMatch(/CONFLICT/);
  expect(take(one, "Vxlan 'g'", ["shared (VXLAN devices) UDP port 4789"])).toBeUndefined();
  expect(take(one, "Vxlan 'h'", ["shared (VXLAN devices) UDP port 4789"])).toBeUndefined();
  expect(take(one, "OvsTunnel 'i'", ["shared (tunnels of Open vSwitch) UDP port 4789"])).toBe(
    "OvsTunnel 'i' and Vxlan 'h' both declare UDP port 4789 [CONFLICT]",
  );
});

it("leaves the depth of stack traces as it is, also when the SDK refuses the resource", () => {
  const host = newHost("traced");
  const limit = Error.stackTraceLimit;
  expect(limit).toBeGreaterThan(0);
  expect(() => new hostnet.Namespace("ns", { host }, { parent: {} as pulumi.Resource })).toThrow();
  expect(Error.stackTraceLimit).toBe(limit);
});
