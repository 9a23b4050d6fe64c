import { componentTopics } from "../../tools/generate-components";

const topics = componentTopics();

test("each component of hostnet.neutron has its page", () => {
  const components = "Cloud ComputeNode Instance Network NetworkNode Router SecurityGroup Subnet".split(" ");
  expect(topics.map(({ name }) => name)).toEqual(components);
});

test.each(topics)("$name and all its arguments and outputs are described", ({ doc, args, outputs: [, outputs] }) => {
  expect(doc).not.toBe("");
  const rows = [...args, ...outputs];
  expect(rows.filter((row) => !row.doc || !row.type).map(({ path }) => path)).toEqual([]);
});

test("a page goes into lists, objects by name and those of several forms, and leaves out what is internal", () => {
  const [instance, node] = ["Instance", "ComputeNode"].map((name) => topics.find((one) => one.name === name));
  const row = (path: string) => instance?.args.filter((one) => one.path === path);
  expect(row("ports[].allowedAddressPairs[].mac")).toMatchObject([{ required: false, type: "string" }]);
  expect(row("guest.type")?.map(({ type }) => type)).toEqual(["`tap`", "`namespace`", "`external`"]);
  expect(node?.args.map(({ path }) => path)).toContain("physicalNetworks.NAME.bridge");
  const [, outputs] = node?.outputs ?? [];
  expect(outputs?.map(({ path }) => path)).toEqual(["name", "cloud", "host", "tunnelAddress", "brInt", "brTun"]);
});
