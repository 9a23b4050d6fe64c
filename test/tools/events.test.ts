import { parseEvents } from "../e2e/helpers/events";

const urn = (name: string) => `urn:pulumi:s::p::pulumi-nodejs:dynamic/hostnet:Namespace::${name}`;
const step = (event: string, op: string, name: string, more: object = {}) => ({
  [event]: { metadata: { op, urn: urn(name), type: "pulumi-nodejs:dynamic/hostnet:Namespace", ...more } },
});
const log = (...events: object[]) => events.map((event) => JSON.stringify(event)).join("\n");
const size = { keys: null, diffs: ["size"], detailedDiff: { size: {}, "more[0].deep": {} } };

test("an update has the paths of the detailed diff", () => {
  const changes = parseEvents(
    log(step("resourcePreEvent", "update", "a", size), step("resOutputsEvent", "update", "a", size)),
  );
  expect(changes).toMatchObject({ update: 1, create: 0, failed: 0 });
  expect(changes.resources).toEqual([
    {
      urn: urn("a"),
      name: "a",
      kind: "Namespace",
      op: "update",
      diffs: ["more[0].deep", "size"],
      replaceKeys: [],
      failed: false,
    },
  ]);
});

test("a replacement has three steps and counts once", () => {
  const n = { keys: ["n"], diffs: ["n"], detailedDiff: { n: {} } };
  const changes = parseEvents(
    log(
      step("resourcePreEvent", "delete-replaced", "a"),
      step("resourcePreEvent", "replace", "a", n),
      step("resourcePreEvent", "create-replacement", "a", n),
    ),
  );
  expect(changes).toMatchObject({ replace: 1, create: 0, delete: 0 });
  expect(changes.resources.map(({ op }) => op)).toEqual(["delete-replaced", "replace", "create-replacement"]);
  expect(changes.resources[1]?.replaceKeys).toEqual(["n"]);
});

test("refresh counts by what it found", () => {
  const changes = parseEvents(
    log(
      step("resourcePreEvent", "refresh", "a"),
      step("resourcePreEvent", "refresh", "b"),
      step("resourcePreEvent", "refresh", "c"),
      step("resOutputsEvent", "update", "a", size),
      step("resOutputsEvent", "same", "b"),
      step("resOutputsEvent", "delete", "c"),
    ),
  );
  expect(changes).toMatchObject({ update: 1, same: 1, delete: 1 });
});

test("`up --refresh` tells the drift and the step that mends it", () => {
  const changes = parseEvents(
    log(
      step("resourcePreEvent", "refresh", "a"),
      step("resOutputsEvent", "refresh", "a", size),
      step("resourcePreEvent", "update", "a", size),
      step("resOutputsEvent", "update", "a", size),
    ),
  );
  expect(changes.resources.map(({ op, diffs }) => [op, diffs[1]])).toEqual([
    ["refresh", "size"],
    ["update", "size"],
  ]);
  expect(changes.update).toBe(1);
});

test("a failed step is not counted as done, and its diagnostic is kept, without colours and debug messages", () => {
  const changes = parseEvents(
    log(
      step("resourcePreEvent", "create", "a"),
      { diagnosticEvent: { severity: "debug", message: "noise" } },
      { diagnosticEvent: { severity: "error", urn: urn("a"), message: "<{%fg 1%}>broken<{%reset%}>\n" } },
      step("resOpFailedEvent", "create", "a"),
    ),
  );
  expect(changes).toMatchObject({ create: 0, failed: 1 });
  expect(changes.diagnostics).toEqual([{ severity: "error", urn: urn("a"), message: "broken" }]);
});

test("the stack, its provider and a line that a kill cut off are left out", () => {
  const engine = (type: string) => ({ resourcePreEvent: { metadata: { op: "create", urn: `x::${type}::y`, type } } });
  const text = `${log(engine("pulumi:pulumi:Stack"), engine("pulumi:providers:pulumi-nodejs"), step("resourcePreEvent", "create", "a"))}\n{"seq`;
  expect(parseEvents(text).resources.map(({ name }) => name)).toEqual(["a"]);
});
