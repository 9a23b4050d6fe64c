import { discover, discoverCommand } from "../../provider/cli/discover";
import { titleOf } from "../../provider/discover/names";
import { reasonOf } from "../../provider/discover/plan";
import { Known } from "../../provider/import/known";
import { prepare } from "../../provider/import/prepare";
import { RecordedMachine } from "../discover/recorded-machine";

jest.mock("../../provider/host/batch", () => ({ machine: async () => new RecordedMachine() }));

test("what a host has learned is taken by nobody, and import says so", async () => {
  const options = { select: [], all: true };
  const shown = await discover(["n1=192.0.2.1"], options);
  expect(shown[0]?.chosen.filter(({ learned }) => learned)).toEqual([]);
  const { left, plans } = prepare(
    await discover(["n1=192.0.2.1"], { ...options, learned: true }),
    new Known([], []),
    false,
  );
  expect(left.map(({ thing, why }) => `${titleOf(thing)}${why ?? reasonOf(thing)}`)).toContain(
    "Route 10.8.0.0/16 in red (learned: dhcp)",
  );
  expect(plans[0]?.resources.filter(({ thing }) => thing.learned)).toEqual([]);
});

test.each([
  [["--select", "kind=Nope"], /^n1: nothing fits what --select says \(--all has/],
  [["--select", "kind=Nope", "--all"], /^n1: nothing fits what --select says$/],
  [["--select", "kind=Namespace"], /^n1\nKIND .*\nNamespace /],
])("%j: what fits, or that nothing does", async (options, said) => {
  const log = jest.spyOn(console, "log").mockImplementation();
  await discoverCommand().parseAsync(["n1=192.0.2.1", ...options], { from: "user" });
  expect(log.mock.calls[0]?.[0]).toMatch(said);
  log.mockRestore();
});
