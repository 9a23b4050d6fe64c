import type { Sample, Update } from "../sample";

const tag = (name: string, value: number): Update => ({
  to: value,
  shows: `ovs-vsctl get Port ${name} tag`,
  expect: new RegExp(`^${value}$`, "m"),
  removed: /^\[\]$/m,
  drift: `ovs-vsctl set Port ${name} tag=99`,
});

export const ovsPatch: Sample = {
  kind: "OvsPatch",
  needs: ["s-ovs", "s-ovs2", "s-ovs3"].map((name) => ({ kind: "OvsBridge", args: { name } })),
  args: { a: { bridge: "s-ovs", name: "s-a-patch-port-of-30-letters" }, b: { bridge: "s-ovs2", name: "s-pb" } },
  exists:
    "test $(ovs-vsctl get Interface s-a-patch-port-of-30-letters options:peer) = s-pb && ovs-vsctl port-to-br s-pb",
  // Half of it.
  vanish: "ovs-vsctl del-port s-pb",
  updates: { "a.tag": tag("s-a-patch-port-of-30-letters", 5), "b.tag": tag("s-pb", 6) },
  replaces: { "a.bridge": "s-ovs3", "a.name": "s-pa2", "b.bridge": "s-ovs3", "b.name": "s-pb2" },
  invalid: [
    { args: { b: { bridge: "s-ovs2", name: "s-a-patch-port-of-30-letters" } }, path: "b.name", text: /differ/ },
    { args: { a: { bridge: "s-ovs", name: "x y" } }, path: "a.name", text: /1 to 64/ },
  ],
};
