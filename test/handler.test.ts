/** What the text in a state requires. */
const load = () => require("../provider/handler");

it("has a handler for Host and for every kind", () => {
  const { kinds } = require("../provider/kinds");
  const verbs = ["check", "create", "delete", "diff", "read", "update"];
  expect(Object.keys(load()).sort()).toEqual(["Host", ...Object.keys(kinds)].sort());
  for (const handler of Object.values(load()) as object[]) expect(Object.keys(handler).sort()).toEqual(verbs);
});

it("loads a kind when a state first requires it, and not before", () => {
  jest.isolateModules(() => {
    jest.doMock("../provider/kinds/route", () => {
      throw new Error("route is loaded");
    });
    expect(load().LinuxBridge).toBeDefined();
    expect(() => load().Route).toThrow("route is loaded");
  });
});
