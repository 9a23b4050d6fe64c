import { join } from "node:path";
import { up as labUp } from "../../../lab";
import type { Proof } from "../../../tools/proof";
import { capture } from "../helpers/capture";
import { footprint, host, hosts, mustOnHost, onHost } from "../helpers/lab";
import { endedPings, keepPinging, type Pinger, stopPings } from "../helpers/pings";
import { createStack, type Stack } from "../helpers/stack";

/** A node comes to a running cloud of two (VXLAN) and goes again, while its guests ping: the example three-nodes. */
const dir = join(__dirname, "..", "..", "..", "examples", "three-nodes");
const lab = { two: JSON.stringify(hosts().slice(0, 2)), three: "" };
const nodes = ["n1", "n2", "n3"];
const pingers: Pinger[] = [["guest1", "10.0.0.12"]];
const timeoutMs = 800_000;
const on = (HOSTNET_LAB: string) => ({ env: { HOSTNET_LAB }, timeoutMs });
/** What comes and goes, the others' tunnels to the third among it. */
const ofThird = /n3|guest3|0ac70003/;
const quiet = { create: 0, update: 0, delete: 0, replace: 0, failed: 0 };

let stack: Stack;
let before: unknown[];
const all = () => Promise.all(nodes.map(footprint));

beforeAll(async () => {
  lab.three = JSON.stringify(await labUp({ hosts: 3 }));
  process.env.HOSTNET_LAB = lab.three;
  before = await all();
  stack = await createStack({ program: "", dir, env: { HOSTNET_LAB: lab.two } });
  expect(await stack.up(on(lab.two))).toMatchObject({ failed: 0 });
}, 900_000);

afterAll(async () => {
  await stopPings("n1");
  await stack?.dispose();
}, 900_000);

/** Whom a node's br-tun knows: its ports, and its flows but for those that were learned. */
const known = (node: string) =>
  mustOnHost(
    node,
    "ovs-vsctl list-ports br-tun; ovs-ofctl --no-stats dump-flows br-tun | grep -v table=20 | sed 's/cookie=[^,]*, //' | sort",
  );
const others = () => Promise.all([known("n1"), known("n2")]);
const tunnels = async (node: string) =>
  (await mustOnHost(node, "ovs-vsctl list-ports br-tun | grep ^vxlan | sort | xargs")).trim();

it("two nodes are one tunnel, and a tenant's frames are in it under its key", async () => {
  expect([await tunnels("n1"), await tunnels("n2")]).toEqual(["vxlan-0ac70002", "vxlan-0ac70001"]);
  const [wire = []] = await capture(
    "n1",
    [{ device: host("n1").interfaces.underlay, direction: "out", filter: "udp dst port 4789 and src host 10.199.0.1" }],
    "ip netns exec guest1 ping -c 3 -i 0.3 -W 5 10.0.0.12",
  );
  expect(wire.join("\n")).toMatch(
    /VXLAN, flags \[I\] \(0x08\), vni 100\n[\s\S]*10\.0\.0\.11 > 10\.0\.0\.12: ICMP echo request/,
  );
  // The third is not there.
  expect((await onHost("n1", "ip netns exec guest1 ping -c 2 -i 0.3 -W 2 10.0.0.13")).exitCode).toBe(1);
}, 900_000);

it("a third one joins and leaves: nothing of the others is touched but whom they know, and no ping is lost", async () => {
  const as = await others();
  await keepPinging("n1", pingers);
  const came = await stack.up(on(lab.three));
  expect(came).toMatchObject({ delete: 0, replace: 0, failed: 0 });
  const ofOthers = came.resources.filter(({ op, name }) => op !== "same" && !ofThird.test(name));
  expect(new Set(ofOthers.map(({ op, kind }) => `${op} ${kind}`))).toEqual(new Set(["update OvsFlows"]));
  expect([await tunnels("n1"), await tunnels("n3")]).toEqual([
    "vxlan-0ac70002 vxlan-0ac70003",
    "vxlan-0ac70001 vxlan-0ac70002",
  ]);
  const { proof } = (await stack.outputs()) as { proof: Proof[] };
  expect(proof).toHaveLength(2);
  for (const { host: node, namespace, to } of proof) {
    await mustOnHost(node, `ip netns exec ${namespace} ping -c 2 -i 0.3 -W 5 ${to}`);
  }
  expect(await stack.up({ ...on(lab.three), args: ["--refresh"] })).toMatchObject(quiet);

  const went = await stack.up(on(lab.two));
  expect(went).toMatchObject({ create: 0, replace: 0, failed: 0 });
  expect(went.resources.filter(({ op, name }) => op === "delete" && !ofThird.test(name))).toEqual([]);
  const [{ sent, received }] = (await endedPings("n1", pingers)) as [{ sent: number; received: number }];
  expect(sent).toBeGreaterThan(50);
  // A busy machine may drop one.
  expect(received).toBeGreaterThanOrEqual(sent - 1);
  expect(await others()).toEqual(as);
  expect(await footprint("n3")).toEqual(before[2]);
}, 900_000);

it("all hosts are as before after `destroy`", async () => {
  await stack.destroy(on(lab.two));
  expect(await all()).toEqual(before);
}, 900_000);
