import { declaredIn } from "../../../bench/layout/twin";

const urn = (type: string, name: string) => `urn:pulumi:bench::project::${type}::${name}`;
const stack = urn("pulumi:pulumi:Stack", "project-bench");
const host = urn("hostnet:Host", "n1");
const cloud = urn("hostnet:neutron:Cloud", "cloud");
const bridge = urn("hostnet:Bridge", "a::b");
const port = urn("hostnet:Port", "p");

const state = {
  deployment: {
    resources: [
      { urn: stack, type: "pulumi:pulumi:Stack" },
      { urn: urn("pulumi:providers:x", "default"), type: "pulumi:providers:x", custom: true },
      { urn: host, type: "hostnet:Host", custom: true, parent: stack, inputs: { __provider: "ours", name: "n1" } },
      { urn: cloud, type: "hostnet:neutron:Cloud", parent: stack },
      {
        ...{ urn: bridge, type: "hostnet:Bridge", custom: true, parent: cloud, inputs: { host: { name: "n1" } } },
        ...{ dependencies: [host], propertyDependencies: { host: [host] } },
      },
      {
        ...{ urn: port, type: "hostnet:Port", custom: true, parent: cloud, inputs: { host: { name: "n1" } } },
        ...{ dependencies: [bridge, host], propertyDependencies: { host: [host] } },
      },
    ],
  },
};

const declared = declaredIn(state);

test("what the program declared comes in its order, without the engine's own and without our provider", () => {
  expect(declared.map(({ urn }) => urn)).toEqual([host, cloud, bridge, port]);
  expect(declared[0]).toEqual({
    ...{ urn: host, type: "hostnet:Host", name: "n1", custom: true, parent: undefined, inputs: { name: "n1" } },
    ...{ dependencies: {}, dependsOn: [] },
  });
});

test("a component is one, and a name may have colons", () => {
  expect(declared[1]).toMatchObject({ custom: false, inputs: {} });
  expect(declared[2]).toMatchObject({ name: "a::b", parent: cloud, dependencies: { host: [host] }, dependsOn: [] });
});

test("what no input is made of is waited for all the same", () => {
  expect(declared[3]).toMatchObject({ dependencies: { host: [host] }, dependsOn: [bridge] });
});
